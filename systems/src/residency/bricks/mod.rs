//! Volumes: which bricks of which levels a view needs.

pub mod detail;
