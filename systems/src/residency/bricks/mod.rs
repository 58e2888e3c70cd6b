//! Volumes: which bricks of which levels a view needs, which stand on the GPU, how they are cut.
//!
//! ```text
//! view, layers ─ select ─→ bricks, most urgent first ─ making ─→ wanted chunks · bricks to be cut
//!                              └─→ page tables                    └─ cut ─→ a slot of a pool
//! ```

mod axis;
pub mod cells;
pub mod chosen;
pub mod cut;
pub mod detail;
pub mod grid;
pub mod layer;
pub(super) mod making;
pub mod pools;
mod queue;
mod region;
pub mod select;
pub mod uniform;
