//! `notify.scene`: what the client builds its layers of.

use super::{
    Rule, camera, controls, count, counts, dims, flag, keys, list, number, numbers, object, pyramid, text,
};
use serde_json::Value;

/// Pixels per side of a thumbnail: it is copied, not scaled, into a tile of this size.
pub const THUMBNAIL: usize = 32;

/// Optional hints of how a layer is drawn.
const RENDER: &[&str] =
    &["mode", "colormap", "shading", "opacity", "visibility", "gamma", "iso_threshold", "attenuation"];

pub fn check(payload: &Value) -> Rule {
    keys(payload, "payload", &["viewer", "layers"], &["metadata", "policies"])?;
    let viewer = object(&payload["viewer"], "viewer")?;
    // Opaque to the client, but a HUD shows it: then it has the form that the older server gave it.
    if let Some(state) = viewer.get("dims") {
        dims::of_scene(state)?;
    }
    if let Some(pose) = viewer.get("camera") {
        let three = pose["ndisplay"].as_u64() == Some(3);
        let mut pose = pose.clone();
        object(&pose, "viewer.camera")?;
        if let Some(pose) = pose.as_object_mut() {
            pose.remove("ndisplay");
        }
        camera::pose(&pose, three)?;
    }
    let mut ids = Vec::new();
    for layer in list(&payload["layers"], "layers")? {
        let id = text(&layer["layer_id"], "layer_id")?;
        must!(!ids.contains(&id), "two layers are {id}");
        ids.push(id);
        block(layer).map_err(|why| format!("{id}: {why}"))?;
    }
    for key in ["metadata", "policies"] {
        if let Some(value) = payload.get(key) {
            object(value, key)?;
        }
    }
    if let Some(status) = payload["metadata"].get("status") {
        let shown = if ids.is_empty() { "idle" } else { "ready" };
        must!(status == shown, "status {status} with {} layers: the overlay is wrong", ids.len());
    }
    Ok(())
}

/// One layer.
pub fn block(layer: &Value) -> Rule {
    let kind = text(&layer["layer_type"], "layer_type")?;
    must!(["image", "volume"].contains(&kind), "layer_type {kind}: the client asserts image or volume");
    text(&layer["name"], "name")?;
    let ndim = count(&layer["ndim"], "ndim")?;
    let shape = counts(&layer["shape"], "shape")?;
    must!(shape.len() == ndim, "shape {shape:?} with {ndim} axes");
    must!(shape.iter().all(|n| *n > 0), "shape {shape:?} is empty");
    if let Some(labels) = layer.get("axis_labels") {
        let labels = list(labels, "axis_labels")?;
        must!(labels.len() == ndim, "axis_labels are not {ndim}");
        labels.iter().try_for_each(|l| text(l, "axis_labels").map(drop))?;
    }
    for key in ["scale", "translate"] {
        if let Some(value) = layer.get(key) {
            numbers(value, key, ndim)?;
        }
    }
    let levels = list(&layer["multiscale"]["levels"], "multiscale.levels")?;
    let shapes: Vec<Value> = levels.iter().map(|l| l["shape"].clone()).collect();
    let shapes = pyramid(&Value::Array(shapes), "multiscale.levels")?;
    must!(shapes[0].len() == ndim, "levels have {} axes, the layer {ndim}", shapes[0].len());
    let shown = count(&layer["multiscale"]["current_level"], "multiscale.current_level")?;
    must!(shown < shapes.len(), "level {shown} of {}", shapes.len());
    if let Some(same) = layer.get("level_shapes") {
        must!(pyramid(same, "level_shapes")? == shapes, "level_shapes are not those of the levels");
    }
    if let Some(limits) = layer.get("contrast_limits") {
        let limits: Vec<f64> = list(limits, "contrast_limits")?
            .iter()
            .map(|v| number(v, "contrast_limits"))
            .collect::<Rule<_>>()?;
        must!(limits.len() >= 2 && limits[0] < limits[1], "contrast_limits {limits:?}");
    }
    if let Some(volume) = layer.get("volume") {
        flag(volume, "volume")?;
    }
    must!(layer.get("controls").is_some(), "no controls, which are mandatory");
    controls::check(&layer["controls"])?;
    if let Some(hints) = layer.get("render") {
        keys(hints, "render", &[], RENDER)?;
    }
    if let Some(source) = layer.get("source") {
        object(source, "source")?;
        if let Some(version) = source.get("cache_version") {
            count(version, "source.cache_version")?;
        }
    }
    let metadata = object(&layer["metadata"], "metadata")?;
    // Without one, or with a grey one, the client raises while it makes the layer, which never appears.
    let thumbnail = metadata.get("thumbnail").ok_or("metadata has no thumbnail")?;
    self::thumbnail(thumbnail)
}

/// Rows of pixels of three or four numbers from 0 to 1.
pub fn thumbnail(array: &Value) -> Rule {
    let rows = list(array, "thumbnail")?;
    must!((1..=THUMBNAIL).contains(&rows.len()), "a thumbnail of {} rows", rows.len());
    let columns = list(&rows[0], "a row of the thumbnail")?.len();
    must!((1..=THUMBNAIL).contains(&columns), "a thumbnail of {columns} columns");
    let mut depth = None;
    for row in rows {
        let row = list(row, "a row of the thumbnail")?;
        must!(row.len() == columns, "rows of a thumbnail of different lengths");
        for pixel in row {
            let parts = list(pixel, "a pixel of the thumbnail (grey ones raise)")?;
            must!((3..=4).contains(&parts.len()), "a pixel of {} parts", parts.len());
            must!(*depth.get_or_insert(parts.len()) == parts.len(), "pixels of different depths");
            for part in parts {
                let part = number(part, "a pixel's part")?;
                must!((0.0..=1.0).contains(&part), "a pixel's part is {part}: 0 to 1");
            }
        }
    }
    Ok(())
}
