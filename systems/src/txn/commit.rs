//! Last step: the invariants are checked, in every build, and the draft becomes the applied state as a whole.

use super::{Txn, draft::Draft, inject, level::LevelClock};
use crate::reduce::{dataset::Restoring, stream::Adopting};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, Revision, ViewState},
    axes::Axes,
    camera::CameraQueue,
    clip::Clip,
    clock::Clock,
    fault::{Fault, FaultReason, Step},
    index::Index,
    lod::Lod,
    metrics::Metrics,
    ops::{Op, OpKind, OpState, Ops, Report},
    view::View,
};
use std::sync::Arc;

/// The requested blocks that commit writes back as they were applied.
type Requested<'a> = (
    &'a mut View,
    &'a mut Axes,
    &'a mut Index,
    &'a mut Lod,
    &'a mut Clip,
    &'a mut CameraQueue,
    &'a mut LevelClock,
);

/// The step as a system.
#[expect(clippy::too_many_arguments, reason = "commit is where everything meets")]
pub fn commit(
    mut commands: Commands,
    mut txn: ResMut<Txn>,
    injection: Option<ResMut<inject::Injection>>,
    mut revision: ResMut<Revision>,
    mut ops: ResMut<Ops>,
    mut metrics: ResMut<Metrics>,
    clock: Res<Clock>,
    mut views: Query<Requested>,
) {
    let Some(draft) = txn.enter(Step::Commit) else { return };
    if let Err(reason) = inject::strike(injection, Step::Commit).and_then(|()| check(&draft.next)) {
        txn.fault = Some(Fault { step: Step::Commit, reason });
        return;
    }
    let Draft { entity, view, before, next, policy_chose, clock: level_clock, level_micros, .. } = draft;
    if let Ok((mut shown, mut axes, mut index, mut lod, mut clip, mut queue, mut switched)) =
        views.get_mut(entity)
    {
        shown.set_if_neq(next.view);
        axes.set_if_neq(next.axes.clone());
        index.set_if_neq(next.index.clone());
        lod.set_if_neq(next.lod);
        clip.set_if_neq(next.clip.clone());
        queue.set_if_neq(CameraQueue::default());
        switched.set_if_neq(level_clock);
    }
    commands.entity(entity).remove::<(Restoring, Adopting)>();
    metrics.level_micros.observe(level_micros);

    let unchanged = before.as_ref().filter(|b| ***b == next).cloned();
    let state = unchanged.unwrap_or_else(|| {
        revision.0 += 1;
        if policy_chose {
            metrics.level_switches += 1;
            let op = Op {
                seq: ops.next_seq(),
                kind: OpKind::Policy,
                view,
                origin: None,
                intent: None,
                report: Report::Level,
                state: OpState::Open,
                arrived: clock.now,
            };
            ops.open(op);
        }
        if next.lod.downgraded && before.as_ref().is_none_or(|b| !b.lod.downgraded) {
            metrics.level_downgrades += 1;
        }
        let state = Arc::new(next);
        commands.entity(entity).insert(Applied { revision: revision.0, state: state.clone() });
        state
    });
    txn.done.push(Step::Commit);
    txn.committed = Some(state);
}

/// The invariants of the ledger. A violation is a fault, never a picture.
pub fn check(state: &ViewState) -> Result<(), FaultReason> {
    let axes = state.axes.len();
    if axes < usize::from(state.view.ndisplay) || axes < 2 {
        return Err(FaultReason::TooFewAxes { axes, ndisplay: state.view.ndisplay });
    }
    if !state.axes.order_is_permutation() {
        return Err(FaultReason::OrderNotPermutation(state.axes.order.clone()));
    }
    if state.index.value.len() != axes || state.index.margins.len() != axes {
        return Err(FaultReason::IndexLength { got: state.index.value.len(), want: axes });
    }
    for (axis, &value) in state.index.value.iter().enumerate() {
        let extent = state.dataset.extent(axis);
        if value < 0 || value >= extent as i64 {
            return Err(FaultReason::IndexOutside { axis, value, extent });
        }
    }
    let levels = state.dataset.reference().ok_or(FaultReason::NoDataset)?.levels.len();
    if state.lod.level >= levels {
        return Err(FaultReason::NoSuchLevel { level: state.lod.level, levels });
    }
    let rect = state.rect();
    let rect_is_real =
        rect.width > 0.0 && rect.height > 0.0 && rect.left.is_finite() && rect.bottom.is_finite();
    if !state.camera.plane.is_valid() || !state.camera.volume.is_valid() || !rect_is_real {
        return Err(FaultReason::PoseInvalid);
    }
    if let Some(what) = state.clip.fault() {
        return Err(FaultReason::ClipInvalid(what));
    }
    for l in state.layers.iter() {
        if let Some(what) = l.controls.fault(l.layer.kind) {
            return Err(FaultReason::ControlInvalid { layer: l.id.0, what });
        }
    }
    Ok(())
}
