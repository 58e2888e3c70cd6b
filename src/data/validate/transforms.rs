//! `coordinateTransformations`: one scale, then perhaps one translation.

use super::notes::Notes;
use serde_json::Value;

/// Judges a list of transformations of `dims` axes (`None` where their number is not known).
pub fn check(value: &Value, at: &str, dims: Option<usize>, notes: &mut Notes) {
    let Some(list) = value.as_array() else {
        return notes.must(at, if value.is_null() { "missing" } else { "not a list" });
    };
    let (mut scales, mut translations) = (0usize, 0usize);
    for (i, transform) in list.iter().enumerate() {
        let at = format!("{at}[{i}]");
        match transform["type"].as_str() {
            Some("scale") => {
                scales += 1;
                numbers(&transform["scale"], &format!("{at}.scale"), dims, notes);
            }
            Some("translation") => {
                translations += 1;
                if scales == 0 {
                    notes.must(&at, "a translation before the scale");
                }
                numbers(&transform["translation"], &format!("{at}.translation"), dims, notes);
            }
            Some(other) => {
                notes.must(format!("{at}.type"), format!("{other:?} is neither scale nor translation"));
            }
            None => notes.must(format!("{at}.type"), "missing, or not a text"),
        }
    }
    if scales != 1 {
        notes.must(at, format!("{scales} scales; there is exactly one"));
    }
    if translations > 1 {
        notes.must(at, format!("{translations} translations; there is one at most"));
    }
}

fn numbers(value: &Value, at: &str, dims: Option<usize>, notes: &mut Notes) {
    let Some(list) = value.as_array() else {
        return notes.must(at, if value.is_null() { "missing" } else { "not a list" });
    };
    if list.iter().any(|v| !v.is_number()) {
        return notes.must(at, format!("{value} is not a list of numbers"));
    }
    if list.len() < 2 {
        notes.must(at, format!("{} entries; at least 2 are needed", list.len()));
    } else if let Some(dims) = dims.filter(|dims| *dims != list.len()) {
        // The published cases let this pass where there is only metadata; beside arrays it is an error.
        notes.should(at, format!("{} entries for {dims} axes", list.len()));
    }
    if at.ends_with("scale") && list.iter().any(|v| v.as_f64().is_some_and(|v| v <= 0.0)) {
        notes.should(at, format!("{value} has an entry that is not positive"));
    }
}
