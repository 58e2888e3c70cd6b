//! PreUpdate: what arrived from outside enters the world.

use bevy_ecs::prelude::*;
use lucida_components::{
    ids::SessionId,
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

/// A session whose stream must give it a keyframe.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct WantsKeyframe;

/// Sessions come and go.
pub fn sessions(
    mut commands: Commands,
    mut inbox: ResMut<Inbox>,
    mut sessions: Query<(Entity, &SessionId, Option<&mut Watch>), With<Session>>,
    mut metrics: ResMut<Metrics>,
) {
    for event in inbox.events.drain(..) {
        let find = |id: &SessionId| sessions.iter().find(|(_, s, _)| *s == id).map(|(e, ..)| e);
        match event {
            SessionEvent::Joined { session, view, features } => {
                commands.spawn((session, Session { view, features }, Outbox::default()));
                metrics.sessions += 1;
            }
            SessionEvent::Watching { session, stream } => {
                if let Some(e) = find(&session) {
                    commands.entity(e).insert((Watch::joined(stream), WantsKeyframe));
                }
            }
            SessionEvent::Unwatching { session } => {
                if let Some(e) = find(&session) {
                    commands.entity(e).remove::<(Watch, WantsKeyframe)>();
                }
            }
            SessionEvent::PictureTaken { session } => {
                let watch = sessions.iter_mut().find(|(_, s, _)| **s == session).and_then(|(.., w)| w);
                if let Some(mut watch) = watch {
                    watch.in_flight = watch.in_flight.saturating_sub(1);
                }
            }
            SessionEvent::KeyframeRequested { session } => {
                let found = sessions.iter_mut().find(|(_, s, _)| **s == session);
                if let Some((e, _, Some(_))) = found {
                    commands.entity(e).insert(WantsKeyframe);
                }
            }
            SessionEvent::Left { session } => {
                if let Some(e) = find(&session) {
                    commands.entity(e).despawn();
                    metrics.sessions -= 1;
                }
            }
        }
    }
}

/// Requests get their place in the scene's one sequence and become messages.
pub fn intents(mut inbox: ResMut<Inbox>, mut ops: ResMut<Ops>, mut messages: MessageWriter<Intent>) {
    for mut intent in inbox.intents.drain(..) {
        intent.op = ops.next_seq();
        tracing::debug!(op = intent.op, change = ?intent.change, "intent");
        messages.write(intent);
    }
}
