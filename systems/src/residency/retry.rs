//! Tiles with missing parts: their failed chunks are tried again when that is due, and a tile is cut anew when
//! one of them came.

use super::{faults::Faults, pools::Slot, tiles::Plane};
use lucida_components::chunk::ChunkKey;
use std::time::Instant;

/// What is due of the tiles that the plans at hand look at.
#[derive(Debug)]
pub struct Retries {
    /// Chunks to be tried again now: after everything else that is wanted.
    pub again: Vec<ChunkKey>,
    /// When the first of the others is due.
    pub at: Option<Instant>,
    now: Instant,
}

impl Retries {
    /// Nothing yet, at the time `now`.
    pub fn new(now: Instant) -> Self {
        Self { again: Vec::new(), at: None, now }
    }

    /// Looks after a resident tile with missing parts, in the plan of the number `plan`. Returns whether a
    /// chunk of it came since it was cut, so that it is to be cut anew.
    pub fn mend(&mut self, plane: &Plane, at: [u64; 2], slot: &Slot, plan: u64, faults: &mut Faults) -> bool {
        let mut mended = false;
        for key in plane.chunks(at) {
            match faults.due(&key) {
                Some(due) if due <= self.now => self.again.push(key),
                Some(due) => self.at = Some(self.at.map_or(due, |at| at.min(due))),
                None => mended |= faults.was_repaired(&key, slot.cut, plan),
            }
        }
        mended
    }
}
