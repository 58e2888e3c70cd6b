//! Draw: one frame of one applied revision, when a stream has room for it and something changed.
//!
//! Everything a frame needs, uploads included, is recorded into one command buffer and handed over; the
//! world neither submits nor waits. Command buffers run in the order in which they were recorded.

use super::{
    buffers::{Buffers, Role},
    convert::{self, Convert},
    gpu::Gpu,
    job::{FrameJob, Handover, Layout, PixelFormat, Returned},
    plane::{
        params::{self, Params},
        program::Programs,
    },
};
use crate::{
    ingest::WantsKeyframe,
    pace::Pace,
    residency::{
        cache::ChunkCache,
        cut,
        plan::{LayerPlan, Plan, TileJob},
        pools::{self, Pools},
        tiles::Plane,
    },
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, ViewState},
    clock::{Clock, NextWake},
    controls::Interpolation,
    ids::{IntentRef, SessionId, StreamId, ViewId},
    lod::Budgets,
    metrics::Metrics,
    ops::{OpState, Ops},
    session::Watch,
    stream::Stream,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use wgpu::util::StagingBelt;

/// Frames of one stream that may be between the world and its encoder: one drawn while one is encoded.
const IN_FLIGHT: usize = 2;

/// Nothing moved for this long: the picture is at rest and is drawn as it was asked for.
const REST: Duration = Duration::from_millis(120);

/// The ring of a stream, and what its last frame showed.
#[derive(Component, Debug, Default)]
pub struct Pictures {
    /// What it is read back as.
    pub format: PixelFormat,
    ring: Option<Ring>,
    rings: u64,
    shown: Option<Shown>,
    /// The revision last seen and when it came: what "moving" means.
    moved: Option<(u64, Instant)>,
    /// The decoder must be able to begin at the next frame.
    keyframe: bool,
}

impl Pictures {
    /// The next frame is drawn even if nothing changed, and a decoder can begin with it.
    pub fn request_keyframe(&mut self) {
        self.keyframe = true;
    }
}

/// What a drawn frame depends on. Equal means: the same picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    revision: u64,
    stamp: u64,
    nearest: bool,
}

#[derive(Debug)]
struct Ring {
    layout: Layout,
    number: u64,
    /// RGBA8, one for all slots: frames are drawn one after the other.
    picture: wgpu::Buffer,
    /// I420 before it is copied out.
    planes: Option<wgpu::Buffer>,
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    readback: Arc<wgpu::Buffer>,
    busy: bool,
}

/// What the renderer keeps between frames.
#[derive(Resource)]
pub struct Renderer {
    buffers: Buffers,
    programs: Programs,
    convert: Convert,
    belt: StagingBelt,
}

impl Renderer {
    /// Compiles the fixed passes; allocates nothing large.
    pub fn new(gpu: &Gpu, budgets: &Budgets) -> Self {
        Self {
            buffers: Buffers::new(gpu, budgets.pool_bytes),
            programs: Programs::new(&gpu.device),
            convert: Convert::new(&gpu.device),
            belt: StagingBelt::new(gpu.device.clone(), 4 << 20),
        }
    }
}

/// Slots that came back are free; a lost frame is made good by a keyframe.
pub fn take_returned(mut returned: ResMut<Returned>, mut streams: Query<(&StreamId, &mut Pictures)>) {
    for slot in returned.0.drain(..) {
        let Some((_, mut pictures)) = streams.iter_mut().find(|(id, _)| **id == slot.stream) else {
            continue;
        };
        if slot.failed {
            pictures.keyframe = true;
            pictures.shown = None;
        }
        if let Some(ring) = pictures.ring.as_mut().filter(|r| r.number == slot.ring) {
            if let Some(slot) = ring.slots.get_mut(slot.slot) {
                slot.busy = false;
            }
        }
    }
}

/// Draws every stream that is due.
#[expect(clippy::too_many_arguments, clippy::type_complexity, reason = "the one system that draws")]
pub fn draw(
    mut commands: Commands,
    gpu: Res<Gpu>,
    mut renderer: ResMut<Renderer>,
    mut pools: ResMut<Pools>,
    mut cache: ResMut<ChunkCache>,
    mut handover: ResMut<Handover>,
    ops: Res<Ops>,
    clock: Res<Clock>,
    budgets: Res<Budgets>,
    mut wake: ResMut<NextWake>,
    mut metrics: ResMut<Metrics>,
    mut views: Query<(&ViewId, &Applied, &mut Plan)>,
    mut streams: Query<(&StreamId, &ViewId, &Stream, &mut Pictures, &mut Pace)>,
    watchers: Query<(Entity, &Watch, Has<WantsKeyframe>)>,
) {
    for (stream_id, view_id, stream, mut pictures, mut pace) in &mut streams {
        let Some((_, applied, mut plan)) = views.iter_mut().find(|(v, ..)| *v == view_id) else { continue };
        let watching = || watchers.iter().filter(|(_, w, _)| w.stream == *stream_id);
        if !pace.always && watching().next().is_none() {
            continue;
        }
        if pictures.moved.is_none_or(|(revision, _)| revision != applied.revision) {
            // The very first picture is one at rest.
            let at = if pictures.moved.is_none() { clock.now.checked_sub(REST) } else { Some(clock.now) };
            pictures.moved = Some((applied.revision, at.unwrap_or(clock.now)));
        }
        pictures.keyframe |= watching().any(|(.., wants)| wants);
        if !plan.ready || plan.revision != applied.revision {
            continue;
        }

        let rest = pictures.moved.map_or(clock.now, |(_, at)| at + REST);
        let is_linear =
            |l: &LayerPlan| applied.state.layers[l.layer].controls.interpolation == Interpolation::Linear;
        let nearest = gpu.is_cpu && !pace.always && clock.now < rest && plan.layers.iter().any(is_linear);
        if nearest {
            wake.at(rest);
        }
        let shown = Shown { revision: applied.revision, stamp: plan.stamp, nearest };
        // A picture drawn better than moving needs is not drawn again.
        let up_to_date =
            pictures.shown.is_some_and(|s| s == shown || (nearest && s == Shown { nearest: false, ..shown }));
        if up_to_date && plan.uploads.is_empty() && !pictures.keyframe {
            continue;
        }
        if let Some(due) = pace.drawn.map(|d| d + pace.interval).filter(|due| clock.now < *due) {
            wake.at(due);
            continue;
        }
        if !pace.always && !watching().any(|(_, w, _)| w.has_room()) {
            // A client that takes a picture wakes us.
            metrics.frames_held += 1;
            continue;
        }
        let layout = Layout::of(stream.canvas, pictures.format);
        let pictures = &mut *pictures;
        let ring = match &mut pictures.ring {
            Some(ring) if ring.layout == layout => ring,
            slot => {
                pictures.rings += 1;
                pictures.keyframe = true;
                slot.insert(Ring::new(&gpu, layout, pictures.rings))
            }
        };
        // A slot that comes back wakes us.
        let Some(slot) = ring.slots.iter().position(|s| !s.busy) else { continue };

        let mut encoder =
            gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("frame") });
        let state = &*applied.state;
        let renderer = &mut *renderer;
        upload(
            renderer,
            &gpu,
            &mut encoder,
            state,
            &mut plan,
            &mut pools,
            &mut cache,
            &budgets,
            &mut metrics,
        );
        let params = params::gather(state, &plan, &pools, nearest);
        record(renderer, &gpu, &mut encoder, ring, stream, slot, &params);
        renderer.belt.finish_and_recall_on_submit(&encoder);

        let since = pictures.shown.map_or(0, |s| s.revision);
        let (answered, oldest) = answered(&ops, *view_id, since, applied.revision);
        ring.slots[slot].busy = true;
        handover.0.push(FrameJob {
            stream: *stream_id,
            slot,
            ring: ring.number,
            commands: Some(encoder.finish()),
            readback: ring.slots[slot].readback.clone(),
            layout,
            revision: applied.revision,
            answered,
            oldest,
            keyframe: std::mem::take(&mut pictures.keyframe),
        });
        pictures.shown = Some(Shown { stamp: plan.stamp, ..shown });
        pace.drawn = Some(clock.now);
        metrics.frames_drawn += 1;
        for (entity, ..) in watching().filter(|(.., wants)| *wants) {
            commands.entity(entity).remove::<WantsKeyframe>();
        }
        if !plan.uploads.is_empty() {
            wake.at(clock.now + pace.interval);
        }
    }
}

impl Ring {
    fn new(gpu: &Gpu, layout: Layout, number: u64) -> Self {
        let buffer = |label, size, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let (storage, out) = (wgpu::BufferUsages::STORAGE, wgpu::BufferUsages::COPY_SRC);
        let pixels = u64::from(layout.canvas.width) * u64::from(layout.canvas.height) * 4;
        Self {
            layout,
            number,
            picture: buffer("picture", pixels, storage | out),
            planes: (layout.format == PixelFormat::I420)
                .then(|| buffer("planes", layout.bytes(), storage | out)),
            slots: (0..IN_FLIGHT)
                .map(|_| {
                    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
                    Slot { readback: Arc::new(buffer("readback", layout.bytes(), usage)), busy: false }
                })
                .collect(),
        }
    }
}

/// Cuts tiles and records their upload: the essential ones all, the others while the turn's time lasts.
#[expect(clippy::too_many_arguments, reason = "reads the cache, writes pools and commands")]
fn upload(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    state: &ViewState,
    plan: &mut Plan,
    pools: &mut Pools,
    cache: &mut ChunkCache,
    budgets: &Budgets,
    metrics: &mut Metrics,
) {
    let started = Instant::now();
    let budget = Duration::from_micros(budgets.upload_micros);
    let jobs = std::mem::take(&mut plan.uploads);
    let mut done = 0;
    for (n, job) in jobs.iter().enumerate() {
        if n >= plan.essential && started.elapsed() >= budget {
            break;
        }
        done = n + 1;
        if upload_tile(renderer, gpu, encoder, state, job, pools, cache, metrics).is_none() {
            // The pool is full of what this picture needs, or a chunk was evicted meanwhile: the next
            // plan will see.
            plan.stale = true;
        }
    }
    if done > 0 {
        plan.stamp += 1;
        plan.stale = true;
    }
    plan.essential = plan.essential.saturating_sub(done);
    plan.uploads = jobs[done..].to_vec();
}

#[expect(clippy::too_many_arguments, reason = "see upload")]
fn upload_tile(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    state: &ViewState,
    job: &TileJob,
    pools: &mut Pools,
    cache: &mut ChunkCache,
    metrics: &mut Metrics,
) -> Option<()> {
    let layer = &state.layers[job.layer];
    let image = &state.dataset.images[layer.layer.image];
    let plane = Plane::of(state, image, layer.layer.channel, job.level)?;
    let chunks: Vec<_> =
        plane.chunks(job.at).map(|key| Some((key, cache.get(&key)?.clone()))).collect::<Option<_>>()?;
    let missing = chunks.iter().any(|(_, c)| c.is_err());
    let width = image.dtype.size();
    let (slot, evicted) = pools.insert(width, plane.key(job.at), missing)?;
    let stride = pools::stride(width);
    let target = renderer.buffers.pool_for_upload(gpu, pools::pool_of(width));
    let size = wgpu::BufferSize::new(stride)?;
    let mut view = renderer.belt.write_buffer(encoder, target, u64::from(slot.number) * stride, size);
    let mut tile = vec![0; stride as usize];
    cut::cut(&plane, job.at, image.dtype, &mut tile, |key| {
        chunks.iter().find(|(k, _)| k == key).map(|(_, c)| c)
    });
    view.copy_from_slice(&tile);
    metrics.tiles_uploaded += 1;
    metrics.tiles_evicted += u64::from(evicted);
    Some(())
}

/// Records parameters, drawing, conversion and the copy into the slot.
fn record(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    ring: &Ring,
    stream: &Stream,
    slot: usize,
    params: &Params,
) {
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
    for (role, bytes) in writes {
        let buffer = renderer.buffers.param(gpu, role, bytes.len() as u64);
        if let Some(size) = wgpu::BufferSize::new(bytes.len() as u64) {
            renderer.belt.write_buffer(encoder, buffer, 0, size).copy_from_slice(bytes);
        }
    }

    let program = renderer.programs.get(&gpu.device, &params.spec);
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
        layout: renderer.programs.layout(&params.spec),
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
}

/// The intents whose effect is first seen between two revisions, and when the oldest arrived.
#[expect(clippy::type_complexity, reason = "what a packet carries")]
fn answered(
    ops: &Ops,
    view: ViewId,
    after: u64,
    upto: u64,
) -> (Arc<[(SessionId, IntentRef)]>, Option<Instant>) {
    let shown = ops.closed.iter().filter(|op| {
        op.view == view
            && matches!(op.state, OpState::Applied { revision } if revision > after && revision <= upto)
    });
    let mut oldest: Option<Instant> = None;
    let mut intents = Vec::new();
    for op in shown {
        tracing::debug!(op = op.seq, revision = upto, "drawn");
        if let Some(origin) = &op.origin {
            oldest = Some(oldest.map_or(op.arrived, |o| o.min(op.arrived)));
            intents.push((origin.session, origin.intent.clone()));
        }
    }
    (intents.into(), oldest)
}
