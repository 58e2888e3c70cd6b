//! Fourth step: the pose. The only place where a camera is written.
//!
//! Formulas are napari-cuda's (zoom about an anchor, pan, fit) in the house's conventions: y down. Those of the
//! volume stand in [`turntable`].

use super::{Txn, draft::Draft, guarded, inject, turntable};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::ViewState,
    camera::{Camera, CameraDelta, CameraParts, PlanePose, Rect, VolumePose},
    fault::{FaultReason, Step},
    fit::Fit,
    places,
    view::Mode,
};

/// The step as a system.
pub fn step() -> impl FnMut(ResMut<Txn>, Option<ResMut<inject::Injection>>) {
    guarded(Step::Camera, camera)
}

fn camera(draft: &mut Draft) -> Result<(), FaultReason> {
    let pose = draft.pose.take().unwrap_or(draft.next.camera);
    if !pose.plane.is_valid() || !pose.volume.is_valid() {
        return Err(FaultReason::PoseInvalid);
    }
    draft.next.camera = pose;
    draft.deltas.clear();
    refit_ways_back(draft);
    Ok(())
}

/// The pose that the queued deltas lead to, oldest first.
pub(super) fn pose_after(draft: &Draft) -> Camera {
    let mut camera = draft.next.camera;
    if let Some(before) = resized(draft) {
        refit_plane(&mut camera.plane, before, draft);
        if before.view.mode() == Mode::Volume {
            refit_volume(&mut camera.volume, before, draft);
        }
    }
    for delta in &draft.deltas {
        apply(&mut camera, delta, &draft.next);
    }
    camera
}

/// What was applied, where the same image had another canvas.
fn resized(draft: &Draft) -> Option<&ViewState> {
    let before = draft.before.as_deref()?;
    let same_image = *before.dataset == *draft.next.dataset;
    (same_image && before.canvas != draft.next.canvas && draft.restoring.is_none()).then_some(before)
}

/// A view that stands at home stays at home when its canvas changes: nobody has chosen another place yet. Of
/// another place the scale stays, or what is seen where the canvas is that of another session.
fn refit_plane(pose: &mut PlanePose, before: &ViewState, draft: &Draft) {
    if *pose == home_plane(before) {
        *pose = home_plane(&draft.next);
    } else if draft.adopting {
        *pose = Fit::of(before.canvas, draft.next.canvas).plane(*pose);
    }
}

/// The same for the volume, as far as it was ever looked at. The eye is moved: a field of view that grew with every
/// window would stay.
fn refit_volume(pose: &mut VolumePose, before: &ViewState, draft: &Draft) {
    if *pose == turntable::home(before, *pose) {
        *pose = turntable::home(&draft.next, *pose);
    } else if draft.adopting {
        *pose = Fit::of(before.canvas, draft.next.canvas).moved(*pose);
    }
}

/// The same for the poses that the other mode is come back to with.
fn refit_ways_back(draft: &mut Draft) {
    let Some(before) = resized(draft) else { return };
    let mut restore = draft.next.restore.clone();
    if let Some(place) = &mut restore.plane {
        refit_plane(&mut place.pose, before, draft);
    }
    if let Some(place) = &mut restore.volume {
        refit_volume(&mut place.pose, before, draft);
    }
    draft.next.restore = restore;
}

/// The pose that shows the whole plane.
pub fn home_plane(state: &ViewState) -> PlanePose {
    let [row, col] = state.plane_axes();
    let (y, x) = (places::world_extent(&state.dataset, row), places::world_extent(&state.dataset, col));
    let rect = Rect { left: x[0], bottom: y[0], width: x[1] - x[0], height: y[1] - y[0] };
    PlanePose::fit(rect, state.canvas)
}

fn apply(camera: &mut Camera, delta: &CameraDelta, state: &ViewState) {
    let (width, height) = (f64::from(state.canvas.width), f64::from(state.canvas.height));
    let plane = &mut camera.plane;
    match (delta, state.view.mode()) {
        (CameraDelta::Set(parts), _) => set(camera, parts, state),
        (delta, Mode::Volume) => turntable::apply(&mut camera.volume, delta, state),
        (CameraDelta::Zoom { factor, anchor }, Mode::Plane) => {
            let from_center = [anchor[0] - width / 2.0, anchor[1] - height / 2.0];
            for (c, d) in plane.center.iter_mut().zip(from_center) {
                let world = *c + d / plane.zoom;
                *c = world + (*c - world) * factor;
            }
            plane.zoom /= factor;
        }
        (CameraDelta::Pan { dx, dy }, Mode::Plane) => {
            plane.center[0] -= dx / plane.zoom;
            plane.center[1] -= dy / plane.zoom;
        }
        // A plane does not turn: the delta is accepted and changes nothing, as in napari.
        (CameraDelta::Orbit { .. }, Mode::Plane) => {}
        (CameraDelta::Reset, Mode::Plane) => *plane = home_plane(state),
    }
}

/// Sets parts of the plane pose (zoom, rectangle) and of the volume pose (angles, distance, field of view). The
/// centre is the volume's where it has three coordinates or comes with parts of the volume, else the plane's.
fn set(camera: &mut Camera, parts: &CameraParts, state: &ViewState) {
    let third = parts.center.as_ref().is_some_and(|c| c.len() == 3);
    let of_volume = third || parts.angles.is_some() || parts.distance.is_some() || parts.fov.is_some();
    if of_volume {
        turntable::set(&mut camera.volume, parts, state);
    }
    let plane = &mut camera.plane;
    if let Some(rect) = parts.rect {
        *plane = PlanePose::fit(rect, state.canvas);
    }
    if let (false, Some(center)) = (of_volume, &parts.center) {
        plane.center = [center[0], center[1]];
    }
    plane.zoom = parts.zoom.unwrap_or(plane.zoom);
}
