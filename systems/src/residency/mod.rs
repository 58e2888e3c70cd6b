//! What of the data is on the GPU, what is wanted there, and what is in between.
//!
//! ```text
//! applied views ─ plan ─→ Wants ─→ (pool of readers, in `lucida`) ─→ Arrivals ─ take ─→ ChunkCache
//!                   └──→ tiles whose chunks are in the cache ─ cut ─→ GPU pools (in render)
//! ```

pub mod arrivals;
pub mod cache;
pub mod cost;
pub mod cut;
pub mod faults;
pub mod plan;
pub mod pools;
pub mod retry;
pub mod tiles;
