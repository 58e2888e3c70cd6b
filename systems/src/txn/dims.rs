//! Second step: order, displayed axes and index are brought into the scene grid.

use super::{Txn, draft::Draft, guarded, inject};
use bevy_ecs::prelude::*;
use lucida_components::{
    camera::CameraDelta,
    fault::{FaultReason, Step},
    view::Mode,
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
    for (axis, margins) in next.index.margins.iter_mut().enumerate() {
        let extent = next.dataset.extent(axis) as f64;
        *margins = margins.map(|m| if m.is_nan() { 0.0 } else { m.clamp(0.0, extent) });
    }
    let Some(before) = draft.before.clone().filter(|_| draft.restoring.is_none()) else { return Ok(()) };
    if *before.dataset != *draft.next.dataset {
        return Ok(());
    }
    // Other axes are displayed: a pose of the old ones means nothing, neither here nor on the way back.
    let next = &mut draft.next;
    let other_plane = before.plane_axes() != next.plane_axes();
    let other_volume = before.axes.displayed(3) != next.axes.displayed(3);
    if other_plane {
        next.restore.plane = None;
    }
    if other_volume {
        next.restore.volume = None;
        // Free planes stand at places of the displayed axes; those that came with this change are of the new ones.
        if next.clip.planes == before.clip.planes {
            next.clip.planes.clear();
        }
    }
    let other = match next.view.mode() {
        Mode::Plane => other_plane,
        Mode::Volume => other_volume,
    };
    if other {
        draft.deltas.insert(0, CameraDelta::Reset);
    }
    Ok(())
}
