//! Pictures: the shader against its twin on the CPU, against golden pictures, and against real arrays.

mod bricks;
mod coarse;
#[path = "../common/mod.rs"]
mod common;
mod contrast;
mod drafts;
mod golden;
mod images;
mod labels;
mod real;
mod refining;
mod rig;
mod smooth;
mod streams;
mod thick;
mod volume_any;
mod volume_bad;
mod volume_bricks;
mod volume_modes;
mod volume_places;
mod volume_programs;
mod volume_real;
mod volume_rig;
mod volume_values;
