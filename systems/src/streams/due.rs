//! Whether there is anything to look at: most turns change nothing on which streams depend.

use super::{Idle, LINGER};
use crate::ingest::Watchers;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    clock::Clock,
    ids::ViewId,
    session::{Session, Watch},
    stream::{Canvas, Stream},
};

/// Whether a session or a view's canvas changed, somebody began or ceased to watch, a stream began, or has idled for
/// long enough.
#[expect(clippy::too_many_arguments, reason = "looks at all on which streams depend")]
pub fn is_due(
    clock: Res<Clock>,
    mut known: Local<Vec<(ViewId, Canvas, Option<Canvas>)>>,
    watchers: Res<Watchers>,
    views: Query<(&ViewId, &Canvas, Option<&Applied>)>,
    moved: Query<(), Changed<Session>>,
    mut left: RemovedComponents<Watch>,
    begun: Query<(), Added<Stream>>,
    idle: Query<&Idle>,
) -> bool {
    let canvases = || views.iter().map(|(id, asked, applied)| (*id, *asked, applied.map(|a| a.state.canvas)));
    let is_resized = !canvases().eq(known.iter().copied());
    if is_resized {
        *known = canvases().collect();
    }
    // All are looked at: what was seen once is not seen again.
    let has_left = left.read().count() > 0;
    let is_over = idle.iter().any(|idle| idle.0 + LINGER <= clock.now);
    is_resized || has_left || is_over || watchers.is_changed() || !moved.is_empty() || !begun.is_empty()
}
