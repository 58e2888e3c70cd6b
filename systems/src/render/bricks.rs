//! The GPU memory of brick pools: a 3D texture and a buffer of cells for each class.

use super::{
    gpu::Gpu,
    memory::{Allocation, Refused, TextureAllocation, allocate, allocate_texture},
};
use crate::residency::bricks::{
    grid::{BRICK, CELLS},
    pools::Class,
};

/// Bytes of a brick's cells: smallest and largest value (`f32`) of each, z slowest.
pub const CELL_BYTES: u64 = CELLS * CELLS * CELLS * 8;

/// The memory of one class.
#[derive(Debug)]
pub struct BrickPool {
    /// Slots side by side, each [`BRICK`]³ texels.
    pub texture: TextureAllocation,
    /// All of the texture.
    pub view: wgpu::TextureView,
    /// Cells of each slot, [`CELL_BYTES`] each.
    pub cells: Allocation,
    /// Slots along x, y, z.
    pub layout: [u32; 3],
}

impl BrickPool {
    /// What its memory is for, as it is named where it is refused.
    pub const PARTS: [&str; 2] = ["bricks", "cells"];

    /// Memory for `layout` slots.
    ///
    /// # Errors
    /// [`Refused`]: there is no room for it.
    pub fn new(gpu: &Gpu, class: Class, layout: [u32; 3]) -> Result<Self, Refused> {
        let side = BRICK as u32;
        let [width, height, depth] = layout.map(|n| n.max(1) * side);
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: depth };
        let texture = allocate_texture(
            gpu,
            Self::PARTS[0],
            format(class),
            size,
            class.brick_bytes() / (BRICK * BRICK * BRICK),
        )?;
        let slots: u64 = layout.iter().map(|n| u64::from((*n).max(1))).product();
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let cells = allocate(gpu, Self::PARTS[1], slots * CELL_BYTES, usage, false)?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Ok(Self { texture, view, cells, layout })
    }

    /// The texel at which a slot begins, x, y, z.
    pub fn origin(&self, slot: u32) -> [u32; 3] {
        let [nx, ny, _] = self.layout;
        [slot % nx, slot / nx % ny, slot / (nx * ny)].map(|n| n * BRICK as u32)
    }

    /// The byte at which the cells of a slot begin.
    pub fn cell_offset(&self, slot: u32) -> u64 {
        u64::from(slot) * CELL_BYTES
    }
}

/// How values of a class lie in a texture.
pub fn format(class: Class) -> wgpu::TextureFormat {
    match class {
        Class::Byte => wgpu::TextureFormat::R8Unorm,
        Class::Short => wgpu::TextureFormat::R16Unorm,
        Class::Float => wgpu::TextureFormat::R32Float,
        Class::Id => wgpu::TextureFormat::R32Uint,
    }
}

/// All classes; those that were never used have a placeholder of one brick when they are bound.
#[derive(Debug)]
pub struct BrickMemory {
    pools: [Option<BrickPool>; Class::ALL.len()],
}

impl Default for BrickMemory {
    fn default() -> Self {
        Self { pools: [const { None }; Class::ALL.len()] }
    }
}

impl BrickMemory {
    /// The pool of a class as it is bound or written to, of this layout; another layout's is given back first.
    ///
    /// # Errors
    /// [`Refused`]: there is no room for it.
    pub fn pool(&mut self, gpu: &Gpu, class: Class, layout: [u32; 3]) -> Result<&BrickPool, Refused> {
        let slot = &mut self.pools[class as usize];
        if slot.as_ref().is_some_and(|p| p.layout != layout) {
            *slot = None;
        }
        match slot {
            Some(pool) => Ok(pool),
            none => Ok(none.insert(BrickPool::new(gpu, class, layout)?)),
        }
    }

    /// The pool of a class where it was made.
    pub fn get(&self, class: Class) -> Option<&BrickPool> {
        self.pools[class as usize].as_ref()
    }

    /// Gives back the pools that are to have another layout.
    pub fn fit(&mut self, layout: impl Fn(Class) -> [u32; 3]) {
        for (class, slot) in Class::ALL.into_iter().zip(&mut self.pools) {
            slot.take_if(|pool| pool.layout != layout(class));
        }
    }

    /// Whether any class has memory.
    pub fn is_empty(&self) -> bool {
        self.pools.iter().all(Option::is_none)
    }

    /// Gives everything back; commands under way keep what they use until they were run.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
