//! The size of the pictures.

use super::{no_view, nothing_open, settle};
use crate::streams::leads;
use bevy_ecs::prelude::*;
use lucida_components::{
    dataset::Scene,
    ids::{SessionId, ViewId},
    intent::{Change, Intent},
    ops::{OpKind, OpState, Ops, Report},
    session::{Session, Watch},
    stream::Canvas,
};

/// The view's canvas is that of another session now: the next transaction keeps what that one sees.
#[derive(Component, Debug, Clone, Copy)]
pub struct Adopting;

/// Sessions whose canvas was applied have it from now on. After the transactions: what was not applied is not so.
pub fn apply(ops: Res<Ops>, mut sessions: Query<(&SessionId, &mut Session)>) {
    for op in &ops.turn {
        let (OpState::Applied { .. }, Report::Canvas(canvas), Some(origin)) =
            (&op.state, &op.report, &op.origin)
        else {
            continue;
        };
        if let Some((_, mut session)) = sessions.iter_mut().find(|(id, _)| **id == origin.session) {
            session.canvas = Some(*canvas);
        }
    }
}

/// Answers [`Change::Canvas`] and [`Change::Lead`].
pub fn reduce(
    mut commands: Commands,
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(Entity, &ViewId, &mut Canvas)>,
    sessions: Query<(&SessionId, &Session, &Watch)>,
) {
    for intent in intents.read() {
        let (canvas, is_led) = match intent.change {
            Change::Canvas(canvas) => (canvas, false),
            Change::Lead(canvas) => (canvas, true),
            _ => continue,
        };
        let canvas = Canvas::fitted(i64::from(canvas.width), i64::from(canvas.height));
        let outcome = match views.iter_mut().find(|(_, id, _)| **id == intent.view) {
            None => Err(no_view(intent)),
            Some(_) if scene.dataset.is_none() => Err(nothing_open()),
            Some((entity, _, mut of_view)) => {
                let asks = intent.origin.as_ref().map(|o| o.session);
                if asks.is_none_or(|session| leads(session, intent.view, sessions.iter())) {
                    of_view.set_if_neq(canvas);
                }
                if is_led {
                    commands.entity(entity).insert(Adopting);
                }
                Ok(Report::Canvas(canvas))
            }
        };
        settle(&mut ops, intent, OpKind::Stream, outcome);
    }
}
