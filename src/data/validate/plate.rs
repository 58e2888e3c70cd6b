//! `plate`: rows, columns, wells and acquisitions.

use super::notes::{Notes, Version, is_integer};
use serde_json::Value;
use std::collections::HashSet;

/// Judges a plate.
pub fn check(value: &Value, notes: &mut Notes) {
    if !value.is_object() {
        return notes.must("plate", "not an object");
    }
    notes.version_of(&value["version"], "plate.version");
    notes.optional_text(&value["name"], "plate.name");
    if value["name"].is_null() {
        notes.should("plate.name", "missing");
    }
    notes.optional_integer(&value["field_count"], "plate.field_count", 1);
    let rows = names(&value["rows"], "plate.rows", notes);
    let columns = names(&value["columns"], "plate.columns", notes);
    for (i, entry) in notes.list(&value["wells"], "plate.wells").iter().enumerate() {
        well(entry, &format!("plate.wells[{i}]"), &rows, &columns, notes);
    }
    if !value["acquisitions"].is_null() {
        acquisitions(&value["acquisitions"], notes);
    }
}

/// Whether a name is made of letters and digits alone.
pub fn is_alphanumeric(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn names<'v>(value: &'v Value, at: &str, notes: &mut Notes) -> Vec<&'v str> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    for (i, entry) in notes.list(value, at).iter().enumerate() {
        let at = format!("{at}[{i}].name");
        let name = notes.text(&entry["name"], &at).unwrap_or_default();
        if !entry["name"].is_null() && !is_alphanumeric(name) {
            notes.must(&at, format!("{name:?} is not made of letters and digits alone"));
        }
        if !seen.insert(name) {
            notes.must(&at, format!("{name:?} stands twice"));
        }
        names.push(name);
    }
    names
}

fn well(well: &Value, at: &str, rows: &[&str], columns: &[&str], notes: &mut Notes) {
    let mut places = [None, None];
    for ((key, lines), place) in [("rowIndex", rows), ("columnIndex", columns)].into_iter().zip(&mut places) {
        let (index, at) = (&well[key], format!("{at}.{key}"));
        if index.is_null() {
            notes.must(at, "missing");
        } else if !is_integer(index, 0) {
            notes.must(at, format!("{index} is not a whole number of at least 0"));
        } else {
            let line = index.as_f64().and_then(|i| lines.get(i as usize));
            if line.is_none() {
                notes.must(at, format!("{index} is not in the list"));
            }
            *place = line.copied();
        }
    }
    let at = format!("{at}.path");
    let Some(path) = notes.text(&well["path"], &at) else { return };
    match path.split_once('/').filter(|(row, column)| is_alphanumeric(row) && is_alphanumeric(column)) {
        None => notes.must(at, format!("{path:?} is not a row's name, a slash and a column's name")),
        Some((row, column)) => {
            if let [Some(r), Some(c)] = places
                && (r, c) != (row, column)
            {
                let reason = format!("{path:?} is not the row and column of its indices, \"{r}/{c}\"");
                // The published valid cases of 0.4 have such paths.
                match notes.version {
                    Version::V04 => notes.should(at, reason),
                    Version::V05 => notes.must(at, reason),
                }
            }
        }
    }
}

fn acquisitions(value: &Value, notes: &mut Notes) {
    let Some(list) = value.as_array() else { return notes.must("plate.acquisitions", "not a list") };
    let mut seen = HashSet::new();
    for (i, acquisition) in list.iter().enumerate() {
        let at = format!("plate.acquisitions[{i}]");
        let id = &acquisition["id"];
        if id.is_null() {
            notes.must(format!("{at}.id"), "missing");
        }
        notes.optional_integer(id, &format!("{at}.id"), 0);
        if !id.is_null() && !seen.insert(id.to_string()) {
            notes.must(format!("{at}.id"), format!("{id} stands twice"));
        }
        for key in ["name", "description"] {
            notes.optional_text(&acquisition[key], &format!("{at}.{key}"));
        }
        for (key, least) in [("maximumfieldcount", 1), ("starttime", 0), ("endtime", 0)] {
            notes.optional_integer(&acquisition[key], &format!("{at}.{key}"), least);
        }
        for key in ["name", "maximumfieldcount"] {
            if acquisition[key].is_null() {
                notes.should(format!("{at}.{key}"), "missing");
            }
        }
    }
}
