//! What the pictures of a session cost, for sessions that asked for it.

use super::notices::Told;
use crate::{encode::Packets, render::job::Returned};
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::Clock,
    ids::StreamId,
    metrics::Metrics,
    notice::{Notice, NoticeBody, Telemetry, Topic},
    outbox::Outbox,
    session::{Session, Watch},
};
use std::time::{Duration, Instant};

/// It is told at most this often, and only while pictures come.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// What the last picture of a stream cost, milliseconds.
#[derive(Component, Debug, Clone, Copy, Default)]
pub struct Cost {
    draw: f64,
    encode: f64,
}

/// When a session was told last.
#[derive(Component, Debug, Clone, Copy)]
pub struct ToldAt(Instant);

/// Notes what pictures cost. Before whoever takes them.
pub fn observe(
    mut commands: Commands,
    returned: Res<Returned>,
    packets: Res<Packets>,
    streams: Query<(Entity, &StreamId, Option<&Cost>)>,
) {
    for (entity, id, cost) in &streams {
        let drawn =
            returned.0.iter().rev().filter(|slot| slot.stream == *id).find_map(|slot| slot.gpu_micros);
        let encoded = packets.0.iter().rev().find(|packet| packet.stream == *id).map(|p| p.encode_micros);
        if drawn.is_none() && encoded.is_none() {
            continue;
        }
        let mut cost = cost.copied().unwrap_or_default();
        cost.draw = drawn.map_or(cost.draw, |micros| micros / 1e3);
        cost.encode = encoded.map_or(cost.encode, |micros| f64::from(micros) / 1e3);
        commands.entity(entity).insert(cost);
    }
}

/// Tells those whose stream has a picture for them.
#[expect(clippy::type_complexity, reason = "one query of all a session has")]
pub fn tell(
    mut commands: Commands,
    packets: Res<Packets>,
    clock: Res<Clock>,
    streams: Query<(&StreamId, &Cost)>,
    mut sessions: Query<(Entity, &Session, &Watch, &mut Outbox, Option<&ToldAt>), With<Told>>,
    mut metrics: ResMut<Metrics>,
) {
    if packets.0.is_empty() {
        return;
    }
    for (entity, session, watch, mut outbox, told) in &mut sessions {
        let is_due = told.is_none_or(|told| told.0 + INTERVAL <= clock.now);
        let has_picture = || packets.0.iter().any(|packet| packet.stream == watch.stream);
        if !session.hears || !session.features.telemetry || !is_due || !has_picture() {
            continue;
        }
        let Some((_, cost)) = streams.iter().find(|(id, _)| **id == watch.stream) else { continue };
        outbox.notify(Notice {
            topic: Topic::Telemetry,
            body: NoticeBody::Telemetry(Telemetry {
                draw: cost.draw,
                encode: cost.encode,
                in_flight: watch.in_flight,
            }),
            cause: None,
            view: session.view,
            mark: None,
        });
        metrics.notices += 1;
        commands.entity(entity).insert(ToldAt(clock.now));
    }
}
