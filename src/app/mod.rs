//! The process around the world: its thread, its channels, its encoders.

pub mod bridge;
