//! Frames between the world and the threads that submit and encode them.

use super::{gpu::Gpu, memory::Allocation};
use bevy_ecs::prelude::*;
use lucida_components::{ids::StreamId, packet::Answer, stream::Canvas};
use std::sync::Arc;

/// What a picture is read back as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PixelFormat {
    /// Y, U, V planes, BT.709 limited: for encoders.
    #[default]
    I420,
    /// RGBA, 8 bits each, row 0 on top: for stills.
    Rgba8,
}

/// What is to be submitted.
#[derive(Debug)]
pub enum Job {
    /// Tiles that no picture shows yet.
    Upload(UploadJob),
    /// A part of a picture that is drawn in pieces; whoever submits it waits for it and says how long it took.
    Piece(PieceJob),
    /// A picture, and the tiles it needs.
    Frame(Box<FrameJob>),
    /// Nobody watches a stream any more: its encoder is not needed.
    Close(StreamId),
}

/// Recorded uploads without a picture: what is needed before one does not fit into one submission, or not
/// into host memory at once.
#[derive(Debug)]
pub struct UploadJob {
    /// What it was recorded on.
    pub gpu: Gpu,
    /// The copies.
    pub commands: wgpu::CommandBuffer,
    /// Dropped once it was submitted: only so many may wait.
    pub pending: Arc<()>,
}

/// A recorded piece of a picture. Nothing is read back.
#[derive(Debug)]
pub struct PieceJob {
    /// What it was recorded on.
    pub gpu: Gpu,
    /// The stream.
    pub stream: StreamId,
    /// Tells it from others of the stream.
    pub number: u64,
    /// The commands.
    pub commands: wgpu::CommandBuffer,
}

/// A piece that was drawn.
#[derive(Debug, Clone, Copy)]
pub struct PieceReturned {
    /// The stream.
    pub stream: StreamId,
    /// Which piece.
    pub number: u64,
    /// Time from its submission to its end, microseconds.
    pub micros: f64,
}

/// Pieces that were drawn since the last turn.
#[derive(Resource, Debug, Default)]
pub struct Pieces(pub Vec<PieceReturned>);

/// A recorded frame: commands, and where its picture will be.
#[derive(Debug)]
pub struct FrameJob {
    /// What it was recorded on: a frame of a lost device is never given to the next.
    pub gpu: Gpu,
    /// The stream.
    pub stream: StreamId,
    /// The ring slot; free again when it comes back in [`Returned`].
    pub slot: usize,
    /// The ring of the slot.
    pub ring: u64,
    /// Everything to be submitted, uploads included; whoever submits takes it.
    pub commands: Option<wgpu::CommandBuffer>,
    /// Mappable; holds the picture once the commands are done.
    pub readback: Arc<Allocation>,
    /// How it lies there.
    pub layout: Layout,
    /// The ledger revision it shows.
    pub revision: u64,
    /// Intents first answered by it.
    pub answered: Arc<[Answer]>,
    /// A decoder must be able to begin here.
    pub keyframe: bool,
    /// Behind the picture, at [`Layout::bytes`], lie the GPU's clocks before and after drawing.
    pub clocked: bool,
}

/// Bytes of the two clocks behind a picture.
pub const CLOCK_BYTES: u64 = 16;

impl FrameJob {
    /// What is said of it when it comes back.
    pub fn returned(&self, failed: bool, gpu_micros: Option<f64>) -> SlotReturned {
        SlotReturned {
            stream: self.stream,
            slot: self.slot,
            ring: self.ring,
            failed,
            answered: self.answered.clone(),
            gpu_micros,
        }
    }

    /// Time that drawing took on the GPU, microseconds, by the clocks in the mapped buffer's bytes.
    pub fn gpu_micros(&self, mapped: &[u8]) -> Option<f64> {
        let at = self.layout.bytes() as usize;
        let clock = |from: usize| Some(u64::from_le_bytes(mapped.get(from..from + 8)?.try_into().ok()?));
        let (began, ended) = (clock(at)?, clock(at + 8)?);
        let period = f64::from(self.gpu.queue.get_timestamp_period());
        (self.clocked && ended >= began).then(|| (ended - began) as f64 * period / 1e3)
    }
}

/// How a picture lies in its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Picture size.
    pub canvas: Canvas,
    /// Format.
    pub format: PixelFormat,
    /// Bytes per row of the first plane.
    pub stride: u32,
}

impl Layout {
    /// The layout of a canvas.
    pub fn of(canvas: Canvas, format: PixelFormat) -> Self {
        let stride = match format {
            PixelFormat::I420 => canvas.width.next_multiple_of(8),
            PixelFormat::Rgba8 => canvas.width * 4,
        };
        Self { canvas, format, stride }
    }

    /// Bytes of the whole picture.
    pub fn bytes(&self) -> u64 {
        let plane = u64::from(self.stride) * u64::from(self.canvas.height);
        match self.format {
            PixelFormat::I420 => plane + plane / 2,
            PixelFormat::Rgba8 => plane,
        }
    }
}

/// What was recorded in this turn, to be taken by `lucida` and submitted in this order.
#[derive(Resource, Debug, Default)]
pub struct Handover(pub Vec<Job>);

impl Handover {
    /// The encoder of a stream is not needed any more.
    pub fn close(&mut self, stream: StreamId) {
        self.0.push(Job::Close(stream));
    }
}

/// A slot that is free again.
#[derive(Debug, Clone)]
pub struct SlotReturned {
    /// The stream.
    pub stream: StreamId,
    /// The slot.
    pub slot: usize,
    /// The ring it belongs to: a resized stream has a new one.
    pub ring: u64,
    /// The frame was lost (device or encoder error): it must be drawn again, as a keyframe.
    pub failed: bool,
    /// What the frame answered.
    pub answered: Arc<[Answer]>,
    /// Time that drawing it took on the GPU, microseconds, where it is known.
    pub gpu_micros: Option<f64>,
}

/// Slots that came back since the last turn.
#[derive(Resource, Debug, Default)]
pub struct Returned(pub Vec<SlotReturned>);
