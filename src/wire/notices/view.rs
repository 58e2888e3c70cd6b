//! `notify.view`: all blocks in the ledger's own conventions, for sessions with `lucida.view`.

use super::{camera, layers, levels};
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    ids::ViewId,
    lod::LodPolicy,
};
use serde_json::{Value, json};

/// The payload. Indices count on the scene grid; the channel axis is not among the axes.
pub fn payload(applied: &Applied, view: ViewId) -> Value {
    let state = &*applied.state;
    json!({
        "revision": applied.revision,
        "view": view.to_string(),
        "dataset": state.dataset.name,
        "ndisplay": state.view.ndisplay,
        "mode": state.view.mode().as_str(),
        "axes": axes(state),
        "order": state.axes.order,
        "displayed": state.displayed(),
        "index": state.index.value,
        "margins": state.index.margins,
        "level": state.lod.level,
        "policy": match state.lod.policy { LodPolicy::Auto => "auto", LodPolicy::Locked => "locked" },
        "downgraded": state.lod.downgraded,
        "levels": levels::marked(&state.dataset),
        "camera": { "plane": camera::plane(state), "volume": camera::volume(state) },
        "clip": clip(state),
        "canvas": [state.canvas.width, state.canvas.height],
        "layers": state.layers.iter().map(|l| layer(state, l)).collect::<Value>(),
    })
}

fn axes(state: &ViewState) -> Value {
    let dataset = &*state.dataset;
    (0..state.axes.len())
        .map(|axis| {
            let (scale, translation) = dataset.placement(axis);
            json!({
                "label": state.axes.labels[axis],
                "kind": state.axes.kinds[axis],
                "unit": state.axes.units[axis],
                "size": dataset.extent(axis),
                "scale": scale,
                "translation": translation,
            })
        })
        .collect()
}

/// The crop box has an entry for each axis, null where it is whole.
fn clip(state: &ViewState) -> Value {
    let range = |axis: usize| state.clip.ranges.get(axis).copied().flatten();
    let planes = state.clip.planes.iter().map(|p| json!({ "position": p.position, "normal": p.normal }));
    json!({
        "ranges": (0..state.axes.len()).map(range).collect::<Vec<_>>(),
        "planes": planes.collect::<Vec<_>>(),
    })
}

fn layer(state: &ViewState, layer: &LayerState) -> Value {
    let dataset = &*state.dataset;
    let stored = dataset.images.get(layer.layer.image).map(|image| image.stored);
    let source =
        dataset.layers.iter().find(|s| s.image == layer.layer.image && s.channel == layer.layer.channel);
    json!({
        "id": layer.id.to_string(),
        "name": layer.layer.name,
        "order": layer.layer.order,
        "kind": layer.layer.kind,
        "channel": layer.layer.channel,
        "dtype": stored.map(|s| s.to_string()),
        "range": source.map_or(layer.controls.contrast_limits, |s| s.range),
        "controls": layers::every(&layer.controls),
    })
}
