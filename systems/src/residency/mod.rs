//! What of the data is on the GPU, what is wanted there, and what is in between.
//!
//! ```text
//! applied views ─ plan ─→ Wants ─→ (pool of readers, in `lucida`) ─→ Arrivals ─ take ─→ ChunkCache
//!                   └──→ tiles whose chunks are in the cache ─ cut ─→ GPU pools (in render)
//! ```

mod ahead;
pub mod arrivals;
pub mod bricks;
pub mod cache;
pub mod cost;
pub mod cut;
pub mod faults;
mod making;
pub mod plan;
pub mod pools;
pub mod sample;
pub mod slab;
mod standing;
pub mod tiles;
pub(crate) mod wanted;
