//! One encode per stream, however many watch.
//!
//! Drop policy: a session without room is passed over and then needs a keyframe to go on; it never holds up
//! another. It is asked for once the session has room again, at most once in `RESYNC`, so that one slow
//! client does not turn everybody's stream into keyframes. What a withheld picture answered, the next does.

use super::Packets;
use crate::{ingest::WantsKeyframe, render::answers::Answers};
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::{SessionId, StreamId},
    metrics::Metrics,
    outbox::Outbox,
    session::Watch,
    stream::{ConfigCount, StreamConfig},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Shortest time between two keyframes for the same lagging session.
const RESYNC: Duration = Duration::from_secs(1);

/// When a session that lagged was last given a keyframe.
#[derive(Component, Debug, Clone, Copy)]
pub struct Resynced(Instant);

/// Hands packets to sessions.
#[expect(clippy::type_complexity, reason = "one query of all a watcher has")]
pub fn deliver(
    mut commands: Commands,
    mut packets: ResMut<Packets>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut streams: Query<(Entity, &StreamId, Option<(&StreamConfig, &ConfigCount)>, &mut Answers)>,
    mut watchers: Query<(
        Entity,
        &SessionId,
        &mut Watch,
        &mut Outbox,
        Option<&WantsKeyframe>,
        Option<&Resynced>,
    )>,
    mut metrics: ResMut<Metrics>,
) {
    for packet in packets.0.drain(..) {
        metrics.keyframes += u64::from(packet.keyframe);
        metrics.encode_micros.observe(f64::from(packet.encode_micros));
        let Some((entity, _, known, mut answers)) =
            streams.iter_mut().find(|(_, id, ..)| **id == packet.stream)
        else {
            continue;
        };
        if let Some(config) = &packet.config
            && known.map(|k| k.0) != Some(&**config)
        {
            let count = known.map_or(1, |k| k.1.0 + 1);
            commands.entity(entity).insert(((**config).clone(), ConfigCount(count)));
            // Told by the mirror, which has already run in this turn.
            wake.at(clock.now);
        }
        for (_, session, mut watch, mut outbox, ..) in
            watchers.iter_mut().filter(|w| w.2.stream == packet.stream)
        {
            let fits = watch.has_room() && (packet.keyframe || !watch.needs_keyframe);
            if fits {
                watch.in_flight += 1;
                watch.needs_keyframe = false;
                outbox.pictures.push_back(Arc::clone(&packet));
                metrics.pictures_sent += 1;
                metrics.picture_bytes += packet.bytes.len() as u64;
                if answers.owes(*session) {
                    wake.at(clock.now);
                }
            } else {
                watch.needs_keyframe = true;
                metrics.pictures_dropped += 1;
                answers.owe(packet.answered.iter().filter(|a| a.session == *session).cloned());
            }
        }
    }
    for (entity, id, watch, _, wants, resynced) in &watchers {
        if !watch.needs_keyframe || !watch.has_room() || wants.is_some() {
            continue;
        }
        match resynced.map(|r| r.0 + RESYNC) {
            Some(at) if clock.now < at => wake.at(at),
            _ => {
                tracing::debug!(session = id.0, "lagged; a keyframe is made for it");
                commands.entity(entity).insert((WantsKeyframe, Resynced(clock.now)));
                wake.at(clock.now);
            }
        }
    }
}
