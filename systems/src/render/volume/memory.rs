//! What volumes share on the GPU besides bricks: the sampler, and what is bound in place of pools that are not there.

use super::super::gpu::Gpu;
use crate::residency::bricks::pools::Class;

/// The shared parts, and what the GPU was last told.
#[derive(Debug)]
pub struct VolumeMemory {
    /// Trilinear.
    pub(super) sampler: wgpu::Sampler,
    /// Bound where a class of numbers has no pool.
    numbers: wgpu::TextureView,
    /// Bound where there are no ids.
    ids: wgpu::TextureView,
    /// Bound in place of their cells.
    pub(super) cells: wgpu::Buffer,
    /// The page and colour tables that the GPU has.
    pub(super) table: Vec<[u32; 2]>,
}

impl VolumeMemory {
    /// Placeholders of one texel.
    pub fn new(gpu: &Gpu) -> Self {
        let view = |format| {
            let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("no bricks"),
                size: wgpu::Extent3d { width: 1, height: 1, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D3,
                format,
                usage: wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            });
            texture.create_view(&wgpu::TextureViewDescriptor::default())
        };
        Self {
            sampler: gpu.device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("trilinear"),
                mag_filter: wgpu::FilterMode::Linear,
                min_filter: wgpu::FilterMode::Linear,
                ..Default::default()
            }),
            numbers: view(wgpu::TextureFormat::R8Unorm),
            ids: view(wgpu::TextureFormat::R32Uint),
            cells: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("no cells"),
                size: 16,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            }),
            table: Vec::new(),
        }
    }

    /// What was recorded last is not submitted: everything is to be told again.
    pub fn forget(&mut self) {
        self.table.clear();
    }

    /// What is bound where a class has no pool.
    pub(super) fn placeholder(&self, class: Class) -> &wgpu::TextureView {
        if class == Class::Id { &self.ids } else { &self.numbers }
    }
}
