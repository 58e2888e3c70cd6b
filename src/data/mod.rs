//! Stores and chunks: opening images, reading and decoding their pieces off the world's thread.

pub mod coarse;
pub mod codecs;
pub mod contrast;
pub mod demo;
pub mod error;
pub mod info;
pub mod listing;
pub mod open;
pub mod pool;
pub mod procedural;
pub mod roots;
pub mod scatter;
pub mod search;
pub mod validate;

mod array;
mod axes;
mod channels;
mod container;
mod image;
mod inventory;
mod json;
mod label_table;
mod labels;
mod level;
mod making;
mod ngff;
mod node;
mod omero;
mod plate;
mod pyramid;
mod recycle;
mod sample;
mod shard;
mod signs;
mod sources;
mod stamp;
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

    /// The same, but `None` where the chunk would first have to be made of others, which takes its time.
    fn look(&self, level: u16, number: u64) -> Option<Result<ChunkData, ChunkFault>> {
        Some(self.read(level, number))
    }

    /// Makes a chunk that [`Self::look`] did not have. Asks between its steps whether it is to go on; `None`
    /// where it is not.
    fn make(
        &self,
        level: u16,
        number: u64,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Result<ChunkData, ChunkFault>> {
        goes_on().then(|| self.read(level, number))
    }

    /// What tells the values of the coarsest level from those it had before they were changed, as far as
    /// that can be seen without reading them. `None` where it cannot.
    fn fingerprint(&self) -> Option<String> {
        None
    }
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
