//! What a session sees of a view: the applied state on the session's own canvas.

use lucida_components::{applied::Applied, fit::Fit, ids::ViewId, stream::Canvas};
use std::{borrow::Cow, sync::Arc};

/// Applied states on the canvases of this turn's sessions. Made once for all that have the same.
#[derive(Debug, Default)]
pub struct Seen(Vec<(ViewId, Canvas, Arc<Applied>)>);

impl Seen {
    /// The state of a view on a canvas; on the view's own where a session has none.
    pub fn of(&mut self, view: ViewId, applied: &Applied, canvas: Option<Canvas>) -> Arc<Applied> {
        let canvas = canvas.unwrap_or(applied.state.canvas);
        let known =
            self.0.iter().find(|(v, c, a)| *v == view && *c == canvas && a.revision == applied.revision);
        if let Some((.., seen)) = known {
            return seen.clone();
        }
        let state = match Fit::of(applied.state.canvas, canvas).state(&applied.state) {
            Cow::Borrowed(_) => applied.state.clone(),
            Cow::Owned(fitted) => Arc::new(fitted),
        };
        let seen = Arc::new(Applied { revision: applied.revision, state });
        self.0.push((view, canvas, seen.clone()));
        seen
    }
}
