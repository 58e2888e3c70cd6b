//! Decoded chunks in host memory, bounded in bytes, least recently used out first.

use bevy_ecs::prelude::*;
use lru::LruCache;
use lucida_components::chunk::{ChunkData, ChunkFault, ChunkKey};

/// Bytes that an entry costs beside its values: a failed or uniform chunk is not free.
const OVERHEAD: u64 = 128;

/// The cache.
#[derive(Resource, Debug)]
pub struct ChunkCache {
    entries: LruCache<ChunkKey, Result<ChunkData, ChunkFault>>,
    bytes: u64,
}

impl Default for ChunkCache {
    fn default() -> Self {
        // Unbounded in entries because it is bounded in bytes, by `insert`.
        Self { entries: LruCache::unbounded(), bytes: 0 }
    }
}

fn cost(entry: &Result<ChunkData, ChunkFault>) -> u64 {
    OVERHEAD + entry.as_ref().map_or(0, ChunkData::bytes)
}

impl ChunkCache {
    /// Takes a chunk in, and others out until all fit `budget` bytes. The newest always stays.
    pub fn insert(&mut self, key: ChunkKey, chunk: Result<ChunkData, ChunkFault>, budget: u64) {
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

    /// Looks a chunk up without noting that it was used.
    pub fn peek(&self, key: &ChunkKey) -> Option<&Result<ChunkData, ChunkFault>> {
        self.entries.peek(key)
    }

    /// Whether a chunk is here, without noting it.
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
}
