//! A piece of a volume's picture is recorded.

use super::{
    super::{
        buffers::Role,
        gpu::Gpu,
        programs,
        renderer::Renderer,
        staging::{NoStaging, Purpose},
    },
    params::Params,
    program::{LAYERS_BYTES, LEVELS_BYTES},
};
use crate::residency::bricks::pools::Class;
use std::num::NonZeroU64;

pub use super::super::record::NotDrawn;

/// Which pixels are drawn, of which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The whole picture as it was asked for, columns and rows.
    pub canvas: [u32; 2],
    /// Pixels of the buffer that is drawn into: RGBA8, row 0 on top, without gaps. Pixel (i, j) stands for the place
    /// ((i + ½)·canvas/size, (j + ½)·canvas/size) of the picture.
    pub size: [u32; 2],
    /// The first pixel of the piece to be drawn.
    pub from: [u32; 2],
    /// Its columns and rows.
    pub count: [u32; 2],
}

impl Grid {
    /// A whole picture of this size.
    pub fn whole(canvas: [u32; 2]) -> Self {
        Self { canvas, size: canvas, from: [0, 0], count: canvas }
    }
}

/// Records the parameters and the drawing of a piece. Pieces outside of the buffer are cut off.
///
/// # Errors
/// [`NotDrawn`].
pub fn record(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    params: &Params,
    target: &wgpu::Buffer,
    grid: &Grid,
    timestamps: Option<wgpu::ComputePassTimestampWrites>,
) -> Result<(), NotDrawn> {
    let spec = programs::Spec::Volume(params.spec.clone());
    let program = renderer.programs.get(&gpu.device, &spec).ok_or(NotDrawn::Program)?;
    let count = [0, 1].map(|i| grid.count[i].min(grid.size[i].saturating_sub(grid.from[i])));
    let mut frame = params.frame;
    frame.canvas = grid.canvas.map(|n| n as f32);
    (frame.size, frame.start, frame.count) = (grid.size, grid.from, count);
    let frames = [frame; 2];
    let writes: [(Role, &[u8]); 4] = [
        (Role::VolumeFrame, bytemuck::cast_slice(&frames)),
        (Role::VolumeLayers, bytemuck::cast_slice(&params.layers)),
        (Role::VolumeLevels, bytemuck::cast_slice(&params.levels)),
        (Role::VolumeTable, bytemuck::cast_slice(&params.table)),
    ];
    // Page tables can be megabytes and stay the same while only the camera moves.
    let same_table = !params.table.is_empty() && renderer.volume.table == params.table;
    for (role, bytes) in writes {
        if role == Role::VolumeTable && same_table {
            continue;
        }
        let buffer = renderer.buffers.param(gpu, role, bytes.len() as u64);
        let buffer = buffer.map_err(|refused| NotDrawn::Staging(NoStaging::from(refused)))?;
        if !bytes.is_empty() {
            let written = renderer.staging.write(gpu, encoder, (buffer, 0), Purpose::Parameters, bytes);
            written.map_err(NotDrawn::Staging)?;
        }
    }
    if !same_table {
        renderer.volume.table.clone_from(&params.table);
    }
    if count.contains(&0) {
        return Ok(());
    }

    let buffers = &renderer.buffers;
    let bounded = |role, bytes: u64| {
        let size = if params.spec.large { None } else { NonZeroU64::new(bytes) };
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: buffers.bound(role), offset: 0, size })
    };
    let pool = |class| renderer.bricks.get(class);
    let view = |class| pool(class).map_or(renderer.volume.placeholder(class), |p| &p.view);
    let cells = |class| pool(class).map_or(&renderer.volume.cells, |p| &*p.cells).as_entire_binding();
    let mut bound = vec![
        buffers.bound(Role::VolumeFrame).as_entire_binding(),
        bounded(Role::VolumeLayers, LAYERS_BYTES),
        bounded(Role::VolumeLevels, LEVELS_BYTES),
        buffers.bound(Role::VolumeTable).as_entire_binding(),
    ];
    bound.extend(Class::ALL.map(cells));
    bound.extend(Class::ALL.map(|class| wgpu::BindingResource::TextureView(view(class))));
    bound.push(wgpu::BindingResource::Sampler(&renderer.volume.sampler));
    bound.push(target.as_entire_binding());
    let entries: Vec<_> =
        (0..).zip(bound).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("volume"),
        layout: renderer.programs.layout(&gpu.device, &spec),
        entries: &entries,
    });
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
        label: Some("volume"),
        timestamp_writes: timestamps,
    });
    pass.set_pipeline(&program);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups(count[0].div_ceil(8), count[1].div_ceil(8), 1);
    Ok(())
}
