//! Applied state becomes pictures, in compute shaders only: data-centre GPUs have almost no raster hardware.

pub mod answers;
pub mod buffers;
pub mod convert;
pub mod frame;
pub mod gpu;
pub mod job;
pub mod plane;
mod record;
mod ring;
mod upload;
