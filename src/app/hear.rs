//! What a message does to the world.

use super::{
    bridge::Inbound,
    outboxes::{Ends, Sockets},
};
use bevy_ecs::prelude::*;
use lucida_components::intent::SessionEvent;
use lucida_systems::ingest::Inbox;

/// Puts a message where the coming turn finds it. Returns false at the end.
pub(super) fn hear(world: &mut World, message: Inbound) -> bool {
    match message {
        Inbound::Intent(intent) => {
            // One that is being sent away because it does not read its answers is not heard any more.
            let heard = |session| world.resource::<Sockets>().0.contains_key(&session);
            if intent.origin.as_ref().is_none_or(|origin| heard(origin.session)) {
                world.resource_mut::<Inbox>().intents.push(intent);
            }
        }
        Inbound::Join { session, newcomer, state } => {
            world.resource_mut::<Sockets>().0.insert(session, Ends { state, pictures: None });
            event(world, SessionEvent::Joined { session, newcomer });
        }
        Inbound::Watch { session, pictures } => {
            if let Some(ends) = world.resource_mut::<Sockets>().0.get_mut(&session) {
                ends.pictures = Some(pictures);
            }
            event(world, SessionEvent::Watching { session });
        }
        Inbound::Session(said) => {
            if let SessionEvent::Left { session } = said {
                world.resource_mut::<Sockets>().0.remove(&session);
            }
            event(world, said);
        }
        Inbound::Shutdown => return false,
    }
    true
}

/// Queues what a session said for the coming turn.
fn event(world: &mut World, event: SessionEvent) {
    world.resource_mut::<Inbox>().events.push(event);
}
