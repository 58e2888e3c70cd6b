//! Stores and chunks: opening images, reading and decoding their pieces off the world's thread.

pub mod codecs;
pub mod contrast;
pub mod demo;
pub mod error;
pub mod info;
pub mod open;
pub mod pool;
pub mod procedural;

mod axes;
mod channels;
mod json;
mod level;
mod ngff;
mod recycle;
mod sample;
mod shard;
mod store;
mod stored;
mod transforms;
mod zarr_source;

use lucida_components::{
    chunk::{ChunkData, ChunkFault},
    dataset::{Dataset, SourceId},
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

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

/// A number that no other pyramid of this process has.
fn next_source_id() -> SourceId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    SourceId(NEXT.fetch_add(1, Ordering::Relaxed))
}
