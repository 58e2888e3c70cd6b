//! What the client is told, in its own terms.

use super::{colormaps, rows::Rows, span::Span};
use lucida_components::{
    applied::{LayerState, ViewState},
    camera::{Camera, PlanePose},
    controls::{Blending, ControlKey, Controls},
    ids::LayerId,
    layer::LayerKind,
    value::Value,
};

/// A state as the client sees it. Its rectangle follows from its centre, as that of any state.
pub fn state(state: &ViewState) -> ViewState {
    let rows = Rows::of(state);
    let plane = state.camera.plane;
    let center = [plane.center[0], rows.upward(plane.center[1])];
    ViewState {
        camera: Camera { plane: PlanePose { center, ..plane }, ..state.camera },
        layers: state.layers.iter().map(|l| layer(state, l)).collect(),
        ..state.clone()
    }
}

fn layer(state: &ViewState, layer: &LayerState) -> LayerState {
    let span = Span::of(state, layer);
    let controls = &layer.controls;
    let colormap = match layer.layer.kind {
        LayerKind::Image => colormaps::name(&controls.colormap).to_owned(),
        LayerKind::Labels => controls.colormap.clone(),
    };
    let controls = Controls {
        contrast_limits: controls.contrast_limits.map(|v| span.normal(v)),
        iso_threshold: span.normal(controls.iso_threshold),
        colormap,
        ..controls.clone()
    };
    LayerState { controls, ..layer.clone() }
}

/// The value of a control as it is acknowledged; nothing where the client has no word for it.
pub fn control_value(value: &Value, layer: LayerId, key: ControlKey, state: &ViewState) -> Value {
    let Some(layer) = state.layer(layer) else { return value.clone() };
    let span = Span::of(state, layer);
    match (key, value) {
        (ControlKey::ContrastLimits, Value::Floats(limits)) => {
            Value::Floats(limits.iter().map(|v| span.normal(*v)).collect())
        }
        (ControlKey::IsoThreshold, Value::Float(v)) => Value::Float(span.normal(*v)),
        (ControlKey::Colormap, Value::Text(name)) => match layer.layer.kind {
            LayerKind::Image => Value::Text(colormaps::name(name).to_owned()),
            LayerKind::Labels => Value::None,
        },
        (ControlKey::Blending, Value::Text(name)) => match Blending::parse(name) {
            Some(Blending::Maximum | Blending::Average) => Value::None,
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

/// A part of a pose of the plane as it is acknowledged: a centre of two numbers, or a rectangle.
pub fn camera_value(part: &str, numbers: &[f64], state: &ViewState) -> Option<Vec<f64>> {
    let rows = Rows::of(state);
    match (part, numbers) {
        ("center", [x, y]) => Some(vec![*x, rows.upward(*y)]),
        ("rect", [left, bottom, width, height]) => {
            Some(vec![*left, rows.upward(bottom + height), *width, *height])
        }
        _ => None,
    }
}
