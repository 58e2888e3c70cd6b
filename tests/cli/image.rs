//! A small OME-Zarr image, written by hand: plain bytes, no compressor.

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The name of its one layer.
pub const LAYER: &str = "Actin";

/// 4 × 30 × 40 and half of it in y and x, one chunk each; the plane z holds `60·z`.
pub fn small_image(folder: &Path) -> PathBuf {
    let root = folder.join("small.ome.zarr");
    for (path, shape) in [("0", [4, 30, 40]), ("1", [4, 15, 20])] {
        let values: Vec<u8> = (0..4).flat_map(|z| vec![60 * z; shape[1] * shape[2]]).collect();
        let chunk = root.join(path).join("0/0");
        fs::create_dir_all(&chunk).unwrap();
        fs::write(chunk.join("0"), values).unwrap();
        let array = json!({
            "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|u1", "fill_value": 0, "order": "C",
            "filters": null, "dimension_separator": "/", "compressor": null,
        });
        put(&root.join(path).join(".zarray"), &array);
    }
    put(&root.join(".zgroup"), &json!({ "zarr_format": 2 }));
    let axis = |name: &str| json!({ "name": name, "type": "space", "unit": "micrometer" });
    let level = |path: &str, scale: [f64; 3], origin: [f64; 3]| {
        json!({ "path": path, "coordinateTransformations": [
            { "type": "scale", "scale": scale }, { "type": "translation", "translation": origin },
        ] })
    };
    let attributes = json!({
        "multiscales": [{
            "version": "0.4",
            "axes": [axis("z"), axis("y"), axis("x")],
            "datasets": [level("0", [2.0, 0.5, 0.5], [0.0; 3]), level("1", [2.0, 1.0, 1.0], [0.0, 0.25, 0.25])],
        }],
        "omero": { "channels": [{
            "label": LAYER, "color": "FF0000", "active": true,
            "window": { "start": 0, "end": 200, "min": 0, "max": 255 },
        }] },
    });
    put(&root.join(".zattrs"), &attributes);
    root
}

fn put(file: &Path, value: &Value) {
    fs::write(file, value.to_string()).unwrap();
}
