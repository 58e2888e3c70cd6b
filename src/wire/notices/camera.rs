//! `notify.camera`: the pose, and what was done to it.

use crate::wire::{ack, conventions::Conventions};
use lucida_components::{applied::ViewState, camera::Rect, value::Value as Told, view::Mode};
use serde_json::{Value, json};

/// The payload that tells what was asked of the camera, by its key (`zoom`, `pan`, …), and became of it.
pub fn echo(key: &str, value: &Told, conventions: &Conventions) -> Value {
    json!({ "mode": key, "origin": "state.update", "delta": ack::delta(value, conventions) })
}

/// The payload of a pose report.
pub fn pose(state: &ViewState) -> Value {
    json!({ "mode": "pose", "origin": "worker.state.camera", "state": active(state) })
}

/// The pose of the mode that is on.
pub fn active(state: &ViewState) -> Value {
    match state.view.mode() {
        Mode::Plane => plane(state),
        Mode::Volume => volume(state),
    }
}

/// The plane's pose.
pub fn plane(state: &ViewState) -> Value {
    let pose = state.camera.plane;
    json!({ "center": pose.center, "zoom": pose.zoom, "rect": rect(state.rect()) })
}

/// The volume's pose.
pub fn volume(state: &ViewState) -> Value {
    let pose = state.camera.volume;
    json!({ "center": pose.center, "angles": pose.angles, "distance": pose.distance, "fov": pose.fov })
}

fn rect(r: Rect) -> [f64; 4] {
    [r.left, r.bottom, r.width, r.height]
}
