//! `PreUpdate`: what arrived from outside enters the world.

pub mod keyframes;
pub mod roles;
pub mod turns;

use crate::{reduce::settle, seats};
use bevy_ecs::prelude::*;
use keyframes::AsksKeyframe;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::{SessionId, StreamId, ViewId},
    intent::{Intent, SessionEvent},
    metrics::Metrics,
    ops::Ops,
    outbox::Outbox,
    seats::tidy_name,
    session::{Newcomer, Session, Watch},
    stream::{Canvas, Stream},
};
use std::collections::HashMap;
use turns::Turns;

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
                let session = (session, Session::of(session, seated(world, *newcomer)), Outbox::default());
                world.spawn(session);
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
                    e.remove::<(Watch, WantsKeyframe, AsksKeyframe)>();
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
                for entity in decoders(world, session) {
                    world.entity_mut(entity).insert(AsksKeyframe);
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
    keyframes::grant(world);
}

/// A newcomer to a view that is there, by a name that can be told, in a role that it may have.
fn seated(world: &mut World, mut newcomer: Newcomer) -> Newcomer {
    if !seats::views(world).contains(&newcomer.view) {
        newcomer.view = ViewId::MAIN;
    }
    newcomer.role = newcomer.role.min(newcomer.most);
    newcomer.name = newcomer.name.and_then(|name| tidy_name(&name).ok());
    newcomer
}

/// Who decodes for a session: itself, or, where it has no pixel channel, all who watch pictures like its own.
fn decoders(world: &mut World, session: SessionId) -> Vec<Entity> {
    let mut sessions = world.query::<(Entity, &SessionId, &Session, Has<Watch>)>();
    let Some((entity, _, asks, watches)) = sessions.iter(world).find(|(_, id, ..)| **id == session) else {
        return Vec::new();
    };
    if watches {
        return vec![entity];
    }
    let (view, canvas, orientation) = (asks.view, asks.canvas, asks.orientation);
    let mut views = world.query::<(&ViewId, &Canvas)>();
    let of_view = views.iter(world).find(|(id, _)| **id == view).map(|(_, canvas)| *canvas);
    let Some(canvas) = canvas.or(of_view) else { return Vec::new() };
    let mut streams = world.query::<(&StreamId, &ViewId, &Stream)>();
    let like: Vec<StreamId> = streams
        .iter(world)
        .filter(|(_, of, stream)| **of == view && **stream == Stream { canvas, orientation })
        .map(|(id, ..)| *id)
        .collect();
    let mut watchers = world.query::<(Entity, &Watch)>();
    watchers.iter(world).filter(|(_, watch)| like.contains(&watch.stream)).map(|(e, _)| e).collect()
}

/// The entity of a session, if it is still there.
fn find(world: &mut World, session: SessionId) -> Option<EntityWorldMut<'_>> {
    let mut sessions = world.query_filtered::<(Entity, &SessionId), With<Session>>();
    let entity = sessions.iter(world).find(|(_, s)| **s == session)?.0;
    world.get_entity_mut(entity).ok()
}

/// Requests get their view and their place in the scene's one sequence, and become messages. What a session may not
/// ask for is refused here, and what one that is gone asked for is forgotten.
pub fn intents(
    mut inbox: ResMut<Inbox>,
    mut ops: ResMut<Ops>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    sessions: Query<(&SessionId, &Session)>,
    mut messages: MessageWriter<Intent>,
) {
    if inbox.intents.is_empty() {
        return;
    }
    let sessions: HashMap<SessionId, &Session> = sessions.iter().map(|(id, s)| (*id, s)).collect();
    let (mut turns, mut later) = (Turns::default(), Vec::new());
    for mut intent in inbox.intents.drain(..) {
        let mut allowed = Ok(());
        if let Some(asks) = intent.origin.as_ref().map(|o| o.session) {
            let Some(session) = sessions.get(&asks) else {
                tracing::debug!(session = asks.0, change = ?intent.change, "it left; forgotten");
                continue;
            };
            intent.view = session.view;
            allowed = match turns.is_now(asks, &intent.change) {
                Ok(false) => {
                    later.push(intent);
                    continue;
                }
                Ok(true) => roles::check(session, &intent.change),
                Err(why) => Err(why),
            };
        }
        intent.op = ops.next_seq();
        tracing::debug!(op = intent.op, change = ?intent.change, "intent");
        match allowed {
            Ok(()) => {
                messages.write(intent);
            }
            Err(why) => settle(&mut ops, &intent, roles::kind(&intent.change), Err(why)),
        }
    }
    if !later.is_empty() {
        inbox.intents = later;
        wake.at(clock.now);
    }
}
