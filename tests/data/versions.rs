//! Versions of OME-Zarr: old ones, odd ones, metadata in the place of another.

use crate::image::*;
use lucida::data::open::open;
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};

/// Opens a 5D image whose multiscales are these; its format, labels of axes, and warnings.
fn opened(multiscale: Value) -> (String, Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    put_json(dir.path(), ".zgroup", &json!({"zarr_format": 2}));
    put_json(dir.path(), ".zattrs", &json!({"multiscales": [multiscale]}));
    for (n, size) in [(0, 8), (1, 4)] {
        let mut meta = v2(&[2, 1, 3, size, size], &[1, 1, 1, 4, 4], "<u2");
        meta["dimension_separator"] = ".".into();
        put_array(dir.path(), n, &n.to_string(), &meta, StoredType::U16);
    }
    let opened = open(dir.path()).unwrap();
    assert_pattern(&opened);
    let level = &opened.dataset.images[0].levels[1];
    assert_eq!((level.scale[3], level.translation[3]), (2.0, 0.5), "by voxel counts");
    let dataset = &opened.dataset;
    let labels = dataset.axes.iter().map(|a| a.label.clone()).collect();
    (dataset.format.clone(), labels, dataset.warnings.clone())
}

#[test]
fn versions_before_scales_and_axes() {
    let datasets = json!([{"path": "0"}, {"path": "1"}]);
    for version in ["0.1", "0.2"] {
        let (format, labels, warnings) = opened(json!({"version": version, "datasets": datasets}));
        assert_eq!(
            (format, labels.as_slice()),
            (format!("ome-zarr {version}"), &["t", "z", "y", "x"].map(String::from)[..])
        );
        assert_eq!(warnings.len(), 1, "the scale: {warnings:?}");
    }
    let axes = json!(["t", "c", "z", "y", "x"]);
    let (format, _, warnings) = opened(json!({"version": "0.3", "axes": axes, "datasets": datasets}));
    assert_eq!(format, "ome-zarr 0.3");
    assert_eq!(warnings.len(), 1, "the scale: {warnings:?}");
}

#[test]
fn versions_that_are_not_known_are_read_as_the_nearest() {
    let datasets = json!([{"path": "0"}, {"path": "1"}]);
    let axes = json!(["t", "c", "z", "y", "x"]);
    for version in [json!("0.6-dev"), json!(7), json!("latest")] {
        let (_, _, warnings) = opened(json!({"version": version, "axes": axes, "datasets": datasets}));
        assert!(warnings.iter().any(|w| w.contains("as if it were 0.4")), "{version}: {warnings:?}");
    }
    for version in [json!(0.4), Value::Null, json!({"a": 1})] {
        let (format, _, warnings) = opened(json!({"version": version, "axes": axes, "datasets": datasets}));
        assert_eq!((format.as_str(), warnings.len()), ("ome-zarr 0.4", 1), "{warnings:?}");
    }
}

#[test]
fn metadata_in_the_place_of_another_version() {
    let dir = tempfile::tempdir().unwrap();
    let multiscales = multiscales("yx", &[("0", vec![1.0; 2])]);
    put_array(dir.path(), 0, "0", &v3(&[6, 8], &[4, 4], "uint8"), StoredType::U8);
    let group = json!({"zarr_format": 3, "node_type": "group", "attributes": {"multiscales": multiscales}});
    put_json(dir.path(), "zarr.json", &group);
    let warnings = open(dir.path()).unwrap().dataset.warnings.clone();
    assert!(warnings[0].contains("beside, not inside"), "{warnings:?}");
    // Both formats side by side: the one with the metadata is meant.
    put_json(dir.path(), "zarr.json", &json!({"zarr_format": 3, "node_type": "group"}));
    put_json(dir.path(), ".zattrs", &json!({"ome": {"version": "0.5", "multiscales": multiscales}}));
    let warnings = open(dir.path()).unwrap().dataset.warnings.clone();
    assert!(warnings[0].contains("inside the attribute"), "{warnings:?}");
}

#[test]
fn a_level_that_is_listed_but_not_there_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let levels = [("0", vec![1.0; 2]), ("1", vec![2.0; 2]), ("2", vec![4.0; 2])];
    put_image(dir.path(), "0.5", multiscales("yx", &levels), Value::Null);
    put_array(dir.path(), 0, "0", &v3(&[16, 16], &[4, 4], "uint8"), StoredType::U8);
    put_array(dir.path(), 1, "2", &v3(&[4, 4], &[4, 4], "uint8"), StoredType::U8);
    let opened = open(dir.path()).unwrap();
    assert_pattern(&opened);
    let image = &opened.dataset.images[0];
    assert_eq!((image.levels.len(), image.levels[1].scale[0]), (2, 4.0));
    assert_eq!(opened.dataset.warnings, ["level 1 is listed but not there; left out"]);
}

#[test]
fn metadata_that_is_no_object_is_refused() {
    for document in [json!([]), json!([1]), json!("x"), json!(3), Value::Null] {
        for name in ["zarr.json", ".zattrs", ".zarray"] {
            let dir = tempfile::tempdir().unwrap();
            put_json(dir.path(), name, &document);
            assert!(open(dir.path()).is_err(), "{name}: {document}");
            for key in ["multiscales", "plate", "well", "labels", "bioformats2raw.layout", "image-label"] {
                put_json(dir.path(), name, &json!({ key: document }));
                assert!(open(dir.path()).is_err(), "{name}: {key}: {document}");
                put_json(
                    dir.path(),
                    name,
                    &json!({"attributes": {"ome": {key: document}}, "ome": {key: document}}),
                );
                assert!(open(dir.path()).is_err(), "{name}: ome.{key}: {document}");
            }
        }
    }
}

#[test]
fn very_many_warnings_are_told_as_a_few() {
    let dir = tempfile::tempdir().unwrap();
    let channel = json!({"color": "x".repeat(1000)});
    put_image(
        dir.path(),
        "0.5",
        multiscales("cyx", &[("0", vec![1.0; 3])]),
        json!({"channels": vec![channel; 100]}),
    );
    put_array(dir.path(), 0, "0", &v3(&[100, 4, 4], &[1, 4, 4], "uint8"), StoredType::U8);
    let warnings = open(dir.path()).unwrap().dataset.warnings.clone();
    assert_eq!(warnings.len(), 65);
    assert!(warnings.iter().all(|w| w.chars().count() <= 501));
    assert!(warnings[64].contains("and 37 more"), "{}", warnings[64]);
}

#[test]
fn the_index_begins_where_omero_says() {
    let dir = tempfile::tempdir().unwrap();
    let omero = json!({"channels": [], "rdefs": {"defaultZ": 3}});
    put_image(dir.path(), "0.5", multiscales("tzyx", &[("0", vec![1.0; 4])]), omero);
    put_array(dir.path(), 0, "0", &v3(&[2, 9, 4, 4], &[1, 1, 4, 4], "uint8"), StoredType::U8);
    assert_eq!(open(dir.path()).unwrap().dataset.start, [None, Some(3), None, None]);
}
