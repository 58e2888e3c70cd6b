//! The conformance cases that are published with the specification, where they are present: each gets its
//! verdict, and each that is valid opens, with arrays that are written beside its metadata.

use crate::image::*;
use lucida::data::{
    open::open,
    validate::{self, Severity, Version},
};
use lucida_components::{dtype::StoredType, layer::LayerKind};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const VERSIONS: [(&str, Version); 2] = [("0.4", Version::V04), ("0.5", Version::V05)];

/// The folder of the cases, or `None`, said loudly.
fn suites() -> Option<PathBuf> {
    let shared = std::env::var_os("LUCIDA_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let path = shared.join("ngff-suites");
    if !path.is_dir() {
        eprintln!(
            "SKIPPED: {} is not there; set LUCIDA_SHARED to the folder that has ngff-suites",
            path.display()
        );
        return None;
    }
    Some(path)
}

/// One published case.
struct Case {
    name: String,
    data: Value,
    valid: bool,
    strict: bool,
}

/// A JSON file; the examples have comments, which stand behind a space or begin a line.
fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|l| l.split(" //").next().unwrap_or_default());
    let bare: Vec<&str> = lines.filter(|l| !l.starts_with("//")).collect();
    serde_json::from_str(&bare.join("\n")).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every file below a folder that ends in `.json` and is no setting.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_json = path.extension().is_some_and(|e| e == "json");
        let is_setting = path.file_name().unwrap().to_string_lossy().starts_with('.');
        if path.is_dir() {
            found.extend(files(&path));
        } else if is_json && !is_setting {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All cases of one version: those of its suites, and its examples, which are valid.
fn cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for path in files(&folder.join("tests")) {
        let strict = path.file_name().unwrap().to_string_lossy().starts_with("strict");
        for test in read(&path)["tests"].as_array().unwrap() {
            cases.push(Case {
                name: format!("{}: {}", path.display(), test["formerly"]),
                data: test["data"].clone(),
                valid: test["valid"].as_bool().unwrap(),
                strict,
            });
        }
    }
    for path in files(&folder.join("examples")) {
        let (name, data) = (path.display().to_string(), read(&path));
        cases.push(Case { name, data, valid: true, strict: true });
    }
    cases
}

#[test]
fn every_case_gets_its_verdict() {
    let Some(suites) = suites() else { return };
    for (name, version) in VERSIONS {
        let cases = cases(&suites.join(name));
        assert!(cases.len() > 80, "{} cases", cases.len());
        for case in cases {
            let report = validate::document(&case.data, &case.name, Some(version));
            // What the strict schemas add is what should be; it is a warning.
            let clean = report.is_valid() && (!case.strict || case.valid || report.findings.is_empty());
            assert_eq!(clean, case.valid, "{}: {report}\n{}", case.name, case.data);
            let told = report.findings.iter().all(|f| !f.field.is_empty() && !f.reason.is_empty());
            assert!(told && (case.valid || !report.findings.is_empty()), "{}", case.name);
        }
    }
}

#[test]
fn every_valid_case_opens_and_every_other_gets_an_answer() {
    let Some(suites) = suites() else { return };
    let mut leniently = 0;
    for (version, _) in VERSIONS {
        for case in cases(&suites.join(version)) {
            let dir = tempfile::tempdir().unwrap();
            put_case(dir.path(), version, &case.data);
            match open(dir.path()) {
                Ok(opened) => {
                    assert!(!opened.dataset.layers.is_empty(), "{}", case.name);
                    let is_labels = case.data.to_string().contains("\"image-label\"");
                    let kind = if is_labels { LayerKind::Labels } else { LayerKind::Image };
                    assert_eq!(opened.dataset.layers[0].kind, kind, "{}", case.name);
                    opened.sources[0].1.read(0, 0).unwrap();
                    leniently += usize::from(!case.valid);
                }
                // A case of the strict suites is not wrong, only incomplete.
                Err(error) if case.valid || case.strict => panic!("{}: {error}", case.name),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    assert!(leniently > 40, "{leniently} invalid cases that make sense are opened");
}

/// Writes what a case describes: its metadata, and the arrays and groups that it speaks of.
fn put_case(root: &Path, version: &str, data: &Value) {
    let v4 = version == "0.4";
    let mut data = data.clone();
    if data["node_type"].is_string() {
        data = data["attributes"].take();
    }
    let ome = if v4 { &mut data } else { &mut data["ome"] };
    if !ome["image-label"].is_null() && ome["multiscales"].is_null() {
        ome["multiscales"] = multiscales("yx", &[("0", vec![1.0; 2])]);
    }
    let ome = ome.clone();
    if ome["series"].is_null() {
        put_group(root, v4, data);
    } else {
        let layout = json!({"version": "0.5", "bioformats2raw.layout": 3});
        put_group(root, v4, if v4 { layout } else { json!({"ome": layout}) });
        put_group(&root.join("OME"), v4, data);
    }
    put_levels(root, v4, &ome);
    let field = |path: &Path| {
        let image = json!({"version": "0.5", "multiscales": multiscales("yx", &[("0", vec![1.0; 2])])});
        put_levels(path, v4, &image);
        put_group(path, v4, if v4 { image } else { json!({"ome": image}) });
    };
    let first = |list: &Value| list[0]["path"].as_str().or(list[0].as_str()).map(|p| root.join(p));
    if let Some(well) = first(&ome["plate"]["wells"]) {
        let images = json!({"version": "0.5", "well": {"images": [{"path": "0"}]}});
        put_group(&well, v4, if v4 { images } else { json!({"ome": images}) });
        field(&well.join("0"));
    }
    if let Some(path) = first(&ome["well"]["images"]).or(first(&ome["series"])) {
        field(&path);
    }
    if !ome["bioformats2raw.layout"].is_null() && ome["plate"].is_null() {
        field(&root.join("0"));
    }
}

fn put_group(folder: &Path, v4: bool, attributes: Value) {
    if v4 {
        put_json(folder, ".zgroup", &json!({"zarr_format": 2}));
        put_json(folder, ".zattrs", &attributes);
    } else {
        let group = json!({"zarr_format": 3, "node_type": "group", "attributes": attributes});
        put_json(folder, "zarr.json", &group);
    }
}

/// The arrays of the first multiscales, as many dimensions as there are axes.
fn put_levels(root: &Path, v4: bool, ome: &Value) {
    let multiscale = &ome["multiscales"][0];
    let axes = multiscale["axes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let dims = if axes.is_empty() { 2 } else { axes.len().min(8) };
    for (n, dataset) in multiscale["datasets"].as_array().into_iter().flatten().enumerate() {
        let Some(path) = dataset["path"].as_str() else { continue };
        let extent =
            |d: usize| if axes.get(d).is_some_and(|a| a["type"] == "space") { 8u64 >> n.min(3) } else { 2 };
        let shape: Vec<u64> = (0..dims).map(extent).collect();
        let meta = if v4 { v2(&shape, &shape, "|u1") } else { v3(&shape, &shape, "uint8") };
        put_array(root, n, path, &meta, StoredType::U8);
    }
}

#[test]
fn warnings_are_no_errors() {
    let bare = json!({"multiscales": multiscales("yx", &[("0", vec![1.0; 2])])});
    let report = validate::document(&bare, "x", None);
    assert!(report.is_valid() && report.count(Severity::Warning) == 4, "{report}");
}
