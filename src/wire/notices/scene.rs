//! `notify.scene`: everything, as a baseline.

use super::{Facts, camera, layers, levels, thumbnail};
use crate::wire::conventions::Dialect;
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap, places,
    session::Features,
    thumbnail::Thumbnails,
};
use serde_json::{Value, json};

/// What a scene is told with besides its state.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// About the server.
    pub facts: &'a Facts,
    /// What the session speaks.
    pub dialect: Dialect,
    /// What it asked for.
    pub features: Features,
    /// Small pictures of the layers, as far as there are any.
    pub thumbnails: &'a Thumbnails,
    /// The encoder that made the last picture.
    pub encoder: Option<&'a str>,
}

/// The payload, layers included.
pub fn payload(state: &ViewState, beside: Beside<'_>) -> Value {
    let blocks: Vec<Value> = state.layers.iter().filter_map(|l| layer(state, l, beside)).collect();
    json!({
        "viewer": viewer(state, beside.facts),
        "layers": blocks,
        "metadata": metadata(state, beside),
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

fn layer(state: &ViewState, layer: &LayerState, beside: Beside<'_>) -> Option<Value> {
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
        "controls": layers::all_known(&layer.controls, beside.features),
        "level_shapes": shapes,
        "metadata": layer_metadata(layer, beside),
        "multiscale": { "levels": levels::plain(dataset, image), "current_level": level },
        "contrast_limits": layer.controls.contrast_limits,
        "scale": levels::scale(dataset, image, level),
        "translate": levels::translation(dataset, image, level),
        "source": { "kind": kind(state) },
    }))
}

/// napari-cuda's client cannot build a layer without a thumbnail: there is always one for it.
fn layer_metadata(layer: &LayerState, beside: Beside<'_>) -> Value {
    if !beside.features.thumbnails {
        return json!({});
    }
    match (beside.thumbnails.0.get(&layer.id), beside.dialect) {
        (Some(picture), _) => json!({ "thumbnail": thumbnail::array(picture) }),
        (None, Dialect::Napari) => json!({ "thumbnail": thumbnail::placeholder() }),
        (None, Dialect::House) => json!({}),
    }
}

fn metadata(state: &ViewState, beside: Beside<'_>) -> Value {
    let mut told = json!({
        "status": "ready",
        "source_path": state.dataset.locator,
        "source_kind": kind(state),
    });
    choices(&mut told, beside.facts, beside.features);
    if beside.features.view {
        told["warnings"] = json!(state.dataset.warnings);
        told["encoder"] = json!(beside.encoder.or(beside.facts.encoder.as_deref()));
    }
    told
}

/// What can be chosen, whatever is open.
pub(super) fn choices(told: &mut Value, facts: &Facts, features: Features) {
    if features.view {
        let datasets = facts.datasets.iter().map(|(name, path)| json!({ "name": name, "path": path }));
        told["datasets"] = datasets.collect();
        told["colormaps"] = colormap::names().collect();
    }
}

/// The format without its version.
fn kind(state: &ViewState) -> &str {
    state.dataset.format.split_whitespace().next().unwrap_or_default()
}
