//! The metadata of a multi-well plate.

use super::{error::OpenError, node::Node};
use lucida_components::contents::{Plate, Well};
use serde_json::Value;

/// Most wells of a plate; a plate of 3456 is the largest that is made.
pub const MAX_WELLS: usize = 10_000;

/// Most rows, and most columns.
const MAX_LINES: usize = 1000;

/// Reads the plate of a node. Rows and columns that a well stands in and the lists lack are added.
///
/// # Errors
/// No well is listed, or one leads out of the plate.
pub fn read(node: &Node, warnings: &mut Vec<String>) -> Result<Plate, OpenError> {
    let written = &node.attributes["plate"];
    let mut plate = Plate {
        name: written["name"].as_str().filter(|n| !n.is_empty()).map(|n| n.chars().take(256).collect()),
        rows: names(&written["rows"]),
        columns: names(&written["columns"]),
        field_count: written["field_count"].as_u64(),
        wells: Vec::new(),
    };
    let listed = written["wells"].as_array().map(Vec::as_slice).unwrap_or_default();
    if listed.len() > MAX_WELLS {
        warnings.push(format!("{} wells; the first {MAX_WELLS} are listed", listed.len()));
    }
    let mut odd = 0usize;
    for (i, well) in listed.iter().take(MAX_WELLS).enumerate() {
        let Some(path) = well["path"].as_str() else {
            odd += 1;
            continue;
        };
        let path = node.listed(&format!("plate.wells[{i}].path"), path)?;
        let (row, column) = path.split_once('/').unwrap_or((&path, ""));
        let row = line(&well["rowIndex"], row, &mut plate.rows);
        let column = line(&well["columnIndex"], column, &mut plate.columns);
        match (row, column) {
            (Some(row), Some(column)) => plate.wells.push(Well { path, row, column }),
            _ => odd += 1,
        }
    }
    if odd > 0 {
        warnings.push(format!("{odd} wells without a path or a place are left out"));
    }
    if plate.wells.is_empty() {
        return Err(node.wrong("plate.wells", "no well is listed"));
    }
    Ok(plate)
}

/// Names of rows or columns: objects with a name, or the names themselves.
fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |entry: &Value| match entry {
        Value::String(name) => name.chars().take(64).collect(),
        Value::Number(number) => number.to_string(),
        entry => entry["name"].as_str().unwrap_or_default().chars().take(64).collect(),
    };
    list.iter().take(MAX_LINES).map(name).collect()
}

/// The row or column of a well: its index where it has one that is listed, else by its name.
fn line(index: &Value, name: &str, names: &mut Vec<String>) -> Option<usize> {
    if let Some(index) = index.as_u64().filter(|i| *i < names.len() as u64) {
        return Some(index as usize);
    }
    if let Some(found) = names.iter().position(|n| n == name) {
        return Some(found);
    }
    (!name.is_empty() && names.len() < MAX_LINES).then(|| {
        names.push(name.chars().take(64).collect());
        names.len() - 1
    })
}
