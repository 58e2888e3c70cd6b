//! The volume's camera: it turns about the point it looks at, and never leaves the bounds within which it can be
//! drawn.
//!
//! Defaults and signs are napari-cuda's. Three things differ: a pan moves the centre only (there it changed the
//! distance and put the centre's z to 0), azimuth and roll wrap, and home shows the whole volume.

use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts, VolumePose},
    places,
    rays::{ORTHOGRAPHIC, Rays},
};

/// Home leaves a hundredth of its distance around the volume: the corners of a box are rarely filled. (napari-cuda left
/// a tenth, but of the box's middle only.)
const MARGIN: f64 = 1.01;
/// Half of the picture's height at the centre is at least so much of a voxel, …
const CLOSEST: f64 = 1e-3;
/// … and at most so many diagonals of the volume: beyond, it is less than a pixel.
const FARTHEST: f64 = 1e4;
/// How far from the middle of the volume the centre may be, in diagonals.
const ASTRAY: f64 = 1e6;

/// The pose that shows all of the volume: angles and field of view are kept, the centre is the middle, and the
/// distance is the smallest at which all eight corners of the scene grid's box fall inside the canvas, and a little more.
///
/// napari-cuda's formula, 1.1 × half the extent along y over tan(fov / 2), knows neither the other two extents nor
/// the canvas's width: the eye stands inside a stack that is deeper than it is high, and wide ones are cut off.
pub fn home(state: &ViewState, now: VolumePose) -> VolumePose {
    let sides = places::world_box(&state.dataset, state.axes.displayed(3));
    let center = sides.map(|[from, to]| f64::midpoint(from, to));
    // At a distance of 1 a corner's place relative to the centre is told by the basis alone.
    let rays = Rays::of(&VolumePose { center, distance: 1.0, ..now }, state.canvas);
    let half = sides.map(|[from, to]| (to - from) / 2.0);
    let aspect = f64::from(state.canvas.width) / f64::from(state.canvas.height);
    let rise = rise(now.fov);
    let mut distance = 0.0_f64;
    for corner in 0..8 {
        let at = std::array::from_fn(|i| if corner >> i & 1 == 0 { -half[i] } else { half[i] });
        let along = |axis: [f64; 3]| dot(at, axis);
        let beside = (along(rays.right).abs() / aspect).max(along(rays.down).abs()) / rise;
        // In perspective a corner that lies deeper is seen smaller.
        let depth = if rays.eye.is_some() { along(rays.forward) } else { 0.0 };
        distance = distance.max(beside - depth);
    }
    bounded(VolumePose { center, distance: MARGIN * distance, ..now }, state)
}

/// Moves the pose by what a hand did.
pub(super) fn apply(pose: &mut VolumePose, delta: &CameraDelta, state: &ViewState) {
    match delta {
        // Towards the centre, wherever the pointer is, as in napari.
        CameraDelta::Zoom { factor, .. } => pose.distance *= factor,
        // What is at the depth of the centre follows the pointer.
        CameraDelta::Pan { dx, dy } => {
            let rays = Rays::of(pose, state.canvas);
            let [dx, dy] = [dx, dy].map(|d| (d * rays.pixel).clamp(-VolumePose::FAR, VolumePose::FAR));
            for i in 0..3 {
                pose.center[i] -= dx * rays.right[i] + dy * rays.down[i];
            }
        }
        CameraDelta::Orbit { azimuth, elevation } => {
            pose.angles[0] += azimuth;
            pose.angles[1] += elevation;
        }
        CameraDelta::Reset => *pose = home(state, *pose),
        CameraDelta::Set(parts) => return set(pose, parts, state),
    }
    *pose = bounded(*pose, state);
}

/// Sets the parts that are given.
pub(super) fn set(pose: &mut VolumePose, parts: &CameraParts, state: &ViewState) {
    for (to, from) in pose.center.iter_mut().zip(parts.center.iter().flatten()) {
        *to = *from;
    }
    pose.angles = parts.angles.unwrap_or(pose.angles);
    pose.distance = parts.distance.unwrap_or(pose.distance);
    pose.fov = parts.fov.unwrap_or(pose.fov);
    *pose = bounded(*pose, state);
}

/// The pose within its bounds: azimuth and roll wrapped, elevation up to the poles, a distance at which there is
/// something to see, a centre that is not lost.
fn bounded(pose: VolumePose, state: &ViewState) -> VolumePose {
    let displayed = state.axes.displayed(3);
    let sides = places::world_box(&state.dataset, displayed);
    let diagonal = sides.iter().map(|[from, to]| (to - from).powi(2)).sum::<f64>().sqrt();
    let diagonal = if diagonal > 0.0 { diagonal } else { 1.0 };
    let voxel = displayed.iter().map(|&a| state.dataset.placement(a).0).fold(diagonal, f64::min);

    let rise = rise(pose.fov);
    let least = (CLOSEST * voxel * (1.0 / rise).min(1.0)).clamp(1.0 / VolumePose::FAR, VolumePose::FAR);
    let most = (FARTHEST * diagonal * (1.0 / rise).max(1.0)).clamp(least, VolumePose::FAR);
    let mut center = pose.center;
    for (c, [from, to]) in center.iter_mut().zip(sides) {
        let reach = ASTRAY * diagonal;
        *c = c.clamp(from - reach, to + reach);
    }
    let [azimuth, elevation, roll] = pose.angles;
    VolumePose {
        center,
        angles: [wrapped(azimuth), elevation.clamp(-90.0, 90.0), wrapped(roll)],
        distance: pose.distance.clamp(least, most),
        fov: pose.fov,
    }
}

/// Half the height of the picture at a distance of 1.
fn rise(fov: f64) -> f64 {
    let fov = if fov > 0.0 { fov } else { ORTHOGRAPHIC };
    (fov.to_radians() / 2.0).tan().max(1.0 / VolumePose::FAR)
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum()
}

/// An angle in degrees, into (−180, 180]; one that is there stays to the bit.
fn wrapped(angle: f64) -> f64 {
    if angle > -180.0 && angle <= 180.0 {
        return angle;
    }
    let turned = (angle + 180.0).rem_euclid(360.0) - 180.0;
    if turned > -180.0 && turned <= 180.0 { turned } else { 180.0 }
}
