//! `well`: its fields of view.

use super::{
    notes::{Notes, is_integer},
    plate::is_alphanumeric,
};
use serde_json::Value;
use std::collections::HashSet;

/// Judges a well.
pub fn check(value: &Value, notes: &mut Notes) {
    if !value.is_object() {
        return notes.must("well", "not an object");
    }
    notes.version_of(&value["version"], "well.version");
    let mut seen = HashSet::new();
    for (i, image) in notes.list(&value["images"], "well.images").iter().enumerate() {
        let at = format!("well.images[{i}].path");
        if let Some(path) = notes.text(&image["path"], &at) {
            if !is_alphanumeric(path) {
                notes.must(&at, format!("{path:?} is not made of letters and digits alone"));
            }
            if !seen.insert(path) {
                notes.should(&at, format!("{path:?} stands twice"));
            }
        }
        let acquisition = &image["acquisition"];
        if !acquisition.is_null() && !is_integer(acquisition, i64::MIN) {
            let at = format!("well.images[{i}].acquisition");
            notes.must(at, format!("{acquisition} is not a whole number"));
        }
    }
}
