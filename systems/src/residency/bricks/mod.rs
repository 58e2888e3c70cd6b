//! Volumes: which bricks of which levels a view needs, which stand on the GPU, how they are cut.

pub mod chosen;
pub mod detail;
pub mod grid;
pub mod pools;
