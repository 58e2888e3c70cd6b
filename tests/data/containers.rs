//! Plates, wells and collections: what is listed, which image is shown, what is passed over.

use crate::image::*;
use lucida::data::{error::OpenError, info::describe, open::open};
use lucida_components::{
    contents::{Field, Holds},
    dtype::StoredType,
};
use serde_json::{Value, json};
use std::path::Path;

/// A small image of version 0.4 or 0.5.
fn image(root: &Path, version: &str) {
    put_image(root, version, multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    let meta = if version == "0.4" { v2(&[6, 8], &[4, 4], "|u1") } else { v3(&[6, 8], &[4, 4], "uint8") };
    put_array(root, 0, "0", &meta, StoredType::U8);
}

/// A group with these OME attributes.
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

/// A plate of 2 × 3 of which three wells exist, each with two fields.
fn plate(root: &Path, version: &str) {
    let well =
        |path: &str, row: u64, column: u64| json!({"path": path, "rowIndex": row, "columnIndex": column});
    let wells = [well("A/1", 0, 0), well("A/3", 0, 2), well("B/2", 1, 1)];
    group(
        root,
        version,
        json!({"plate": {
            "name": "screen", "rows": [{"name": "A"}, {"name": "B"}],
            "columns": [{"name": "1"}, {"name": "2"}, {"name": "3"}], "wells": wells, "field_count": 2,
        }}),
    );
    for path in ["A/1", "A/3", "B/2"] {
        let images = json!([{"path": "0", "acquisition": 1}, {"path": "1"}]);
        group(&root.join(path), version, json!({"well": {"images": images}}));
        image(&root.join(path).join("0"), version);
        image(&root.join(path).join("1"), version);
    }
}

#[test]
fn a_plate_lists_its_wells_and_shows_the_first_field() {
    for version in ["0.4", "0.5"] {
        let dir = tempfile::tempdir().unwrap();
        plate(dir.path(), version);
        let opened = open(dir.path()).unwrap();
        let contents = opened.dataset.contents.clone().unwrap();
        assert_eq!(contents.shown, "A/1/0");
        let Holds::Plate(plate) = &contents.holds else { panic!("{contents:?}") };
        assert_eq!((plate.name.as_deref(), plate.field_count), (Some("screen"), Some(2)));
        assert_eq!((plate.rows.as_slice(), plate.columns.len()), (&["A".to_owned(), "B".into()][..], 3));
        let places: Vec<_> = plate.wells.iter().map(|w| (w.path.as_str(), w.row, w.column)).collect();
        assert_eq!(places, [("A/1", 0, 0), ("A/3", 0, 2), ("B/2", 1, 1)]);
        assert_eq!(opened.dataset.images[0].levels[0].path, "A/1/0/0");
        assert!(opened.dataset.name.ends_with(" A/1/0"), "{}", opened.dataset.name);
        assert_eq!(opened.dataset.locator, dir.path().display().to_string());
        assert_eq!(opened.dataset.warnings.len(), 1, "{:?}", opened.dataset.warnings);
        assert_pattern(&opened);
        let info = describe(&opened);
        assert_eq!(serde_json::to_value(&info).unwrap()["contents"]["holds"]["wells"][2]["path"], "B/2");
        assert!(info.to_string().contains("A/1, A/3, B/2"), "{info}");
    }
}

#[test]
fn a_well_and_a_field_open_by_their_paths() {
    let dir = tempfile::tempdir().unwrap();
    plate(dir.path(), "0.5");
    let well = open(&dir.path().join("B/2")).unwrap();
    let contents = well.dataset.contents.clone().unwrap();
    assert_eq!(contents.shown, "0");
    let fields =
        vec![Field { path: "0".into(), acquisition: Some(1) }, Field { path: "1".into(), acquisition: None }];
    assert_eq!(contents.holds, Holds::Well { fields });
    let field = open(&dir.path().join("B/2/1")).unwrap();
    assert!(field.dataset.contents.is_none() && field.dataset.warnings.is_empty());
    assert_pattern(&field);
}

#[test]
fn wells_that_were_never_written_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    plate(dir.path(), "0.4");
    std::fs::remove_dir_all(dir.path().join("A/1")).unwrap();
    std::fs::write(dir.path().join("A/3/.zattrs"), "{").unwrap();
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.dataset.contents.as_ref().unwrap().shown, "B/2/0");
    let over = opened.dataset.warnings.iter().filter(|w| w.starts_with("passed over")).count();
    assert_eq!(over, 2, "{:?}", opened.dataset.warnings);
    std::fs::remove_dir_all(dir.path().join("B/2")).unwrap();
    assert!(matches!(open(dir.path()).err().unwrap(), OpenError::NotZarr { .. }));
}

#[test]
fn plates_of_older_versions_have_places_by_name() {
    let dir = tempfile::tempdir().unwrap();
    plate(dir.path(), "0.4");
    let attributes = json!({"plate": {
        "rows": [{"name": "A"}], "columns": ["1", {"name": "2"}, 3],
        "wells": [{"path": "A/1"}, {"path": "B/2"}, {"rowIndex": 0}, {"path": "A/3", "rowIndex": 9, "columnIndex": -1}],
    }});
    put_json(dir.path(), ".zattrs", &attributes);
    let opened = open(dir.path()).unwrap();
    let Holds::Plate(plate) = &opened.dataset.contents.as_ref().unwrap().holds else { panic!("no plate") };
    let places: Vec<_> = plate.wells.iter().map(|w| (w.path.as_str(), w.row, w.column)).collect();
    assert_eq!(places, [("A/1", 0, 0), ("B/2", 1, 1), ("A/3", 0, 2)]);
    assert_eq!((plate.rows.as_slice(), plate.columns.len()), (&["A".to_owned(), "B".into()][..], 3));
    assert!(opened.dataset.warnings.iter().any(|w| w.contains("1 wells without")));
}

#[test]
fn a_plate_or_well_that_leads_out_or_names_nothing_is_refused() {
    let refused = |ome: Value| {
        let dir = tempfile::tempdir().unwrap();
        group(dir.path(), "0.5", ome);
        open(dir.path()).err().unwrap()
    };
    let out = |path: &str| json!({"path": path, "rowIndex": 0, "columnIndex": 0});
    let lines = json!([{"name": "A"}]);
    for path in ["../B", "/etc", "", "A/../../C"] {
        let ome = json!({"plate": {"rows": lines, "columns": lines, "wells": [out(path)]}});
        let error = refused(ome);
        assert!(matches!(error, OpenError::Escapes { .. }), "{path}: {error}");
    }
    assert!(refused(json!({"plate": 3})).to_string().contains("plate.wells"));
    assert!(refused(json!({"plate": {"wells": []}})).to_string().contains("plate.wells"));
    assert!(refused(json!({"well": {"images": []}})).to_string().contains("well.images"));
    assert!(matches!(refused(json!({"well": {"images": [{"path": ".."}]}})), OpenError::Escapes { .. }));
    assert!(refused(json!({"bioformats2raw.layout": 3})).to_string().contains("OME/series"));
}

#[test]
fn links_that_lead_out_of_a_container_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    well_with_image(outside.path());
    let dir = tempfile::tempdir().unwrap();
    let lines = json!([{"name": "A"}]);
    let wells = json!([{"path": "A/A", "rowIndex": 0, "columnIndex": 0}]);
    group(dir.path(), "0.5", json!({"plate": {"rows": lines, "columns": lines, "wells": wells}}));
    std::fs::create_dir(dir.path().join("A")).unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("A/A")).unwrap();
    assert!(matches!(open(dir.path()).err().unwrap(), OpenError::Escapes { .. }));
    std::fs::remove_file(dir.path().join("A/A")).unwrap();
    group(&dir.path().join("A/A"), "0.5", json!({"well": {"images": [{"path": "0"}]}}));
    std::os::unix::fs::symlink(outside.path().join("0"), dir.path().join("A/A/0")).unwrap();
    assert!(matches!(open(dir.path()).err().unwrap(), OpenError::Escapes { .. }));
    // Nor is a metadata file that is such a link.
    std::fs::remove_file(dir.path().join("A/A/0")).unwrap();
    image(&dir.path().join("A/A/0"), "0.5");
    open(dir.path()).unwrap();
    let file = dir.path().join("A/A/0/zarr.json");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(outside.path().join("0/zarr.json"), &file).unwrap();
    assert!(matches!(open(dir.path()).err().unwrap(), OpenError::Escapes { .. }));
}

/// A well of one field.
fn well_with_image(root: &Path) {
    group(root, "0.5", json!({"well": {"images": [{"path": "0"}]}}));
    image(&root.join("0"), "0.5");
}

#[test]
fn a_collection_shows_its_first_image_and_lists_the_others() {
    for version in ["0.4", "0.5"] {
        let dir = tempfile::tempdir().unwrap();
        group(dir.path(), version, json!({"bioformats2raw.layout": 3}));
        for name in ["0", "1", "2"] {
            image(&dir.path().join(name), version);
        }
        let listed = |root: &Path| {
            let opened = open(root).unwrap();
            assert_pattern(&opened);
            let contents = opened.dataset.contents.clone().unwrap();
            let Holds::Collection { images } = contents.holds else { panic!("no collection") };
            assert!(opened.dataset.warnings.iter().any(|w| w.contains("images: ")), "others are told");
            (contents.shown, images)
        };
        assert_eq!(listed(dir.path()), ("0".into(), vec!["0".into(), "1".into(), "2".into()]));
        group(&dir.path().join("OME"), version, json!({"series": ["2", "0"]}));
        assert_eq!(listed(dir.path()), ("2".into(), vec!["2".into(), "0".into()]));
        assert!(open(&dir.path().join("1")).unwrap().dataset.contents.is_none());
        group(&dir.path().join("OME"), version, json!({"series": ["../x"]}));
        let error = open(dir.path()).err().unwrap();
        assert!(matches!(&error, OpenError::Escapes { file, .. } if file.to_string_lossy().contains("OME")));
    }
}

#[test]
fn a_collection_that_is_a_plate_is_a_plate() {
    let dir = tempfile::tempdir().unwrap();
    plate(dir.path(), "0.4");
    let mut attributes: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join(".zattrs")).unwrap()).unwrap();
    attributes["bioformats2raw.layout"] = json!(3);
    put_json(dir.path(), ".zattrs", &attributes);
    let opened = open(dir.path()).unwrap();
    assert!(matches!(opened.dataset.contents.as_ref().unwrap().holds, Holds::Plate(_)));
}

#[test]
fn labels_of_a_field_come_with_it() {
    let dir = tempfile::tempdir().unwrap();
    plate(dir.path(), "0.4");
    let field = dir.path().join("A/1/0");
    put_json(&field.join("labels"), ".zattrs", &json!({"labels": ["cells"]}));
    image(&field.join("labels/cells"), "0.4");
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.dataset.layers.len(), 2);
    assert_eq!(opened.dataset.images[1].levels[0].path, "A/1/0/labels/cells/0");
    assert_eq!(value(&opened, 1, 0, &[5, 7]), pattern(StoredType::U8, 0, &[5, 7]));
}

#[test]
fn a_plate_of_384_wells_opens_without_reading_them() {
    let dir = tempfile::tempdir().unwrap();
    let names = |n: u64| (0..n).map(|i| json!({"name": format!("{i}")})).collect::<Vec<_>>();
    let wells: Vec<Value> = (0..384)
        .map(|n| json!({"path": format!("{}/{}", n / 24, n % 24), "rowIndex": n / 24, "columnIndex": n % 24}))
        .collect();
    group(dir.path(), "0.5", json!({"plate": {"rows": names(16), "columns": names(24), "wells": wells}}));
    group(&dir.path().join("0/0"), "0.5", json!({"well": {"images": [{"path": "0"}]}}));
    image(&dir.path().join("0/0/0"), "0.5");
    // All other wells would be refused, if they were read.
    let opened = open(dir.path()).unwrap();
    let Holds::Plate(plate) = &opened.dataset.contents.as_ref().unwrap().holds else { panic!("no plate") };
    assert_eq!(plate.wells.len(), 384);
    assert_eq!(opened.dataset.warnings.len(), 1, "{:?}", opened.dataset.warnings);
}
