//! The ring of a stream: buffers for frames between the world and its encoder.

use super::{
    gpu::Gpu,
    job::{Layout, PixelFormat},
    memory::{Allocation, Refused, allocate},
};
use std::sync::Arc;

/// Frames of one stream that may be between the world and its encoder: one drawn while one is encoded.
const IN_FLIGHT: usize = 2;

/// Buffers for one picture size.
#[derive(Debug)]
pub(super) struct Ring {
    /// Size and format.
    pub layout: Layout,
    /// Tells it from the rings before a resize.
    pub number: u64,
    /// RGBA8, one for all slots: frames are drawn one after the other.
    pub picture: Allocation,
    /// I420 before it is copied out.
    pub planes: Option<Allocation>,
    /// One per frame in flight.
    pub slots: Vec<Slot>,
}

/// One frame in flight.
#[derive(Debug)]
pub(super) struct Slot {
    /// Mappable.
    pub readback: Arc<Allocation>,
    /// Between hand-over and return.
    pub busy: bool,
}

impl Ring {
    pub fn new(gpu: &Gpu, layout: Layout, number: u64) -> Result<Self, Refused> {
        let (storage, out) = (wgpu::BufferUsages::STORAGE, wgpu::BufferUsages::COPY_SRC);
        let pixels = u64::from(layout.canvas.width) * u64::from(layout.canvas.height) * 4;
        let mut ring = Self {
            layout,
            number,
            picture: allocate(gpu, "picture", pixels, storage | out, false)?,
            planes: None,
            slots: Vec::new(),
        };
        if layout.format == PixelFormat::I420 {
            ring.planes = Some(allocate(gpu, "planes", layout.bytes(), storage | out, false)?);
        }
        for _ in 0..IN_FLIGHT {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            let readback = Arc::new(allocate(gpu, "readback", layout.bytes(), usage, false)?);
            ring.slots.push(Slot { readback, busy: false });
        }
        Ok(ring)
    }
}
