//! A frame's passes are recorded.

use super::{
    buffers::Role,
    clocks::Clocks,
    convert,
    effort::Task,
    gpu::Gpu,
    memory::Refused,
    plane::{
        colours::Colours,
        params::{self, Params},
        program::UNIFORM_BYTES,
    },
    programs::Spec,
    renderer::Renderer,
    ring::{Canvases, Ring},
    staging::{NoStaging, Purpose},
    volume::{self, params::Quality, record::Grid},
};
use lucida_components::stream::Stream;
use std::num::NonZeroU64;

/// Why nothing was drawn.
#[derive(Debug)]
pub enum NotDrawn {
    /// There is no room for the parameters.
    Staging(NoStaging),
    /// Its program is being compiled.
    Program,
}

/// Where a picture is recorded to.
pub(super) struct Recording<'a> {
    pub gpu: &'a Gpu,
    pub encoder: &'a mut wgpu::CommandEncoder,
    pub ring: &'a mut Ring,
    pub stream: &'a Stream,
    /// The place of the slot.
    pub slot: usize,
}

/// Records parameters, drawing, conversion and the copy into the slot of a plane's picture.
///
/// # Errors
/// [`NotDrawn`].
pub(super) fn plane(renderer: &mut Renderer, to: &mut Recording, params: &Params) -> Result<(), NotDrawn> {
    let Recording { gpu, encoder, ring, .. } = to;
    let spec = Spec::Plane(params.spec.clone());
    let program = renderer.programs.get(&gpu.device, &spec).ok_or(NotDrawn::Program)?;
    let canvas = ring.layout.canvas;
    let frame =
        params::Frame { size: [canvas.width, canvas.height], layers: params.layers.len() as u32, pad: 0 };
    let writes: [(Role, &[u8]); 5] = [
        (Role::Frame, bytemuck::bytes_of(&frame)),
        (Role::Layers, bytemuck::cast_slice(&params.layers)),
        (Role::Levels, bytemuck::cast_slice(&params.levels)),
        (Role::Table, bytemuck::cast_slice(&params.table)),
        (Role::Luts, bytemuck::cast_slice(&params.luts)),
    ];
    // Tables of thousands of given colours need not travel with every frame.
    let same_luts = renderer.luts == params.luts;
    for (role, bytes) in writes {
        if role == Role::Luts && same_luts {
            continue;
        }
        write(renderer, gpu, encoder, role, bytes)?;
    }
    if !same_luts {
        renderer.luts.clone_from(&params.luts);
    }

    let b = &renderer.buffers;
    // They stay as large as the largest picture made them, which may be more than a uniform may have.
    let bounded = |role| {
        let size = if params.spec.large { None } else { NonZeroU64::new(UNIFORM_BYTES) };
        wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: b.bound(role), offset: 0, size })
    };
    let bound: [wgpu::BindingResource; 9] = [
        b.bound(Role::Frame).as_entire_binding(),
        bounded(Role::Layers),
        bounded(Role::Levels),
        b.bound(Role::Table).as_entire_binding(),
        b.bound(Role::Luts).as_entire_binding(),
        b.pool(0).as_entire_binding(),
        b.pool(1).as_entire_binding(),
        b.pool(2).as_entire_binding(),
        ring.picture.as_entire_binding(),
    ];
    let entries: Vec<_> =
        (0..).zip(bound).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("plane"),
        layout: renderer.programs.layout(&gpu.device, &spec),
        entries: &entries,
    });
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("plane"),
            timestamp_writes: ring.clocks.as_ref().map(Clocks::writes),
        });
        pass.set_pipeline(&program);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(canvas.width.div_ceil(8), canvas.height.div_ceil(8), 1);
    }
    finish(renderer, to, true)
}

/// Records what a task asks for of a volume's picture: into a slot where it is a picture then, else a piece.
/// `params` gathers what a quality needs.
///
/// # Errors
/// [`NotDrawn`].
pub(super) fn volume(
    renderer: &mut Renderer,
    to: &mut Recording,
    task: Task,
    params: impl FnOnce(&mut Colours, Quality) -> volume::params::Params,
) -> Result<(), NotDrawn> {
    let canvas = [to.ring.layout.canvas.width, to.ring.layout.canvas.height];
    let pixels = |[width, height]: [u32; 2]| u64::from(width) * u64::from(height);
    let refused = |refused: Refused| NotDrawn::Staging(refused.into());
    let Recording { gpu, encoder, ring, .. } = to;
    let (part, is_last) = match task {
        Task::Again => return finish(renderer, to, false),
        Task::Wait => return Ok(()),
        Task::Whole { scale: 1.0 } => {
            let params = params(&mut renderer.colours, Quality::FULL);
            let grid = Grid { canvas, size: canvas, from: [0; 2], count: canvas };
            let clocks = ring.clocks.as_ref().map(Clocks::writes);
            volume::record::record(renderer, gpu, encoder, &params, &ring.picture, &grid, clocks)?;
            return finish(renderer, to, true);
        }
        Task::Whole { scale } => {
            let size = canvas.map(|n| (f64::from(n) / scale).ceil() as u32);
            let params = params(&mut renderer.colours, Quality::draft(gpu.is_cpu, scale));
            let grid = Grid { canvas, size, from: [0; 2], count: size };
            let small = Canvases::get(&mut ring.volume.small, gpu, pixels(size)).map_err(refused)?;
            let clocks = ring.clocks.as_ref().map(Clocks::writes);
            volume::record::record(renderer, gpu, encoder, &params, small, &grid, clocks)?;
            renderer.enlarge.record(gpu, encoder, (small, size), (&ring.picture, canvas));
            return finish(renderer, to, true);
        }
        Task::Piece(part) => (part, false),
        Task::Last(part) => (part, true),
    };
    let params = params(&mut renderer.colours, Quality::FULL);
    let grid = Grid { canvas, size: canvas, from: part.from, count: part.count };
    let pieces = Canvases::get(&mut ring.volume.pieces, gpu, pixels(canvas)).map_err(refused)?;
    volume::record::record(renderer, gpu, encoder, &params, pieces, &grid, None)?;
    if !is_last {
        return Ok(());
    }
    exchange(ring);
    let finished = finish(renderer, to, false);
    if finished.is_err() {
        // It is tried again, with the pieces that there are.
        exchange(to.ring);
    }
    finished
}

/// The pieces become the picture, and what was the picture is drawn over next.
fn exchange(ring: &mut Ring) {
    if let Some(pieces) = &mut ring.volume.pieces {
        std::mem::swap(&mut ring.picture, pieces);
    }
}

/// Records the conversion of the ring's picture, and its copy into the slot; of the clocks too where there was a
/// pass that was timed.
fn finish(renderer: &mut Renderer, to: &mut Recording, timed: bool) -> Result<(), NotDrawn> {
    let Recording { gpu, encoder, ring, stream, slot } = to;
    let frame = convert::Frame::of(ring.layout, stream.orientation);
    write(renderer, gpu, encoder, Role::Convert, bytemuck::bytes_of(&frame))?;
    let picture = &ring.picture;
    let source = match &ring.planes {
        Some(planes) => {
            let frame = renderer.buffers.bound(Role::Convert);
            renderer.convert.record(&gpu.device, encoder, ring.layout, frame, picture, planes);
            planes
        }
        None => picture,
    };
    let readback = &ring.slots[*slot].readback;
    encoder.copy_buffer_to_buffer(source, 0, readback, 0, ring.layout.bytes());
    if let (Some(clocks), true) = (&ring.clocks, timed) {
        clocks.read_out(encoder, readback, ring.layout.bytes());
    }
    Ok(())
}

/// Records the writing of parameters.
///
/// # Errors
/// [`NotDrawn`].
pub(super) fn write(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    role: Role,
    bytes: &[u8],
) -> Result<(), NotDrawn> {
    let buffer = renderer.buffers.param(gpu, role, bytes.len() as u64);
    let buffer = buffer.map_err(|refused| NotDrawn::Staging(refused.into()))?;
    if !bytes.is_empty() {
        let written = renderer.staging.write(gpu, encoder, (buffer, 0), Purpose::Parameters, bytes);
        written.map_err(NotDrawn::Staging)?;
    }
    Ok(())
}
