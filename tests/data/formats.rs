//! What is read: both formats, shards, orders of axes, types, byte orders, missing and corrupt chunks.

use crate::image::*;
use lucida::data::open::open;
use lucida_components::{axes::AxisKind, chunk::ChunkValues, dataset::ArrayAxis, dtype::StoredType};
use serde_json::{Value, json};
use std::path::Path;

/// Writes and opens a two-level image whose arrays `meta` describes, and checks every voxel.
fn check(axes: &str, version: &str, shape: &[u64], stored: StoredType, meta: impl Fn(&[u64]) -> Value) {
    let dir = tempfile::tempdir().unwrap();
    let coarse: Vec<u64> =
        axes.chars().zip(shape).map(|(a, s)| if "yx".contains(a) { s.div_ceil(2) } else { *s }).collect();
    let scale: Vec<f64> = axes.chars().map(|a| if "yx".contains(a) { 2.0 } else { 1.0 }).collect();
    put_image(
        dir.path(),
        version,
        multiscales(axes, &[("0", vec![1.0; shape.len()]), ("1", scale)]),
        Value::Null,
    );
    put_array(dir.path(), 0, "0", &meta(shape), stored);
    put_array(dir.path(), 1, "1", &meta(&coarse), stored);
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.dataset.images[0].stored, stored);
    assert_eq!(opened.dataset.images[0].levels.len(), 2);
    assert_eq!(opened.dataset.warnings, Vec::<String>::new());
    assert_pattern(&opened);
}

#[test]
fn any_order_and_subset_of_axes() {
    for (axes, shape) in [
        ("yx", vec![13, 17]),
        ("cyx", vec![2, 13, 17]),
        ("tzyx", vec![2, 3, 5, 7]),
        ("xyzct", vec![7, 5, 4, 2, 3]),
        ("tczyx", vec![2, 2, 3, 5, 7]),
        ("atczyx", vec![2, 1, 2, 2, 5, 4]),
    ] {
        let chunks: Vec<u64> = shape.iter().map(|s| (s / 2).max(1)).collect();
        check(axes, "0.4", &shape, StoredType::U16, |shape| v2(shape, &chunks, "<u2"));
        check(axes, "0.5", &shape, StoredType::U16, |shape| v3(shape, &chunks, "uint16"));
    }
}

#[test]
fn the_channel_axis_becomes_layers_wherever_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    put_image(
        dir.path(),
        "0.5",
        multiscales("xyzct", &[("0", vec![0.5, 0.25, 2.0, 1.0, 10.0])]),
        Value::Null,
    );
    put_array(dir.path(), 0, "0", &v3(&[7, 5, 4, 2, 3], &[4, 4, 4, 1, 1], "uint8"), StoredType::U8);
    let dataset = open(dir.path()).unwrap().dataset;
    let labels: Vec<&str> = dataset.axes.iter().map(|a| a.label.as_str()).collect();
    assert_eq!(labels, ["x", "y", "z", "t"]);
    assert_eq!(dataset.axes[3].kind, AxisKind::Time);
    assert_eq!(dataset.axes[0].unit.as_deref(), Some("micrometer"));
    assert_eq!(dataset.images[0].dims[3], ArrayAxis::Channel);
    assert_eq!(dataset.placement(3), (10.0, 0.0));
    assert_eq!(dataset.layers.iter().map(|l| l.channel).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(dataset.layers[0].controls.colormap, "green");
}

#[test]
fn every_type_in_both_byte_orders() {
    for (v2_name, v3_name, stored) in [
        ("b1", "bool", StoredType::Bool),
        ("i1", "int8", StoredType::I8),
        ("u1", "uint8", StoredType::U8),
        ("i2", "int16", StoredType::I16),
        ("u2", "uint16", StoredType::U16),
        ("i4", "int32", StoredType::I32),
        ("u4", "uint32", StoredType::U32),
        ("i8", "int64", StoredType::I64),
        ("u8", "uint64", StoredType::U64),
        ("f2", "float16", StoredType::F16),
        ("f4", "float32", StoredType::F32),
        ("f8", "float64", StoredType::F64),
    ] {
        let fill = if stored == StoredType::Bool { json!(false) } else { json!(0) };
        for order in ["<", ">"] {
            let order = if stored.size() == 1 { "|" } else { order };
            check("yx", "0.4", &[9, 11], stored, |shape| {
                let mut meta = v2(shape, &[4, 8], &format!("{order}{v2_name}"));
                meta["fill_value"] = fill.clone();
                meta
            });
        }
        for endian in ["little", "big"] {
            check("yx", "0.5", &[9, 11], stored, |shape| {
                let mut meta = v3(shape, &[4, 8], v3_name);
                meta["fill_value"] = fill.clone();
                meta["codecs"][0]["configuration"]["endian"] = endian.into();
                meta
            });
        }
    }
}

#[test]
fn shards_of_odd_images_are_read_by_inner_chunk() {
    check("zyx", "0.5", &[19, 23, 17], StoredType::U16, |shape| {
        sharded(shape, &[16, 16, 16], &[4, 8, 8], "uint16")
    });
    check("cyx", "0.5", &[3, 30, 31], StoredType::F32, |shape| {
        sharded(shape, &[2, 32, 32], &[1, 8, 16], "float32")
    });
    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    put_array(dir.path(), 0, "0", &sharded(&[30, 30], &[16, 16], &[8, 4], "uint8"), StoredType::U8);
    assert_eq!(open(dir.path()).unwrap().dataset.images[0].levels[0].chunk, [8, 4]);
}

#[test]
fn shards_behind_another_codec_are_read_too() {
    check("zyx", "0.5", &[9, 10, 11], StoredType::U16, |shape| {
        let mut meta = sharded(shape, &[8, 8, 8], &[4, 4, 2], "uint16");
        meta["codecs"] =
            json!([{"name": "transpose", "configuration": {"order": [2, 1, 0]}}, meta["codecs"][0]]);
        meta
    });
    check("yx", "0.5", &[19, 21], StoredType::U8, |shape| {
        let mut meta = sharded(shape, &[16, 16], &[4, 8], "uint8");
        meta["codecs"] = json!([meta["codecs"][0], {"name": "crc32c"}]);
        meta
    });
}

#[test]
fn fortran_order_and_other_compressors() {
    check("zyx", "0.4", &[5, 7, 9], StoredType::I16, |shape| {
        let mut meta = v2(shape, &[2, 4, 4], "<i2");
        meta["order"] = "F".into();
        meta
    });
    for compressor in [
        Value::Null,
        json!({"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}),
        json!({"id": "gzip", "level": 1}),
        json!({"id": "zlib", "level": 1}),
        json!({"id": "bz2", "level": 1}),
    ] {
        check("yx", "0.4", &[20, 30], StoredType::U16, |shape| {
            let mut meta = v2(shape, &[8, 16], "<u2");
            meta["compressor"] = compressor.clone();
            meta["dimension_separator"] = ".".into();
            meta
        });
    }
}

/// A one-level image of 8 × 8 with 4 × 4 chunks.
fn small(root: &Path, meta: &Value) {
    let version = if meta["zarr_format"] == 2 { "0.4" } else { "0.5" };
    put_image(root, version, multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    put_array(root, 0, "0", meta, StoredType::I16);
}

#[test]
fn a_chunk_that_is_not_stored_is_uniform() {
    let dir = tempfile::tempdir().unwrap();
    let mut meta = v2(&[8, 8], &[4, 4], "<i2");
    meta["fill_value"] = json!(-7);
    small(dir.path(), &meta);
    std::fs::remove_file(dir.path().join("0/1/0")).unwrap();
    let opened = open(dir.path()).unwrap();
    let chunk = opened.sources[0].1.read(0, 2).unwrap();
    assert!(matches!(chunk.values, ChunkValues::Uniform(_)));
    assert_eq!(Voxels(&opened).at(0, &[5, 3]), -7.0);
    assert_eq!(Voxels(&opened).at(0, &[5, 4]), pattern(StoredType::I16, 0, &[5, 4]));

    // The same in a shard: an inner chunk of fill values is not stored, nor is a whole shard.
    let dir = tempfile::tempdir().unwrap();
    let mut meta = sharded(&[8, 8], &[8, 4], &[4, 4], "int16");
    meta["fill_value"] = json!(-7);
    small(dir.path(), &meta);
    std::fs::remove_file(dir.path().join("0/c/0/1")).unwrap();
    let store = std::sync::Arc::new(zarrs::filesystem::FilesystemStore::new(dir.path()).unwrap());
    let array = zarrs::array::Array::open(store, "/0").unwrap();
    let region = zarrs::array::ArraySubset::new_with_ranges(&[4..8, 0..4]);
    array.store_array_subset(&region, vec![-7i16; 16]).unwrap();
    let opened = open(dir.path()).unwrap();
    assert!(
        matches!(opened.sources[0].1.read(0, 2).unwrap().values, ChunkValues::Uniform(_)),
        "in a stored shard"
    );
    assert_eq!(Voxels(&opened).at(0, &[3, 3]), pattern(StoredType::I16, 0, &[3, 3]));
    assert!(matches!(opened.sources[0].1.read(0, 3).unwrap().values, ChunkValues::Uniform(_)));
    assert_eq!(Voxels(&opened).at(0, &[5, 4]), -7.0);
}

#[test]
fn a_corrupt_chunk_is_a_fault_and_its_neighbours_are_read() {
    let bomb = [&0xfd2f_b528u32.to_le_bytes()[..], &[0xe0], &(1u64 << 40).to_le_bytes(), &[1, 0, 0]].concat();
    for (name, meta, file) in
        [("v2", v2(&[8, 8], &[4, 4], "<i2"), "0/0/1"), ("v3", v3(&[8, 8], &[4, 4], "int16"), "0/c/0/1")]
    {
        let dir = tempfile::tempdir().unwrap();
        small(dir.path(), &meta);
        let file = dir.path().join(file);
        let whole = std::fs::read(&file).unwrap();
        let damaged: [(&str, Vec<u8>); 4] = [
            ("noise", b"this is no zstd frame".to_vec()),
            ("cut", whole[..whole.len() / 2].to_vec()),
            ("empty", Vec::new()),
            ("bomb", bomb.clone()),
        ];
        let opened = open(dir.path()).unwrap();
        for (what, bytes) in damaged {
            std::fs::write(&file, bytes).unwrap();
            let fault = opened.sources[0].1.read(0, 1).expect_err(&format!("{name}: {what}"));
            assert_eq!((fault.level, fault.number), (0, 1));
            assert!(!fault.reason.is_empty(), "{name}: {what}");
            opened.sources[0].1.read(0, 0).unwrap();
        }
    }
}

#[test]
fn a_corrupt_shard_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), &sharded(&[8, 8], &[8, 4], &[4, 4], "int16"));
    let file = dir.path().join("0/c/0/0");
    let mut bytes = std::fs::read(&file).unwrap();
    // The index stands at the end: two entries of offset and length, then a checksum.
    let end = bytes.len();
    bytes[end - 20] ^= 0xff;
    std::fs::write(&file, &bytes).unwrap();
    let opened = open(dir.path()).unwrap();
    assert!(opened.sources[0].1.read(0, 0).is_err(), "the checksum of the index");
    assert!(opened.sources[0].1.read(0, 1).is_ok(), "another shard");
    std::fs::write(&file, b"short").unwrap();
    assert!(opened.sources[0].1.read(0, 0).is_err(), "no room for an index");
}

#[test]
fn a_shard_index_that_points_anywhere_is_a_fault() {
    let dir = tempfile::tempdir().unwrap();
    let mut meta = sharded(&[8, 8], &[8, 4], &[4, 4], "int16");
    meta["codecs"][0]["configuration"]["index_codecs"] =
        json!([{"name": "bytes", "configuration": {"endian": "little"}}]);
    meta["codecs"][0]["configuration"]["index_location"] = "start".into();
    small(dir.path(), &meta);
    assert_pattern(&open(dir.path()).unwrap());
    let file = dir.path().join("0/c/0/0");
    let whole = std::fs::read(&file).unwrap();
    for (offset, length) in
        [(u64::MAX, 5), (5, u64::MAX), (1 << 40, 8), (0, 1 << 40), (u64::MAX - 2, 8), (0, 0)]
    {
        let mut bytes = whole.clone();
        bytes[..8].copy_from_slice(&offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&length.to_le_bytes());
        std::fs::write(&file, bytes).unwrap();
        let opened = open(dir.path()).unwrap();
        assert!(opened.sources[0].1.read(0, 0).is_err(), "{offset} {length}");
        assert!(opened.sources[0].1.read(0, 2).is_ok(), "the other inner chunk");
    }
}

#[test]
fn chunks_and_levels_that_do_not_exist_are_faults() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), &v3(&[8, 8], &[4, 4], "int16"));
    let opened = open(dir.path()).unwrap();
    assert!(opened.sources[0].1.read(0, 3).is_ok());
    assert!(opened.sources[0].1.read(0, 4).is_err());
    assert!(opened.sources[0].1.read(1, 0).is_err());
    assert!(opened.sources[0].1.read(0, u64::MAX).is_err());
}

#[test]
fn contrast_is_measured_on_the_middle_plane_of_the_coarsest_level() {
    let dir = tempfile::tempdir().unwrap();
    put_image(
        dir.path(),
        "0.5",
        multiscales("zyx", &[("0", vec![1.0; 3]), ("1", vec![1.0, 2.0, 2.0])]),
        Value::Null,
    );
    put_array(dir.path(), 0, "0", &v3(&[5, 40, 60], &[2, 16, 16], "float32"), StoredType::F32);
    put_array(dir.path(), 1, "1", &v3(&[5, 20, 30], &[2, 16, 16], "float32"), StoredType::F32);
    // The middle plane unlike all others, every value in it once.
    let mut plane: Vec<f64> = (0..600).map(|n| f64::from(n * n) - 500.0).collect();
    let store = std::sync::Arc::new(zarrs::filesystem::FilesystemStore::new(dir.path()).unwrap());
    let array = zarrs::array::Array::open(store, "/1").unwrap();
    let region = zarrs::array::ArraySubset::new_with_ranges(&[2..3, 0..20, 0..30]);
    array.store_array_subset(&region, plane.iter().map(|v| *v as f32).collect::<Vec<_>>()).unwrap();
    let opened = open(dir.path()).unwrap();
    plane.sort_by(f64::total_cmp);
    let layer = &opened.dataset.layers[0];
    assert_eq!(layer.range, [plane[0], plane[599]]);
    let percentile = |p: f64| {
        let rank = p / 100.0 * 599.0;
        plane[rank as usize] + (plane[rank as usize + 1] - plane[rank as usize]) * rank.fract()
    };
    let [lo, hi] = layer.controls.contrast_limits;
    assert!((lo - percentile(0.5)).abs() < 1e-6 && (hi - percentile(99.5)).abs() < 1e-6, "{lo} {hi}");
    assert_eq!(layer.name, opened.dataset.name);
}

#[test]
fn an_image_without_a_pyramid_is_sampled_not_read_whole() {
    // 10 000 chunks of which almost none is stored: reading them all would still be 10 000 file look-ups.
    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    put_json(&dir.path().join("0"), "zarr.json", &v3(&[1 << 20, 1 << 20], &[1 << 10, 1 << 10], "uint16"));
    let started = std::time::Instant::now();
    let opened = open(dir.path()).unwrap();
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    assert_eq!(opened.dataset.layers[0].controls.contrast_limits, [0.0, 1.0]);
    assert_eq!(opened.dataset.layers[0].range, [0.0, 65_535.0]);
}
