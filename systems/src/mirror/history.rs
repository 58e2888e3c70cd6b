//! What became of the controls of the layers since the image was opened, for clients that come back.
//!
//! Controls belong to the scene, so there is one sequence for everybody: one entry for each layer that a turn
//! changed. A client that was cut off says by its token which was the last that it was told, and is told of the
//! later ones only, with the values that hold now.

use super::tokens::Tokens;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    clock::Clock,
    controls::ControlKey,
    dataset::SourceId,
    ids::LayerId,
    notice::{Cursors, Mark},
    session::Resume,
    stream::StreamConfig,
};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// The newest entries, which are kept whatever their age.
pub const KEPT: usize = 512;
/// Older ones are kept this long.
pub const KEPT_FOR: Duration = Duration::from_mins(5);
/// Entries at most.
pub const MOST: usize = 2048;

/// The changes that are remembered, and the tokens that name them.
#[derive(Resource, Debug, Default)]
pub struct History {
    tokens: Tokens,
    /// The image whose layers these are.
    image: Option<SourceId>,
    /// The newest revision that was looked at.
    revision: u64,
    /// The layers as they were last recorded.
    layers: Arc<[LayerState]>,
    /// Number of the newest entry. It goes on with another image, so that it never falls.
    seq: u64,
    /// Oldest first; their numbers end with `seq`.
    entries: VecDeque<Entry>,
}

/// One layer changed.
#[derive(Debug)]
struct Entry {
    when: Instant,
    layer: LayerId,
    changed: BTreeSet<ControlKey>,
}

/// Controls of a layer that are to be told.
#[derive(Debug, PartialEq)]
pub struct Missed {
    /// The layer.
    pub layer: LayerId,
    /// The controls.
    pub changed: BTreeSet<ControlKey>,
    /// Where they were told, all up to here is.
    pub mark: Mark,
}

/// Records what this turn changed. An op on layers is applied in every view or in none, so any view tells it.
pub fn record(mut history: ResMut<History>, views: Query<&Applied>, clock: Res<Clock>) {
    let Some(newest) = views.iter().max_by_key(|a| a.revision) else { return };
    if newest.revision != history.revision {
        history.revision = newest.revision;
        history.note(&newest.state, clock.now);
    }
}

impl History {
    fn note(&mut self, state: &ViewState, now: Instant) {
        let image = state.dataset.reference().map(|image| image.source);
        if image == self.image && Arc::ptr_eq(&self.layers, &state.layers) {
            return;
        }
        if image == self.image {
            for (place, layer) in state.layers.iter().enumerate() {
                // An image's layers keep their places.
                let same = |l: &&LayerState| l.id == layer.id;
                let before = self.layers.get(place).filter(same).or_else(|| self.layers.iter().find(same));
                let changed = changed_controls(before, layer);
                if !changed.is_empty() {
                    self.seq += 1;
                    self.entries.push_back(Entry { when: now, layer: layer.id, changed });
                }
            }
            self.trim(now);
        } else {
            self.image = image;
            self.entries.clear();
        }
        self.layers = state.layers.clone();
    }

    /// Forgets what is too old or too much.
    fn trim(&mut self, now: Instant) {
        let is_old = |entry: &Entry| now.saturating_duration_since(entry.when) > KEPT_FOR;
        while self.entries.len() > MOST
            || self.entries.len() > KEPT && self.entries.front().is_some_and(is_old)
        {
            self.entries.pop_front();
        }
    }

    /// Number of the newest entry.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What is missed by who was told all up to `since`, each layer once, in the order in which they first
    /// changed; `None` where not all of it is remembered. To be told in this order.
    pub fn missed(&self, since: u64) -> Option<Vec<Missed>> {
        let behind = usize::try_from(self.seq.checked_sub(since)?).ok()?;
        let first = self.entries.len().checked_sub(behind)?;
        let mut missed: Vec<Missed> = Vec::new();
        let mut places = HashMap::new();
        for (entry, seq) in self.entries.range(first..).zip(since + 1..) {
            let place = *places.entry(entry.layer).or_insert(missed.len());
            match missed.get_mut(place) {
                Some(told) => told.changed.extend(entry.changed.iter().copied()),
                None => missed.push(Missed {
                    layer: entry.layer,
                    changed: entry.changed.clone(),
                    mark: self.mark(seq),
                }),
            }
        }
        // Whoever was told the last was told all.
        if let Some(last) = missed.last_mut() {
            last.mark = self.mark(self.seq);
        }
        Some(missed)
    }

    /// What a client that comes back missed; `None` where it is to be told everything: its token is none of
    /// ours, too old, or of another image, or it missed nothing.
    pub fn missed_by(&self, resume: &Resume) -> Option<Vec<Missed>> {
        let behind = self.tokens.layers_behind(self.image?, self.seq, resume.layers.as_deref()?)?;
        let since = self.seq.checked_sub(behind)?;
        self.missed(since).filter(|missed| !missed.is_empty())
    }

    /// All controls of all layers.
    pub fn all(&self) -> Vec<Missed> {
        let unfinished = self.image.map_or_else(String::new, |image| self.tokens.unfinished(image));
        let whole = |layer: &LayerState| Missed {
            layer: layer.id,
            changed: ControlKey::ALL.into_iter().collect(),
            mark: Mark { seq: self.seq, token: unfinished.clone() },
        };
        let mut all: Vec<Missed> = self.layers.iter().map(whole).collect();
        if let Some(last) = all.last_mut() {
            last.mark = self.mark(self.seq);
        }
        all
    }

    /// A place in the sequence of layer controls.
    pub fn mark(&self, seq: u64) -> Mark {
        Mark { seq, token: self.image.map_or_else(String::new, |image| self.tokens.layers(image, seq)) }
    }

    /// Of the scene: each is a baseline.
    pub fn scene_mark(&self) -> Mark {
        Mark { seq: 0, token: self.tokens.scene(self.image) }
    }

    /// Of a stream's configuration, the `seq`-th.
    pub fn stream_mark(&self, seq: u64, config: &StreamConfig) -> Mark {
        Mark { seq, token: self.tokens.stream(config) }
    }

    /// Whether a client that comes back has this configuration.
    pub fn knows_stream(&self, resume: &Resume, config: &StreamConfig) -> bool {
        resume.stream.as_ref().is_some_and(|token| *token == self.tokens.stream(config))
    }

    /// The present places. That of a stream is known only once it is known which stream a client watches.
    pub fn cursors(&self) -> Cursors {
        let open = self.image.is_some();
        Cursors {
            scene: open.then(|| self.scene_mark()),
            layers: open.then(|| self.mark(self.seq)),
            stream: None,
        }
    }

    /// Changes whenever the cursors do.
    pub fn place(&self) -> (Option<SourceId>, u64) {
        (self.image, self.seq)
    }
}

/// Controls that differ from those before; all of a layer that is new.
fn changed_controls(before: Option<&LayerState>, layer: &LayerState) -> BTreeSet<ControlKey> {
    let Some(before) = before else { return ControlKey::ALL.into_iter().collect() };
    if before.controls == layer.controls {
        return BTreeSet::new();
    }
    ControlKey::ALL.into_iter().filter(|k| before.controls.value(*k) != layer.controls.value(*k)).collect()
}
