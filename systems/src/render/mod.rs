//! Applied state becomes pictures, in compute shaders only: data-centre GPUs have almost no raster hardware.

pub mod answers;
pub mod bricks;
pub mod buffers;
mod clocks;
pub(crate) mod colour;
pub mod convert;
pub mod device;
pub mod drawing;
pub mod effort;
pub mod enlarge;
pub mod frame;
pub mod gpu;
pub mod job;
pub mod memory;
pub mod pictures;
pub mod plane;
pub mod pressure;
pub mod programs;
mod record;
pub mod renderer;
mod ring;
pub mod staging;
mod upload;
mod upload_bricks;
pub mod volume;
