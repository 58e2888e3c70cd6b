//! The ring of a stream: buffers for frames between the world and its encoder.

use super::{
    gpu::Gpu,
    job::{Layout, PixelFormat},
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
    pub picture: wgpu::Buffer,
    /// I420 before it is copied out.
    pub planes: Option<wgpu::Buffer>,
    /// One per frame in flight.
    pub slots: Vec<Slot>,
}

/// One frame in flight.
#[derive(Debug)]
pub(super) struct Slot {
    /// Mappable.
    pub readback: Arc<wgpu::Buffer>,
    /// Between hand-over and return.
    pub busy: bool,
}

impl Ring {
    pub fn new(gpu: &Gpu, layout: Layout, number: u64) -> Self {
        let buffer = |label, size, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let (storage, out) = (wgpu::BufferUsages::STORAGE, wgpu::BufferUsages::COPY_SRC);
        let pixels = u64::from(layout.canvas.width) * u64::from(layout.canvas.height) * 4;
        Self {
            layout,
            number,
            picture: buffer("picture", pixels, storage | out),
            planes: (layout.format == PixelFormat::I420)
                .then(|| buffer("planes", layout.bytes(), storage | out)),
            slots: (0..IN_FLIGHT)
                .map(|_| {
                    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
                    Slot { readback: Arc::new(buffer("readback", layout.bytes(), usage)), busy: false }
                })
                .collect(),
        }
    }
}
