//! `notify.layers`: controls of one layer.

use lucida_components::{
    applied::LayerState,
    controls::{Blending, ControlKey, Controls},
    labels::COLORMAP,
    session::Features,
    value::Value,
};
use serde_json::{Map, Value as Json, json};

/// The controls that every client knows; any other breaks a strict one.
pub const BASE: [ControlKey; 10] = [
    ControlKey::Visible,
    ControlKey::Opacity,
    ControlKey::Blending,
    ControlKey::Interpolation,
    ControlKey::Colormap,
    ControlKey::Rendering,
    ControlKey::Gamma,
    ControlKey::ContrastLimits,
    ControlKey::IsoThreshold,
    ControlKey::Attenuation,
];

/// The payload for changed controls; `None` where this session knows none of them.
pub fn controls<'a>(
    layer: &LayerState,
    changed: impl IntoIterator<Item = &'a ControlKey>,
    features: Features,
) -> Option<Json> {
    let told = some(&layer.controls, changed, features);
    (!told.is_empty()).then(|| json!({ "layer_id": layer.id.to_string(), "controls": told }))
}

/// Every control that this session knows.
pub fn all_known(controls: &Controls, features: Features) -> Map<String, Json> {
    some(controls, &BASE, features)
}

/// Every control there is.
pub fn every(controls: &Controls) -> Map<String, Json> {
    ControlKey::ALL.iter().map(|key| (key.as_str().to_owned(), json(controls.value(*key)))).collect()
}

fn some<'a>(
    controls: &Controls,
    keys: impl IntoIterator<Item = &'a ControlKey>,
    features: Features,
) -> Map<String, Json> {
    // napari has no words for these two.
    let unknown_blending =
        !features.view && matches!(controls.blending, Blending::Maximum | Blending::Average);
    // Nor a colormap of that name for what it takes for an image.
    let unknown_colormap = !features.view && controls.colormap == COLORMAP;
    let unknown = |key: ControlKey| match key {
        ControlKey::Blending => unknown_blending,
        ControlKey::Colormap => unknown_colormap,
        _ => false,
    };
    keys.into_iter()
        .filter(|key| BASE.contains(key) && !unknown(**key))
        .map(|key| (key.as_str().to_owned(), json(controls.value(*key))))
        .collect()
}

/// A control's value: these have five forms.
fn json(value: Value) -> Json {
    match value {
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::Float(v) => json!(v),
        Value::Text(v) => json!(v),
        Value::Floats(v) => json!(v),
        Value::None | Value::List(_) | Value::Map(_) => Json::Null,
    }
}
