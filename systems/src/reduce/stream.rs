//! The size of the pictures.

use super::{nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    dataset::Scene,
    fault::Rejection,
    ids::StreamId,
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
    stream::{Canvas, Stream},
};

/// Answers [`Change::Canvas`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut streams: Query<(&StreamId, &mut Stream)>,
) {
    for intent in intents.read() {
        let Change::Canvas(canvas) = intent.change else { continue };
        let outcome = match streams.iter_mut().find(|(id, _)| **id == StreamId::MAIN) {
            None => Err(Rejection::invalid("the main stream does not exist")),
            Some(_) if scene.dataset.is_none() => Err(nothing_open()),
            Some((_, mut block)) => {
                let canvas = Canvas::fitted(i64::from(canvas.width), i64::from(canvas.height));
                let next = Stream { canvas, ..*block };
                block.set_if_neq(next);
                Ok(Report::Canvas(canvas))
            }
        };
        settle(&mut ops, intent, OpKind::Stream, outcome);
    }
}
