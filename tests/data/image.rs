//! Images that the tests write themselves, through zarrs, and a way to read single voxels back.

use lucida::data::Opened;
use lucida_components::{
    chunk::ChunkValues,
    dataset::Level,
    dtype::{Dtype, StoredType},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use zarrs::{
    array::{Array, ArrayBytes},
    filesystem::FilesystemStore,
};

/// The value that a test image has at a place, small enough for every type.
pub fn pattern(stored: StoredType, level: usize, at: &[u64]) -> f64 {
    let n = at.iter().fold(level as u64 + 1, |n, a| n.wrapping_mul(31).wrapping_add(*a));
    match stored {
        StoredType::Bool => (n % 2) as f64,
        _ => (n % 120) as f64,
    }
}

/// Native-order bytes of a value.
pub fn bytes_of(stored: StoredType, v: f64) -> Vec<u8> {
    match stored {
        StoredType::Bool | StoredType::U8 => vec![v as u8],
        StoredType::I8 => vec![v as i8 as u8],
        StoredType::U16 => (v as u16).to_ne_bytes().to_vec(),
        StoredType::I16 => (v as i16).to_ne_bytes().to_vec(),
        StoredType::U32 => (v as u32).to_ne_bytes().to_vec(),
        StoredType::I32 => (v as i32).to_ne_bytes().to_vec(),
        StoredType::U64 => (v as u64).to_ne_bytes().to_vec(),
        StoredType::I64 => (v as i64).to_ne_bytes().to_vec(),
        StoredType::F16 => half::f16::from_f64(v).to_ne_bytes().to_vec(),
        StoredType::F32 => (v as f32).to_ne_bytes().to_vec(),
        StoredType::F64 => v.to_ne_bytes().to_vec(),
    }
}

/// Every place of an array, in C order.
pub fn places(shape: &[u64]) -> impl Iterator<Item = Vec<u64>> + '_ {
    (0..shape.iter().product::<u64>()).map(move |mut n| {
        let mut at = vec![0; shape.len()];
        for (a, s) in at.iter_mut().zip(shape).rev() {
            *a = n % s;
            n /= s;
        }
        at
    })
}

/// Array metadata for Zarr v2.
pub fn v2(shape: &[u64], chunks: &[u64], dtype: &str) -> Value {
    json!({
        "zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype, "fill_value": 0, "order": "C",
        "filters": null, "dimension_separator": "/", "compressor": {"id": "zstd", "level": 1},
    })
}

/// Array metadata for Zarr v3.
pub fn v3(shape: &[u64], chunks: &[u64], dtype: &str) -> Value {
    json!({
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": dtype, "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "zstd", "configuration": {"level": 1, "checksum": false}},
        ],
    })
}

/// Array metadata for Zarr v3 with shards of inner chunks.
pub fn sharded(shape: &[u64], shard: &[u64], inner: &[u64], dtype: &str) -> Value {
    let mut meta = v3(shape, shard, dtype);
    meta["codecs"] = json!([{"name": "sharding_indexed", "configuration": {
        "chunk_shape": inner, "index_location": "end", "codecs": meta["codecs"],
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
    }}]);
    meta
}

/// Writes the metadata document of a group or an array.
pub fn put_json(folder: &Path, name: &str, value: &Value) {
    std::fs::create_dir_all(folder).expect("folder");
    std::fs::write(folder.join(name), value.to_string()).expect("metadata");
}

/// Writes one array filled with [`pattern`] and returns its folder.
pub fn put_array(root: &Path, level: usize, path: &str, meta: &Value, stored: StoredType) -> PathBuf {
    let name = if meta["zarr_format"] == 2 { ".zarray" } else { "zarr.json" };
    put_json(&root.join(path), name, meta);
    let store = Arc::new(FilesystemStore::new(root).expect("store"));
    let array = Array::open(store, &format!("/{path}")).expect("array");
    let shape = array.shape().to_vec();
    let values: Vec<u8> =
        places(&shape).flat_map(|at| bytes_of(stored, pattern(stored, level, &at))).collect();
    array.store_array_subset(&array.subset_all(), ArrayBytes::new_flen(values)).expect("values");
    root.join(path)
}

/// `multiscales` with these axes (`"z"`, `"y"`, … typed by name) and levels `(path, scale)`.
pub fn multiscales(axes: &str, levels: &[(&str, Vec<f64>)]) -> Value {
    let axes: Vec<Value> = axes
        .chars()
        .map(|a| match a {
            'c' => json!({"name": "c", "type": "channel"}),
            't' => json!({"name": "t", "type": "time", "unit": "second"}),
            'x' | 'y' | 'z' => json!({"name": a, "type": "space", "unit": "micrometer"}),
            _ => json!({"name": a, "type": "angle"}),
        })
        .collect();
    let datasets: Vec<Value> = levels
        .iter()
        .map(|(path, scale)| {
            json!({"path": path, "coordinateTransformations": [{"type": "scale", "scale": scale}]})
        })
        .collect();
    json!([{"axes": axes, "datasets": datasets}])
}

/// Writes the group's metadata in the way of 0.4 or 0.5.
pub fn put_image(root: &Path, version: &str, multiscales: Value, omero: Value) {
    let mut ome = json!({"version": version, "multiscales": multiscales});
    if !omero.is_null() {
        ome["omero"] = omero;
    }
    if version == "0.4" {
        ome["multiscales"][0]["version"] = "0.4".into();
        put_json(root, ".zgroup", &json!({"zarr_format": 2}));
        put_json(root, ".zattrs", &ome);
    } else {
        put_json(
            root,
            "zarr.json",
            &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}),
        );
    }
}

/// One voxel of any image of a dataset.
pub fn value(opened: &Opened, image: usize, level: usize, at: &[u64]) -> f64 {
    values(opened, image, level, std::slice::from_ref(&at.to_vec()))[0]
}

/// Many of them; chunks are read once each as long as the places stay in them.
pub fn values(opened: &Opened, image: usize, level: usize, places: &[Vec<u64>]) -> Vec<f64> {
    let pyramid = &opened.dataset.images[image];
    let geometry = &pyramid.levels[level];
    let mut last = None;
    places
        .iter()
        .map(|at| {
            let chunk: Vec<u64> = at.iter().zip(&geometry.chunk).map(|(a, c)| a / c).collect();
            let number = geometry.chunk_number(&chunk);
            if last.as_ref().is_none_or(|(n, _)| *n != number) {
                last = Some((number, opened.sources[image].1.read(level as u16, number).expect("chunk")));
            }
            let data = &last.as_ref().expect("read").1;
            assert_eq!(data.dtype, pyramid.dtype);
            let within =
                at.iter().zip(&geometry.chunk).fold(0, |n, (a, c)| n * *c as usize + (a % c) as usize);
            match &data.values {
                ChunkValues::Uniform(fill) => data.dtype.read(fill, 0),
                ChunkValues::Dense(bytes) => {
                    assert_eq!(bytes.len() as u64, geometry.chunk_voxels() * data.dtype.size() as u64);
                    data.dtype.read(bytes, within)
                }
            }
        })
        .collect()
}

/// Reads single voxels of the first image, chunk by chunk.
pub struct Voxels<'a>(pub &'a Opened);

impl Voxels<'_> {
    /// The level's geometry.
    pub fn level(&self, level: usize) -> &Level {
        &self.0.dataset.images[0].levels[level]
    }

    /// Value type of the chunks.
    pub fn dtype(&self) -> Dtype {
        self.0.dataset.images[0].dtype
    }

    /// The value at a place.
    pub fn at(&self, level: usize, at: &[u64]) -> f64 {
        self.all(level, std::slice::from_ref(&at.to_vec()))[0]
    }

    /// The values at many places; chunks are read once each as long as the places stay in them.
    pub fn all(&self, level: usize, places: &[Vec<u64>]) -> Vec<f64> {
        values(self.0, 0, level, places)
    }
}

/// Checks every voxel of every level against [`pattern`].
pub fn assert_pattern(opened: &Opened) {
    let image = &opened.dataset.images[0];
    for (n, level) in image.levels.iter().enumerate() {
        let places: Vec<Vec<u64>> = places(&level.shape).collect();
        let got = Voxels(opened).all(n, &places);
        for (at, got) in places.iter().zip(got) {
            assert_eq!(got, pattern(image.stored, n, at), "level {n} at {at:?}");
        }
    }
}
