//! Chunks: what residency wants, what the pool brings.

use crate::{dataset::SourceId, dtype::Dtype};
use bevy_ecs::resource::Resource;
pub use bytes::Bytes;

/// Names one chunk (or inner chunk of a shard) of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkKey {
    /// The pyramid.
    pub source: SourceId,
    /// The level, 0 = finest.
    pub level: u16,
    /// C-order number in the level's chunk grid ([`crate::dataset::Level::chunk_number`]).
    pub number: u64,
}

/// Decoded values of one chunk, in C order over the level's full chunk shape (edge chunks are padded).
#[derive(Debug, Clone)]
pub struct ChunkData {
    /// Value type of `values`.
    pub dtype: Dtype,
    /// The values.
    pub values: ChunkValues,
    /// Parts of what it was made of could not be read: they are 0, or no numbers, and it is drawn as missing.
    pub missing: bool,
}

/// How a chunk's values are held.
#[derive(Debug, Clone)]
pub enum ChunkValues {
    /// Native byte order, `voxels × dtype.size()` bytes.
    Dense(Bytes),
    /// Every voxel is the same (a chunk that is not stored): the fill value's bytes, low first.
    Uniform([u8; 4]),
}

impl ChunkData {
    /// Bytes of host memory it holds.
    pub fn bytes(&self) -> u64 {
        match &self.values {
            ChunkValues::Dense(b) => b.len() as u64,
            ChunkValues::Uniform(_) => 64,
        }
    }
}

/// Why a chunk could not be had. It is drawn as missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("chunk {number} of level {level}: {reason}")]
pub struct ChunkFault {
    /// Level.
    pub level: u16,
    /// Chunk number.
    pub number: u64,
    /// What went wrong, in a sentence for the log.
    pub reason: String,
}

/// Urgency of a chunk; smaller comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(pub u32);

/// One wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The chunk.
    pub key: ChunkKey,
    /// How urgent it is.
    pub priority: Priority,
    /// Bytes of host memory that it takes once it is decoded, at most.
    pub bytes: u64,
}

/// What residency wants now, most urgent first. The whole list replaces the previous one: what is not
/// in it and not yet being read is cancelled.
#[derive(Resource, Debug, Default)]
pub struct Wants {
    /// Chunks, sorted by their urgency.
    pub list: Vec<Want>,
    /// Whether `list` changed since the pool last took it.
    pub changed: bool,
}

/// What the pool brought since the last turn. `None`: the chunk is not there yet; it is being made, for as
/// long as it is wanted, and comes later.
#[derive(Resource, Debug, Default)]
pub struct Arrivals(pub Vec<(ChunkKey, Option<Result<ChunkData, ChunkFault>>)>);
