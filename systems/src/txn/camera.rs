//! Fourth step: the pose. The only place where a camera is written.
//!
//! Formulas are napari-cuda's (zoom about an anchor, pan, orbit, fit) in the house's conventions: y down.

use super::{Txn, draft::Draft, guarded, inject};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::ViewState,
    camera::{Camera, CameraDelta, CameraParts, PlanePose, Rect, VolumePose},
    fault::{FaultReason, Step},
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
    Ok(())
}

/// The pose that the queued deltas lead to, oldest first.
pub(super) fn pose_after(draft: &Draft) -> Camera {
    let mut camera = draft.next.camera;
    if let Some(before) = &draft.before {
        refit_home(&mut camera, before, &draft.next);
    }
    for delta in &draft.deltas {
        apply(&mut camera, delta, &draft.next);
    }
    camera
}

/// A view that stands at home stays at home when its canvas changes: nobody has chosen another place yet.
fn refit_home(camera: &mut Camera, before: &ViewState, next: &ViewState) {
    let same_image = *before.dataset == *next.dataset;
    if same_image && before.canvas != next.canvas && before.camera.plane == home_plane(before) {
        camera.plane = home_plane(next);
    }
}

/// The pose that shows the whole plane.
pub fn home_plane(state: &ViewState) -> PlanePose {
    let [row, col] = state.plane_axes();
    let (y, x) = (places::world_extent(&state.dataset, row), places::world_extent(&state.dataset, col));
    let rect = Rect { left: x[0], bottom: y[0], width: x[1] - x[0], height: y[1] - y[0] };
    PlanePose::fit(rect, state.canvas)
}

/// The pose that shows the whole volume; angles are kept.
fn home_volume(state: &ViewState, now: VolumePose) -> VolumePose {
    let displayed = state.axes.displayed(3);
    // x is the last displayed axis.
    let extents: Vec<[f64; 2]> =
        displayed.iter().rev().map(|&a| places::world_extent(&state.dataset, a)).collect();
    let mut center = [0.0; 3];
    for (c, e) in center.iter_mut().zip(&extents) {
        *c = f64::midpoint(e[0], e[1]);
    }
    let height = extents.get(1).map_or(1.0, |e| e[1] - e[0]);
    let half_angle = (if now.fov > 0.0 { now.fov } else { 60.0 }).to_radians() / 2.0;
    VolumePose { center, distance: 1.1 * (0.5 * height) / half_angle.tan(), ..now }
}

fn apply(camera: &mut Camera, delta: &CameraDelta, state: &ViewState) {
    let (width, height) = (f64::from(state.canvas.width), f64::from(state.canvas.height));
    let plane = &mut camera.plane;
    let volume = &mut camera.volume;
    match (delta, state.view.mode()) {
        (CameraDelta::Zoom { factor, anchor }, Mode::Plane) => {
            let from_center = [anchor[0] - width / 2.0, anchor[1] - height / 2.0];
            for (c, d) in plane.center.iter_mut().zip(from_center) {
                let world = *c + d / plane.zoom;
                *c = world + (*c - world) * factor;
            }
            plane.zoom /= factor;
        }
        (CameraDelta::Zoom { factor, .. }, Mode::Volume) => {
            volume.distance = (volume.distance * factor).max(1e-6);
        }
        (CameraDelta::Pan { dx, dy }, Mode::Plane) => {
            plane.center[0] -= dx / plane.zoom;
            plane.center[1] -= dy / plane.zoom;
        }
        (CameraDelta::Pan { dx, dy }, Mode::Volume) => {
            let fov = (if volume.fov > 0.0 { volume.fov } else { 60.0 }).to_radians();
            let per_pixel = 2.0 * volume.distance * (fov / 2.0).tan() / height;
            let (az, el) = (volume.angles[0].to_radians(), volume.angles[1].to_radians());
            // Screen right and screen down of a turntable, in world x, y, z.
            let right = [az.cos(), az.sin(), 0.0];
            let down = [az.sin() * el.sin(), -az.cos() * el.sin(), -el.cos()];
            for i in 0..3 {
                volume.center[i] -= (dx * right[i] + dy * down[i]) * per_pixel;
            }
        }
        (CameraDelta::Orbit { azimuth, elevation }, Mode::Volume) => {
            volume.angles[0] = wrap_degrees(volume.angles[0] + azimuth);
            volume.angles[1] = (volume.angles[1] + elevation).clamp(-90.0, 90.0);
        }
        // A plane does not turn: the delta is accepted and changes nothing, as in napari.
        (CameraDelta::Orbit { .. }, Mode::Plane) => {}
        (CameraDelta::Reset, Mode::Plane) => *plane = home_plane(state),
        (CameraDelta::Reset, Mode::Volume) => *volume = home_volume(state, *volume),
        (CameraDelta::Set(parts), _) => set(camera, parts, state),
    }
}

/// Sets parts of the plane pose, or of the volume pose where angles, distance, fov or a third coordinate
/// say that it is meant.
fn set(camera: &mut Camera, parts: &CameraParts, state: &ViewState) {
    let third = parts.center.as_ref().is_some_and(|c| c.len() == 3);
    if third || parts.angles.is_some() || parts.distance.is_some() || parts.fov.is_some() {
        let volume = &mut camera.volume;
        for (to, from) in volume.center.iter_mut().zip(parts.center.iter().flatten()) {
            *to = *from;
        }
        if let Some(angles) = parts.angles {
            volume.angles = [wrap_degrees(angles[0]), angles[1].clamp(-90.0, 90.0), angles[2]];
        }
        volume.distance = parts.distance.unwrap_or(volume.distance);
        volume.fov = parts.fov.unwrap_or(volume.fov);
        return;
    }
    let plane = &mut camera.plane;
    if let Some(rect) = parts.rect {
        *plane = PlanePose::fit(rect, state.canvas);
    }
    if let Some(center) = &parts.center {
        plane.center = [center[0], center[1]];
    }
    plane.zoom = parts.zoom.unwrap_or(plane.zoom);
}

/// Into (−180, 180].
fn wrap_degrees(angle: f64) -> f64 {
    let turned = (angle + 180.0).rem_euclid(360.0) - 180.0;
    if turned == -180.0 { 180.0 } else { turned }
}
