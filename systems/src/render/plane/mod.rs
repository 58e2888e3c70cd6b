//! The plane renderer: parameters, program, and its twin on the CPU.

pub mod colours;
pub mod params;
pub mod program;
pub mod twin;
