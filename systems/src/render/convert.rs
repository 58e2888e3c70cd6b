//! RGBA to I420 on the GPU.

use super::job::Layout;
use bytemuck::{Pod, Zeroable};
use lucida_components::stream::Orientation;

const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/convert.wgsl"));

/// `Frame` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct Frame {
    size: [u32; 2],
    stride: u32,
    bottom_up: u32,
}

impl Frame {
    /// The parameters of a picture.
    pub fn of(layout: Layout, orientation: Orientation) -> Self {
        Self {
            size: [layout.canvas.width, layout.canvas.height],
            stride: layout.stride,
            bottom_up: u32::from(orientation == Orientation::BottomUp),
        }
    }
}

/// The compiled pass.
#[derive(Debug)]
pub struct Convert {
    pipeline: wgpu::ComputePipeline,
}

impl Convert {
    /// Compiles it.
    pub fn new(device: &wgpu::Device) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("convert"),
            source: wgpu::ShaderSource::Wgsl(SOURCE.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("convert"),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Self { pipeline }
    }

    /// Records the pass: `picture` (RGBA8) into `planes` (I420).
    pub fn record(
        &self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        layout: Layout,
        frame: &wgpu::Buffer,
        picture: &wgpu::Buffer,
        planes: &wgpu::Buffer,
    ) {
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("convert"),
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: frame.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: picture.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 2, resource: planes.as_entire_binding() },
            ],
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("convert"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups((layout.stride / 8).div_ceil(8), (layout.canvas.height / 2).div_ceil(8), 1);
    }
}
