//! A frame's passes are recorded.

use super::{
    buffers::Role,
    convert,
    frame::Renderer,
    gpu::Gpu,
    plane::params::{self, Params},
    programs::Spec,
    ring::Ring,
    staging::{NoStaging, Purpose},
};
use lucida_components::stream::Stream;

/// Why nothing was drawn.
#[derive(Debug)]
pub enum NotDrawn {
    /// There is no room for the parameters.
    Staging(NoStaging),
    /// Its program is being compiled.
    Program,
}

/// Records parameters, drawing, conversion and the copy into the slot.
///
/// # Errors
/// [`NotDrawn`].
pub(super) fn record(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    ring: &Ring,
    stream: &Stream,
    slot: usize,
    params: &Params,
) -> Result<(), NotDrawn> {
    let spec = Spec::Plane(params.spec.clone());
    let program = renderer.programs.get(&gpu.device, &spec).ok_or(NotDrawn::Program)?;
    let canvas = ring.layout.canvas;
    let frame =
        params::Frame { size: [canvas.width, canvas.height], layers: params.layers.len() as u32, pad: 0 };
    let convert_frame = convert::Frame::of(ring.layout, stream.orientation);
    let writes: [(Role, &[u8]); 6] = [
        (Role::Frame, bytemuck::bytes_of(&frame)),
        (Role::Layers, bytemuck::cast_slice(&params.layers)),
        (Role::Levels, bytemuck::cast_slice(&params.levels)),
        (Role::Table, bytemuck::cast_slice(&params.table)),
        (Role::Luts, bytemuck::cast_slice(&params.luts)),
        (Role::Convert, bytemuck::bytes_of(&convert_frame)),
    ];
    // Tables of thousands of given colours need not travel with every frame.
    let same_luts = renderer.luts == params.luts;
    for (role, bytes) in writes {
        if role == Role::Luts && same_luts {
            continue;
        }
        let buffer = renderer.buffers.param(gpu, role, bytes.len() as u64);
        let buffer = buffer.map_err(|refused| NotDrawn::Staging(refused.into()))?;
        if !bytes.is_empty() {
            let written = renderer.staging.write(gpu, encoder, (buffer, 0), Purpose::Parameters, bytes);
            written.map_err(NotDrawn::Staging)?;
        }
    }
    if !same_luts {
        renderer.luts.clone_from(&params.luts);
    }

    let b = &renderer.buffers;
    let bound: [&wgpu::Buffer; 9] = [
        b.bound(Role::Frame),
        b.bound(Role::Layers),
        b.bound(Role::Levels),
        b.bound(Role::Table),
        b.bound(Role::Luts),
        b.pool(0),
        b.pool(1),
        b.pool(2),
        &ring.picture,
    ];
    let entries: Vec<_> = bound
        .iter()
        .zip(0..)
        .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
        .collect();
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("plane"),
        layout: renderer.programs.layout(&gpu.device, &spec),
        entries: &entries,
    });
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("plane"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&program);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(canvas.width.div_ceil(8), canvas.height.div_ceil(8), 1);
    }
    let source = match &ring.planes {
        Some(planes) => {
            let frame = b.bound(Role::Convert);
            renderer.convert.record(&gpu.device, encoder, ring.layout, frame, &ring.picture, planes);
            planes
        }
        None => &ring.picture,
    };
    encoder.copy_buffer_to_buffer(source, 0, &ring.slots[slot].readback, 0, ring.layout.bytes());
    Ok(())
}
