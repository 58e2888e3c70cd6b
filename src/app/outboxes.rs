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
                // The queue is full by definition; the dropped sender ends the socket where this fails.
                let _ = ends.state.try_send(Outbound::Close(CloseReason::NotReading));
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
    while let Some(ack) = outbox.acks.pop_front() {
        match state.try_send(Outbound::Ack(ack)) {
            Ok(()) => {}
            Err(TrySendError::Full(Outbound::Ack(ack))) => {
                outbox.acks.push_front(ack);
                return false;
            }
            // The session is leaving; nobody is told any more.
            Err(_) => return true,
        }
    }
    while !outbox.notices.is_empty() {
        let notice = outbox.notices.remove(0);
        match state.try_send(Outbound::Notice(notice)) {
            Ok(()) => {}
            Err(TrySendError::Full(Outbound::Notice(notice))) => {
                outbox.notices.insert(0, notice);
                return false;
            }
            Err(_) => return true,
        }
    }
    true
}

/// Says goodbye to everybody.
pub fn close_all(sockets: &mut Sockets, why: CloseReason) {
    for (_, ends) in sockets.0.drain() {
        // A full queue: the dropped sender ends the socket.
        let _ = ends.state.try_send(Outbound::Close(why));
    }
}
