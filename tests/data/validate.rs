//! Verdicts on whole images, plates and collections: their arrays, labels, wells and fields.

use crate::image::*;
use lucida::data::{
    error::OpenError,
    validate::{Report, Severity, Version, file, folder},
};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};
use std::path::Path;

/// A complete image of version 0.4 or 0.5 with two levels and one labels image, nothing wrong about it.
fn sound(root: &Path, version: &str) {
    let levels = [("0", vec![1.0; 2]), ("1", vec![2.0; 2])];
    let complete = |said: Value| {
        let mut list = multiscales("yx", &levels);
        for (key, value) in [("name", json!("n")), ("type", json!("mean")), ("metadata", json!({}))] {
            list[0][key] = value;
        }
        if version == "0.4" {
            list[0]["version"] = "0.4".into();
        }
        let mut ome = json!({"multiscales": list});
        if !said.is_null() {
            ome["image-label"] = said;
        }
        ome
    };
    let colours = json!({"version": version, "colors": [{"label-value": 1, "rgba": [1, 2, 3, 4]}]});
    group(root, version, complete(Value::Null));
    group(&root.join("labels"), version, json!({"labels": ["cells"]}));
    group(&root.join("labels/cells"), version, complete(colours));
    for base in ["", "labels/cells/"] {
        for (n, size) in [(0, 8), (1, 4)] {
            let path = format!("{base}{n}");
            let meta = if version == "0.4" {
                v2(&[size, size], &[4, 4], "|u1")
            } else {
                let mut meta = v3(&[size, size], &[4, 4], "uint8");
                meta["dimension_names"] = json!(["y", "x"]);
                meta
            };
            put_array(root, n, &path, &meta, StoredType::U8);
        }
    }
}

fn group(folder: &Path, version: &str, ome: Value) {
    if version == "0.4" {
        put_json(folder, ".zgroup", &json!({"zarr_format": 2}));
        put_json(folder, ".zattrs", &ome);
    } else {
        let mut ome = ome;
        ome["version"] = "0.5".into();
        put_json(
            folder,
            "zarr.json",
            &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}),
        );
    }
}

fn edit(file: &Path, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(file, value.to_string()).unwrap();
}

/// The report on a sound image that was spoiled.
fn spoiled(version: &str, spoil: impl Fn(&Path)) -> Report {
    let dir = tempfile::tempdir().unwrap();
    sound(dir.path(), version);
    let before = folder(dir.path(), None).unwrap();
    assert!(before.is_valid() && before.findings.is_empty(), "{before}");
    spoil(dir.path());
    folder(dir.path(), None).unwrap()
}

/// It is invalid for one reason, which is said of this file and field.
#[track_caller]
fn check(version: &str, in_file: &str, field: &str, spoil: impl Fn(&Path)) {
    let report = spoiled(version, spoil);
    let errors: Vec<_> = report.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1, "{report}");
    assert!(errors[0].file.contains(in_file) && errors[0].field.contains(field), "{report}");
}

#[test]
fn an_image_is_judged_with_its_arrays() {
    check("0.5", "1/zarr.json", "array", |r| std::fs::remove_file(r.join("1/zarr.json")).unwrap());
    check("0.4", "1/.zarray", "array", |r| std::fs::remove_file(r.join("1/.zarray")).unwrap());
    check("0.5", "0/zarr.json", "dimension_names", |r| {
        edit(&r.join("0/zarr.json"), |a| a["dimension_names"] = json!(["a", "b"]));
    });
    check("0.5", "1/zarr.json", "node_type", |r| {
        edit(&r.join("1/zarr.json"), |a| a["node_type"] = "group".into());
    });
    check("0.4", "1/.zarray", "shape", |r| edit(&r.join("1/.zarray"), |a| a["shape"] = json!("x")));
    check("0.4", ".zattrs", "datasets[1]", |r| {
        edit(&r.join("1/.zarray"), |a| a["shape"] = json!([9, 9]));
    });
    check("0.4", ".zattrs", "datasets[1]", |r| {
        edit(&r.join(".zattrs"), |a| a["multiscales"][0]["datasets"][1]["path"] = "../1".into());
    });
    let report = spoiled("0.4", |r| edit(&r.join("0/.zarray"), |a| a["shape"] = json!([8, 8, 8])));
    assert!(report.findings.iter().any(|f| f.reason.contains("3 dimensions for 2 axes")), "{report}");
    assert!(report.findings.iter().any(|f| f.reason.contains("2 entries for 3 dimensions")), "{report}");
    let report = spoiled("0.4", |r| edit(&r.join("0/.zarray"), |a| a["dimension_separator"] = ".".into()));
    assert!(report.is_valid() && report.count(Severity::Warning) == 1, "{report}");
}

#[test]
fn labels_are_judged_with_their_image() {
    check("0.4", "labels/.zattrs", "labels", |r| put_json(&r.join("labels"), ".zattrs", &json!({"x": 1})));
    check("0.5", "labels/cells", "group", |r| {
        std::fs::remove_file(r.join("labels/cells/zarr.json")).unwrap();
    });
    check("0.5", "labels/cells", "datasets", |r| {
        let file = r.join("labels/cells/zarr.json");
        edit(&file, |a| {
            let list = a["attributes"]["ome"]["multiscales"][0]["datasets"].as_array_mut().unwrap();
            list.truncate(1);
        });
    });
    check("0.4", "labels/cells/0/.zarray", "dtype", |r| {
        edit(&r.join("labels/cells/0/.zarray"), |a| a["dtype"] = "<f4".into());
    });
    check("0.4", "labels/cells/.zattrs", "rgba", |r| {
        edit(&r.join("labels/cells/.zattrs"), |a| a["image-label"]["colors"][0]["rgba"] = json!([1]));
    });
}

#[test]
fn plates_and_collections_are_judged_to_their_images() {
    for version in ["0.4", "0.5"] {
        let name = if version == "0.4" { ".zattrs" } else { "zarr.json" };
        let dir = tempfile::tempdir().unwrap();
        let plate = json!({
            "version": version, "name": "p", "rows": [{"name": "A"}], "columns": [{"name": "1"}],
            "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}],
        });
        group(dir.path(), version, json!({"plate": plate}));
        let images = json!([{"path": "0"}]);
        group(&dir.path().join("A/1"), version, json!({"well": {"version": version, "images": images}}));
        sound(&dir.path().join("A/1/0"), version);
        let report = folder(dir.path(), None).unwrap();
        assert!(report.findings.is_empty(), "{report}");
        std::fs::remove_file(dir.path().join("A/1/0/labels/cells").join(name)).unwrap();
        assert!(!folder(dir.path(), None).unwrap().is_valid());

        let dir = tempfile::tempdir().unwrap();
        group(dir.path(), version, json!({"bioformats2raw.layout": 3}));
        sound(&dir.path().join("0"), version);
        sound(&dir.path().join("1"), version);
        assert!(folder(dir.path(), None).unwrap().findings.is_empty());
        std::fs::remove_file(dir.path().join("1").join(name)).unwrap();
        let report = folder(dir.path(), None).unwrap();
        assert_eq!(report.count(Severity::Error), 1, "{report}");
        group(&dir.path().join("OME"), version, json!({"series": ["0"]}));
        assert!(folder(dir.path(), None).unwrap().is_valid(), "only what is listed belongs to it");
    }
}

#[test]
fn one_file_is_judged_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    sound(dir.path(), "0.5");
    let report = file(&dir.path().join("zarr.json"), None).unwrap();
    assert_eq!((report.version, report.is_valid()), (Version::V05, true));
    let report = file(&dir.path().join("zarr.json"), Some(Version::V04)).unwrap();
    assert!(!report.is_valid(), "it has no metadata of 0.4");
    assert!(matches!(file(&dir.path().join("none"), None), Err(OpenError::Missing { .. })));
    assert!(matches!(folder(&dir.path().join("none"), None), Err(OpenError::Missing { .. })));
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(matches!(folder(&dir.path().join("empty"), None), Err(OpenError::NotZarr { .. })));
    std::fs::write(dir.path().join("torn"), "[1,").unwrap();
    assert!(matches!(file(&dir.path().join("torn"), None), Err(OpenError::Json { .. })));
    for nonsense in [json!([]), json!(null), json!("text"), json!({}), json!({"ome": {}})] {
        put_json(dir.path(), "nonsense", &nonsense);
        assert!(!file(&dir.path().join("nonsense"), None).unwrap().is_valid(), "{nonsense}");
    }
}

#[test]
fn a_file_of_nothing_but_mistakes_is_invalid_and_short() {
    let dir = tempfile::tempdir().unwrap();
    let wells: Vec<Value> = (0..5000).map(|n| json!({"path": n})).collect();
    put_json(dir.path(), "plate", &json!({"plate": {"wells": wells}}));
    let report = file(&dir.path().join("plate"), None).unwrap();
    assert!(!report.is_valid() && report.findings.len() <= 1000);
}
