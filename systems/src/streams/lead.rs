//! Who leads a view: its oldest watcher. The view counts in the pixels of the leader's canvas.
//!
//! Nobody who joins changes what others see. Where the leader leaves, the next one's canvas becomes the view's in
//! such a way that the next one's picture stays as it is.

use super::places::Standing;
use crate::ingest::Inbox;
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::{SessionId, ViewId},
    intent::{Change, Intent},
    session::{Session, Watch},
    stream::Canvas,
};

/// Who led when this was last looked at, and on which canvas. So that what could not be applied is not asked for
/// in every turn.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leader {
    session: SessionId,
    canvas: Option<Canvas>,
}

/// Asks for the leader's canvas where a view has another one.
pub(super) fn appoint(world: &mut World, watchers: &[Standing]) {
    let mut views = world.query::<(Entity, &ViewId, &Canvas, Option<&Leader>)>();
    let mut asked = Vec::new();
    for (entity, view, canvas, leader) in views.iter(world) {
        let Some(first) = watchers.iter().find(|w| w.wants.view == *view) else { continue };
        let now = Leader { session: first.session, canvas: first.canvas };
        if leader != Some(&now) {
            asked.push((entity, *view, now, now.canvas.filter(|c| c != canvas)));
        }
    }
    for (entity, view, leader, canvas) in asked {
        world.entity_mut(entity).insert(leader);
        let Some(canvas) = canvas else { continue };
        let now = world.resource::<Clock>().now;
        let change = Change::Lead(canvas);
        let intent = Intent { origin: None, view, change, arrived: now, op: 0 };
        world.resource_mut::<Inbox>().intents.push(intent);
        world.resource_mut::<NextWake>().at(now);
    }
}

/// Whether a session leads its view: it is the oldest who watches it, or nobody does.
pub(crate) fn leads<'a>(
    session: SessionId,
    view: ViewId,
    watchers: impl Iterator<Item = (&'a SessionId, &'a Session, &'a Watch)>,
) -> bool {
    let oldest = watchers.filter(|(_, s, _)| s.view == view).min_by_key(|(.., w)| w.since);
    oldest.is_none_or(|(id, ..)| *id == session)
}
