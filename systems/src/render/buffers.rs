//! GPU memory that frames share: tile pools and parameter buffers.

use super::{
    gpu::Gpu,
    memory::{Allocation, Refused, allocate},
    plane::program::UNIFORM_BYTES,
    volume::program as volume,
};
use crate::residency::pools::WIDTHS;

/// The pools' memory and the growing parameter buffers. One set serves all streams: command buffers run in
/// the order in which they were recorded, uploads included.
#[derive(Debug)]
pub struct Buffers {
    /// One per value width; allocated when the first tile of that width comes.
    pools: [Option<Allocation>; WIDTHS.len()],
    /// Bound in place of a pool that is not there.
    empty: wgpu::Buffer,
    /// Parameters by role.
    params: [Option<Allocation>; Role::COUNT],
}

/// What a parameter buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Role {
    /// The plane shader's `Frame`.
    Frame,
    /// `array<Layer>`.
    Layers,
    /// `array<Level>`.
    Levels,
    /// Page tables.
    Table,
    /// Colour tables.
    Luts,
    /// The convert shader's `Frame`.
    Convert,
    /// The volume shader's `Frame`.
    VolumeFrame,
    /// Its `array<Layer>`.
    VolumeLayers,
    /// Its `array<Level>`.
    VolumeLevels,
    /// Its page tables, and the colour tables behind them.
    VolumeTable,
}

impl Role {
    const COUNT: usize = 10;

    fn least_bytes(self) -> u64 {
        match self {
            Self::Layers | Self::Levels => UNIFORM_BYTES,
            Self::VolumeLayers => volume::LAYERS_BYTES,
            Self::VolumeLevels => volume::LEVELS_BYTES,
            _ => 256,
        }
    }

    fn usage(self) -> wgpu::BufferUsages {
        let kind = match self {
            Self::Frame | Self::Convert | Self::VolumeFrame => wgpu::BufferUsages::UNIFORM,
            // Either, by the number of layers: see the plane's program.
            Self::Layers | Self::Levels | Self::VolumeLayers | Self::VolumeLevels => {
                wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE
            }
            _ => wgpu::BufferUsages::STORAGE,
        };
        kind | wgpu::BufferUsages::COPY_DST
    }
}

impl Buffers {
    /// Nothing allocated yet but a placeholder.
    pub fn new(gpu: &Gpu) -> Self {
        let empty = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("no pool"),
            size: 16,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        Self { pools: [None, None, None], empty, params: Default::default() }
    }

    /// The pool of this number, allocated with `bytes` if need be.
    ///
    /// # Errors
    /// [`Refused`]: there is no room for it.
    pub fn pool_for_upload(&mut self, gpu: &Gpu, pool: usize, bytes: u64) -> Result<&wgpu::Buffer, Refused> {
        let slot = &mut self.pools[pool];
        if slot.is_none() {
            let what = ["pool8", "pool16", "pool32"][pool];
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
            *slot = Some(allocate(gpu, what, bytes, usage, false)?);
        }
        Ok(slot.as_deref().unwrap_or(&self.empty))
    }

    /// Gives all pools back; commands under way keep what they use until they were run.
    pub fn drop_pools(&mut self) {
        self.pools = [None, None, None];
    }

    /// The pool of this number as it is bound for drawing.
    pub fn pool(&self, pool: usize) -> &wgpu::Buffer {
        self.pools[pool].as_deref().unwrap_or(&self.empty)
    }

    /// A parameter buffer of at least `bytes`; grows by doubling.
    ///
    /// # Errors
    /// [`Refused`]: there is no room for it.
    pub fn param(&mut self, gpu: &Gpu, role: Role, bytes: u64) -> Result<&wgpu::Buffer, Refused> {
        let slot = &mut self.params[role as usize];
        if slot.as_ref().is_none_or(|b| b.size() < bytes) {
            *slot = None;
            let size = bytes.max(role.least_bytes()).next_power_of_two();
            *slot = Some(allocate(gpu, "parameters", size, role.usage(), false)?);
        }
        Ok(slot.as_deref().unwrap_or(&self.empty))
    }

    /// A parameter buffer that was asked for before.
    pub fn bound(&self, role: Role) -> &wgpu::Buffer {
        self.params[role as usize].as_deref().unwrap_or(&self.empty)
    }
}
