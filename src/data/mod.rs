//! Stores and chunks: opening images, reading and decoding their pieces off the world's thread.

use lucida_components::{
    chunk::{ChunkData, ChunkFault},
    dataset::{Dataset, SourceId},
};
use std::sync::Arc;

/// Where the chunks of one pyramid come from. `read` is called from pool threads, several at once.
pub trait ChunkSource: Send + Sync {
    /// Reads and decodes one chunk (or inner chunk of a shard).
    ///
    /// # Errors
    /// The chunk's name and a sentence; the chunk is then drawn as missing.
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault>;
}

/// An opened image and the sources of its pyramids.
pub struct Opened {
    /// What the world is told.
    pub dataset: Arc<Dataset>,
    /// For the pool.
    pub sources: Vec<(SourceId, Arc<dyn ChunkSource>)>,
}
