//! What is not read: each bad input with its own error, which names the file, the field and the way out.

use crate::image::*;
use lucida::data::{error::OpenError, open::open};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};
use std::path::Path;

/// A sound one-level image that a test then spoils.
fn sound(root: &Path, version: &str) {
    put_image(root, version, multiscales("zyx", &[("0", vec![1.0; 3])]), Value::Null);
    let meta = if version == "0.4" {
        v2(&[4, 8, 8], &[2, 4, 4], "<u2")
    } else {
        v3(&[4, 8, 8], &[2, 4, 4], "uint16")
    };
    put_array(root, 0, "0", &meta, StoredType::U16);
}

/// Opens a sound image spoiled by `spoil`, and returns the error with its text.
fn refused(version: &str, spoil: impl Fn(&Path)) -> (OpenError, String) {
    let dir = tempfile::tempdir().unwrap();
    sound(dir.path(), version);
    open(dir.path()).expect("sound before it is spoiled");
    spoil(dir.path());
    let error = open(dir.path()).err().expect("refused");
    let text = error.to_string();
    (error, text)
}

/// Changes a JSON document in place.
fn edit(file: &Path, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(file, value.to_string()).unwrap();
}

fn edit_array(version: &'static str, change: impl Fn(&mut Value)) -> impl Fn(&Path) {
    let file = if version == "0.4" { "0/.zarray" } else { "0/zarr.json" };
    move |root| edit(&root.join(file), &change)
}

fn edit_image(change: impl Fn(&mut Value)) -> impl Fn(&Path) {
    move |root| edit(&root.join(".zattrs"), &change)
}

#[test]
fn a_path_that_is_no_image_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| open(&dir.path().join(name)).err().unwrap();
    assert!(matches!(at("absent"), OpenError::Missing { .. }));
    std::fs::write(dir.path().join("file"), b"x").unwrap();
    assert!(matches!(at("file"), OpenError::NotZarr { .. }));
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(matches!(at("empty"), OpenError::NotZarr { .. }));

    put_json(&dir.path().join("group"), ".zgroup", &json!({"zarr_format": 2}));
    assert!(matches!(at("group"), OpenError::NoMultiscales { .. }));
    std::fs::create_dir(dir.path().join("group/0")).unwrap();
    assert!(at("group").to_string().contains("group/0"), "{}", at("group"));

    put_json(&dir.path().join("plate"), ".zattrs", &json!({"plate": {}}));
    assert!(at("plate").to_string().contains("plate.wells"), "{}", at("plate"));
    put_json(&dir.path().join("labels"), ".zattrs", &json!({"labels": ["cells"]}));
    assert!(at("labels").to_string().contains("labels/cells"), "{}", at("labels"));
}

#[test]
fn malformed_json_is_refused_and_nan_is_not() {
    let (error, text) =
        refused("0.4", |root| std::fs::write(root.join(".zattrs"), "{\"multiscales\": [").unwrap());
    assert!(matches!(error, OpenError::Json { .. }), "{text}");
    let (error, text) = refused("0.5", |root| std::fs::write(root.join("0/zarr.json"), "{").unwrap());
    assert!(matches!(error, OpenError::Json { .. }), "{text}");
    assert!(text.contains("0/zarr.json"), "{text}");

    let dir = tempfile::tempdir().unwrap();
    sound(dir.path(), "0.4");
    let text = std::fs::read_to_string(dir.path().join(".zattrs")).unwrap();
    std::fs::write(dir.path().join(".zattrs"), text.replacen("[1.0,", "[NaN,", 1)).unwrap();
    std::fs::write(dir.path().join("0/.zattrs"), "{\"measured\": NaN}").unwrap();
    let dataset = open(dir.path()).unwrap().dataset;
    assert_eq!(dataset.placement(0), (1.0, 0.0));
    assert!(dataset.warnings[0].contains("axis z"), "{:?}", dataset.warnings);
}

#[test]
fn types_codecs_and_grids_that_are_not_read() {
    for (dtype, says) in [("<c16", "<c16"), ("<U8", "<U8"), ("<M8[ns]", "M8")] {
        let (error, text) = refused("0.4", edit_array("0.4", |a| a["dtype"] = dtype.into()));
        assert!(matches!(&error, OpenError::Unsupported { field, .. } if field == "dtype"), "{text}");
        assert!(text.contains(says) && text.contains(".zarray"), "{text}");
    }
    let (error, text) =
        refused("0.4", edit_array("0.4", |a| a["dtype"] = json!([["r", "|u1"], ["g", "|u1"]])));
    assert!(matches!(error, OpenError::Unsupported { .. }), "{text}");
    let (error, text) = refused("0.5", edit_array("0.5", |a| a["data_type"] = "complex64".into()));
    assert!(matches!(&error, OpenError::Unsupported { field, .. } if field == "data_type"), "{text}");

    let (error, text) = refused("0.4", edit_array("0.4", |a| a["compressor"] = json!({"id": "lzma"})));
    assert!(matches!(&error, OpenError::Unsupported { field, .. } if field.contains("compressor")), "{text}");
    assert!(text.contains("lzma"), "{text}");
    let (error, text) = refused("0.5", edit_array("0.5", |a| a["codecs"][1] = json!({"name": "wavelet9"})));
    assert!(matches!(&error, OpenError::Unsupported { field, .. } if field == "codecs"), "{text}");
    assert!(text.contains("wavelet9"), "{text}");
    let grid = json!({"name": "rectangular", "configuration": {"chunk_shape": [[2, 2], 4, 4]}});
    let (error, text) = refused("0.5", edit_array("0.5", |a| a["chunk_grid"] = grid.clone()));
    assert!(matches!(&error, OpenError::Unsupported { field, .. } if field == "chunk_grid"), "{text}");
    let (error, text) =
        refused("0.5", edit_array("0.5", |a| a["surprise"] = json!({"must_understand": true})));
    assert!(matches!(error, OpenError::Unsupported { .. }), "{text}");
}

#[test]
fn sizes_beyond_the_limits() {
    let field_of = |version: &'static str, change: fn(&mut Value)| {
        let (error, text) = refused(version, edit_array(version, change));
        match error {
            OpenError::Metadata { field, .. } => field,
            _ => panic!("{text}"),
        }
    };
    assert_eq!(field_of("0.4", |a| a["chunks"] = json!([1 << 10, 1 << 10, 1 << 10])), "chunks");
    assert_eq!(field_of("0.4", |a| a["chunks"] = json!([1u64 << 60, 16, 16])), "chunks");
    assert_eq!(field_of("0.4", |a| a["chunks"] = json!([0, 4, 4])), "chunks");
    assert_eq!(field_of("0.4", |a| a["chunks"] = json!([4, 4])), "chunks");
    assert_eq!(field_of("0.4", |a| a["shape"] = json!([1u64 << 32, 1u64 << 32, 8])), "shape");
    assert_eq!(field_of("0.4", |a| a["shape"] = json!([4, 0, 8])), "shape");
    assert_eq!(field_of("0.4", |a| a["shape"] = json!([4, -1, 8])), "shape");
    assert_eq!(field_of("0.4", |a| a["shape"] = json!([1, 1, 1, 1, 1, 1, 1, 1, 1])), "shape");
    assert_eq!(field_of("0.4", |a| a["shape"] = json!([])), "shape");
    assert_eq!(field_of("0.5", |a| a["node_type"] = "group".into()), "node_type");
    let grid = "chunk_grid.configuration.chunk_shape";
    assert_eq!(
        field_of("0.5", |a| a["chunk_grid"]["configuration"]["chunk_shape"] = json!([1 << 20, 1 << 20, 1])),
        grid
    );
    assert_eq!(
        field_of("0.5", |a| {
            *a = sharded(&[1 << 20, 1 << 10, 1 << 10], &[1 << 20, 1 << 10, 1 << 10], &[1, 1, 1], "uint8");
        }),
        "codecs.sharding_indexed.chunk_shape"
    );
}

#[test]
fn multiscales_that_contradict_the_arrays() {
    let (error, text) =
        refused("0.4", edit_image(|a| a["multiscales"][0]["axes"] = json!([{"name": "y"}, {"name": "x"}])));
    assert!(matches!(&error, OpenError::Metadata { field, .. } if field.ends_with("axes")), "{text}");
    let (_, text) = refused("0.4", edit_image(|a| a["multiscales"][0]["axes"][0]["name"] = "x".into()));
    assert!(text.contains("stands twice"), "{text}");
    let two_channels =
        json!([{"name": "c", "type": "channel"}, {"name": "b", "type": "channel"}, {"name": "x"}]);
    let dir = tempfile::tempdir().unwrap();
    sound(dir.path(), "0.4");
    edit(&dir.path().join(".zattrs"), |a| a["multiscales"][0]["axes"] = two_channels.clone());
    assert_eq!(open(dir.path()).unwrap().dataset.axes.len(), 2, "a second channel axis gets a slider");

    let (error, text) = refused("0.4", edit_image(|a| a["multiscales"][0]["datasets"] = json!([])));
    assert!(matches!(error, OpenError::Metadata { .. }), "{text}");
    let many: Vec<Value> = (0..33).map(|_| json!({"path": "0"})).collect();
    let (_, text) = refused("0.4", edit_image(move |a| a["multiscales"][0]["datasets"] = json!(many)));
    assert!(text.contains("33 levels"), "{text}");
    let (error, text) =
        refused("0.4", edit_image(|a| a["multiscales"][0]["datasets"][0]["path"] = "9".into()));
    assert!(matches!(error, OpenError::Metadata { .. }), "{text}");
    assert!(text.contains("not there"), "{text}");

    // One axis beside the channels.
    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.4", multiscales("cx", &[("0", vec![1.0; 2])]), Value::Null);
    put_array(dir.path(), 0, "0", &v2(&[2, 8], &[1, 8], "|u1"), StoredType::U8);
    let text = open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("at least two"), "{text}");

    // Too many channels.
    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.4", multiscales("cyx", &[("0", vec![1.0; 3])]), Value::Null);
    put_json(&dir.path().join("0"), ".zarray", &v2(&[1025, 8, 8], &[1, 8, 8], "|u1"));
    let text = open(dir.path()).err().unwrap().to_string();
    assert!(text.contains("1025 channels"), "{text}");
}

#[test]
fn levels_that_do_not_belong_together() {
    let spoiled = |meta: Value, stored| {
        let dir = tempfile::tempdir().unwrap();
        sound(dir.path(), "0.4");
        let levels = [("0", vec![1.0; 3]), ("1", vec![1.0, 2.0, 2.0])];
        put_image(dir.path(), "0.4", multiscales("zyx", &levels), Value::Null);
        put_array(dir.path(), 1, "1", &meta, stored);
        open(dir.path()).err().unwrap().to_string()
    };
    let text = spoiled(v2(&[4, 4, 4], &[2, 4, 4], "|u1"), StoredType::U8);
    assert!(text.contains("uint8 where the first level has uint16"), "{text}");
    let text = spoiled(v2(&[4, 4], &[4, 4], "<u2"), StoredType::U16);
    assert!(text.contains("2 dimensions where the first level has 3"), "{text}");
}

#[test]
fn levels_listed_from_coarse_to_fine_are_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let levels = [("small", vec![2.0, 2.0]), ("big", vec![1.0, 1.0])];
    put_image(dir.path(), "0.4", multiscales("yx", &levels), Value::Null);
    put_array(dir.path(), 1, "small", &v2(&[4, 4], &[4, 4], "|u1"), StoredType::U8);
    put_array(dir.path(), 0, "big", &v2(&[8, 8], &[4, 4], "|u1"), StoredType::U8);
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.dataset.images[0].levels[0].path, "big");
    assert_eq!(opened.dataset.warnings.len(), 1);
    assert_pattern(&opened);
}

#[test]
fn paths_that_lead_out_of_the_image() {
    let outside = tempfile::tempdir().unwrap();
    sound(outside.path(), "0.4");
    let outside = outside.path().canonicalize().unwrap();
    for path in ["../secret", "0/../../secret", outside.to_str().unwrap(), "", ".", "/"] {
        let (error, text) =
            refused("0.4", edit_image(|a| a["multiscales"][0]["datasets"][0]["path"] = path.into()));
        assert!(matches!(error, OpenError::Escapes { .. }), "{path}: {text}");
    }
    let (error, text) = refused("0.4", |root| {
        std::os::unix::fs::symlink(outside.join("0"), root.join("link")).unwrap();
        edit_image(|a| a["multiscales"][0]["datasets"][0]["path"] = "link".into())(root);
    });
    assert!(matches!(error, OpenError::Escapes { .. }), "{text}");
    // A link that stays inside, and a path with a superfluous part, are fine.
    let dir = tempfile::tempdir().unwrap();
    sound(dir.path(), "0.4");
    std::os::unix::fs::symlink("0", dir.path().join("link")).unwrap();
    edit_image(|a| a["multiscales"][0]["datasets"][0]["path"] = "./link/".into())(dir.path());
    assert_pattern(&open(dir.path()).unwrap());
}
