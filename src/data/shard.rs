//! Inner chunks of shard files. The index of a shard is read once and kept for a while.
//!
//! zarrs has the same, but takes the mark of an inner chunk that is not stored for a place in the file,
//! and its cache has no bound.

use super::{
    codecs::{Index, Scratch, Sharding},
    store::{StoredFile, Version},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Memory for the indexes of one level.
const CACHE_BYTES: u64 = 32 << 20;

/// What an index costs beyond its numbers, roughly.
const ENTRY_BYTES: u64 = 256;

/// How an array keeps inner chunks in shards.
pub struct Shards {
    sharding: Sharding,
    cache: Mutex<Cache>,
}

/// Indexes by shard.
#[derive(Default)]
struct Cache {
    indexes: HashMap<Vec<u64>, Known>,
    clock: u64,
}

/// An index that was read.
struct Known {
    index: Arc<Index>,
    /// Of the file that it was read from.
    version: Version,
    /// Its last use, by the cache's clock.
    used: u64,
}

impl Shards {
    /// Shards laid out so.
    pub fn new(sharding: Sharding) -> Self {
        Self { sharding, cache: Mutex::default() }
    }

    /// The shard that holds an inner chunk, by their numbers along each dimension.
    pub fn shard_of(&self, inner: &[u64]) -> Vec<u64> {
        inner.iter().zip(self.sharding.per_shard()).map(|(i, n)| i / n as u64).collect()
    }

    /// Decodes an inner chunk, by its numbers along each dimension, of the shard `shard`, whose file is
    /// `file`, into `out`; false where it is not stored.
    ///
    /// # Errors
    /// What could not be read or decoded.
    pub fn decode(
        &self,
        file: &StoredFile,
        shard: Vec<u64>,
        inner: &[u64],
        out: &mut [u8],
        fill: &[u8],
        scratch: &mut Scratch,
    ) -> Result<bool, String> {
        let index = self.index(file, shard, scratch).map_err(|e| format!("shard index: {e}"))?;
        let places = inner.iter().zip(self.sharding.per_shard());
        let number = places.fold(0, |n, (i, per)| n * per + (*i % per as u64) as usize);
        let Some((offset, length)) = index.place(number) else { return Ok(false) };
        let read = self.read_inner(file, offset, length, out, fill, scratch);
        read.map(|()| true).map_err(|e| format!("inner chunk: {e}"))
    }

    /// The index of a shard, out of the cache where the file is still the same.
    fn index(&self, file: &StoredFile, shard: Vec<u64>, scratch: &mut Scratch) -> Result<Arc<Index>, String> {
        if let Some(index) = self.lock().get(&shard, file.version()) {
            return Ok(index);
        }
        let range = self.sharding.index_range(file.len()).ok_or("the file is too short for it")?;
        let mut bytes = scratch.take_len((range.end - range.start) as usize);
        file.read_at(range.start, &mut bytes).map_err(|e| e.to_string())?;
        let index = self.sharding.decode_index(&bytes, scratch).map_err(|e| e.to_string())?;
        scratch.give(bytes);
        let index = Arc::new(index);
        self.lock().put(shard, index.clone(), file.version());
        Ok(index)
    }

    fn read_inner(
        &self,
        file: &StoredFile,
        offset: u64,
        length: u64,
        out: &mut [u8],
        fill: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), String> {
        if offset.checked_add(length).is_none_or(|end| end > file.len()) {
            return Err(format!("stands at {offset} + {length} in a file of {} bytes", file.len()));
        }
        let most = self.sharding.inner.encoded().most() as u64;
        if length > most {
            return Err(format!("{length} encoded bytes where at most {most} belong"));
        }
        let mut bytes = scratch.take_len(length as usize);
        file.read_at(offset, &mut bytes).map_err(|e| e.to_string())?;
        self.sharding.inner.decode(&bytes, out, fill, scratch).map_err(|e| e.to_string())?;
        scratch.give(bytes);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&mut self, shard: &[u64], version: Version) -> Option<Arc<Index>> {
        self.clock += 1;
        let known = self.indexes.get_mut(shard).filter(|known| known.version == version)?;
        known.used = self.clock;
        Some(known.index.clone())
    }

    /// Keeps an index; all of a level have one size. Those used longest ago make room.
    fn put(&mut self, shard: Vec<u64>, index: Arc<Index>, version: Version) {
        let most = (CACHE_BYTES / (index.bytes() + ENTRY_BYTES)).max(1) as usize;
        while self.indexes.len() >= most {
            let oldest =
                self.indexes.iter().min_by_key(|(_, known)| known.used).map(|(shard, _)| shard.clone());
            let Some(oldest) = oldest else { break };
            self.indexes.remove(&oldest);
        }
        self.clock += 1;
        self.indexes.insert(shard, Known { index, version, used: self.clock });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_forgets_what_was_used_longest_ago() {
        let index = Arc::new(Index::of(vec![0; (CACHE_BYTES / 8 / 3) as usize - 64]));
        let mut cache = Cache::default();
        let version = Version::default();
        let later = Version { inode: 1, ..version };
        for shard in 0..3 {
            cache.put(vec![shard], index.clone(), version);
        }
        assert!(cache.get(&[0], version).is_some());
        cache.put(vec![3], index.clone(), version);
        let held: Vec<bool> = (0..4).map(|shard| cache.get(&[shard], version).is_some()).collect();
        assert_eq!(held, [true, false, true, true]);
        assert!(cache.get(&[0], later).is_none(), "the file was written anew");
        // One that is larger than the whole cache is kept alone.
        cache.put(vec![9], Arc::new(Index::of(vec![0; CACHE_BYTES as usize])), version);
        assert_eq!(cache.indexes.len(), 1);
    }
}
