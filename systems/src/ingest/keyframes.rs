//! Keyframes that clients ask for.
//!
//! A keyframe is everybody's who watches the stream, and costs as much as ten other pictures. So one that is asked
//! for soon after another waits a little: who asks without end slows nobody's pictures down. Who has just joined or
//! lags does not ask, and does not wait.

use super::WantsKeyframe;
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::StreamId,
    session::Watch,
    stream::Stream,
};
use std::time::{Duration, Instant};

/// Shortest time between two keyframes of a stream that were asked for. Decoders that fail ask once a second.
pub const AGAIN: Duration = Duration::from_millis(250);

/// A session that asked for a keyframe and has not been granted it yet.
#[derive(Component, Debug, Default, Clone, Copy)]
pub struct AsksKeyframe;

/// When a stream last had a keyframe because it was asked for. On the entity of the stream.
#[derive(Component, Debug, Clone, Copy)]
pub struct Asked(Instant);

/// Grants what was asked for, now or when it is time.
pub(super) fn grant(world: &mut World) {
    let mut asking = world.query_filtered::<(Entity, &Watch), With<AsksKeyframe>>();
    let asking: Vec<(Entity, StreamId)> = asking.iter(world).map(|(e, watch)| (e, watch.stream)).collect();
    let now = world.resource::<Clock>().now;
    for (watcher, stream) in asking {
        let mut streams = world.query_filtered::<(Entity, &StreamId, Option<&Asked>), With<Stream>>();
        let Some((stream, _, asked)) = streams.iter(world).find(|(_, id, _)| **id == stream) else {
            continue;
        };
        // Those who ask in the same turn ask for the same one.
        match asked.map(|asked| asked.0) {
            Some(last) if last != now && now < last + AGAIN => {
                world.resource_mut::<NextWake>().at(last + AGAIN);
            }
            _ => {
                world.entity_mut(stream).insert(Asked(now));
                world.entity_mut(watcher).remove::<AsksKeyframe>().insert(WantsKeyframe);
            }
        }
    }
}
