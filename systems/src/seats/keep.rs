//! What becomes of views and sessions in every turn, after the transactions and before anybody is told.

use super::{Newborn, UNWATCHED, Unwatched};
use crate::mirror::versions::Versions;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    clock::{Clock, NextWake},
    ids::{SessionId, ViewId},
    seats::ViewName,
    session::Session,
};
use std::collections::{HashMap, HashSet};

/// A view whose first transaction was committed is looked at; one whose first failed is gone.
pub fn begin(
    mut commands: Commands,
    views: Query<(Entity, &ViewId, &Newborn, Has<Applied>)>,
    mut sessions: Query<(&SessionId, &mut Session)>,
) {
    for (entity, view, newborn, applied) in &views {
        if !applied {
            commands.entity(entity).despawn();
            continue;
        }
        commands.entity(entity).remove::<Newborn>();
        if let Some((_, mut session)) = sessions.iter_mut().find(|(id, _)| **id == newborn.session) {
            session.view = *view;
            session.follows = None;
        }
    }
}

/// Who follows looks at what is looked at by whom it follows; who follows nobody that is there stays.
pub fn follow(mut sessions: Query<(&SessionId, &mut Session)>) {
    if sessions.iter().all(|(_, s)| s.follows.is_none()) {
        return;
    }
    let seats: HashMap<SessionId, (ViewId, Option<SessionId>)> =
        sessions.iter().map(|(id, s)| (*id, (s.view, s.follows))).collect();
    for (_, mut session) in &mut sessions {
        let Some(first) = session.follows else { continue };
        let Some(&(mut view, mut next)) = seats.get(&first) else {
            session.follows = None;
            continue;
        };
        // No chain is longer than there are sessions: none leads back to itself.
        for _ in 0..seats.len() {
            let Some(&leader) = next.and_then(|id| seats.get(&id)) else { break };
            (view, next) = leader;
        }
        if session.view != view {
            session.view = view;
        }
    }
}

/// A view whose owner left is nobody's.
pub fn disown(
    mut left: RemovedComponents<Session>,
    mut views: Query<&mut ViewName>,
    sessions: Query<&SessionId, With<Session>>,
) {
    if left.read().count() == 0 {
        return;
    }
    for mut name in &mut views {
        if name.owner.is_some_and(|owner| !sessions.iter().any(|id| *id == owner)) {
            name.owner = None;
        }
    }
}

/// A view at which nobody has looked for a while is closed, but never the main one.
pub fn close(
    mut commands: Commands,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut views: Query<(Entity, &ViewId, &mut Unwatched)>,
    sessions: Query<&Session>,
    mut versions: ResMut<Versions>,
) {
    let looked_at: HashSet<ViewId> = sessions.iter().map(|s| s.view).collect();
    for (entity, view, mut unwatched) in &mut views {
        if *view == ViewId::MAIN || looked_at.contains(view) {
            unwatched.set_if_neq(Unwatched(None));
            continue;
        }
        let due = unwatched.0.unwrap_or(clock.now) + UNWATCHED;
        if due <= clock.now {
            tracing::info!(%view, "closed: nobody looks at it");
            commands.entity(entity).despawn();
            versions.forget(*view);
            continue;
        }
        if unwatched.0.is_none() {
            unwatched.0 = Some(clock.now);
        }
        wake.at(due);
    }
}
