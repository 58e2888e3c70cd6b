//! The ring of a stream: buffers for frames between the world and its encoder.

use super::{
    clocks::Clocks,
    gpu::Gpu,
    job::{CLOCK_BYTES, Layout, PixelFormat},
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
    /// For volumes; allocated when they are first needed.
    pub volume: Canvases,
    /// The GPU's clocks, where it has any.
    pub clocks: Option<Clocks>,
    /// One per frame in flight.
    pub slots: Vec<Slot>,
}

/// What volumes are drawn into before they are a picture.
#[derive(Debug, Default)]
pub(super) struct Canvases {
    /// A picture of fewer pixels, to be enlarged.
    pub small: Option<Allocation>,
    /// A picture that is drawn in pieces, beside the one that is shown.
    pub pieces: Option<Allocation>,
}

impl Canvases {
    /// The buffer of `slot`, of at least `pixels`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn get<'a>(
        slot: &'a mut Option<Allocation>,
        gpu: &Gpu,
        pixels: u64,
    ) -> Result<&'a Allocation, Refused> {
        if slot.as_ref().is_some_and(|b| b.size() < pixels * 4) {
            *slot = None;
        }
        match slot {
            Some(buffer) => Ok(buffer),
            none => {
                let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
                Ok(none.insert(allocate(gpu, "picture", pixels * 4, usage, false)?))
            }
        }
    }
}

/// One frame in flight.
#[derive(Debug)]
pub(super) struct Slot {
    /// Mappable.
    pub readback: Arc<Allocation>,
    /// Between hand-over and return.
    pub busy: bool,
    /// Of a whole picture of a volume: its scale. What it took is measured.
    pub scale: Option<f64>,
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
            volume: Canvases::default(),
            clocks: Clocks::new(gpu),
            slots: Vec::new(),
        };
        if layout.format == PixelFormat::I420 {
            ring.planes = Some(allocate(gpu, "planes", layout.bytes(), storage | out, false)?);
        }
        for _ in 0..IN_FLIGHT {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            let readback = Arc::new(allocate(gpu, "readback", layout.bytes() + CLOCK_BYTES, usage, false)?);
            ring.slots.push(Slot { readback, busy: false, scale: None });
        }
        Ok(ring)
    }
}
