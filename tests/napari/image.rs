//! Small OME-Zarr images on disk whose pictures cannot be mistaken for their mirror images.

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Extents z, y, x of the finest level; the coarser one has half of each.
pub const SHAPE: [usize; 3] = [6, 90, 160];
/// World units per voxel.
pub const SCALE: [f64; 3] = [2.0, 0.5, 0.5];
/// Upper contrast limits of the two channels, as the file declares them; the lower ones are 0.
pub const LIMITS: [f64; 2] = [255.0, 200.0];

/// Value of a voxel. Channel 0: brighter from plane to plane and in the upper third, with a white mark in it on
/// the left. Channel 1: a block below on the right.
pub fn value(channel: usize, z: usize, y: usize, x: usize) -> u8 {
    if channel == 1 {
        return if (60..80).contains(&y) && (120..150).contains(&x) { 180 } else { 0 };
    }
    if (10..20).contains(&y) && (20..40).contains(&x) {
        return 255;
    }
    30 + 10 * z as u8 + if y < 30 { 90 } else { 0 }
}

/// A folder with images as a person has them; everything a server may show lies below `root`.
pub struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        image(&root.join("first.ome.zarr"), SHAPE[0]);
        image(&root.join("second.ome.zarr"), 2);
        image(&root.join("lab/only.ome.zarr"), 4);
        image(&root.join("many/a.ome.zarr"), 2);
        image(&root.join("many/b.ome.zarr"), 2);
        fs::create_dir(root.join("Empty")).unwrap();
        fs::create_dir(root.join(".hidden")).unwrap();
        fs::write(root.join("notes.txt"), "no image").unwrap();
        image(&dir.path().join("outside.ome.zarr"), 2);
        Self { dir }
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Something in the root.
    pub fn path(&self, name: &str) -> String {
        self.root().join(name).display().to_string()
    }

    /// An image beside the root.
    pub fn outside(&self) -> String {
        self.dir.path().join("outside.ome.zarr").display().to_string()
    }

    /// A place for something that a test writes.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// Two channels and two levels: plain bytes, Zarr 2, no compressor.
fn image(root: &Path, planes: usize) {
    for (path, factor) in [("0", 1), ("1", 2)] {
        let shape = [planes / factor, SHAPE[1] / factor, SHAPE[2] / factor];
        for channel in 0..2 {
            let voxel = |n: usize| {
                let (z, y, x) = (n / (shape[1] * shape[2]), n / shape[2] % shape[1], n % shape[2]);
                value(channel, z * factor, y * factor, x * factor)
            };
            let values: Vec<u8> = (0..shape.iter().product()).map(voxel).collect();
            let chunk = root.join(path).join(format!("{channel}/0/0"));
            fs::create_dir_all(&chunk).unwrap();
            fs::write(chunk.join("0"), values).unwrap();
        }
        let array = json!({
            "zarr_format": 2, "shape": [2, shape[0], shape[1], shape[2]],
            "chunks": [1, shape[0], shape[1], shape[2]], "dtype": "|u1", "fill_value": 0, "order": "C",
            "filters": null, "dimension_separator": "/", "compressor": null,
        });
        put(&root.join(path).join(".zarray"), &array);
    }
    put(&root.join(".zgroup"), &json!({"zarr_format": 2}));
    let space = |name: &str| json!({"name": name, "type": "space", "unit": "micrometer"});
    let level = |path: &str, factor: f64| {
        let scale: Vec<f64> = [1.0].into_iter().chain(SCALE.map(|s| s * factor)).collect();
        let shift = SCALE.map(|s| s * (factor - 1.0) / 2.0);
        let shift: Vec<f64> = [0.0].into_iter().chain(shift).collect();
        json!({"path": path, "coordinateTransformations": [
            {"type": "scale", "scale": scale}, {"type": "translation", "translation": shift},
        ]})
    };
    let channel = |label: &str, color: &str, end: f64| {
        json!({"label": label, "color": color, "active": true,
               "window": {"start": 0, "end": end, "min": 0, "max": 255}})
    };
    let attributes = json!({
        "multiscales": [{
            "version": "0.4",
            "axes": [{"name": "c", "type": "channel"}, space("z"), space("y"), space("x")],
            "datasets": [level("0", 1.0), level("1", 2.0)],
        }],
        "omero": {"channels": [channel("Actin", "FFFFFF", LIMITS[0]), channel("Nuclei", "00FF00", LIMITS[1])]},
    });
    put(&root.join(".zattrs"), &attributes);
}

fn put(file: &Path, value: &Value) {
    fs::write(file, value.to_string()).unwrap();
}
