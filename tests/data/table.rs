//! The table of docs/formats.md: every case in it is made, opened and compared with what the table says.

use crate::image::*;
use lucida::data::open::{Options, open_with};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// What becomes of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Answer {
    Opens,
    Warns,
    Refused,
}

use Answer::{Opens, Refused, Warns};

/// A case: what it is, what is expected of it, how it is made in an empty folder.
type Case = (&'static str, Answer, fn(&Path));

/// Marks of the generated part.
const BEGIN: &str = "<!-- made by tests/data/table.rs -->\n";
const END: &str = "<!-- end -->\n";

/// A plane of 8 × 8 in 4 × 4 chunks, one level.
fn plane(root: &Path, version: &str, meta: &Value, stored: StoredType) {
    put_image(root, version, multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    put_array(root, 0, "0", meta, stored);
}

fn small(root: &Path) {
    plane(root, "0.5", &v3(&[8, 8], &[4, 4], "uint16"), StoredType::U16);
}

/// A sound image with something changed in one of its files.
fn edited(root: &Path, file: &str, change: impl Fn(&mut Value)) {
    small(root);
    let file = root.join(file);
    let mut value: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(file, value.to_string()).unwrap();
}

fn multiscale(root: &Path, change: impl Fn(&mut Value)) {
    edited(root, "zarr.json", |d| change(&mut d["attributes"]["ome"]["multiscales"][0]));
}

fn omero(root: &Path, said: Value) {
    edited(root, "zarr.json", |d| d["attributes"]["ome"]["omero"] = said.clone());
}

fn codec(root: &Path, codec: Value) {
    let mut meta = v3(&[8, 8], &[4, 4], "uint16");
    meta["codecs"][1] = codec;
    plane(root, "0.5", &meta, StoredType::U16);
}

fn compressor(root: &Path, compressor: Value) {
    let mut meta = v2(&[8, 8], &[4, 4], "<u2");
    meta["compressor"] = compressor;
    plane(root, "0.4", &meta, StoredType::U16);
}

fn old(root: &Path, version: &str, axes: Value) {
    let mut multiscale = json!({"version": version, "datasets": [{"path": "0"}]});
    if !axes.is_null() {
        multiscale["axes"] = axes;
    }
    put_json(root, ".zattrs", &json!({"multiscales": [multiscale]}));
    let mut meta = v2(&[1, 2, 3, 8, 8], &[1, 1, 1, 4, 4], "<u2");
    meta["dimension_separator"] = ".".into();
    put_array(root, 0, "0", &meta, StoredType::U16);
}

fn labels(root: &Path, dtype: &str, stored: StoredType) {
    small(root);
    let listed = json!({"ome": {"version": "0.5", "labels": ["cells"]}});
    let group = json!({"zarr_format": 3, "node_type": "group", "attributes": listed});
    put_json(&root.join("labels"), "zarr.json", &group);
    plane(&root.join("labels/cells"), "0.5", &v3(&[8, 8], &[4, 4], dtype), stored);
}

fn container(root: &Path, ome: Value) {
    put_json(root, "zarr.json", &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}));
}

fn well(root: &Path, fields: &[&str]) {
    let images: Vec<Value> = fields.iter().map(|f| json!({"path": f})).collect();
    container(root, json!({"version": "0.5", "well": {"images": images}}));
    for field in fields {
        small(&root.join(field));
    }
}

fn bare(root: &Path, meta: Value) {
    put_array(root, 0, "", &meta, StoredType::U16);
}

fn cases() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        (
            "OME-Zarr",
            vec![
                ("0.5, Zarr v3", Opens, small),
                ("0.5, shards", Opens, |r| {
                    plane(r, "0.5", &sharded(&[8, 8], &[8, 8], &[4, 4], "uint16"), StoredType::U16);
                }),
                ("0.4, Zarr v2", Opens, |r| plane(r, "0.4", &v2(&[8, 8], &[4, 4], "<u2"), StoredType::U16)),
                ("0.3: axes are names", Warns, |r| old(r, "0.3", json!(["t", "c", "z", "y", "x"]))),
                ("0.1, 0.2: five dimensions, chunks named `0.0.0.0.0`", Warns, |r| {
                    old(r, "0.2", Value::Null);
                }),
                ("a version that is not known", Warns, |r| {
                    edited(r, "zarr.json", |d| d["attributes"]["ome"]["version"] = "0.9".into());
                }),
                ("metadata beside `ome` instead of in it", Warns, |r| {
                    edited(r, "zarr.json", |d| d["attributes"] = d["attributes"]["ome"].take());
                }),
                ("several multiscales", Warns, |r| {
                    edited(r, "zarr.json", |d| {
                        let first = d["attributes"]["ome"]["multiscales"][0].clone();
                        d["attributes"]["ome"]["multiscales"] = json!([first, first]);
                    });
                }),
                ("`NaN` and `Infinity` as bare words in JSON", Opens, |r| {
                    small(r);
                    let text = std::fs::read_to_string(r.join("zarr.json")).unwrap();
                    std::fs::write(r.join("zarr.json"), text.replacen('{', "{\"note\": NaN,", 1)).unwrap();
                }),
                ("JSON that ends early", Refused, |r| {
                    std::fs::write(r.join("zarr.json"), "{\"node_type\":").unwrap();
                }),
                ("a Zarr group without OME metadata", Refused, |r| container(r, json!({}))),
                ("a folder that is no Zarr", Refused, |_| {}),
            ],
        ),
        (
            "Axes",
            vec![
                ("any order and subset of t, c, z, y, x and others", Opens, |r| {
                    put_image(r, "0.5", multiscales("xyct", &[("0", vec![1.0; 4])]), Value::Null);
                    put_array(r, 0, "0", &v3(&[8, 8, 2, 2], &[4, 4, 1, 1], "uint8"), StoredType::U8);
                }),
                ("none named", Warns, |r| multiscale(r, |m| m["axes"] = Value::Null)),
                ("without names", Warns, |r| multiscale(r, |m| m["axes"][0]["name"] = "".into())),
                ("two axes of channels", Warns, |r| {
                    let axes = json!([{"name": "c"}, {"name": "d", "type": "channel"}, {"name": "y"}, {"name": "x"}]);
                    let mut list = multiscales("abyx", &[("0", vec![1.0; 4])]);
                    list[0]["axes"] = axes;
                    put_image(r, "0.5", list, Value::Null);
                    put_array(r, 0, "0", &v3(&[2, 2, 8, 8], &[1, 1, 4, 4], "uint8"), StoredType::U8);
                }),
                ("one name twice", Refused, |r| multiscale(r, |m| m["axes"][0]["name"] = "x".into())),
                ("more or fewer than the array has", Refused, |r| {
                    multiscale(r, |m| m["axes"] = json!([{"name": "z"}, {"name": "y"}, {"name": "x"}]));
                }),
                ("one beside the channels", Refused, |r| {
                    multiscale(r, |m| m["axes"][0]["type"] = "channel".into());
                }),
                ("an extent of 0", Refused, |r| edited(r, "0/zarr.json", |a| a["shape"] = json!([0, 8]))),
                ("more than 1024 channels", Refused, |r| {
                    put_image(r, "0.5", multiscales("cyx", &[("0", vec![1.0; 3])]), Value::Null);
                    put_json(&r.join("0"), "zarr.json", &v3(&[1025, 8, 8], &[1, 8, 8], "uint8"));
                }),
            ],
        ),
        (
            "Levels and their places",
            vec![
                ("scale and translation of level and multiscales", Opens, |r| {
                    multiscale(r, |m| {
                        m["coordinateTransformations"] = json!([{"type": "scale", "scale": [2.0, 2.0]},
                        {"type": "translation", "translation": [1.0, 1.0]}]);
                    });
                }),
                ("no scale", Warns, |r| {
                    multiscale(r, |m| m["datasets"][0]["coordinateTransformations"] = Value::Null);
                }),
                ("a scale of 0, negative or no number", Warns, |r| {
                    multiscale(r, |m| {
                        m["datasets"][0]["coordinateTransformations"][0]["scale"] = json!([0.0, -1.0]);
                    });
                }),
                ("a transformation of another kind", Warns, |r| {
                    multiscale(r, |m| m["coordinateTransformations"] = json!([{"type": "affine"}]));
                }),
                ("a coarse level that is listed but not there", Warns, |r| {
                    multiscale(r, |m| m["datasets"].as_array_mut().unwrap().push(json!({"path": "1"})));
                }),
                ("the finest level is not there", Refused, |r| {
                    multiscale(r, |m| m["datasets"][0]["path"] = "9".into());
                }),
                ("levels listed from coarse to fine", Warns, |r| {
                    put_image(
                        r,
                        "0.5",
                        multiscales("yx", &[("1", vec![2.0; 2]), ("0", vec![1.0; 2])]),
                        Value::Null,
                    );
                    put_array(r, 1, "1", &v3(&[4, 4], &[4, 4], "uint8"), StoredType::U8);
                    put_array(r, 0, "0", &v3(&[8, 8], &[4, 4], "uint8"), StoredType::U8);
                }),
                ("levels of different types", Refused, |r| {
                    put_image(
                        r,
                        "0.5",
                        multiscales("yx", &[("0", vec![1.0; 2]), ("1", vec![2.0; 2])]),
                        Value::Null,
                    );
                    put_array(r, 0, "0", &v3(&[8, 8], &[4, 4], "uint8"), StoredType::U8);
                    put_array(r, 1, "1", &v3(&[4, 4], &[4, 4], "uint16"), StoredType::U16);
                }),
                ("more than 32 levels", Refused, |r| {
                    multiscale(r, |m| m["datasets"] = json!(vec![json!({"path": "0"}); 33]));
                }),
                ("a path that leads out", Refused, |r| {
                    multiscale(r, |m| m["datasets"][0]["path"] = "../0".into());
                }),
            ],
        ),
        (
            "Values",
            vec![
                ("bool", Opens, |r| values(r, "|b1", StoredType::Bool)),
                ("integers of 8 to 64 bits, with and without sign", Opens, |r| {
                    values(r, "<i8", StoredType::I64);
                }),
                ("floats of 16, 32 and 64 bits", Opens, |r| values(r, "<f2", StoredType::F16)),
                ("big-endian", Opens, |r| values(r, ">u4", StoredType::U32)),
                ("Fortran order", Opens, |r| {
                    let mut meta = v2(&[8, 8], &[4, 4], "<u2");
                    meta["order"] = "F".into();
                    plane(r, "0.4", &meta, StoredType::U16);
                }),
                ("chunks that are not stored", Opens, |r| {
                    small(r);
                    std::fs::remove_file(r.join("0/c/0/0")).unwrap();
                }),
                ("complex numbers", Refused, |r| {
                    edited(r, "0/zarr.json", |a| a["data_type"] = "complex64".into());
                }),
                ("text, dates, structures", Refused, |r| {
                    edited(r, "0/zarr.json", |a| a["data_type"] = "string".into());
                }),
            ],
        ),
        (
            "Codecs",
            vec![
                ("none", Opens, |r| compressor(r, Value::Null)),
                ("zstd", Opens, |r| compressor(r, json!({"id": "zstd", "level": 1}))),
                ("blosc", Opens, |r| {
                    compressor(
                        r,
                        json!({"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}),
                    );
                }),
                ("gzip", Opens, |r| codec(r, json!({"name": "gzip", "configuration": {"level": 1}}))),
                ("zlib", Opens, |r| compressor(r, json!({"id": "zlib", "level": 1}))),
                ("bz2", Opens, |r| compressor(r, json!({"id": "bz2", "level": 1}))),
                ("crc32c", Opens, |r| codec(r, json!({"name": "crc32c"}))),
                ("transpose", Opens, |r| {
                    let mut meta = v3(&[8, 8], &[4, 4], "uint16");
                    meta["codecs"] = json!([{"name": "transpose", "configuration": {"order": [1, 0]}},
                    meta["codecs"][0], meta["codecs"][1]]);
                    plane(r, "0.5", &meta, StoredType::U16);
                }),
                ("others", Refused, |r| {
                    small(r);
                    let mut meta = v3(&[8, 8], &[4, 4], "uint16");
                    meta["codecs"][1] = json!({"name": "wavelet"});
                    put_json(&r.join("0"), "zarr.json", &meta);
                }),
                ("a chunk grid that is not regular", Refused, |r| {
                    edited(r, "0/zarr.json", |a| a["chunk_grid"]["name"] = "rectangular".into());
                }),
                ("a chunk of more than 256 MiB", Refused, |r| {
                    edited(r, "0/zarr.json", |a| {
                        a["chunk_grid"]["configuration"]["chunk_shape"] = json!([1 << 14, 1 << 14]);
                    });
                }),
            ],
        ),
        (
            "OMERO's settings",
            vec![
                ("names, colours, windows, visibility, first plane", Opens, |r| {
                    omero(
                        r,
                        json!({"channels": [{"label": "DNA", "color": "0000FF", "active": true,
                    "window": {"start": 0, "end": 9, "min": 0, "max": 99}}], "rdefs": {"model": "color"}}),
                    );
                }),
                ("no window: measured", Opens, |r| omero(r, json!({"channels": [{"label": "DNA"}]}))),
                ("colours as `#rrggbb`, `f00`, a number or a list", Opens, |r| {
                    omero(r, json!({"channels": [{"color": [255, 0, 0]}]}));
                }),
                ("a window without extent", Warns, |r| {
                    omero(r, json!({"channels": [{"window": {"start": 5, "end": 5}}]}));
                }),
                ("more or fewer channels than the array has", Warns, |r| {
                    omero(r, json!({"channels": [{}, {}]}));
                }),
                ("something that is no colour", Warns, |r| {
                    omero(r, json!({"channels": [{"color": "reddish"}]}));
                }),
                ("a channel inverted in colour, or not linear", Warns, |r| {
                    omero(
                        r,
                        json!({"channels": [{"color": "00FF00", "inverted": true, "family": "logarithmic"}]}),
                    );
                }),
            ],
        ),
        (
            "Labels",
            vec![
                ("over the image", Opens, |r| labels(r, "uint32", StoredType::U32)),
                ("values beyond 32 bits: hashed", Opens, |r| labels(r, "int64", StoredType::I64)),
                ("of fractions: left out", Warns, |r| labels(r, "float32", StoredType::F32)),
                ("listed but not there: left out", Warns, |r| {
                    labels(r, "uint8", StoredType::U8);
                    std::fs::remove_dir_all(r.join("labels/cells")).unwrap();
                }),
                ("the group of labels by itself", Refused, |r| {
                    container(r, json!({"version": "0.5", "labels": ["cells"]}));
                }),
            ],
        ),
        (
            "Containers",
            vec![
                ("a well of one field", Opens, |r| well(r, &["0"])),
                ("a well of several fields: the first is shown", Warns, |r| well(r, &["0", "1"])),
                ("a plate: the first field of the first well is shown", Warns, |r| {
                    let wells: Vec<Value> = ["A/1", "A/2"]
                        .iter()
                        .enumerate()
                        .map(|(n, p)| json!({"path": p, "rowIndex": 0, "columnIndex": n}))
                        .collect();
                    container(
                        r,
                        json!({"version": "0.5", "plate": {"rows": [{"name": "A"}],
                    "columns": [{"name": "1"}, {"name": "2"}], "wells": wells}}),
                    );
                    well(&r.join("A/1"), &["0"]);
                }),
                ("a collection of `bioformats2raw`: the first image is shown", Warns, |r| {
                    container(r, json!({"version": "0.5", "bioformats2raw.layout": 3}));
                    small(&r.join("0"));
                    small(&r.join("1"));
                }),
                ("a plate without wells", Refused, |r| {
                    container(r, json!({"version": "0.5", "plate": {"wells": []}}));
                }),
            ],
        ),
        (
            "Bare Zarr arrays",
            vec![
                ("v3 with dimension names", Opens, |r| {
                    let mut meta = v3(&[8, 8], &[4, 4], "uint16");
                    meta["dimension_names"] = json!(["y", "x"]);
                    bare(r, meta);
                }),
                ("v2 with xarray's dimension names", Opens, |r| {
                    bare(r, v2(&[8, 8], &[4, 4], "<u2"));
                    put_json(r, ".zattrs", &json!({"_ARRAY_DIMENSIONS": ["y", "x"]}));
                }),
                ("without names: y x; z y x; c z y x; t c z y x", Warns, |r| {
                    bare(r, v3(&[8, 8], &[4, 4], "uint16"));
                }),
                ("six dimensions without names", Refused, |r| {
                    bare(r, v3(&[1, 1, 1, 1, 8, 8], &[1, 1, 1, 1, 8, 8], "uint16"));
                }),
                ("one dimension", Refused, |r| bare(r, v3(&[8], &[8], "uint16"))),
            ],
        ),
    ]
}

fn values(root: &Path, dtype: &str, stored: StoredType) {
    let mut meta = v2(&[8, 8], &[4, 4], dtype);
    if stored == StoredType::Bool {
        meta["fill_value"] = false.into();
    }
    plane(root, "0.4", &meta, stored);
}

/// The answer to a case and what is said with it, without the folder's name.
fn answer(make: fn(&Path)) -> (Answer, String) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("image");
    std::fs::create_dir(&root).unwrap();
    make(&root);
    let (answer, said) = match open_with(&root, &Options::default()) {
        Ok(opened) if opened.dataset.warnings.is_empty() => {
            assert_pattern_if_stored(&opened);
            (Opens, String::new())
        }
        Ok(opened) => (Warns, opened.dataset.warnings.join("; ")),
        Err(error) => (Refused, error.to_string()),
    };
    let canonical = root.canonicalize().unwrap();
    let said = said.replace(canonical.to_str().unwrap(), "image").replace(root.to_str().unwrap(), "image");
    (answer, said)
}

/// The first voxel, where it is stored.
fn assert_pattern_if_stored(opened: &lucida::data::Opened) {
    let image = &opened.dataset.images[0];
    let at = vec![0; image.levels[0].shape.len()];
    let got = value(opened, 0, 0, &at);
    assert!(got == pattern(image.stored, 0, &at) || got == 0.0, "{got}");
}

#[test]
fn docs_formats_says_what_happens() {
    let mut table = String::new();
    for (section, cases) in cases() {
        write!(table, "\n### {section}\n\n| what | answer | said |\n|---|---|---|\n").unwrap();
        for (what, expected, make) in cases {
            let (answer, said) = answer(make);
            assert_eq!(answer, expected, "{section}: {what}: {said}");
            let word = match answer {
                Opens => "opens",
                Warns => "opens with a warning",
                Refused => "is refused",
            };
            let said = said.replace('|', "\\|").replace('\n', " ");
            writeln!(table, "| {what} | {word} | {said} |").unwrap();
        }
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the mark of the beginning");
    let (written, after) = rest.split_once(END).expect("the mark of the end");
    if std::env::var_os("LUCIDA_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}\n{END}{after}")).unwrap();
        return;
    }
    assert!(
        written == format!("{table}\n"),
        "docs/formats.md is not what happens; LUCIDA_BLESS=1 cargo test --test data formats_says writes it anew"
    );
}
