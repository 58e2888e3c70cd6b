//! Outboxes of the world → bounded channels of the sockets. What does not fit stays in the outbox, where
//! notices merge.

use super::bridge::{CloseReason, Outbound};
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::SessionId,
    outbox::Outbox,
    packet::Packet,
    session::Watch,
};
use lucida_systems::mirror::acks::NotReading;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::mpsc::{Sender, error::TrySendError};

/// A full socket is tried again after this long.
const RETRY: Duration = Duration::from_millis(5);

/// The sending ends of one session.
#[derive(Debug)]
pub struct Ends {
    /// Its state socket.
    pub state: Sender<Outbound>,
    /// Its pixel socket.
    pub pictures: Option<Sender<Arc<Packet>>>,
}

/// The sending ends of all sessions.
#[derive(Resource, Debug, Default)]
pub struct Sockets(pub HashMap<SessionId, Ends>);

/// Sends what fits; after everything else of the turn.
pub fn send(
    mut sockets: ResMut<Sockets>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut sessions: Query<(&SessionId, &mut Outbox, Option<&mut Watch>, Has<NotReading>)>,
) {
    for (id, mut outbox, watch, not_reading) in &mut sessions {
        if not_reading {
            if let Some(ends) = sockets.0.remove(id) {
                goodbye(&ends.state, CloseReason::NotReading);
                *outbox = Outbox::default();
            }
            continue;
        }
        if outbox.is_empty() {
            continue;
        }
        let Some(ends) = sockets.0.get_mut(id) else { continue };
        if !send_state(&ends.state, &mut outbox) {
            wake.after(&clock, RETRY);
        }
        while let Some(picture) = outbox.pictures.pop_front() {
            let Some(pictures) = &ends.pictures else { continue };
            if pictures.try_send(picture).is_err() {
                // The socket is closing, or was replaced and is not drained yet: the picture is lost to it,
                // so it needs a keyframe to go on.
                if let Some(mut watch) = watch {
                    watch.in_flight = watch.in_flight.saturating_sub(1 + outbox.pictures.len() as u32);
                    watch.needs_keyframe = true;
                }
                outbox.pictures.clear();
                break;
            }
        }
    }
}

/// Acks, then notices. Returns false where something had to stay.
fn send_state(state: &Sender<Outbound>, outbox: &mut Outbox) -> bool {
    // The last place is the goodbye's.
    let mut room = state.capacity().saturating_sub(1);
    let acks = outbox.acks.len().min(room);
    room -= acks;
    let notices = outbox.notices.len().min(room);
    let told = outbox.acks.drain(..acks).map(Outbound::Ack);
    for outbound in told.chain(outbox.notices.drain(..notices).map(Outbound::Notice)) {
        // There was room: this fails where the session is leaving, and nobody is told any more.
        let _ = state.try_send(outbound);
    }
    outbox.acks.is_empty() && outbox.notices.is_empty()
}

/// Ends a session from this side. The place for it is kept; the dropped sender ends the socket in any case.
fn goodbye(state: &Sender<Outbound>, reason: CloseReason) {
    if let Err(TrySendError::Full(_)) = state.try_send(Outbound::Close(reason)) {
        tracing::warn!(?reason, "a session is closed without a word");
    }
}

/// Says goodbye to everybody.
pub fn close_all(sockets: &mut Sockets, why: CloseReason) {
    for (_, ends) in sockets.0.drain() {
        goodbye(&ends.state, why);
    }
}
