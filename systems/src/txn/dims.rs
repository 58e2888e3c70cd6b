//! Second step: order, displayed axes and index are brought into the scene grid.

use super::{Txn, draft::Draft, guarded, inject};
use bevy_ecs::prelude::*;
use lucida_components::{
    camera::CameraDelta,
    fault::{FaultReason, Step},
};

/// The step as a system.
pub fn step() -> impl FnMut(ResMut<Txn>, Option<ResMut<inject::Injection>>) {
    guarded(Step::Dims, dims)
}

fn dims(draft: &mut Draft) -> Result<(), FaultReason> {
    let next = &mut draft.next;
    if !next.axes.order_is_permutation() {
        return Err(FaultReason::OrderNotPermutation(next.axes.order.clone()));
    }
    let n = next.axes.len();
    next.index.value.resize(n, 0);
    next.index.margins.resize(n, [0.0; 2]);
    next.clip.ranges.resize(n, None);
    for (axis, value) in next.index.value.iter_mut().enumerate() {
        *value = (*value).clamp(0, next.dataset.extent(axis) as i64 - 1);
    }
    // Other axes in the plane: the old pose is of another plane.
    let planes_differ = draft.before.as_ref().is_some_and(|b| b.plane_axes() != next.plane_axes());
    if planes_differ && !draft.is_new_dataset() && draft.restoring.is_none() {
        draft.deltas.insert(0, CameraDelta::Reset);
    }
    Ok(())
}
