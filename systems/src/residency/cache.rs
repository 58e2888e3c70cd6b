//! Decoded chunks in host memory, bounded in bytes, least recently used out first.

use bevy_ecs::prelude::*;
use lru::LruCache;
use lucida_components::chunk::{ChunkData, ChunkFault, ChunkKey};

/// Bytes that an entry costs beside its values: a failed or uniform chunk is not free.
pub const OVERHEAD: u64 = 128;

/// The cache.
#[derive(Resource, Debug)]
pub struct ChunkCache {
    entries: LruCache<ChunkKey, Result<ChunkData, ChunkFault>>,
    bytes: u64,
    /// The largest chunk of what is shown: the plan says so, and the budget depends on it.
    pub largest: u64,
}

impl Default for ChunkCache {
    fn default() -> Self {
        // Unbounded in entries because it is bounded in bytes, by `insert`.
        Self { entries: LruCache::unbounded(), bytes: 0, largest: 0 }
    }
}

fn cost(entry: &Result<ChunkData, ChunkFault>) -> u64 {
    OVERHEAD + entry.as_ref().map_or_else(|fault| fault.reason.len() as u64, ChunkData::bytes)
}

impl ChunkCache {
    /// Takes a chunk in, after others went out until all fit `budget` bytes: no moment has more. Returns
    /// false for a chunk that does not fit alone; it is not taken.
    pub fn insert(&mut self, key: ChunkKey, chunk: Result<ChunkData, ChunkFault>, budget: u64) -> bool {
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

    /// What a chunk that is here costs.
    pub fn cost_of(&self, key: &ChunkKey) -> Option<u64> {
        self.entries.peek(key).map(cost)
    }

    /// Looks a chunk up and notes that it was used.
    pub fn get(&mut self, key: &ChunkKey) -> Option<&Result<ChunkData, ChunkFault>> {
        self.entries.get(key)
    }

    /// Looks a chunk up without noting it.
    pub fn contains(&self, key: &ChunkKey) -> bool {
        self.entries.contains(key)
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
        ChunkData { dtype: Dtype::U8, values: ChunkValues::Dense(vec![0; bytes].into()) }
    }

    #[test]
    fn the_budget_holds_and_the_least_recently_used_goes_first() {
        let mut cache = ChunkCache::default();
        let budget = 3 * (1000 + OVERHEAD);
        for n in 0..3 {
            cache.insert(key(n), Ok(chunk(1000)), budget);
        }
        assert!(cache.get(&key(0)).is_some(), "0 is now the most recently used");
        cache.insert(key(3), Ok(chunk(1000)), budget);
        assert!(cache.bytes() <= budget);
        assert!(cache.contains(&key(0)) && !cache.contains(&key(1)) && cache.contains(&key(2)));
        cache.insert(key(0), Ok(chunk(10)), budget);
        assert_eq!(cache.bytes(), 2 * 1000 + 10 + 3 * OVERHEAD, "a replaced entry gives its bytes back");
    }

    #[test]
    fn a_chunk_larger_than_the_budget_is_not_taken_and_throws_nobody_out() {
        let mut cache = ChunkCache::default();
        assert!(cache.insert(key(0), Ok(chunk(100)), 1000));
        assert!(!cache.insert(key(1), Ok(chunk(1000)), 1000));
        assert_eq!((cache.bytes(), cache.contains(&key(0))), (100 + OVERHEAD, true));
        cache.shrink(0);
        assert_eq!(cache.bytes(), 0);
    }
}
