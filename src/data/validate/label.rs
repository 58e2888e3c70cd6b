//! `labels` and `image-label`: which label images there are, and what their values mean.

use super::notes::{Notes, is_integer};
use serde_json::Value;
use std::collections::HashSet;

/// Judges the list of label images.
pub fn check_list(value: &Value, notes: &mut Notes) {
    let Some(list) = value.as_array() else { return notes.must("labels", "not a list of paths") };
    for (i, path) in list.iter().enumerate() {
        notes.text(path, &format!("labels[{i}]"));
    }
}

/// Judges what is said of a label image.
pub fn check(value: &Value, notes: &mut Notes) {
    if !value.is_object() {
        return notes.must("image-label", "not an object");
    }
    notes.version_of(&value["version"], "image-label.version");
    if value["colors"].is_null() {
        notes.should("image-label.colors", "missing");
    } else {
        let at = "image-label.colors";
        let colours = notes.list(&value["colors"], at);
        label_values(colours, at, notes, Value::is_number);
        for (i, colour) in colours.iter().enumerate() {
            let parts = colour["rgba"].as_array();
            let is_byte = |v: &Value| is_integer(v, 0) && v.as_f64().is_some_and(|v| v <= 255.0);
            if !colour["rgba"].is_null() && parts.is_none_or(|p| p.len() != 4 || !p.iter().all(is_byte)) {
                let reason = format!("{} is not four whole numbers 0 to 255", colour["rgba"]);
                notes.must(format!("{at}[{i}].rgba"), reason);
            }
        }
    }
    if !value["properties"].is_null() {
        let at = "image-label.properties";
        let properties = notes.list(&value["properties"], at);
        label_values(properties, at, notes, |v| is_integer(v, i64::MIN));
    }
    let source = &value["source"];
    if !source.is_null() && !source.is_object() {
        notes.must("image-label.source", "not an object");
    } else {
        notes.optional_text(&source["image"], "image-label.source.image");
    }
}

/// Every entry has its own `label-value`.
fn label_values(list: &[Value], at: &str, notes: &mut Notes, is_value: impl Fn(&Value) -> bool) {
    let mut seen = HashSet::new();
    for (i, entry) in list.iter().enumerate() {
        let (value, at) = (&entry["label-value"], format!("{at}[{i}].label-value"));
        if value.is_null() {
            notes.must(at, "missing");
        } else if !is_value(value) {
            notes.must(at, format!("{value} is not a whole number"));
        } else if !seen.insert(value.to_string()) {
            notes.should(at, format!("{value} stands twice"));
        } else if !is_integer(value, i64::MIN) {
            notes.should(at, format!("{value} is not a whole number"));
        }
    }
}
