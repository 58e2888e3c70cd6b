//! A small picture becomes a large one on the GPU.

use super::gpu::Gpu;
use wgpu::util::DeviceExt;

const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/enlarge.wgsl"));

/// The compiled pass.
#[derive(Debug)]
pub struct Enlarge {
    pipeline: wgpu::ComputePipeline,
}

impl Enlarge {
    /// Compiles it.
    pub fn new(device: &wgpu::Device) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("enlarge"),
            source: wgpu::ShaderSource::Wgsl(SOURCE.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("enlarge"),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Self { pipeline }
    }

    /// Records the pass: `small` into `large` (both RGBA8), of these sizes in pixels.
    pub fn record(
        &self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        (small, from): (&wgpu::Buffer, [u32; 2]),
        (large, to): (&wgpu::Buffer, [u32; 2]),
    ) {
        let frame = gpu.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("enlarge"),
            contents: bytemuck::cast_slice(&[from, to]),
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("enlarge"),
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: frame.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: small.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 2, resource: large.as_entire_binding() },
            ],
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("enlarge"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(to[0].div_ceil(8), to[1].div_ceil(8), 1);
    }
}
