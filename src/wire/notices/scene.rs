//! `notify.scene`: everything, as a baseline.

use super::{Facts, camera, layers, levels};
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap, places,
    session::Features,
};
use serde_json::{Value, json};

/// The payload, layers included. `encoder` is the name of the encoder that made the last picture.
pub fn payload(state: &ViewState, facts: &Facts, features: Features, encoder: Option<&str>) -> Value {
    let blocks: Vec<Value> = state.layers.iter().filter_map(|l| layer(state, l, features)).collect();
    json!({
        "viewer": viewer(state, facts),
        "layers": blocks,
        "metadata": metadata(state, facts, features, encoder),
        "policies": { "multiscale": {
            "active_level": state.lod.level,
            "downgraded": state.lod.downgraded,
            "levels": levels::numbered(&state.dataset),
        } },
    })
}

fn viewer(state: &ViewState, facts: &Facts) -> Value {
    let mut pose = camera::active(state);
    pose["ndisplay"] = json!(state.view.ndisplay);
    json!({
        "settings": {
            "fps_target": facts.fps,
            "canvas_size": [state.canvas.width, state.canvas.height],
            "volume_enabled": state.view.ndisplay >= 3,
        },
        "dims": {
            "ndim": state.axes.len(),
            "axis_labels": state.axes.labels,
            "order": state.axes.order,
            "level_shapes": levels::shapes(&state.dataset),
            "current_level": state.lod.level,
            "current_step": levels::step(state),
            "displayed": state.displayed(),
            "ndisplay": state.view.ndisplay,
        },
        "camera": pose,
    })
}

fn layer(state: &ViewState, layer: &LayerState, features: Features) -> Option<Value> {
    let dataset = &*state.dataset;
    let image = dataset.images.get(layer.layer.image)?;
    let level = places::resolve_level(dataset, image, state.lod.level, state.plane_axes());
    let volume = state.view.ndisplay >= 3;
    let shapes: Vec<Vec<u64>> = (0..image.levels.len()).map(|l| levels::shape(dataset, image, l)).collect();
    Some(json!({
        "layer_id": layer.id.to_string(),
        "layer_type": if volume { "volume" } else { "image" },
        "name": layer.layer.name,
        "ndim": state.axes.len(),
        "shape": levels::shape(dataset, image, level),
        "axis_labels": state.axes.labels,
        "volume": volume,
        "controls": layers::all_known(&layer.controls, features),
        "level_shapes": shapes,
        "metadata": {},
        "multiscale": { "levels": levels::plain(dataset, image), "current_level": level },
        "contrast_limits": layer.controls.contrast_limits,
        "scale": levels::scale(dataset, image, level),
        "translate": levels::translation(dataset, image, level),
        "source": { "kind": kind(state) },
    }))
}

fn metadata(state: &ViewState, facts: &Facts, features: Features, encoder: Option<&str>) -> Value {
    let mut told = json!({
        "status": "ready",
        "source_path": state.dataset.locator,
        "source_kind": kind(state),
    });
    if features.view {
        let datasets = facts.datasets.iter().map(|(name, path)| json!({ "name": name, "path": path }));
        told["datasets"] = datasets.collect();
        told["colormaps"] = colormap::names().collect();
        told["warnings"] = json!(state.dataset.warnings);
        told["encoder"] = json!(encoder.or(facts.encoder.as_deref()));
    }
    told
}

/// The format without its version.
fn kind(state: &ViewState) -> &str {
    state.dataset.format.split_whitespace().next().unwrap_or_default()
}
