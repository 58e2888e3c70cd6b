//! Streams: which there are, and who watches which.
//!
//! A stream is a view on a canvas in a row order, encoded once for all who watch that. What a session watches
//! follows from what it looks at ([`lucida_components::session::Session`]); here it is brought about, after the transactions and before
//! anything is drawn.

pub mod due;
pub mod extent;
mod lead;
mod places;

use crate::{
    encode::deliver,
    ingest::WantsKeyframe,
    pace::Pace,
    render::{job::Handover, pictures::Pictures},
    spawn,
};
use bevy_ecs::prelude::*;
pub(crate) use lead::leads;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::{StreamId, ViewId},
    session::Watch,
    stream::Stream,
};
pub(crate) use places::Place;
use places::Standing;
use std::time::{Duration, Instant};

/// A stream that nobody watches is kept for so long, encoder and all: somebody who comes back at once (a page that
/// is loaded again, a connection that broke) goes on with it.
const LINGER: Duration = Duration::from_secs(2);

/// The last number that a stream was given; none is given twice.
#[derive(Resource, Debug, Default)]
pub struct LastStream(u32);

/// Since when nobody watches a stream.
#[derive(Component, Debug, Clone, Copy)]
pub struct Idle(Instant);

/// Brings every watcher to the stream of what it looks at, ends streams that nobody watches, notes what planning
/// has to cover, and who leads.
pub fn subscribe(world: &mut World) {
    let views = places::views(world);
    let watchers = places::watchers(world, &views);
    for &Standing { entity, wants, .. } in &watchers {
        let Some(now) = world.get::<Watch>(entity).map(|w| w.stream) else { continue };
        if places::place_of(world, now) == Some(wants) {
            continue;
        }
        let stream = match places::find(world, wants) {
            Some(stream) => stream,
            None => take_over(world, now, entity, wants).unwrap_or_else(|| begin(world, wants)),
        };
        if stream != now {
            if let Some(mut watch) = world.get_mut::<Watch>(entity) {
                (watch.stream, watch.needs_keyframe) = (stream, true);
            }
            world.entity_mut(entity).remove::<deliver::Resynced>().insert(WantsKeyframe);
        }
        // Told by the mirror, which has already run in this turn.
        wake(world);
    }
    for (stream, canvas) in places::stills(world, &views) {
        if let Some(mut block) = world.get_mut::<Stream>(stream) {
            let next = Stream { canvas, ..*block };
            block.set_if_neq(next);
        }
    }
    end_idle(world);
    extent::note(world, &views);
    lead::appoint(world, &watchers);
}

fn wake(world: &mut World) {
    let now = world.resource::<Clock>().now;
    world.resource_mut::<NextWake>().at(now);
}

/// A stream that nobody else watches becomes what is wanted: the watcher's own, or one that idles. Its encoder
/// goes on where the canvas stays.
fn take_over(world: &mut World, now: StreamId, watcher: Entity, wants: Place) -> Option<StreamId> {
    let mut watches = world.query::<(Entity, &Watch)>();
    let others: Vec<StreamId> =
        watches.iter(world).filter(|(e, _)| *e != watcher).map(|(_, w)| w.stream).collect();
    let mut streams = world.query::<(Entity, &StreamId, &Stream, &Pace)>();
    let mut free: Vec<(Entity, StreamId, Stream)> = streams
        .iter(world)
        .filter(|(_, id, _, pace)| !pace.always && !others.contains(id))
        .map(|(e, id, s, _)| (e, *id, *s))
        .collect();
    free.sort_by_key(|(_, id, s)| (*id != now, s.canvas != wants.canvas, *id));
    let (entity, id, _) = *free.first()?;
    let block = Stream { canvas: wants.canvas, orientation: wants.orientation };
    world.entity_mut(entity).insert((wants.view, block));
    if let Some(mut pictures) = world.get_mut::<Pictures>(entity) {
        pictures.turn_to_another();
    }
    Some(id)
}

fn begin(world: &mut World, place: Place) -> StreamId {
    let mut last = world.resource_mut::<LastStream>();
    last.0 += 1;
    let id = StreamId(last.0);
    let Place { view, canvas, orientation } = place;
    spawn::stream(world, id, view, Stream { canvas, orientation });
    tracing::debug!(stream = id.0, view = %view, ?canvas, "a stream begins");
    id
}

/// Ends what nobody has watched for a while. The main stream's entity stays, without pictures and encoder.
fn end_idle(world: &mut World) {
    let now = world.resource::<Clock>().now;
    let watched: Vec<StreamId> = world.query::<&Watch>().iter(world).map(|w| w.stream).collect();
    let mut streams = world.query::<(Entity, &StreamId, &Pace, Option<&Idle>, Has<Ended>)>();
    let streams: Vec<_> = streams
        .iter(world)
        .filter(|(_, _, pace, ..)| !pace.always)
        .map(|(e, id, _, idle, ended)| (e, *id, idle.copied(), ended))
        .collect();
    for (entity, id, idle, ended) in streams {
        let mut stream = world.entity_mut(entity);
        match idle {
            _ if watched.contains(&id) => {
                if idle.is_some() || ended {
                    stream.remove::<(Idle, Ended)>();
                }
            }
            _ if ended => {}
            None => {
                stream.insert(Idle(now));
                world.resource_mut::<NextWake>().at(now + LINGER);
            }
            Some(Idle(since)) if now < since + LINGER => {
                world.resource_mut::<NextWake>().at(since + LINGER);
            }
            Some(_) => {
                if id == StreamId::MAIN {
                    if let Some(mut pictures) = stream.get_mut::<Pictures>() {
                        pictures.forget();
                    }
                    stream.insert(Ended);
                } else {
                    stream.despawn();
                }
                world.resource_mut::<Handover>().close(id);
                tracing::debug!(stream = id.0, "a stream ends");
            }
        }
    }
}

/// A stream that nobody has watched yet, or not for long: it has no pictures and no encoder.
#[derive(Component, Debug, Clone, Copy)]
pub struct Ended;

/// The streams of a view that are drawn: watched ones, and stills.
fn drawn(world: &mut World, view: ViewId) -> Vec<Stream> {
    let watched: Vec<StreamId> = world.query::<&Watch>().iter(world).map(|w| w.stream).collect();
    let mut streams = world.query::<(&StreamId, &ViewId, &Stream, &Pace)>();
    streams
        .iter(world)
        .filter(|(id, v, _, pace)| **v == view && (pace.always || watched.contains(id)))
        .map(|(.., stream, _)| *stream)
        .collect()
}
