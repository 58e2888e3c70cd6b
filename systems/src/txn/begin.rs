//! First step: the mode follows from `ndisplay`; a toggle saves the place that is left and fetches the
//! one that is returned to.

use super::{Txn, draft::Draft, guarded, inject};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::ViewState,
    camera::CameraDelta,
    fault::{FaultReason, Step},
    index::Index,
    lod::Lod,
    restore::{Place, RestoreCache},
    view::Mode,
};

/// The step as a system.
pub fn step() -> impl FnMut(ResMut<Txn>, Option<ResMut<inject::Injection>>) {
    guarded(Step::Begin, begin)
}

fn begin(draft: &mut Draft) -> Result<(), FaultReason> {
    let axes = draft.next.axes.len();
    if axes < usize::from(draft.next.view.ndisplay) {
        return Err(FaultReason::TooFewAxes { axes, ndisplay: draft.next.view.ndisplay });
    }
    if draft.is_new_dataset() {
        draft.next.restore = RestoreCache::default();
        draft.next.camera = lucida_components::camera::Camera::default();
        return Ok(());
    }
    if let Some(place) = &draft.restoring {
        draft.next.restore = place.restore.clone();
        draft.next.camera = place.camera;
        return Ok(());
    }
    let Some(before) = draft.before.clone() else { return Ok(()) };
    let (left, entered) = (before.view.mode(), draft.next.view.mode());
    if left != entered {
        leave(&mut draft.next.restore, &before, left);
        enter(draft, &before, left, entered);
    }
    Ok(())
}

/// Saves the place of the mode that is left, as it was applied.
fn leave(cache: &mut RestoreCache, before: &ViewState, left: Mode) {
    let (lod, index) = (before.lod, before.index.clone());
    match left {
        Mode::Plane => cache.plane = Some(Place { lod, index, pose: before.camera.plane }),
        Mode::Volume => cache.volume = Some(Place { lod, index, pose: before.camera.volume }),
    }
}

/// Brings back pose, level, and the index of the axes that the *left* mode displayed; of the others the
/// present index stays, so that time does not jump back. A mode that was never entered is fitted.
fn enter(draft: &mut Draft, before: &ViewState, left: Mode, entered: Mode) {
    let restore = draft.next.restore.clone();
    let (lod, index): (Lod, Index) = match entered {
        Mode::Plane => match restore.plane {
            Some(p) => {
                draft.next.camera.plane = p.pose;
                (p.lod, p.index)
            }
            None => return draft.deltas.insert(0, CameraDelta::Reset),
        },
        Mode::Volume => match restore.volume {
            Some(p) => {
                draft.next.camera.volume = p.pose;
                (p.lod, p.index)
            }
            None => return draft.deltas.insert(0, CameraDelta::Reset),
        },
    };
    draft.next.lod = lod;
    let shown = if left == Mode::Plane { 2 } else { 3 };
    for &axis in before.axes.displayed(shown) {
        let asked_for_now = draft.next.index.value.get(axis) != before.index.value.get(axis);
        if let (false, Some(v)) = (asked_for_now, index.value.get(axis)) {
            draft.next.index.value[axis] = *v;
        }
    }
}
