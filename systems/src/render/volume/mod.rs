//! The volume renderer: parameters, program, recording, and its twin on the CPU.

pub mod memory;
pub mod params;
mod place;
pub mod program;
pub mod record;
pub mod twin;
mod words;
