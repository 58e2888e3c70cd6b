//! After a fault: the turn's ops are retried one by one.

use super::{checkpoint::Checkpoint, concerns, is_stillborn, run};
use bevy_app::Update;
use bevy_ecs::prelude::*;
use lucida_components::{
    fault::{Fault, Rejection},
    ids::ViewId,
    intent::Intent,
    ops::{OpState, Ops},
};

/// Puts `views` back to `start`, then lets each of their open ops try alone: reducers and transactions run
/// with its intent only. Where it fails in one of the views, it is taken back in all of them and rejected.
pub(super) fn one_by_one(world: &mut World, views: &[(ViewId, Entity)], start: Checkpoint, fault: &Fault) {
    let mut reached = start;
    reached.restore(world);
    // What the transactions had opened themselves was part of the attempt and goes with it.
    let mut ops = world.resource_mut::<Ops>();
    let of_these = |seen: &[(ViewId, Entity)], view| seen.iter().any(|(v, _)| *v == view);
    ops.turn.retain(|o| o.state != OpState::Open || o.intent.is_some() || !of_these(views, o.view));
    let alone: Vec<Intent> = ops
        .turn
        .iter()
        .filter(|o| o.state == OpState::Open && views.iter().any(|(v, _)| concerns(o, *v)))
        .filter_map(|o| o.intent.clone())
        .collect();

    let single = alone.len() == 1;
    for intent in alone {
        let (seq, opened) = (intent.op, world.resource::<Ops>().turn.len());
        // The only op of the turn is known to fail: it is not tried again.
        let verdict = if single { Err(fault.clone()) } else { attempt(world, views, intent) };
        let Err(fault) = verdict else {
            reached = Checkpoint::of(world, views);
            continue;
        };
        reached.restore(world);
        let mut ops = world.resource_mut::<Ops>();
        ops.turn.truncate(opened);
        ops.reject(seq, Rejection::error(format!("not applied, nothing changed ({fault})")));
    }
}

/// Reduces one intent and runs the transactions of the views that it concerns.
fn attempt(world: &mut World, views: &[(ViewId, Entity)], intent: Intent) -> Result<(), Fault> {
    let seq = intent.op;
    world.write_message(intent);
    world.run_schedule(Update);
    for &(view, entity) in views {
        let mut ops = world.resource_mut::<Ops>();
        let is_open = ops.get_mut(seq).is_some_and(|op| op.state == OpState::Open && concerns(op, view));
        if is_open && !is_stillborn(world, entity) {
            run(world, entity)?;
        }
    }
    Ok(())
}
