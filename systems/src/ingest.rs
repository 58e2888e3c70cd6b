//! `PreUpdate`: what arrived from outside enters the world.

use bevy_ecs::prelude::*;
use lucida_components::{
    ids::{SessionId, StreamId},
    intent::{Intent, SessionEvent},
    metrics::Metrics,
    ops::Ops,
    outbox::Outbox,
    session::{Session, Watch},
};

/// What whoever runs the turn has taken out of the inbox channel. Bounded by that channel.
#[derive(Resource, Debug, Default)]
pub struct Inbox {
    /// Requests, oldest first.
    pub intents: Vec<Intent>,
    /// Sessions that came, went or said something, oldest first.
    pub events: Vec<SessionEvent>,
}

/// How many have begun to watch.
#[derive(Resource, Debug, Default)]
pub struct Watchers(u64);

/// A session whose stream must give it a keyframe.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct WantsKeyframe;

/// Sessions come and go. Exclusive, so that what a session says in the turn in which it joined is heard.
pub fn sessions(world: &mut World) {
    for event in std::mem::take(&mut world.resource_mut::<Inbox>().events) {
        match event {
            SessionEvent::Joined { session, newcomer } => {
                world.spawn((session, Session::of(session, *newcomer), Outbox::default()));
                world.resource_mut::<Metrics>().sessions += 1;
            }
            SessionEvent::Watching { session } => {
                let mut watchers = world.resource_mut::<Watchers>();
                watchers.0 += 1;
                let since = watchers.0;
                if let Some(mut e) = find(world, session) {
                    e.insert((Watch::joined(StreamId::MAIN, since), WantsKeyframe));
                }
            }
            SessionEvent::Unwatching { session } => {
                if let Some(mut e) = find(world, session) {
                    e.remove::<(Watch, WantsKeyframe)>();
                }
            }
            SessionEvent::PictureTaken { session } => {
                if let Some(mut watch) =
                    find(world, session).as_mut().and_then(EntityWorldMut::get_mut::<Watch>)
                {
                    watch.in_flight = watch.in_flight.saturating_sub(1);
                }
            }
            SessionEvent::KeyframeRequested { session } => {
                if let Some(mut e) = find(world, session).filter(EntityWorldMut::contains::<Watch>) {
                    e.insert(WantsKeyframe);
                }
            }
            SessionEvent::Left { session } => {
                if let Some(e) = find(world, session) {
                    e.despawn();
                    world.resource_mut::<Metrics>().sessions -= 1;
                }
            }
        }
    }
}

/// The entity of a session, if it is still there.
fn find(world: &mut World, session: SessionId) -> Option<EntityWorldMut<'_>> {
    let mut sessions = world.query_filtered::<(Entity, &SessionId), With<Session>>();
    let entity = sessions.iter(world).find(|(_, s)| **s == session)?.0;
    world.get_entity_mut(entity).ok()
}

/// Requests get their place in the scene's one sequence and become messages.
pub fn intents(mut inbox: ResMut<Inbox>, mut ops: ResMut<Ops>, mut messages: MessageWriter<Intent>) {
    for mut intent in inbox.intents.drain(..) {
        intent.op = ops.next_seq();
        tracing::debug!(op = intent.op, change = ?intent.change, "intent");
        messages.write(intent);
    }
}
