//! `lucida validate`, `--axes`, and what `info` says of containers and labels.

use crate::{image::small_image, lucida, ran, refused, run};
use serde_json::{Value, json};
use std::{fs, path::Path};

fn put(folder: &Path, name: &str, value: &Value) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), value.to_string()).unwrap();
}

/// A bare array of 2 × 3 × 4 × 5 bytes, all zero.
fn bare(root: &Path) -> String {
    let array = json!({
        "zarr_format": 2, "shape": [2, 3, 4, 5], "chunks": [2, 3, 4, 5], "dtype": "|u1", "fill_value": 0,
        "order": "C", "filters": null, "compressor": null,
    });
    put(&root.join("bare.zarr"), ".zarray", &array);
    root.join("bare.zarr").to_str().unwrap().to_owned()
}

#[test]
fn validate_tells_valid_from_invalid_and_exits_so() {
    let dir = tempfile::tempdir().unwrap();
    let image = small_image(dir.path());
    let path = image.to_str().unwrap();
    let good = run(["validate", path]);
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""), "{}", good.out);
    assert!(
        good.out.contains("valid: OME-Zarr 0.4, image") && good.out.contains("warning: "),
        "{}",
        good.out
    );
    let strict = run(["validate", path, "--strict"]);
    assert_eq!(strict.code, Some(1), "{}", strict.out);
    let by_env = ran(lucida().args(["validate"]).env("LUCIDA_DATA", path).output().unwrap());
    assert_eq!((by_env.code, by_env.out), (Some(0), good.out));

    let file = image.join(".zattrs");
    let single = run(["validate", "--json", file.to_str().unwrap()]);
    assert_eq!(single.code, Some(0), "{}", single.err);
    let other = run(["validate", "--json", file.to_str().unwrap(), "--ngff", "0.5"]);
    assert_eq!(other.code, Some(1), "{}", other.out);

    let mut spoiled: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    spoiled["multiscales"][0]["datasets"][1]["path"] = json!(7);
    fs::write(&file, spoiled.to_string()).unwrap();
    let bad = run(["validate", path]);
    assert_eq!(bad.code, Some(1), "{}", bad.out);
    for word in ["error: ", ".zattrs", "multiscales[0].datasets[1].path", "invalid: "] {
        assert!(bad.out.contains(word), "{word} is told in {}", bad.out);
    }
    refused(2, &["validate"], &["DATA"]);
    refused(2, &["validate", path, "--json", "x"], &["--json"]);
    refused(2, &["validate", path, "--ngff", "0.3"], &["0.4", "0.5"]);
    refused(1, &["validate", "/nowhere"], &["no such file"]);
    refused(1, &["validate", "--json", "/nowhere"], &["no such file"]);
}

#[test]
fn axes_can_be_named_for_arrays_that_name_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = bare(dir.path());
    let axes = |told: &str| -> Vec<String> {
        let told: Value = serde_json::from_str(told).unwrap();
        told["axes"].as_array().unwrap().iter().map(|a| a["label"].as_str().unwrap().into()).collect()
    };
    let guessed = run(["info", &path, "--json"]);
    assert_eq!(axes(&guessed.out), ["z", "y", "x"]);
    assert!(guessed.out.contains("no axes are named"), "{}", guessed.out);
    let letters = run(["info", &path, "--json", "--axes", "tzyx"]);
    assert_eq!(axes(&letters.out), ["t", "z", "y", "x"]);
    let words = ran(lucida()
        .args(["info", &path, "--json"])
        .env("LUCIDA_AXES", "time,channel,y,x")
        .output()
        .unwrap());
    assert_eq!(axes(&words.out), ["time", "y", "x"]);
    refused(1, &["info", &path, "--axes", "yx"], &["--axes", "2 axes"]);
    refused(1, &["render", &path, "-o", "never.png", "--axes", "yx"], &["--axes", "2 axes"]);
    assert!(!Path::new("never.png").exists());
}

#[test]
fn info_lists_what_else_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("plate.zarr");
    let lines = json!([{"name": "A"}]);
    let wells = json!([{"path": "A/A", "rowIndex": 0, "columnIndex": 0}]);
    put(&root, ".zattrs", &json!({"plate": {"rows": lines, "columns": lines, "wells": wells}}));
    put(&root.join("A/A"), ".zattrs", &json!({"well": {"images": [{"path": "small.ome.zarr"}]}}));
    let field = small_image(&root.join("A/A"));
    let told = run(["info", root.to_str().unwrap()]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    for words in ["1 rows × 1 columns, 1 wells", "shown     A/A/small.ome.zarr"] {
        assert!(told.out.contains(words), "{words} in {}", told.out);
    }
    put(&field.join("labels"), ".zattrs", &json!({"labels": ["none"]}));
    let told = run(["info", field.to_str().unwrap()]);
    assert!(told.out.contains("warning: labels \"none\" are left out"), "{}", told.out);
}
