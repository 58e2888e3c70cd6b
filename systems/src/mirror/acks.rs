//! Each intent is answered once, to its sender alone, in the turn in which it arrived.

use super::versions::Versions;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    clip::{Clip, ClipPlane},
    controls::ControlKey,
    ids::{LayerId, SessionId, ViewId},
    layer::LayerKind,
    metrics::Metrics,
    notice::{Ack, AckApplied},
    ops::{Op, OpState, Ops, Report},
    outbox::Outbox,
    places,
    value::Value,
};

/// A session that does not read its answers: it is to be closed.
#[derive(Component, Debug, Clone, Copy)]
pub struct NotReading;

/// Turns closed ops into answers.
pub fn acknowledge(
    mut commands: Commands,
    ops: Res<Ops>,
    views: Query<(&ViewId, &Applied)>,
    mut outboxes: Query<(Entity, &SessionId, &mut Outbox)>,
    mut versions: ResMut<Versions>,
    mut metrics: ResMut<Metrics>,
) {
    // In the order of asking: each kind was reduced by itself.
    let mut turn: Vec<&Op> = ops.turn.iter().collect();
    turn.sort_unstable_by_key(|op| op.seq);
    for op in turn {
        let outcome = match &op.state {
            OpState::Open => continue,
            OpState::Rejected(why) => Err(why.clone()),
            OpState::Applied { .. } => {
                let state = views.iter().find(|(v, _)| **v == op.view).map(|(_, a)| &*a.state);
                let value = match (&op.report, state) {
                    (Report::Value(value), _) => value.clone(),
                    (_, state) => state.map_or(Value::None, |s| report(&op.report, s)),
                };
                let version = versions.next(op.view, &op.report, &value);
                let of = state.and_then(|s| control(&op.report, s));
                Ok(AckApplied { value, version, of })
            }
        };
        let Some(origin) = &op.origin else { continue };
        // The session may have left in the meantime: nobody is told then.
        let Some((entity, _, mut outbox)) = outboxes.iter_mut().find(|(_, s, _)| **s == origin.session)
        else {
            continue;
        };
        metrics.acks += 1;
        tracing::debug!(op = op.seq, session = origin.session.0, accepted = outcome.is_ok(), "acknowledged");
        if !outbox.ack(Ack { intent: origin.intent.clone(), outcome }) {
            commands.entity(entity).insert(NotReading);
        }
    }
}

/// Reads the applied value that an op reports.
fn report(report: &Report, state: &ViewState) -> Value {
    let index = |a: usize| state.index.value.get(a).copied().unwrap_or(0);
    match report {
        Report::None => Value::None,
        Report::Ndisplay => Value::Int(i64::from(state.view.ndisplay)),
        Report::LevelIndex(a) => {
            Value::Int(places::scene_to_level(&state.dataset, state.lod.level, *a, index(*a)))
        }
        Report::SceneIndex(a) => Value::Int(index(*a)),
        Report::Margins(a) => Value::Floats(state.index.margins.get(*a).map_or(Vec::new(), |m| m.to_vec())),
        Report::Order => Value::Floats(state.axes.order.iter().map(|a| *a as f64).collect()),
        Report::Level => Value::Int(state.lod.level as i64),
        Report::Policy => Value::Text(
            match state.lod.policy {
                lucida_components::lod::LodPolicy::Auto => "auto",
                lucida_components::lod::LodPolicy::Locked => "locked",
            }
            .into(),
        ),
        Report::Control(layer, key) => state.layer(*layer).map_or(Value::None, |l| l.controls.value(*key)),
        Report::VolumeControl(key) => first_image(state).map_or(Value::None, |l| l.controls.value(*key)),
        Report::Canvas(canvas) => Value::Floats(vec![f64::from(canvas.width), f64::from(canvas.height)]),
        Report::Clip => clip(&state.clip),
        Report::Camera(_, value) | Report::Value(value) => value.clone(),
    }
}

/// The control that is reported.
fn control(report: &Report, state: &ViewState) -> Option<(LayerId, ControlKey)> {
    match report {
        Report::Control(layer, key) => Some((*layer, *key)),
        Report::VolumeControl(key) => first_image(state).map(|l| (l.id, *key)),
        _ => None,
    }
}

/// The layer that stands for all that a volume control was given to.
fn first_image(state: &ViewState) -> Option<&LayerState> {
    state.layers.iter().find(|l| l.layer.kind == LayerKind::Image)
}

/// The whole block, as clients are told of it: a range or nothing for each axis, and the planes.
fn clip(clip: &Clip) -> Value {
    let range = |r: &Option<[f64; 2]>| r.map_or(Value::None, |r| Value::Floats(r.to_vec()));
    let plane = |p: &ClipPlane| {
        let (position, normal) = (Value::Floats(p.position.to_vec()), Value::Floats(p.normal.to_vec()));
        Value::Map(vec![("position", position), ("normal", normal)])
    };
    Value::Map(vec![
        ("ranges", Value::List(clip.ranges.iter().map(range).collect())),
        ("planes", Value::List(clip.planes.iter().map(plane).collect())),
    ])
}
