//! Where the inner chunks of a shard stand: its index, read once and kept for a while.
//!
//! zarrs has the same, but takes the mark of an inner chunk that is not stored for a place in the file,
//! and its cache has no bound.

use super::{declared::Outer, store::FolderStore};
use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};
use zarrs::{
    array::{ArrayToBytesCodecTraits, BytesRepresentation, CodecChain, CodecOptions, FillValue, data_type},
    storage::{Bytes, ReadableStorageTraits, StoreKey, byte_range::ByteRange},
};

/// Memory for the indexes of one level.
const CACHE_BYTES: u64 = 32 << 20;

/// What an index costs beyond its numbers, roughly.
const ENTRY_BYTES: u64 = 256;

/// An inner chunk that is not stored has this offset and length.
const NOT_STORED: u64 = u64::MAX;

/// How an array keeps inner chunks in shards.
pub struct Shards {
    /// Codecs of an inner chunk.
    pub codecs: CodecChain,
    /// The outermost compression of an inner chunk.
    pub outer: Outer,
    /// Inner chunks of a shard along each dimension.
    per_shard: Vec<u64>,
    index_codecs: CodecChain,
    index_shape: Vec<NonZeroU64>,
    index_range: ByteRange,
    cache: Mutex<Cache>,
}

/// Indexes by shard, with the time of their last use.
#[derive(Default)]
struct Cache {
    indexes: HashMap<Vec<u64>, (Arc<[u64]>, u64)>,
    clock: u64,
}

impl Shards {
    /// Inner chunks `per_shard` in each shard, its index at the end of the file or at its start.
    ///
    /// # Errors
    /// Where the size of an encoded index cannot be known.
    pub fn new(
        codecs: CodecChain,
        outer: Outer,
        index_codecs: CodecChain,
        at_end: bool,
        per_shard: Vec<u64>,
    ) -> Result<Self, String> {
        let index_shape: Result<Vec<_>, _> =
            per_shard.iter().copied().chain([2]).map(NonZeroU64::try_from).collect();
        let index_shape = index_shape.map_err(|e| e.to_string())?;
        let fill = FillValue::from(NOT_STORED);
        let size = index_codecs.encoded_representation(&index_shape, &data_type::uint64(), &fill);
        let BytesRepresentation::FixedSize(size) = size.map_err(|e| e.to_string())? else {
            return Err("the index has no fixed size".into());
        };
        let index_range = if at_end { ByteRange::Suffix(size) } else { ByteRange::FromStart(0, Some(size)) };
        let cache = Mutex::default();
        Ok(Self { codecs, outer, per_shard, index_codecs, index_shape, index_range, cache })
    }

    /// The shard that holds an inner chunk, by their numbers along each dimension.
    pub fn shard_of(&self, inner: &[u64]) -> Vec<u64> {
        inner.iter().zip(&self.per_shard).map(|(i, n)| i / n).collect()
    }

    /// The encoded bytes of an inner chunk of the shard `shard`, whose file is `key`; `None` where it is
    /// not stored.
    ///
    /// # Errors
    /// What could not be read or decoded.
    pub fn encoded(
        &self,
        store: &FolderStore,
        key: &StoreKey,
        shard: Vec<u64>,
        inner: &[u64],
    ) -> Result<Option<Bytes>, String> {
        let Some(index) = self.index(store, key, shard)? else { return Ok(None) };
        let place = inner.iter().zip(&self.per_shard).fold(0, |n, (i, per)| n * per + i % per) as usize;
        let (offset, length) = (index[2 * place], index[2 * place + 1]);
        if offset == NOT_STORED && length == NOT_STORED {
            return Ok(None);
        }
        let bytes = store.get_partial(key, ByteRange::FromStart(offset, Some(length)));
        bytes.map_err(|e| format!("inner chunk: {e}"))
    }

    /// The index of a shard; `None` where the shard is not stored.
    fn index(
        &self,
        store: &FolderStore,
        key: &StoreKey,
        shard: Vec<u64>,
    ) -> Result<Option<Arc<[u64]>>, String> {
        if let Some(index) = self.lock().get(&shard) {
            return Ok(Some(index));
        }
        let failed = |e: &dyn std::fmt::Display| format!("shard index: {e}");
        let Some(bytes) = store.get_partial(key, self.index_range).map_err(|e| failed(&e))? else {
            return Ok(None);
        };
        let options = CodecOptions::default().with_concurrent_target(1);
        let decoded = self
            .index_codecs
            .decode(
                (&*bytes).into(),
                &self.index_shape,
                &data_type::uint64(),
                &FillValue::from(NOT_STORED),
                &options,
            )
            .map_err(|e| failed(&e))?;
        let decoded = decoded.into_fixed().map_err(|e| failed(&e))?;
        let index: Arc<[u64]> = decoded.as_chunks::<8>().0.iter().map(|v| u64::from_ne_bytes(*v)).collect();
        if index.len() as u64 != 2 * self.per_shard.iter().product::<u64>() {
            return Err(failed(&"it has the wrong length"));
        }
        self.lock().put(shard, index.clone());
        Ok(Some(index))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&mut self, shard: &[u64]) -> Option<Arc<[u64]>> {
        self.clock += 1;
        let (index, used) = self.indexes.get_mut(shard)?;
        *used = self.clock;
        Some(index.clone())
    }

    /// Keeps an index; all of a level have one size. Those used longest ago make room.
    fn put(&mut self, shard: Vec<u64>, index: Arc<[u64]>) {
        let most = (CACHE_BYTES / (index.len() as u64 * 8 + ENTRY_BYTES)).max(1) as usize;
        while self.indexes.len() >= most {
            let oldest =
                self.indexes.iter().min_by_key(|(_, (_, used))| *used).map(|(shard, _)| shard.clone());
            let Some(oldest) = oldest else { break };
            self.indexes.remove(&oldest);
        }
        self.clock += 1;
        self.indexes.insert(shard, (index, self.clock));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_forgets_what_was_used_longest_ago() {
        let index: Arc<[u64]> = vec![0; (CACHE_BYTES / 8 / 3) as usize - 64].into();
        let mut cache = Cache::default();
        for shard in 0..3 {
            cache.put(vec![shard], index.clone());
        }
        assert!(cache.get(&[0]).is_some());
        cache.put(vec![3], index.clone());
        let held: Vec<bool> = (0..4).map(|shard| cache.get(&[shard]).is_some()).collect();
        assert_eq!(held, [true, false, true, true]);
        // One that is larger than the whole cache is kept alone.
        cache.put(vec![9], vec![0; CACHE_BYTES as usize].into());
        assert_eq!(cache.indexes.len(), 1);
    }
}
