//! What `image-label` says of the objects: their colours and names.

use super::json;
use lucida_components::labels::{LabelTable, drawn_id};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most objects that colours and names are kept of.
pub const MAX_OBJECTS: usize = 1 << 18;

/// Keys under which writers put an object's name, most telling first.
const NAMES: [&str; 5] = ["name", "label", "label-name", "class", "text"];

/// Reads an `image-label` object; `None` where it gives neither colours nor names. Entries that cannot be
/// used are left out with one warning for each list.
pub fn read(image_label: &Value, warnings: &mut Vec<String>) -> Option<LabelTable> {
    let table = LabelTable {
        colours: entries(&image_label["colors"], "colors", rgba, warnings),
        names: entries(&image_label["properties"], "properties", |e| Some(name(e)), warnings)
            .into_iter()
            .filter_map(|(id, name)| Some((id, name?)))
            .collect(),
    };
    (!table.colours.is_empty() || !table.names.is_empty()).then_some(table)
}

/// One list's usable entries by id; the first of one id counts.
fn entries<T>(
    list: &Value,
    field: &str,
    of: impl Fn(&Value) -> Option<T>,
    warnings: &mut Vec<String>,
) -> BTreeMap<u32, T> {
    let mut found = BTreeMap::new();
    let mut unusable = 0usize;
    let listed = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if !list.is_array() && !list.is_null() {
        warnings.push(format!("image-label.{field} is not a list"));
    }
    for entry in listed.iter().take(MAX_OBJECTS) {
        match (id(&entry["label-value"]), of(entry)) {
            (Some(id), Some(what)) if !found.contains_key(&id) => {
                found.insert(id, what);
            }
            _ => unusable += 1,
        }
    }
    if unusable > 0 {
        warnings.push(format!("image-label.{field}: {unusable} entries cannot be used or stand twice"));
    }
    if listed.len() > MAX_OBJECTS {
        warnings.push(format!("image-label.{field}: only the first {MAX_OBJECTS} entries are kept"));
    }
    found
}

/// A whole number, however it is written, as it is drawn.
fn id(value: &Value) -> Option<u32> {
    let whole = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    let whole = whole.or_else(|| {
        let value = json::number(value).filter(|v| v.fract() == 0.0 && v.abs() < 2f64.powi(63))?;
        Some(value as i128)
    });
    let whole = whole.or(value.as_bool().map(i128::from));
    whole.map(drawn_id)
}

/// Four numbers 0 to 255; without the last it is opaque.
fn rgba(entry: &Value) -> Option<[u8; 4]> {
    let list = entry["rgba"].as_array()?;
    let part = |v: &Value| json::number(v).filter(|v| v.fract() == 0.0).and_then(u8_of);
    match list.iter().map(part).collect::<Option<Vec<u8>>>()?[..] {
        [r, g, b] => Some([r, g, b, 255]),
        [r, g, b, a] => Some([r, g, b, a]),
        _ => None,
    }
}

fn u8_of(v: f64) -> Option<u8> {
    (0.0..=255.0).contains(&v).then_some(v as u8)
}

/// The object's name, if one stands there. (Most properties have none: an area, a class number.)
fn name(entry: &Value) -> Option<String> {
    let text = NAMES.iter().find_map(|key| entry[key].as_str())?.trim();
    (!text.is_empty()).then(|| text.chars().take(256).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn colours_and_names_by_drawn_id() {
        let mut warnings = Vec::new();
        let table = read(
            &json!({
                "colors": [
                    {"label-value": 1, "rgba": [255, 0, 10, 128]},
                    {"label-value": 2.0, "rgba": [1, 2, 3]},
                    {"label-value": -4, "rgba": [9, 9, 9, 9]},
                    {"label-value": true, "rgba": [0, 0, 0, 0]},
                    {"label-value": 5, "rgba": [256, 0, 0, 0]},
                    {"label-value": 6},
                    {"rgba": [1, 1, 1, 1]},
                ],
                "properties": [
                    {"label-value": 1, "name": " nucleus ", "class": "x"},
                    {"label-value": 2, "class": "membrane"},
                    {"label-value": 3, "area": 12},
                ],
            }),
            &mut warnings,
        );
        let table = table.expect("a table");
        assert_eq!(table.colours.get(&1), Some(&[255, 0, 10, 128]));
        assert_eq!(table.colours.get(&2), Some(&[1, 2, 3, 255]));
        assert_eq!(table.colours.get(&drawn_id(-4)), Some(&[9; 4]));
        assert_eq!(table.colours.len(), 3, "{table:?}");
        assert_eq!(table.names.get(&1).map(String::as_str), Some("nucleus"));
        assert_eq!(table.names.get(&2).map(String::as_str), Some("membrane"));
        assert_eq!(table.names.len(), 2);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("4 entries"), "{warnings:?}");
    }

    #[test]
    fn nothing_said_is_no_table() {
        let mut warnings = Vec::new();
        assert_eq!(read(&Value::Null, &mut warnings), None);
        assert_eq!(read(&json!({"version": "0.4"}), &mut warnings), None);
        assert!(warnings.is_empty());
        assert_eq!(read(&json!({"colors": {}}), &mut warnings), None);
        assert_eq!(warnings.len(), 1);
    }
}
