//! After a fault: the turn's ops of the view are retried one by one.

use super::{concerns, is_scene_wide, rollback, run};
use bevy_app::Update;
use bevy_ecs::prelude::*;
use lucida_components::{
    fault::{Fault, Rejection},
    ids::ViewId,
    intent::Intent,
    ops::{OpState, Ops},
};

/// Puts the requested blocks back to applied, then lets each op try alone: reducers and transaction run
/// with its intent only. Returns whether a scene-wide op was rejected.
pub(super) fn one_by_one(world: &mut World, view: ViewId, entity: Entity, fault: &Fault) -> bool {
    rollback::rollback(world, entity);
    let (mut alone, mut without): (Vec<Intent>, Vec<u64>) = (Vec::new(), Vec::new());
    for op in &world.resource::<Ops>().turn {
        if op.state == OpState::Open && concerns(op, view) {
            match &op.intent {
                Some(intent) => alone.push(intent.clone()),
                None => without.push(op.seq),
            }
        }
    }
    // What the transaction had opened itself was part of the attempt and goes with it.
    world.resource_mut::<Ops>().turn.retain(|o| !without.contains(&o.seq));

    let single = alone.len() == 1;
    let mut rejected_scene_op = false;
    for intent in alone {
        let seq = intent.op;
        // The only op of the turn is known to fail: it is not tried again.
        let verdict = if single {
            Err(fault.clone())
        } else {
            world.write_message(intent);
            world.run_schedule(Update);
            run(world, entity)
        };
        let Err(fault) = verdict else { continue };
        rollback::rollback(world, entity);
        let mut ops = world.resource_mut::<Ops>();
        if let Some(op) = ops.get_mut(seq) {
            rejected_scene_op |= is_scene_wide(op);
        }
        ops.reject(seq, Rejection::error(format!("not applied, nothing changed ({fault})")));
    }
    rejected_scene_op
}
