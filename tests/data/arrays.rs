//! Bare Zarr arrays: v2 and v3, with names of their own, with names that the user gives, with none.

use crate::image::*;
use lucida::data::{
    error::OpenError,
    open::{Options, open, open_with},
};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};

fn named(axes: &[&str]) -> Options {
    Options { axes: Some(axes.iter().map(|a| (*a).to_owned()).collect()) }
}

/// Labels of the axes, number of layers, number of warnings.
fn opened(meta: &Value, attributes: &Value, options: &Options) -> (Vec<String>, usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    put_array(dir.path(), 0, "a.zarr", meta, StoredType::U16);
    let root = dir.path().join("a.zarr");
    if !attributes.is_null() {
        put_json(&root, ".zattrs", attributes);
    }
    let opened = open_with(&root, options).unwrap();
    assert_pattern(&opened);
    let dataset = &opened.dataset;
    assert_eq!((dataset.name.as_str(), dataset.images[0].levels[0].path.as_str()), ("a", "."));
    assert!(dataset.images[0].levels[0].scale.iter().all(|s| *s == 1.0));
    let labels = dataset.axes.iter().map(|a| a.label.clone()).collect();
    (labels, dataset.layers.len(), dataset.warnings.len())
}

#[test]
fn dimension_names_are_the_axes() {
    let mut meta = v3(&[2, 3, 5, 7], &[1, 2, 4, 4], "uint16");
    meta["dimension_names"] = json!(["time", "c", "y", "x"]);
    let expect = (vec!["time".into(), "y".into(), "x".into()], 3, 0);
    assert_eq!(opened(&meta, &Value::Null, &Options::default()), expect);
    // One that is not named gets a name of its number.
    meta["dimension_names"] = json!([null, "c", "y", "x"]);
    let expect = (vec!["axis 0".into(), "y".into(), "x".into()], 3, 1);
    assert_eq!(opened(&meta, &Value::Null, &Options::default()), expect);
    // What xarray leaves in v2.
    let meta = v2(&[3, 5, 7], &[2, 4, 4], "<u2");
    let xarray = json!({"_ARRAY_DIMENSIONS": ["depth", "lat", "lon"]});
    let expect = (vec!["depth".into(), "lat".into(), "lon".into()], 1, 0);
    assert_eq!(opened(&meta, &xarray, &Options::default()), expect);
}

#[test]
fn without_names_they_are_guessed_with_a_warning() {
    for (shape, labels, layers) in [
        (&[5u64, 7][..], &["y", "x"][..], 1),
        (&[3, 5, 7], &["z", "y", "x"], 1),
        (&[2, 3, 5, 7], &["z", "y", "x"], 2),
        (&[17, 2, 3, 4], &["t", "z", "y", "x"], 1),
        (&[2, 3, 2, 5, 7], &["t", "z", "y", "x"], 3),
    ] {
        for v in [2, 3] {
            let meta = if v == 2 { v2(shape, shape, "<u2") } else { v3(shape, shape, "uint16") };
            let expect = (labels.iter().map(ToString::to_string).collect(), layers, 1);
            assert_eq!(opened(&meta, &Value::Null, &Options::default()), expect, "{shape:?}");
        }
    }
}

#[test]
fn the_user_names_them() {
    let mut meta = v3(&[5, 7, 3], &[5, 4, 1], "uint16");
    let expect = (vec!["y".into(), "x".into()], 3, 0);
    assert_eq!(opened(&meta, &Value::Null, &named(&["y", "x", "c"])), expect);
    // They win over the array's own.
    meta["dimension_names"] = json!(["a", "b", "c"]);
    assert_eq!(opened(&meta, &Value::Null, &named(&["y", "x", "c"])), expect);
    let six = v2(&[2, 1, 1, 1, 5, 7], &[1, 1, 1, 1, 5, 7], "<u2");
    let axes = ["angle", "t", "c", "z", "y", "x"];
    assert_eq!(opened(&six, &Value::Null, &named(&axes)).0.len(), 5);
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    put_array(dir.path(), 0, "a", &v3(&[5, 7, 3], &[5, 7, 3], "uint16"), StoredType::U16);
    let root = dir.path().join("a");
    let refused = |options: &Options| match open_with(&root, options).err().unwrap() {
        OpenError::Metadata { field, reason, .. } => (field, reason),
        error => panic!("{error}"),
    };
    for axes in [&["y", "x"][..], &["y", "x", "x"], &["y", "c", "channel", "x"]] {
        assert_eq!(refused(&named(axes)).0, "--axes", "{axes:?}");
    }
    let six = v2(&[2, 1, 1, 1, 5, 7], &[1, 1, 1, 1, 5, 7], "<u2");
    put_json(&root, ".zarray", &six);
    std::fs::remove_file(root.join("zarr.json")).unwrap();
    assert!(refused(&Options::default()).1.contains("--axes"));
    put_json(&root, ".zarray", &v2(&[7], &[7], "<u2"));
    assert!(refused(&Options::default()).1.contains("at least two"));
    put_json(&root, ".zarray", &v2(&[0, 7], &[1, 7], "<u2"));
    assert_eq!(refused(&Options::default()).0, "shape");
}

#[test]
fn an_image_that_names_its_axes_keeps_them() {
    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    put_array(dir.path(), 0, "0", &v3(&[5, 7], &[5, 7], "uint16"), StoredType::U16);
    let opened = open_with(dir.path(), &named(&["a", "b"])).unwrap();
    assert_eq!(opened.dataset.axes[0].label, "y");
    assert!(opened.dataset.warnings[0].contains("--axes is not used"));
    // One of its levels by itself is a bare array.
    assert_eq!(open(&dir.path().join("0")).unwrap().dataset.format, "zarr v3 array");
}
