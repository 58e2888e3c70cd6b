//! `notify.layers`: what changed of one layer.

use super::{Rule, controls, counts, flag, keys, number, object, scene, text};
use serde_json::Value;

/// The sections, of which one at least is there.
const SECTIONS: &[&str] = &["controls", "metadata", "data", "thumbnail", "removed"];
/// What `data` may hold; it forces a rebuild of the layer.
const DATA: &[&str] = &[
    "volume.render_mode",
    "volume.contrast_limits",
    "volume.colormap",
    "volume.opacity",
    "volume.sample_step",
    "multiscale.level",
];

pub fn check(payload: &Value) -> Rule {
    let there = keys(payload, "payload", &["layer_id"], SECTIONS)?;
    text(&payload["layer_id"], "layer_id")?;
    must!(there.len() > 1, "nothing but a layer_id");
    for (key, section) in there {
        match key.as_str() {
            "controls" => {
                controls::check(section)?;
                must!(section != &Value::Object(serde_json::Map::new()), "controls are empty");
            }
            "metadata" => {
                // It replaces the layer's metadata: without its thumbnail the layer would lose it.
                let metadata = object(section, key)?;
                scene::thumbnail(metadata.get("thumbnail").ok_or("metadata without a thumbnail")?)?;
            }
            "data" => {
                keys(section, key, &[], DATA)?;
            }
            "thumbnail" => thumbnail(section)?,
            "removed" => {
                must!(flag(section, key)?, "removed is false");
            }
            _ => {}
        }
    }
    Ok(())
}

fn thumbnail(section: &Value) -> Rule {
    keys(section, "thumbnail", &["array"], &["shape", "dtype", "generated_at"])?;
    let array = &section["array"];
    scene::thumbnail(array)?;
    if let Some(shape) = section.get("shape") {
        let len = |v: &Value| v.as_array().map_or(0, Vec::len);
        let real = [len(array), len(&array[0]), len(&array[0][0])];
        must!(counts(shape, "shape")? == real, "the thumbnail's shape is {real:?}, not {shape}");
    }
    if let Some(dtype) = section.get("dtype") {
        must!(dtype == "float32", "the thumbnail's dtype is {dtype}");
    }
    if let Some(at) = section.get("generated_at") {
        number(at, "generated_at")?;
    }
    Ok(())
}
