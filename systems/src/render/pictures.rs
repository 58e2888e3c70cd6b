//! What a stream has shown, and what it is read back through.

use super::{job::PixelFormat, ring::Ring};
use bevy_ecs::component::Component;
use lucida_components::stream::{Orientation, Stream};
use std::time::{Duration, Instant};

/// Nothing moved for this long: the picture is at rest and is drawn as it was asked for.
pub(super) const REST: Duration = Duration::from_millis(120);

/// Longest time between keyframes of a stream whose decoders need them, while something moves.
const KEYFRAMES: Duration = Duration::from_secs(2);

/// Whether the decoders of a stream may lose their place without a word: napari-cuda's on Linux drops what it has
/// when it is behind, and waits for the next keyframe.
pub(super) fn is_forgetful(stream: &Stream) -> bool {
    stream.orientation == Orientation::BottomUp
}

/// The ring of a stream, and what its last frame showed.
#[derive(Component, Debug, Default)]
pub struct Pictures {
    /// What it is read back as.
    pub format: PixelFormat,
    pub(super) ring: Option<Ring>,
    pub(super) rings: u64,
    pub(super) shown: Option<Shown>,
    pub(super) motion: Option<Motion>,
    /// The decoder must be able to begin at the next frame.
    pub(super) keyframe: bool,
    /// The last frame with which it can.
    pub(super) keyed: Option<Instant>,
    /// There were others since.
    pub(super) unkeyed: bool,
}

impl Pictures {
    /// The next frame is drawn even if nothing changed, and a decoder can begin with it.
    pub fn request_keyframe(&mut self) {
        self.keyframe = true;
    }

    /// The stream shows something else from now on: its next picture is drawn, whatever was shown.
    pub fn turn_to_another(&mut self) {
        self.shown = None;
    }

    /// The device is gone: the next picture is drawn into a new ring, whatever was shown, and a decoder can
    /// begin with it. What still comes back belongs to no ring.
    pub fn forget(&mut self) {
        self.ring = None;
        self.shown = None;
        self.keyframe = true;
    }

    /// A frame is handed over: whether a decoder is to be able to begin with it.
    pub(super) fn begin(&mut self, now: Instant, stream: &Stream) -> bool {
        let overdue = is_forgetful(stream) && self.keyed.is_none_or(|at| now >= at + KEYFRAMES);
        let keyframe = std::mem::take(&mut self.keyframe) || overdue;
        if keyframe {
            self.keyed = Some(now);
        }
        self.unkeyed = !keyframe;
        keyframe
    }

    /// Notes what is to be seen now, and returns since when.
    pub(super) fn observe(&mut self, key: Key, now: Instant) -> Motion {
        // The very first picture is one at rest.
        let first = now.checked_sub(REST).unwrap_or(now);
        let motion = self.motion.get_or_insert(Motion { key, moved: first, changed: first });
        if motion.key.revision != key.revision {
            motion.moved = now;
        }
        if motion.key != key {
            motion.changed = now;
        }
        motion.key = key;
        *motion
    }
}

/// What a picture shows: equal keys are the same picture, as far as the data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub revision: u64,
    /// [`crate::residency::plan::Plan::stamp`]: what is resident.
    pub stamp: u64,
}

/// How good a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// Sampled nearest, or of fewer pixels: while something changes and there is no time for more.
    Draft,
    /// As it was asked for.
    Full,
}

/// What a drawn frame depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub key: Key,
    pub grade: Grade,
}

/// Since when things are as they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Motion {
    key: Key,
    /// The revision.
    pub moved: Instant,
    /// The revision, or what is resident.
    pub changed: Instant,
}
