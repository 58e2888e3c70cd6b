//! Draw: one frame of one applied revision, when a stream has room for it and something changed.
//!
//! Everything a frame needs, uploads included, is recorded into one command buffer and handed over; the
//! world neither submits nor waits. Command buffers run in the order in which they were recorded.

use super::{
    answers::Answers,
    buffers::Buffers,
    convert::Convert,
    gpu::Gpu,
    job::{FrameJob, Handover, Layout, PixelFormat, Returned},
    plane::{colours::Colours, params, program::Programs},
    record::record,
    ring::Ring,
    upload::upload,
};
use crate::{
    ingest::WantsKeyframe,
    pace::Pace,
    residency::{
        cache::ChunkCache,
        plan::{LayerPlan, Plan},
        pools::Pools,
    },
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    clock::{Clock, NextWake},
    controls::Interpolation,
    ids::{StreamId, ViewId},
    lod::Budgets,
    metrics::Metrics,
    ops::Ops,
    session::Watch,
    stream::Stream,
};
use std::time::{Duration, Instant};
use wgpu::util::StagingBelt;

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

/// What the renderer keeps between frames.
#[derive(Resource)]
pub struct Renderer {
    pub(super) buffers: Buffers,
    pub(super) programs: Programs,
    pub(super) colours: Colours,
    /// The colour tables that the GPU has.
    pub(super) luts: Vec<u32>,
    pub(super) convert: Convert,
    pub(super) belt: StagingBelt,
}

impl Renderer {
    /// Compiles the fixed passes; allocates nothing large.
    pub fn new(gpu: &Gpu, budgets: &Budgets) -> Self {
        Self {
            buffers: Buffers::new(gpu, budgets.pool_bytes),
            programs: Programs::new(&gpu.device),
            colours: Colours::default(),
            luts: Vec::new(),
            convert: Convert::new(&gpu.device),
            belt: StagingBelt::new(gpu.device.clone(), 4 << 20),
        }
    }
}

/// Slots that came back are free; a lost frame is made good by a keyframe.
pub fn take_returned(
    mut returned: ResMut<Returned>,
    mut streams: Query<(&StreamId, &mut Pictures, &mut Answers)>,
) {
    for slot in returned.0.drain(..) {
        let Some((_, mut pictures, mut answers)) = streams.iter_mut().find(|(id, ..)| **id == slot.stream)
        else {
            continue;
        };
        if slot.failed {
            pictures.keyframe = true;
            pictures.shown = None;
            answers.owe(slot.answered.iter().cloned());
        }
        if let Some(ring) = pictures.ring.as_mut().filter(|r| r.number == slot.ring)
            && let Some(slot) = ring.slots.get_mut(slot.slot)
        {
            slot.busy = false;
        }
    }
}

/// Draws every stream that is due.
#[expect(clippy::too_many_arguments, reason = "the one system that draws")]
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
    mut streams: Query<(&StreamId, &ViewId, &Stream, &mut Pictures, &mut Answers, &mut Pace)>,
    watchers: Query<(Entity, &Watch, Has<WantsKeyframe>)>,
) {
    for (stream_id, view_id, stream, mut pictures, mut answers, mut pace) in &mut streams {
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
        answers.note(&ops, *view_id, pictures.shown.map_or(0, |s| s.revision));
        pictures.keyframe |= watching().any(|(.., wants)| wants);
        if !plan.ready || plan.revision != applied.revision {
            continue;
        }

        let rest = pictures.moved.map_or(clock.now, |(_, at)| at + REST);
        // Labels are always drawn nearest.
        let is_smooth =
            |l: &LayerPlan| applied.state.layers[l.layer].controls.interpolation != Interpolation::Nearest;
        let nearest = gpu.is_cpu && !pace.always && clock.now < rest && plan.layers.iter().any(is_smooth);
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
        let params = params::gather(state, &plan, &pools, &mut renderer.colours, nearest);
        record(renderer, &gpu, &mut encoder, ring, stream, slot, &params);
        renderer.belt.finish_and_recall_on_submit(&encoder);

        ring.slots[slot].busy = true;
        handover.0.push(FrameJob {
            stream: *stream_id,
            slot,
            ring: ring.number,
            commands: Some(encoder.finish()),
            readback: ring.slots[slot].readback.clone(),
            layout,
            revision: applied.revision,
            answered: answers.take(applied.revision),
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
