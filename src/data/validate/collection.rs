//! `bioformats2raw.layout` and `series`: several images side by side.

use super::notes::Notes;
use serde_json::Value;

/// Judges the layout's number.
pub fn check_layout(value: &Value, notes: &mut Notes) {
    if value.as_f64() != Some(3.0) {
        notes.must("bioformats2raw.layout", format!("{value} is not 3"));
    }
}

/// Judges the list of images.
pub fn check_series(value: &Value, notes: &mut Notes) {
    let Some(list) = value.as_array() else { return notes.must("series", "not a list of paths") };
    for (i, path) in list.iter().enumerate() {
        notes.text(path, &format!("series[{i}]"));
    }
}
