//! The size of the pictures.

use super::{no_view, nothing_open, settle};
use crate::streams::leads;
use bevy_ecs::prelude::*;
use lucida_components::{
    dataset::Scene,
    ids::{SessionId, ViewId},
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
    session::{Session, Watch},
    stream::Canvas,
};

/// The view's canvas is that of another session now: the next transaction keeps what that one sees.
#[derive(Component, Debug, Clone, Copy)]
pub struct Adopting;

/// Answers [`Change::Canvas`] and [`Change::Lead`].
pub fn reduce(
    mut commands: Commands,
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(Entity, &ViewId, &mut Canvas)>,
    mut sessions: Query<(&SessionId, &mut Session, Option<&Watch>)>,
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
                if let Some((_, mut session, _)) = sessions.iter_mut().find(|(id, ..)| Some(**id) == asks) {
                    session.canvas = Some(canvas);
                }
                let watchers = sessions.iter().filter_map(|(id, s, w)| Some((id, s, w?)));
                if asks.is_none_or(|session| leads(session, intent.view, watchers)) {
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
