//! `multiscales`: the pyramids of an image.

use super::{axes, notes::Notes, transforms};
use serde_json::Value;

/// Judges the list.
pub fn check(value: &Value, notes: &mut Notes) {
    for (i, multiscale) in notes.list(value, "multiscales").iter().enumerate() {
        let at = format!("multiscales[{i}]");
        if !multiscale.is_object() {
            notes.must(at, "not an object");
            continue;
        }
        one(multiscale, &at, notes);
    }
}

fn one(multiscale: &Value, at: &str, notes: &mut Notes) {
    notes.version_of(&multiscale["version"], &format!("{at}.version"));
    notes.optional_text(&multiscale["name"], &format!("{at}.name"));
    for key in ["name", "type", "metadata"] {
        if multiscale[key].is_null() {
            notes.should(format!("{at}.{key}"), "missing");
        }
    }
    let dims = axes::check(&multiscale["axes"], &format!("{at}.axes"), notes);
    for (i, dataset) in notes.list(&multiscale["datasets"], &format!("{at}.datasets")).iter().enumerate() {
        let at = format!("{at}.datasets[{i}]");
        notes.text(&dataset["path"], &format!("{at}.path"));
        transforms::check(
            &dataset["coordinateTransformations"],
            &format!("{at}.coordinateTransformations"),
            dims,
            notes,
        );
    }
    let common = &multiscale["coordinateTransformations"];
    if !common.is_null() {
        transforms::check(common, &format!("{at}.coordinateTransformations"), dims, notes);
    }
}
