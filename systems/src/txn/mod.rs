//! RenderTxn: the only place where requested becomes applied, all or nothing.
//!
//! [`transact`] runs the schedule `RenderTxn` once per view that has open ops. The steps edit a draft; commit
//! checks it and swaps it in only if every step before it reported done, so an error *or a panic* in a
//! step leaves the view's last applied state. The ops of such a turn are then retried one by one, so that
//! one bad intent rejects itself alone and tells its sender. An op of the whole scene is applied in every
//! view or in none.

pub mod begin;
pub mod camera;
mod checkpoint;
pub mod commit;
pub mod dims;
pub mod draft;
pub mod inject;
pub mod level;
mod retry;
pub mod rollback;
pub mod turntable;
pub(crate) mod volume_level;

use crate::{schedule::RenderTxn, seats::Newborn};
use bevy_ecs::prelude::*;
use draft::Draft;
use lucida_components::{
    applied::{Applied, ViewState},
    fault::{Fault, FaultReason, Step},
    ids::ViewId,
    intent::Change,
    metrics::Metrics,
    ops::{Op, OpKind, OpState, Ops},
    view::View,
};
use std::{sync::Arc, time::Instant};

/// The transaction in progress: one view's draft, and how far it got.
#[derive(Resource, Debug, Default)]
pub struct Txn {
    /// What is being made of the requested blocks.
    pub draft: Option<Draft>,
    /// Steps that reported done, in order.
    pub done: Vec<Step>,
    /// The first thing that went wrong.
    pub fault: Option<Fault>,
    /// What commit put in place.
    pub committed: Option<Arc<ViewState>>,
}

/// Runs a step's body on the draft: only while nothing went wrong, and only after the step before it.
/// A body that panics never reports done; the steps after it then stand still.
fn guarded(
    step: Step,
    body: fn(&mut Draft) -> Result<(), FaultReason>,
) -> impl FnMut(ResMut<Txn>, Option<ResMut<inject::Injection>>) {
    move |mut txn: ResMut<Txn>, injection: Option<ResMut<inject::Injection>>| {
        let Some(mut draft) = txn.enter(step) else { return };
        let outcome = inject::strike(injection, step).and_then(|()| body(&mut draft));
        txn.leave(step, draft, outcome);
    }
}

impl Txn {
    /// Takes the draft for a step, if its turn has come.
    fn enter(&mut self, step: Step) -> Option<Draft> {
        let expected = Step::ALL.iter().take_while(|s| **s < step);
        (self.fault.is_none() && self.done.iter().eq(expected)).then(|| self.draft.take()).flatten()
    }

    /// Puts the draft back and notes what became of the step.
    fn leave(&mut self, step: Step, draft: Draft, outcome: Result<(), FaultReason>) {
        self.draft = Some(draft);
        match outcome {
            Ok(()) => self.done.push(step),
            Err(reason) => self.fault = Some(Fault { step, reason }),
        }
    }

    /// The fault of the run that ended: what a step said, or that one panicked.
    fn verdict(&self) -> Result<Arc<ViewState>, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match (&self.committed, Step::ALL.get(self.done.len())) {
            (Some(state), None) => Ok(state.clone()),
            (_, step) => {
                Err(Fault { step: step.copied().unwrap_or(Step::Commit), reason: FaultReason::Panicked })
            }
        }
    }
}

/// A change of the scene, which every view shows.
fn is_scene_wide(op: &Op) -> bool {
    op.kind == OpKind::Layer
        || matches!(op.intent.as_ref().map(|i| &i.change), Some(Change::Dataset(_) | Change::Restore(_)))
}

/// Whether an op has to do with a view.
fn concerns(op: &Op, view: ViewId) -> bool {
    op.view == view || is_scene_wide(op)
}

/// A view whose first transaction failed: nothing is tried on it any more, and it goes after this turn.
fn is_stillborn(world: &World, view: Entity) -> bool {
    let rejected =
        |seq| world.resource::<Ops>().turn.iter().any(|o| o.seq == seq && o.state != OpState::Open);
    world.get::<Applied>(view).is_none() && world.get::<Newborn>(view).is_some_and(|n| rejected(n.op))
}

/// Runs one transaction for every view with something to do.
pub fn transact(world: &mut World) {
    let mut views: Vec<(ViewId, Entity)> =
        world.query_filtered::<(&ViewId, Entity), With<View>>().iter(world).map(|(v, e)| (*v, e)).collect();
    views.sort_unstable();
    let start = checkpoint::Checkpoint::of(world, &views);
    for &(view, entity) in &views {
        let ops = world.resource::<Ops>();
        let has_open = ops.turn.iter().any(|o| o.state == OpState::Open && concerns(o, view));
        let recheck = world.get::<level::LevelClock>(entity).is_some_and(|c| c.recheck);
        if !has_open && !recheck || is_stillborn(world, entity) {
            continue;
        }
        let Err(fault) = run(world, entity) else { continue };
        let scene_wide =
            world.resource::<Ops>().turn.iter().any(|o| o.state == OpState::Open && is_scene_wide(o));
        if scene_wide {
            retry::one_by_one(world, &views, start.clone(), &fault);
        } else {
            let own = [(view, entity)];
            let start = checkpoint::Checkpoint::of(world, &own);
            retry::one_by_one(world, &own, start, &fault);
        }
    }
    close_applied(world);
}

/// One run of the schedule for one view.
fn run(world: &mut World, entity: Entity) -> Result<(), Fault> {
    let started = Instant::now();
    let draft = Draft::of(world, entity);
    let fault = match &draft {
        Some(_) => None,
        None => Some(Fault { step: Step::Begin, reason: FaultReason::NoDataset }),
    };
    *world.resource_mut::<Txn>() = Txn { draft, fault, ..Txn::default() };
    world.run_schedule(RenderTxn);
    let verdict = world.resource::<Txn>().verdict();
    let mut metrics = world.resource_mut::<Metrics>();
    metrics.txn_micros.observe(started.elapsed().as_secs_f64() * 1e6);
    match verdict {
        Ok(_) => Ok(()),
        Err(fault) => {
            metrics.faults += 1;
            tracing::warn!("transaction abandoned at {fault}");
            Err(fault)
        }
    }
}

/// Every op that is still open was applied: its view is at this revision.
fn close_applied(world: &mut World) {
    let revisions: Vec<(ViewId, u64)> =
        world.query::<(&ViewId, &Applied)>().iter(world).map(|(v, a)| (*v, a.revision)).collect();
    let mut ops = world.resource_mut::<Ops>();
    for op in ops.turn.iter_mut().filter(|o| o.state == OpState::Open) {
        let revision = revisions.iter().find(|(v, _)| *v == op.view).map_or(0, |(_, r)| *r);
        op.state = OpState::Applied { revision };
        tracing::debug!(op = op.seq, kind = %op.kind, revision, "committed");
    }
}
