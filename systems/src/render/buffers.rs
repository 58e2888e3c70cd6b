//! GPU memory that frames share: tile pools and parameter buffers.

use super::{gpu::Gpu, plane::program::UNIFORM_BYTES};
use crate::residency::pools::WIDTHS;

/// The pools' memory and the growing parameter buffers. One set serves all streams: command buffers run in
/// the order in which they were recorded, uploads included.
#[derive(Debug)]
pub struct Buffers {
    /// One per value width; allocated when the first tile of that width comes.
    pools: [Option<wgpu::Buffer>; WIDTHS.len()],
    pool_bytes: u64,
    /// Bound in place of a pool that is not there.
    empty: wgpu::Buffer,
    /// Parameters by role.
    params: [Option<wgpu::Buffer>; Role::COUNT],
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
}

impl Role {
    const COUNT: usize = 6;

    fn least_bytes(self) -> u64 {
        match self {
            Self::Layers | Self::Levels => UNIFORM_BYTES,
            _ => 256,
        }
    }

    fn usage(self) -> wgpu::BufferUsages {
        let kind = match self {
            Self::Frame | Self::Convert => wgpu::BufferUsages::UNIFORM,
            // Either, by the number of layers: see the plane's program.
            Self::Layers | Self::Levels => wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE,
            _ => wgpu::BufferUsages::STORAGE,
        };
        kind | wgpu::BufferUsages::COPY_DST
    }
}

impl Buffers {
    /// Nothing allocated yet but a placeholder.
    pub fn new(gpu: &Gpu, pool_bytes: u64) -> Self {
        let empty = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("no pool"),
            size: 16,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        Self { pools: [None, None, None], pool_bytes, empty, params: Default::default() }
    }

    /// The pool of this number, allocated if need be.
    pub fn pool_for_upload(&mut self, gpu: &Gpu, pool: usize) -> &wgpu::Buffer {
        let size = self.pool_bytes;
        self.pools[pool].get_or_insert_with(|| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(["pool8", "pool16", "pool32"][pool]),
                size,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })
    }

    /// The pool of this number as it is bound for drawing.
    pub fn pool(&self, pool: usize) -> &wgpu::Buffer {
        self.pools[pool].as_ref().unwrap_or(&self.empty)
    }

    /// A parameter buffer of at least `bytes`; grows by doubling.
    pub fn param(&mut self, gpu: &Gpu, role: Role, bytes: u64) -> &wgpu::Buffer {
        let slot = &mut self.params[role as usize];
        if slot.as_ref().is_none_or(|b| b.size() < bytes) {
            *slot = None;
        }
        slot.get_or_insert_with(|| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("parameters"),
                size: bytes.max(role.least_bytes()).next_power_of_two(),
                usage: role.usage(),
                mapped_at_creation: false,
            })
        })
    }

    /// A parameter buffer that was asked for before.
    pub fn bound(&self, role: Role) -> &wgpu::Buffer {
        self.params[role as usize].as_ref().unwrap_or(&self.empty)
    }
}
