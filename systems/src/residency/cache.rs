//! Decoded chunks in host memory, bounded in bytes, least recently used out first.

use bevy_ecs::prelude::*;
use lru::LruCache;
use lucida_components::chunk::{ChunkData, ChunkFault, ChunkKey};
use std::collections::HashSet;

/// Bytes that an entry costs beside its values: a failed or uniform chunk is not free.
const OVERHEAD: u64 = 128;

/// The cache.
#[derive(Resource, Debug)]
pub struct ChunkCache {
    entries: LruCache<ChunkKey, Result<ChunkData, ChunkFault>>,
    bytes: u64,
    /// Wanted chunks that are being made: they will come, but nobody knows when.
    making: HashSet<ChunkKey>,
}

impl Default for ChunkCache {
    fn default() -> Self {
        // Unbounded in entries because it is bounded in bytes, by `insert`.
        Self { entries: LruCache::unbounded(), bytes: 0, making: HashSet::new() }
    }
}

fn cost(entry: &Result<ChunkData, ChunkFault>) -> u64 {
    OVERHEAD + entry.as_ref().map_or(0, ChunkData::bytes)
}

impl ChunkCache {
    /// Takes a chunk in, and others out until all fit `budget` bytes. The newest always stays.
    pub fn insert(&mut self, key: ChunkKey, chunk: Result<ChunkData, ChunkFault>, budget: u64) {
        self.making.remove(&key);
        self.bytes += cost(&chunk);
        if let Some(old) = self.entries.put(key, chunk) {
            self.bytes -= cost(&old);
        }
        while self.bytes > budget && self.entries.len() > 1 {
            if let Some((_, old)) = self.entries.pop_lru() {
                self.bytes -= cost(&old);
            }
        }
    }

    /// Looks a chunk up and notes that it was used.
    pub fn get(&mut self, key: &ChunkKey) -> Option<&Result<ChunkData, ChunkFault>> {
        self.entries.get(key)
    }

    /// Looks a chunk up without noting it.
    pub fn contains(&self, key: &ChunkKey) -> bool {
        self.entries.contains(key)
    }

    /// Notes that a chunk is being made.
    pub fn note_making(&mut self, key: ChunkKey) {
        self.making.insert(key);
    }

    /// Whether a chunk is being made.
    pub fn is_making(&self, key: &ChunkKey) -> bool {
        self.making.contains(key)
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
            cache.insert(key(n), Ok(chunk(1000)), budget);
        }
        assert!(cache.get(&key(0)).is_some(), "0 is now the most recently used");
        cache.insert(key(3), Ok(chunk(1000)), budget);
        assert!(cache.bytes() <= budget);
        assert!(cache.contains(&key(0)) && !cache.contains(&key(1)) && cache.contains(&key(2)));
        cache.insert(key(0), Ok(chunk(10)), budget);
        assert_eq!(cache.bytes(), 2 * 1000 + 10 + 3 * OVERHEAD, "a replaced entry gives its bytes back");
    }
}
