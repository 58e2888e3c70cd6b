//! Draw: one frame of one applied revision, when a stream has room for it and something changed.
//!
//! Everything a frame needs, uploads included, is recorded into one command buffer and handed over; the
//! world neither submits nor waits. Command buffers run in the order in which they were recorded.

use super::{
    answers::Answers,
    drawing::Drawing,
    effort::{Ask, Effort, Limits, Task},
    gpu::Gpu,
    job::{FrameJob, Job, Layout, PieceJob, Pieces, Returned},
    pictures::{Grade, Key, Pictures, REST, Shown},
    plane::params,
    pressure,
    record::{self, NotDrawn, Recording},
    ring::Ring,
    staging::NoStaging,
    volume,
};
use crate::{ingest::WantsKeyframe, pace::Pace, residency::plan::Plan};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    fit::Fit,
    ids::{SessionId, StreamId, ViewId},
    metrics::Metrics,
    notice::Residency,
    ops::Ops,
    session::Watch,
    stream::Stream,
    view::Mode,
};

/// Slots that came back are free; a lost frame is made good by a keyframe. What was drawn tells what drawing costs.
pub fn take_returned(
    mut returned: ResMut<Returned>,
    mut pieces: ResMut<Pieces>,
    mut streams: Query<(&StreamId, &Pace, &mut Pictures, &mut Answers, &mut Effort)>,
    gpu: Option<Res<Gpu>>,
    mut metrics: ResMut<Metrics>,
) {
    for piece in pieces.0.drain(..) {
        if let Some((.., mut effort)) = streams.iter_mut().find(|(id, ..)| **id == piece.stream) {
            effort.piece_done(piece.number, piece.micros);
        }
    }
    for slot in returned.0.drain(..) {
        let Some((_, pace, mut pictures, mut answers, mut effort)) =
            streams.iter_mut().find(|(id, ..)| **id == slot.stream)
        else {
            continue;
        };
        if slot.failed {
            // Drawn again; a new ring began with a keyframe anyway.
            pictures.keyframe |= pictures.ring.as_ref().is_none_or(|r| r.number == slot.ring);
            pictures.shown = None;
            answers.owe(slot.answered.iter().cloned());
        }
        slot.gpu_micros.into_iter().for_each(|micros| metrics.draw_micros.observe(micros));
        if let Some(ring) = pictures.ring.as_mut().filter(|r| r.number == slot.ring)
            && let Some(place) = ring.slots.get_mut(slot.slot)
        {
            place.busy = false;
            if let (Some(scale), Some(micros), Some(gpu)) = (place.scale.take(), slot.gpu_micros, &gpu) {
                tracing::trace!(scale, micros, "a volume was drawn");
                effort.whole_done(scale, micros, &Limits::of(gpu.is_cpu, pace.interval));
            }
        }
    }
}

/// Draws every stream that is due.
pub fn draw(
    mut commands: Commands,
    mut drawing: Drawing,
    ops: Res<Ops>,
    mut views: Query<(&ViewId, &Applied, &Residency, &mut Plan)>,
    mut streams: Query<(&StreamId, &ViewId, &Stream, &mut Pictures, &mut Answers, &mut Effort, &mut Pace)>,
    watchers: Query<(Entity, &SessionId, &Watch, Has<WantsKeyframe>)>,
) {
    let d = &mut drawing;
    let now = d.clock.now;
    let can_draw = !d.gpu.lost.is_lost() && d.renderer.retry.is_none_or(|at| at <= now);
    if let Some(at) = d.renderer.retry.filter(|at| *at > now) {
        d.wake.at(at);
    }
    for (stream_id, view_id, stream, mut pictures, mut answers, mut effort, mut pace) in &mut streams {
        let Some((_, applied, residency, mut plan)) = views.iter_mut().find(|(v, ..)| *v == view_id) else {
            continue;
        };
        let watching = || watchers.iter().filter(|(_, _, w, _)| w.stream == *stream_id);
        if !pace.always && watching().next().is_none() {
            continue;
        }
        let state = &*applied.state;
        let key = Key { revision: applied.revision, stamp: plan.stamp };
        let motion = pictures.observe(key, now);
        answers.note(&ops, *view_id, pictures.shown.map_or(0, |s| s.key.revision));
        pictures.keyframe |= watching().any(|(.., wants)| wants);
        if !can_draw || plan.revision != applied.revision {
            continue;
        }
        if !plan.ready {
            d.upload_ahead(state, &mut plan, pace.interval);
            continue;
        }
        let is_volume = state.view.mode() == Mode::Volume;
        if is_volume && pace.always && (!plan.uploads.is_empty() || residency.resident != residency.wanted) {
            // A still is drawn once, of everything.
            d.upload_ahead(state, &mut plan, pace.interval);
            continue;
        }

        let limits = Limits::of(d.gpu.is_cpu, pace.interval);
        let ask = Ask {
            key: (key.revision, key.stamp),
            shown: pictures.shown.is_some_and(|s| s.key == key),
            calm: now >= motion.changed + REST,
            still: pace.always,
            canvas: stream.canvas,
        };
        let grade = match is_volume {
            true if effort.is_in_full(&ask, &limits) => Grade::Full,
            true => {
                d.wake.at(motion.changed + REST);
                Grade::Draft
            }
            false => d.plane_grade(state, &plan, motion, pace.always),
        };
        // A picture drawn better than moving needs is not drawn again.
        let up_to_date = pictures.shown.is_some_and(|s| s.key == key && s.grade >= grade);
        // An answer went with a picture that was withheld, and the keyframe in its place was drawn before that.
        let owes = |(_, session, w, _): (_, &SessionId, &Watch, _)| {
            w.has_room() && !w.needs_keyframe && answers.owes(*session)
        };
        let settled = up_to_date && plan.uploads.is_empty();
        pictures.keyframe |= d.resync(stream, &pictures, motion, settled);
        let is_asked_again = pictures.keyframe || watching().any(owes);
        if up_to_date && plan.uploads.is_empty() && !is_asked_again {
            continue;
        }
        // What is shown, once more: a volume is not drawn anew for it.
        let repeats = is_volume && ask.shown && plan.uploads.is_empty() && is_asked_again;
        let task = match is_volume {
            true if repeats => Task::Again,
            true => effort.next(&ask, &limits),
            false => Task::Whole { scale: 1.0 },
        };
        if task == Task::Wait {
            continue;
        }
        let piece = matches!(task, Task::Piece(_));
        if let Some(due) = pace.drawn.map(|d| d + pace.interval).filter(|due| now < *due && !piece) {
            d.wake.at(due);
            if is_volume {
                // Bricks are many: they need not wait for the next picture.
                d.upload_ahead(state, &mut plan, pace.interval);
            }
            continue;
        }
        if !pace.always && !piece && !watching().any(|(_, _, w, _)| w.has_room()) {
            // A client that takes a picture wakes us.
            d.metrics.frames_held += 1;
            d.upload_ahead(state, &mut plan, pace.interval);
            continue;
        }
        let layout = Layout::of(stream.canvas, pictures.format);
        let pictures = &mut *pictures;
        let ring = match &mut pictures.ring {
            Some(ring) if ring.layout == layout => ring,
            slot => {
                // The old one first: there may not be room for both.
                *slot = None;
                pictures.shown = None;
                effort.forget();
                let ring = match Ring::new(&d.gpu, layout, pictures.rings + 1) {
                    Ok(ring) => ring,
                    Err(refused) => {
                        d.renderer.refused = Some(refused);
                        return;
                    }
                };
                pictures.rings += 1;
                pictures.keyframe = true;
                let ring = slot.insert(ring);
                if !matches!(task, Task::Whole { .. }) {
                    // Looked at again, with nothing shown.
                    d.wake.at(now);
                    continue;
                }
                ring
            }
        };
        // A slot that comes back wakes us.
        let Some(slot) = ring.slots.iter().position(|s| !s.busy) else { continue };

        let mut encoder = d.encoder("frame");
        if !d.upload(&mut encoder, state, &mut plan) {
            return;
        }
        let mut drawn = plan.essential == 0;
        if drawn {
            let fitted = Fit::of(state.canvas, stream.canvas).state(state);
            let mut recording = Recording { gpu: &d.gpu, encoder: &mut encoder, ring, stream, slot };
            let recorded = if is_volume {
                record::volume(&mut d.renderer, &mut recording, task, |colours, quality| {
                    volume::params::gather(&fitted, &plan, &d.pools, colours, quality)
                })
            } else {
                let nearest = grade == Grade::Draft;
                let params = params::gather(&fitted, &plan, &d.pools, &mut d.renderer.colours, nearest);
                record::plane(&mut d.renderer, &mut recording, &params)
            };
            match recorded {
                Ok(()) => {}
                // The compiled program wakes us.
                Err(NotDrawn::Program) if plan.stamp == key.stamp => continue,
                Err(NotDrawn::Program | NotDrawn::Staging(NoStaging::Full)) => drawn = false,
                Err(NotDrawn::Staging(NoStaging::Refused(refused))) => {
                    d.renderer.refused = Some(refused);
                    // What was recorded is not submitted.
                    d.renderer.forget_tables();
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
        let begun = effort.begun(&ask, task);
        d.renderer.staging.finish(&encoder);
        if let Some(number) = begun {
            let (gpu, commands) = (d.gpu.clone(), encoder.finish());
            d.metrics.pieces_drawn += 1;
            d.handover.0.push(Job::Piece(PieceJob { gpu, stream: *stream_id, number, commands }));
            continue;
        }
        if !is_volume && grade == Grade::Full {
            d.expect_volume(state);
        }
        ring.slots[slot].busy = true;
        ring.slots[slot].scale = if let Task::Whole { scale } = task { Some(scale) } else { None };
        let (number, readback) = (ring.number, ring.slots[slot].readback.clone());
        let clocked = ring.clocks.is_some() && task != Task::Again;
        d.handover.0.push(Job::Frame(Box::new(FrameJob {
            gpu: d.gpu.clone(),
            stream: *stream_id,
            slot,
            ring: number,
            commands: Some(encoder.finish()),
            readback,
            layout,
            revision: applied.revision,
            answered: answers.take(applied.revision),
            keyframe: pictures.begin(now, stream),
            clocked,
        })));
        if task != Task::Again {
            // A draft comes first also where a full picture was asked for.
            let grade =
                if matches!(task, Task::Whole { scale } if scale > 1.0) { Grade::Draft } else { grade };
            pictures.shown = Some(Shown { key: Key { stamp: plan.stamp, ..key }, grade });
        }
        pace.drawn = Some(now);
        d.metrics.frames_drawn += 1;
        d.metrics.drafts_drawn += u64::from(matches!(task, Task::Whole { scale } if scale > 1.0));
        if d.renderer.exhausted {
            tracing::info!("the GPU has room again");
            d.incidents.report(pressure::has_room());
            d.wake.at(now);
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
