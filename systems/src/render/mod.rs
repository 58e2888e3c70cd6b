//! Applied state becomes pictures, in compute shaders only: data-centre GPUs have almost no raster hardware.

pub mod answers;
pub mod bricks;
pub mod buffers;
pub mod convert;
pub mod device;
pub mod frame;
pub mod gpu;
pub mod job;
pub mod memory;
pub mod plane;
pub mod pressure;
mod record;
mod ring;
pub mod staging;
mod upload;
mod upload_bricks;
