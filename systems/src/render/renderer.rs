//! What the renderer keeps between frames.

use super::{
    bricks::BrickMemory, buffers::Buffers, convert::Convert, enlarge::Enlarge, gpu::Gpu, memory::Refused,
    plane::colours::Colours, programs::Programs, staging::Staging, upload_bricks::Cutters,
    volume::memory::VolumeMemory,
};
use bevy_ecs::prelude::*;
use std::{sync::Arc, time::Instant};

/// What the renderer keeps between frames.
#[derive(Resource)]
pub struct Renderer {
    pub(super) buffers: Buffers,
    /// Volumes.
    pub bricks: BrickMemory,
    /// Where bricks are cut.
    pub(super) cutters: Cutters,
    /// Programs, and those that are to be compiled.
    pub programs: Programs,
    pub(super) colours: Colours,
    /// The colour tables that the GPU has.
    pub(super) luts: Vec<u32>,
    /// What volumes share.
    pub(super) volume: VolumeMemory,
    pub(super) convert: Convert,
    pub(super) enlarge: Enlarge,
    pub(super) staging: Staging,
    /// What the GPU had no room for in this turn.
    pub(super) refused: Option<Refused>,
    /// Nothing more can be given up: nothing is drawn before then.
    pub(super) retry: Option<Instant>,
    /// That was told.
    pub(super) exhausted: bool,
    /// A token for each upload that waits to be submitted: the strong count less one.
    pub(super) uploads: Arc<()>,
}

impl Renderer {
    /// Compiles the fixed passes; allocates nothing large.
    pub fn new(gpu: &Gpu) -> Self {
        Self {
            buffers: Buffers::new(gpu),
            bricks: BrickMemory::default(),
            cutters: Cutters::default(),
            programs: Programs::default(),
            colours: Colours::default(),
            luts: Vec::new(),
            volume: VolumeMemory::new(gpu),
            convert: Convert::new(&gpu.device),
            enlarge: Enlarge::new(&gpu.device),
            staging: Staging::default(),
            refused: None,
            retry: None,
            exhausted: false,
            uploads: Arc::default(),
        }
    }

    /// Cuts bricks on so many threads, whatever the cores.
    pub fn cut_on(&mut self, threads: usize) {
        self.cutters = Cutters::of(threads);
    }

    /// The memory of bricks.
    pub fn bricks(&self) -> &BrickMemory {
        &self.bricks
    }

    /// Closes what was written by `encoder`, before it is finished: see [`Staging::finish`].
    pub fn finish(&mut self, encoder: &wgpu::CommandEncoder) {
        self.staging.finish(encoder);
    }

    /// What was recorded last is not submitted: the GPU is to be told everything again.
    pub(super) fn forget_tables(&mut self) {
        self.luts.clear();
        self.volume.forget();
    }

    /// Gives the pools back.
    pub(super) fn forget_tiles(&mut self) {
        self.buffers.drop_pools();
        self.bricks.clear();
        self.staging.abandon();
    }
}
