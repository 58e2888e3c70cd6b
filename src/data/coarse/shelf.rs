//! Where made chunks are kept: a little in memory, the rest on disk.

use super::disk::{Disk, Place};
use lru::LruCache;
use lucida_components::{chunk::ChunkData, dataset::SourceId, dtype::Dtype};
use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Memory for made chunks of all images. Where nothing can be kept on disk, this is all there is.
const MEMORY_BYTES: u64 = 128 << 20;

/// What an entry costs beside its values, roughly.
const ENTRY_BYTES: u64 = 128;

/// Made chunks. Shared by all images and threads.
pub struct Shelf {
    memory: Mutex<Memory>,
    disk: Option<Disk>,
}

/// Names a made chunk and says what it is like.
pub struct Name<'a> {
    /// The pyramid.
    pub source: SourceId,
    /// Its folder in the disk cache.
    pub folder: Option<&'a str>,
    /// The level.
    pub level: u16,
    /// The chunk.
    pub number: u64,
    /// Value type.
    pub dtype: Dtype,
    /// Values of a full chunk.
    pub voxels: usize,
}

struct Memory {
    chunks: LruCache<(SourceId, u16, u64), ChunkData>,
    bytes: u64,
}

impl Shelf {
    /// Keeps made chunks in at most `bytes` of files in `folder`, which is made when the first is written;
    /// without a folder, or with 0 bytes, in memory alone.
    pub fn new(folder: Option<PathBuf>, bytes: u64) -> Self {
        // Unbounded in entries because it is bounded in bytes, by `put`.
        let memory = Memory { chunks: LruCache::unbounded(), bytes: 0 };
        let disk = folder.filter(|_| bytes > 0).map(|folder| Disk::new(folder, bytes));
        Self { memory: Mutex::new(memory), disk }
    }

    /// A chunk that was made before, in this process or another.
    pub fn get(&self, name: &Name<'_>) -> Option<ChunkData> {
        if let Some(chunk) = self.lock().chunks.get(&key(name)) {
            return Some(chunk.clone());
        }
        let values = self.disk.as_ref()?.get(&place(name)?)?;
        let chunk = ChunkData { dtype: name.dtype, values, missing: false };
        self.remember(name, chunk.clone());
        Some(chunk)
    }

    /// Keeps a chunk.
    pub fn put(&self, name: &Name<'_>, chunk: &ChunkData) {
        self.remember(name, chunk.clone());
        if let (Some(disk), Some(place)) = (&self.disk, place(name)) {
            disk.put(&place, &chunk.values);
        }
    }

    fn remember(&self, name: &Name<'_>, chunk: ChunkData) {
        let cost = |chunk: &ChunkData| ENTRY_BYTES + chunk.bytes();
        let mut memory = self.lock();
        memory.bytes += cost(&chunk);
        if let Some(old) = memory.chunks.put(key(name), chunk) {
            memory.bytes -= cost(&old);
        }
        while memory.bytes > MEMORY_BYTES {
            let Some((_, old)) = memory.chunks.pop_lru() else { break };
            memory.bytes -= cost(&old);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(name: &Name<'_>) -> (SourceId, u16, u64) {
    (name.source, name.level, name.number)
}

fn place<'a>(name: &Name<'a>) -> Option<Place<'a>> {
    let size = name.dtype.size();
    Some(Place {
        folder: name.folder?,
        level: name.level,
        number: name.number,
        size,
        bytes: name.voxels * size,
    })
}
