//! What the choice of bricks has still to look at, the most urgent first.

use std::collections::BinaryHeap;

/// What is to be looked at: a brick, or a box of bricks of one level that refine the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Place in the list of layers.
    pub layer: u16,
    /// Place among its levels.
    pub block: u16,
    /// First brick along z, y, x, and behind the last.
    pub from: [u32; 3],
    pub to: [u32; 3],
    /// Place among the chosen of what it refines.
    pub parent: u32,
    /// A finer level is wanted somewhere in it.
    pub is_coarse: bool,
}

impl Candidate {
    pub fn count(&self) -> u64 {
        (0..3).fold(1, |n: u64, i| n.saturating_mul(u64::from(self.to[i] - self.from[i])))
    }
}

/// Candidates, the most urgent out first. In one number each: the coarsest level before all others, then by
/// urgency, then in the order in which they came, which depends on nothing but what is seen.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<u64>,
    candidates: Vec<Candidate>,
}

impl Queue {
    pub fn push(&mut self, is_coarsest: bool, urgency: f64, candidate: Candidate) {
        // Bits of floats that are not negative rise with them.
        let urgency = u64::from((urgency as f32).max(0.0).to_bits());
        let place = self.candidates.len() as u32;
        self.heap.push(u64::from(is_coarsest) << 63 | urgency << 32 | u64::from(!place));
        self.candidates.push(candidate);
    }

    /// What was not taken out, in any order.
    pub fn rest(&self) -> impl Iterator<Item = (&Candidate, bool)> {
        self.heap.iter().map(|key| (&self.candidates[!(*key as u32) as usize], key >> 63 == 1))
    }

    /// The most urgent, and whether it is of the coarsest level.
    pub fn pop(&mut self) -> Option<(Candidate, bool)> {
        let key = self.heap.pop()?;
        Some((self.candidates[!(key as u32) as usize], key >> 63 == 1))
    }
}
