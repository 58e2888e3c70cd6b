//! Labels: over an image and alone, with colours and names, on a grid of their own, and broken ones.

use crate::image::*;
use lucida::data::open::open;
use lucida_components::{
    controls::{Blending, Interpolation},
    dataset::ArrayAxis,
    dtype::{Dtype, StoredType},
    labels::drawn_id,
    layer::LayerKind,
};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use zarrs::{
    array::{Array, ArrayBytes},
    filesystem::FilesystemStore,
};

/// A two-channel image of 2 × 4 × 16 × 16.
fn image(root: &Path, version: &str) {
    put_image(root, version, multiscales("czyx", &[("0", vec![1.0, 2.0, 0.5, 0.5])]), Value::Null);
    let meta = if version == "0.4" {
        v2(&[2, 4, 16, 16], &[1, 2, 8, 8], "<u2")
    } else {
        v3(&[2, 4, 16, 16], &[1, 2, 8, 8], "uint16")
    };
    put_array(root, 0, "0", &meta, StoredType::U16);
}

/// Lists labels in an image.
fn list(root: &Path, version: &str, names: &Value) {
    let folder = root.join("labels");
    if version == "0.4" {
        put_json(&folder, ".zgroup", &json!({"zarr_format": 2}));
        put_json(&folder, ".zattrs", &json!({"labels": names}));
    } else {
        let ome = json!({"ome": {"version": "0.5", "labels": names}});
        put_json(&folder, "zarr.json", &json!({"zarr_format": 3, "node_type": "group", "attributes": ome}));
    }
}

/// Writes a labels image of two levels, 4 × 8 × 8 and 4 × 4 × 4: half the image's grid.
fn labels(root: &Path, version: &str, name: &str, dtype: (&str, &str), stored: StoredType, said: &Value) {
    let folder = root.join("labels").join(name);
    let levels = [("0", vec![2.0, 1.0, 1.0]), ("1", vec![2.0, 2.0, 2.0])];
    put_image(&folder, version, multiscales("zyx", &levels), Value::Null);
    for (n, shape) in [(0, [4, 8, 8]), (1, [4, 4, 4])] {
        let meta =
            if version == "0.4" { v2(&shape, &[2, 4, 4], dtype.0) } else { v3(&shape, &[2, 4, 4], dtype.1) };
        put_array(&folder, n, &n.to_string(), &meta, stored);
    }
    let file = folder.join(if version == "0.4" { ".zattrs" } else { "zarr.json" });
    let mut document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let attributes = if version == "0.4" { &mut document } else { &mut document["attributes"]["ome"] };
    attributes["image-label"] = said.clone();
    std::fs::write(&file, document.to_string()).unwrap();
}

#[test]
fn labels_lie_over_the_image_on_their_own_grid() {
    let said = json!({
        "colors": [{"label-value": 1, "rgba": [255, 0, 0, 128]}],
        "properties": [{"label-value": 1, "name": "nucleus"}],
    });
    for version in ["0.4", "0.5"] {
        let dir = tempfile::tempdir().unwrap();
        image(dir.path(), version);
        list(dir.path(), version, &json!(["cells", "deep/nuclei"]));
        labels(dir.path(), version, "cells", ("|u1", "uint8"), StoredType::U8, &said);
        labels(dir.path(), version, "deep/nuclei", ("<i4", "int32"), StoredType::I32, &Value::Null);
        let opened = open(dir.path()).unwrap();
        let dataset = &opened.dataset;
        assert_eq!(dataset.warnings, Vec::<String>::new(), "{version}");
        let names: Vec<&str> = dataset.layers.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names, ["channel 0", "channel 1", "cells", "nuclei"]);
        let cells = &dataset.layers[2];
        assert_eq!((cells.kind, cells.image, cells.channel), (LayerKind::Labels, 1, 0));
        let controls = &cells.controls;
        assert_eq!((controls.colormap.as_str(), controls.opacity, controls.visible), ("labels", 0.5, false));
        assert_eq!(
            (controls.interpolation, controls.blending),
            (Interpolation::Nearest, Blending::Translucent)
        );
        let table = cells.labels.as_deref().unwrap();
        assert_eq!(table.colours[&1], [255, 0, 0, 128]);
        assert_eq!(table.names[&1], "nucleus");
        assert!(dataset.layers[3].labels.is_none());
        let grid = &dataset.images[1];
        assert_eq!((grid.dtype, dataset.images[2].dtype), (Dtype::U8, Dtype::U32));
        assert_eq!(grid.dims, [0, 1, 2].map(ArrayAxis::Scene));
        assert_eq!(
            (grid.levels[0].path.as_str(), grid.levels[1].shape.as_slice()),
            ("labels/cells/0", &[4, 4, 4][..])
        );
        for image in [1, 2] {
            for (level, shape) in [[4, 8, 8], [4, 4, 4]].iter().enumerate() {
                for at in places(shape) {
                    assert_eq!(
                        value(&opened, image, level, &at),
                        pattern(StoredType::U8, level, &at),
                        "{version} {image} {level} {at:?}"
                    );
                }
            }
        }
        assert!(opened.sources.is_sorted_by_key(|(id, _)| *id), "the reference has the lowest number");
    }
}

#[test]
fn a_labels_image_by_itself_is_labels() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "0.5");
    list(dir.path(), "0.5", &json!(["cells"]));
    labels(dir.path(), "0.5", "cells", ("<u2", "uint16"), StoredType::U16, &json!({}));
    let opened = open(&dir.path().join("labels/cells")).unwrap();
    assert_eq!(opened.dataset.layers.len(), 1);
    let layer = &opened.dataset.layers[0];
    assert_eq!((layer.kind, layer.name.as_str(), layer.controls.opacity), (LayerKind::Labels, "cells", 1.0));
    assert_eq!(opened.dataset.images[0].levels[0].path, "0");
    assert_pattern(&opened);
    // Without `image-label` it is one because it is listed; in a folder that only has the name, it is not.
    let file = dir.path().join("labels/cells/zarr.json");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    document["attributes"]["ome"]["image-label"] = Value::Null;
    std::fs::write(&file, document.to_string()).unwrap();
    let kind = || open(&dir.path().join("labels/cells")).unwrap().dataset.layers[0].kind;
    assert_eq!(kind(), LayerKind::Labels);
    std::fs::remove_file(dir.path().join("labels/zarr.json")).unwrap();
    assert_eq!(kind(), LayerKind::Image);
}

#[test]
fn values_that_do_not_fit_are_hashed_the_same_in_chunks_and_colours() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "0.4");
    list(dir.path(), "0.4", &json!(["big"]));
    let large = 1i64 << 40;
    let said = json!({"colors": [{"label-value": large, "rgba": [1, 2, 3, 4]}]});
    labels(dir.path(), "0.4", "big", ("<i8", "int64"), StoredType::I64, &said);
    let store = Arc::new(FilesystemStore::new(dir.path()).unwrap());
    let array = Array::open(store, "/labels/big/0").unwrap();
    let region = zarrs::array::ArraySubset::new_with_ranges(&[0..1, 0..1, 0..3]);
    let values = [large, -5, 7].map(i64::to_ne_bytes).concat();
    array.store_array_subset(&region, ArrayBytes::new_flen(values)).unwrap();
    let opened = open(dir.path()).unwrap();
    let id = |x| value(&opened, 1, 0, &[0, 0, x]) as u32;
    assert_eq!([id(0), id(1), id(2)], [drawn_id(i128::from(large)), drawn_id(-5), 7]);
    let table = opened.dataset.layers[2].labels.as_deref().unwrap();
    assert_eq!(table.colours[&id(0)], [1, 2, 3, 4]);
}

#[test]
fn labels_without_a_scale_cover_the_image() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "0.4");
    list(dir.path(), "0.4", &json!(["cells"]));
    labels(dir.path(), "0.4", "cells", ("|u1", "uint8"), StoredType::U8, &json!({}));
    let file = dir.path().join("labels/cells/.zattrs");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for level in 0..2 {
        document["multiscales"][0]["datasets"][level]["coordinateTransformations"] = Value::Null;
    }
    std::fs::write(&file, document.to_string()).unwrap();
    let dataset = open(dir.path()).unwrap().dataset;
    let level = &dataset.images[1].levels[0];
    assert_eq!(
        (level.scale.as_slice(), level.translation.as_slice()),
        (&[2.0, 1.0, 1.0][..], &[0.0, 0.25, 0.25][..])
    );
    assert!(dataset.warnings.iter().all(|w| w.starts_with("labels \"cells\"")), "{:?}", dataset.warnings);
}

#[test]
fn bad_labels_are_left_out_with_a_warning() {
    type Spoil = fn(&Path);
    let cases: [(&str, Value, Spoil); 8] = [
        ("there is nothing", json!(["absent"]), |_| {}),
        ("leads out", json!(["../0"]), |_| {}),
        ("float32 values", json!(["cells"]), |root| {
            labels(root, "0.4", "cells", ("<f4", "float32"), StoredType::F32, &json!({}));
        }),
        ("malformed JSON", json!(["cells"]), |root| {
            std::fs::write(root.join("labels/cells/.zattrs"), "{").unwrap();
        }),
        ("no axis \"q\"", json!(["cells"]), |root| {
            let folder = root.join("labels/cells");
            put_image(&folder, "0.4", multiscales("qyx", &[("0", vec![1.0; 3])]), Value::Null);
        }),
        ("lzma", json!(["cells"]), |root| {
            let mut meta = v2(&[4, 8, 8], &[2, 4, 4], "|u1");
            meta["compressor"] = json!({"id": "lzma"});
            put_json(&root.join("labels/cells/0"), ".zarray", &meta);
        }),
        ("not a list", json!("cells"), |_| {}),
        ("no paths", json!([3]), |_| {}),
    ];
    for (says, names, spoil) in cases {
        let dir = tempfile::tempdir().unwrap();
        image(dir.path(), "0.4");
        list(dir.path(), "0.4", &names);
        labels(dir.path(), "0.4", "cells", ("|u1", "uint8"), StoredType::U8, &json!({}));
        spoil(dir.path());
        let opened = open(dir.path()).unwrap_or_else(|e| panic!("{says}: {e}"));
        assert_eq!(opened.dataset.layers.len(), 2, "{says}");
        let warnings = &opened.dataset.warnings;
        assert!(warnings.iter().any(|w| w.contains(says) && w.contains("labels")), "{says}: {warnings:?}");
    }
}

#[test]
fn an_axis_of_one_that_the_image_lacks_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "0.4");
    list(dir.path(), "0.4", &json!(["cells"]));
    let folder = dir.path().join("labels/cells");
    put_image(&folder, "0.4", multiscales("tczyx", &[("0", vec![1.0; 5])]), Value::Null);
    put_array(&folder, 0, "0", &v2(&[1, 1, 4, 8, 8], &[1, 1, 4, 8, 8], "<u2"), StoredType::U16);
    let opened = open(dir.path()).unwrap();
    let dims = [ArrayAxis::Channel, ArrayAxis::Channel];
    assert_eq!(opened.dataset.images[1].dims[..2], dims);
    assert_eq!(opened.dataset.images[1].dims[2..], [0, 1, 2].map(ArrayAxis::Scene));
    assert_eq!(opened.dataset.layers.len(), 3);
}

#[test]
fn labels_of_fractions_by_themselves_are_an_image() {
    let dir = tempfile::tempdir().unwrap();
    image(dir.path(), "0.4");
    list(dir.path(), "0.4", &json!(["map"]));
    labels(dir.path(), "0.4", "map", ("<f4", "float32"), StoredType::F32, &json!({}));
    let dataset = open(&dir.path().join("labels/map")).unwrap().dataset;
    assert_eq!(dataset.layers[0].kind, LayerKind::Image);
    assert!(dataset.warnings.iter().any(|w| w.contains("shown as an image")), "{:?}", dataset.warnings);
}
