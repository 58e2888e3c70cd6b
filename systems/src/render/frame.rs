//! Draw: one frame of one applied revision, when a stream has room for it and something changed.
//!
//! Everything a frame needs, uploads included, is recorded into one command buffer and handed over; the
//! world neither submits nor waits. Command buffers run in the order in which they were recorded.

use super::{
    answers::Answers,
    bricks::BrickMemory,
    buffers::Buffers,
    convert::Convert,
    gpu::Gpu,
    job::{FrameJob, Handover, Job, Layout, PixelFormat, Returned, UploadJob},
    memory::Refused,
    plane::{colours::Colours, params, program::Programs},
    record::{NotDrawn, record},
    ring::Ring,
    staging::{NoStaging, Staging},
    upload::Uploading,
    upload_bricks::Cutters,
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
use bevy_ecs::{prelude::*, system::SystemParam};
use lucida_components::{
    applied::{Applied, ViewState},
    clock::{Clock, NextWake},
    controls::Interpolation,
    ids::{SessionId, StreamId, ViewId},
    lod::Budgets,
    metrics::Metrics,
    ops::Ops,
    session::Watch,
    stream::Stream,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Nothing moved for this long: the picture is at rest and is drawn as it was asked for.
const REST: Duration = Duration::from_millis(120);

/// Uploads without a picture that may wait to be submitted.
const UPLOADS: usize = 2;

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

    /// The device is gone: the next picture is drawn into a new ring, whatever was shown, and a decoder can
    /// begin with it. What still comes back belongs to no ring.
    pub fn forget(&mut self) {
        self.ring = None;
        self.shown = None;
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
    /// Volumes.
    pub(super) bricks: BrickMemory,
    /// Where bricks are cut.
    pub(super) cutters: Cutters,
    /// Programs, and those that are to be compiled.
    pub programs: Programs,
    pub(super) colours: Colours,
    /// The colour tables that the GPU has.
    pub(super) luts: Vec<u32>,
    pub(super) convert: Convert,
    pub(super) staging: Staging,
    /// What the GPU had no room for in this turn.
    pub(super) refused: Option<Refused>,
    /// Nothing more can be given up: nothing is drawn before then.
    pub(super) retry: Option<Instant>,
    /// That was told.
    pub(super) exhausted: bool,
    /// A token for each upload that waits to be submitted: the strong count less one.
    uploads: Arc<()>,
}

impl Renderer {
    /// Compiles the fixed passes; allocates nothing large.
    pub fn new(gpu: &Gpu) -> Self {
        Self {
            buffers: Buffers::new(gpu),
            bricks: BrickMemory::default(),
            cutters: Cutters::default(),
            programs: Programs::new(&gpu.device),
            colours: Colours::default(),
            luts: Vec::new(),
            convert: Convert::new(&gpu.device),
            staging: Staging::default(),
            refused: None,
            retry: None,
            exhausted: false,
            uploads: Arc::default(),
        }
    }

    /// Cuts bricks on so many threads, whatever the cores.
    pub fn cut_on(&mut self, threads: usize) {
        self.cutters = Cutters::of(threads);
    }

    /// The memory of bricks.
    pub fn bricks(&self) -> &BrickMemory {
        &self.bricks
    }

    /// Gives the pools back.
    pub(super) fn forget_tiles(&mut self) {
        self.buffers.drop_pools();
        self.bricks.clear();
        self.staging.abandon();
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
            // Drawn again; a new ring began with a keyframe anyway.
            pictures.keyframe |= pictures.ring.as_ref().is_none_or(|r| r.number == slot.ring);
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

/// What drawing reads and writes besides views and streams.
#[derive(SystemParam)]
pub struct Drawing<'w> {
    gpu: Res<'w, Gpu>,
    renderer: ResMut<'w, Renderer>,
    pools: ResMut<'w, Pools>,
    cache: ResMut<'w, ChunkCache>,
    handover: ResMut<'w, Handover>,
    budgets: Res<'w, Budgets>,
    clock: Res<'w, Clock>,
    wake: ResMut<'w, NextWake>,
    metrics: ResMut<'w, Metrics>,
}

/// Draws every stream that is due.
pub fn draw(
    mut commands: Commands,
    mut drawing: Drawing,
    ops: Res<Ops>,
    mut views: Query<(&ViewId, &Applied, &mut Plan)>,
    mut streams: Query<(&StreamId, &ViewId, &Stream, &mut Pictures, &mut Answers, &mut Pace)>,
    watchers: Query<(Entity, &SessionId, &Watch, Has<WantsKeyframe>)>,
) {
    let d = &mut drawing;
    let now = d.clock.now;
    let can_draw = !d.gpu.lost.is_lost() && d.renderer.retry.is_none_or(|at| at <= now);
    if let Some(at) = d.renderer.retry.filter(|at| *at > now) {
        d.wake.at(at);
    }
    for (stream_id, view_id, stream, mut pictures, mut answers, mut pace) in &mut streams {
        let Some((_, applied, mut plan)) = views.iter_mut().find(|(v, ..)| *v == view_id) else { continue };
        let watching = || watchers.iter().filter(|(_, _, w, _)| w.stream == *stream_id);
        if !pace.always && watching().next().is_none() {
            continue;
        }
        if pictures.moved.is_none_or(|(revision, _)| revision != applied.revision) {
            // The very first picture is one at rest.
            let at = if pictures.moved.is_none() { now.checked_sub(REST) } else { Some(now) };
            pictures.moved = Some((applied.revision, at.unwrap_or(now)));
        }
        answers.note(&ops, *view_id, pictures.shown.map_or(0, |s| s.revision));
        pictures.keyframe |= watching().any(|(.., wants)| wants);
        if !can_draw || plan.revision != applied.revision {
            continue;
        }
        if !plan.ready {
            d.upload_ahead(&applied.state, &mut plan, pace.interval);
            continue;
        }

        let rest = pictures.moved.map_or(now, |(_, at)| at + REST);
        // Labels are always drawn nearest.
        let is_smooth =
            |l: &LayerPlan| applied.state.layers[l.layer].controls.interpolation != Interpolation::Nearest;
        let nearest = d.gpu.is_cpu && !pace.always && now < rest && plan.layers.iter().any(is_smooth);
        if nearest {
            d.wake.at(rest);
        }
        let shown = Shown { revision: applied.revision, stamp: plan.stamp, nearest };
        // A picture drawn better than moving needs is not drawn again.
        let up_to_date =
            pictures.shown.is_some_and(|s| s == shown || (nearest && s == Shown { nearest: false, ..shown }));
        // An answer went with a picture that was withheld, and the keyframe in its place was drawn before that.
        let owes = |(_, session, w, _): (_, &SessionId, &Watch, _)| {
            w.has_room() && !w.needs_keyframe && answers.owes(*session)
        };
        if up_to_date && plan.uploads.is_empty() && !pictures.keyframe && !watching().any(owes) {
            continue;
        }
        if let Some(due) = pace.drawn.map(|d| d + pace.interval).filter(|due| now < *due) {
            d.wake.at(due);
            continue;
        }
        if !pace.always && !watching().any(|(_, _, w, _)| w.has_room()) {
            // A client that takes a picture wakes us.
            d.metrics.frames_held += 1;
            d.upload_ahead(&applied.state, &mut plan, pace.interval);
            continue;
        }
        let layout = Layout::of(stream.canvas, pictures.format);
        let pictures = &mut *pictures;
        let ring = match &mut pictures.ring {
            Some(ring) if ring.layout == layout => ring,
            slot => {
                // The old one first: there may not be room for both.
                *slot = None;
                let ring = match Ring::new(&d.gpu, layout, pictures.rings + 1) {
                    Ok(ring) => ring,
                    Err(refused) => {
                        d.renderer.refused = Some(refused);
                        return;
                    }
                };
                pictures.rings += 1;
                pictures.keyframe = true;
                slot.insert(ring)
            }
        };
        // A slot that comes back wakes us.
        let Some(slot) = ring.slots.iter().position(|s| !s.busy) else { continue };

        let mut encoder = d.encoder("frame");
        let before = plan.stamp;
        if !d.upload(&mut encoder, &applied.state, &mut plan) {
            return;
        }
        let mut drawn = plan.essential == 0;
        if drawn {
            let params = params::gather(&applied.state, &plan, &d.pools, &mut d.renderer.colours, nearest);
            match record(&mut d.renderer, &d.gpu, &mut encoder, ring, stream, slot, &params) {
                Ok(()) => {}
                // The compiled program wakes us.
                Err(NotDrawn::Program) if plan.stamp == before => continue,
                Err(NotDrawn::Program | NotDrawn::Staging(NoStaging::Full)) => drawn = false,
                Err(NotDrawn::Staging(NoStaging::Refused(refused))) => {
                    d.renderer.refused = Some(refused);
                    // What was recorded is not submitted.
                    d.renderer.luts.clear();
                    return;
                }
            }
        }
        if !drawn {
            // What was uploaded is; the rest of what the picture needs follows.
            d.hand_over_upload(encoder);
            d.wake.at(now + pace.interval);
            continue;
        }
        d.renderer.staging.finish(&encoder);
        ring.slots[slot].busy = true;
        d.handover.0.push(Job::Frame(Box::new(FrameJob {
            gpu: d.gpu.clone(),
            stream: *stream_id,
            slot,
            ring: ring.number,
            commands: Some(encoder.finish()),
            readback: ring.slots[slot].readback.clone(),
            layout,
            revision: applied.revision,
            answered: answers.take(applied.revision),
            keyframe: std::mem::take(&mut pictures.keyframe),
        })));
        pictures.shown = Some(Shown { stamp: plan.stamp, ..shown });
        pace.drawn = Some(now);
        d.metrics.frames_drawn += 1;
        if d.renderer.exhausted {
            tracing::info!("the GPU has room again");
            (d.renderer.exhausted, d.renderer.retry) = (false, None);
        }
        for (entity, ..) in watching().filter(|(.., wants)| *wants) {
            commands.entity(entity).remove::<WantsKeyframe>();
        }
        if !plan.uploads.is_empty() {
            d.wake.at(now + pace.interval);
        }
    }
}

impl Drawing<'_> {
    fn encoder(&self, label: &str) -> wgpu::CommandEncoder {
        self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(label) })
    }

    /// Records uploads of a plan. False where the GPU has no room for a pool: what was recorded is void.
    fn upload(&mut self, encoder: &mut wgpu::CommandEncoder, state: &ViewState, plan: &mut Plan) -> bool {
        let is_at_rest = plan.moved.is_none_or(|at| at + REST <= self.clock.now);
        let mut uploading = Uploading {
            renderer: &mut self.renderer,
            gpu: &self.gpu,
            encoder,
            pools: &mut self.pools,
            cache: &mut self.cache,
            budgets: &self.budgets,
            metrics: &mut self.metrics,
            is_at_rest,
        };
        let outcome = uploading.run(state, plan);
        self.renderer.refused = outcome.err();
        self.renderer.refused.is_none()
    }

    /// Uploads what there is of a picture that cannot be drawn yet: chunks that wait for others, or for a
    /// client that lags, would fill the cache.
    fn upload_ahead(&mut self, state: &ViewState, plan: &mut Plan, interval: Duration) {
        if plan.uploads.is_empty() {
            return;
        }
        if Arc::strong_count(&self.renderer.uploads) > UPLOADS {
            self.wake.at(self.clock.now + interval);
            return;
        }
        let mut encoder = self.encoder("tiles");
        let before = plan.stamp;
        if !self.upload(&mut encoder, state, plan) {
            return;
        }
        if plan.stamp == before {
            self.wake.at(self.clock.now + interval);
            return;
        }
        self.hand_over_upload(encoder);
        // The plan is looked at again at once: the picture may be possible now.
        self.wake.at(self.clock.now);
    }

    fn hand_over_upload(&mut self, encoder: wgpu::CommandEncoder) {
        self.renderer.staging.finish(&encoder);
        let pending = self.renderer.uploads.clone();
        let job = UploadJob { gpu: self.gpu.clone(), commands: encoder.finish(), pending };
        self.handover.0.push(Job::Upload(job));
    }
}
