//! Decoded chunks in host memory, bounded in bytes, least recently used out first; and what is known of
//! chunks that are not there: they failed, or are being made.

use super::faults::Faults;
use bevy_ecs::prelude::*;
use lru::LruCache;
use lucida_components::chunk::{ChunkData, ChunkFault, ChunkKey};
use std::collections::HashSet;

/// Bytes that an entry costs beside its values: a failed or uniform chunk is not free.
pub const OVERHEAD: u64 = 128;

/// The cache.
#[derive(Resource, Debug)]
pub struct ChunkCache {
    entries: LruCache<ChunkKey, Result<ChunkData, ChunkFault>>,
    bytes: u64,
    /// The largest chunk of what is shown: the plan says so, and the budget depends on it.
    pub largest: u64,
    /// Chunks that failed. They are no part of the budget, but their number is bounded.
    pub faults: Faults,
    /// Grows with every chunk that came or failed.
    pub news: u64,
    /// Wanted chunks that are being made: they will come, but nobody knows when.
    making: HashSet<ChunkKey>,
}

impl Default for ChunkCache {
    fn default() -> Self {
        // Unbounded in entries because it is bounded in bytes, by `insert`.
        Self {
            entries: LruCache::unbounded(),
            bytes: 0,
            largest: 0,
            faults: Faults::default(),
            news: 0,
            making: HashSet::new(),
        }
    }
}

fn cost(entry: &Result<ChunkData, ChunkFault>) -> u64 {
    OVERHEAD + entry.as_ref().map_or_else(|fault| fault.reason.len() as u64, ChunkData::bytes)
}

impl ChunkCache {
    /// Takes a chunk in, after others went out until all fit `budget` bytes: no moment has more. Returns
    /// false for a chunk that does not fit alone; it is not taken.
    pub fn insert(&mut self, key: ChunkKey, chunk: ChunkData, budget: u64) -> bool {
        let chunk = Ok(chunk);
        self.making.remove(&key);
        if let Some(old) = self.entries.pop(&key) {
            self.bytes -= cost(&old);
        }
        let bytes = cost(&chunk);
        if bytes > budget {
            return false;
        }
        self.shrink(budget - bytes);
        self.bytes += bytes;
        self.entries.put(key, chunk);
        true
    }

    /// Takes chunks out, the least recently used first, until all fit `budget` bytes.
    pub fn shrink(&mut self, budget: u64) {
        while self.bytes > budget {
            let Some((_, old)) = self.entries.pop_lru() else { return };
            self.bytes -= cost(&old);
        }
    }

    /// What a chunk of which it is known what became of it costs.
    pub fn cost_of(&self, key: &ChunkKey) -> Option<u64> {
        self.entries.peek(key).map(cost).or_else(|| self.faults.get(key).map(|_| 0))
    }

    /// Looks a chunk up, or why it is not there, and notes that it was used.
    pub fn get(&mut self, key: &ChunkKey) -> Option<&Result<ChunkData, ChunkFault>> {
        self.entries.get(key).or_else(|| self.faults.get(key))
    }

    /// The same without noting it.
    pub fn peek(&self, key: &ChunkKey) -> Option<&Result<ChunkData, ChunkFault>> {
        self.entries.peek(key).or_else(|| self.faults.get(key))
    }

    /// Whether it is known what became of a chunk; without noting it.
    pub fn contains(&self, key: &ChunkKey) -> bool {
        self.peek(key).is_some()
    }

    /// Notes that a chunk is being made.
    pub fn note_making(&mut self, key: ChunkKey) {
        self.making.insert(key);
    }

    /// Whether a chunk is being made.
    pub fn is_making(&self, key: &ChunkKey) -> bool {
        self.making.contains(key)
    }

    /// A chunk that was being made failed.
    pub fn forget_making_of(&mut self, key: &ChunkKey) {
        self.making.remove(key);
    }

    /// Forgets which chunks are being made, except the wanted ones: nobody makes the others any more.
    pub fn forget_making(&mut self, is_wanted: impl Fn(&ChunkKey) -> bool) {
        self.making.retain(is_wanted);
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::{chunk::ChunkValues, dataset::SourceId, dtype::Dtype};

    fn key(number: u64) -> ChunkKey {
        ChunkKey { source: SourceId(0), level: 0, number }
    }

    fn chunk(bytes: usize) -> ChunkData {
        ChunkData { dtype: Dtype::U8, values: ChunkValues::Dense(vec![0; bytes].into()), missing: false }
    }

    #[test]
    fn the_budget_holds_and_the_least_recently_used_goes_first() {
        let mut cache = ChunkCache::default();
        let budget = 3 * (1000 + OVERHEAD);
        for n in 0..3 {
            cache.insert(key(n), chunk(1000), budget);
        }
        assert!(cache.get(&key(0)).is_some(), "0 is now the most recently used");
        cache.insert(key(3), chunk(1000), budget);
        assert!(cache.bytes() <= budget);
        assert!(cache.contains(&key(0)) && !cache.contains(&key(1)) && cache.contains(&key(2)));
        cache.insert(key(0), chunk(10), budget);
        assert_eq!(cache.bytes(), 2 * 1000 + 10 + 3 * OVERHEAD, "a replaced entry gives its bytes back");
    }

    #[test]
    fn a_chunk_larger_than_the_budget_is_not_taken_and_throws_nobody_out() {
        let mut cache = ChunkCache::default();
        assert!(cache.insert(key(0), chunk(100), 1000));
        assert!(!cache.insert(key(1), chunk(1000), 1000));
        assert_eq!((cache.bytes(), cache.contains(&key(0))), (100 + OVERHEAD, true));
        cache.shrink(0);
        assert_eq!(cache.bytes(), 0);
    }
}
