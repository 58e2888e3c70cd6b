//! The multiscales of an image, read leniently: what is odd but usable becomes a warning.

use super::{error::OpenError, node::Node};
use serde_json::Value;

/// Most levels of a pyramid.
pub const MAX_LEVELS: usize = 32;

/// The metadata of one image, not yet compared with its arrays.
pub struct Ngff {
    /// Version as written, or that of the place where it stands.
    pub version: String,
    /// The `axes` as written; `Null` where there are none.
    pub axes: Value,
    /// Levels as listed.
    pub datasets: Vec<Dataset>,
    /// `coordinateTransformations` of the multiscales, applied after those of a level.
    pub transforms: Value,
}

/// One level as listed.
pub struct Dataset {
    /// Folder inside the image, cleaned, without leading or trailing separators.
    pub path: String,
    /// Its `coordinateTransformations` as written.
    pub transforms: Value,
}

/// Reads the first of a node's multiscales.
///
/// # Errors
/// None there, too many levels, or a level without a path or with one that leads out.
pub fn read(node: &Node, warnings: &mut Vec<String>) -> Result<Ngff, OpenError> {
    let attributes = &node.attributes;
    let listed = attributes["multiscales"].as_array().map_or(0, Vec::len);
    if listed > 1 {
        warnings.push(format!("{listed} multiscales; the first one is shown"));
    }
    let multiscale = &attributes["multiscales"][0];
    if !multiscale.is_object() {
        return Err(node.wrong("multiscales", "the list is empty; there is no image"));
    }
    let version = version(node, multiscale, warnings);
    let none = Vec::new();
    let datasets = multiscale["datasets"].as_array().unwrap_or(&none);
    if datasets.is_empty() || datasets.len() > MAX_LEVELS {
        let reason = format!("{} levels (1 to {MAX_LEVELS} are read)", datasets.len());
        return Err(node.wrong("multiscales[0].datasets", reason));
    }
    let datasets = datasets
        .iter()
        .enumerate()
        .map(|(i, dataset)| {
            let field = format!("multiscales[0].datasets[{i}].path");
            let path = dataset["path"].as_str().ok_or_else(|| node.wrong(&field, "missing"))?;
            let path = node.child(&field, path)?;
            Ok(Dataset { path, transforms: dataset["coordinateTransformations"].clone() })
        })
        .collect::<Result<_, OpenError>>()?;
    Ok(Ngff {
        version,
        axes: multiscale["axes"].clone(),
        datasets,
        transforms: multiscale["coordinateTransformations"].clone(),
    })
}

/// The version that stands with the multiscales or beside them, text or number; else the one whose place
/// this is. Others than the known ones are read as if they were that one, with a warning.
fn version(node: &Node, multiscale: &Value, warnings: &mut Vec<String>) -> String {
    let usual = if node.zarr == 3 { "0.5" } else { "0.4" };
    let written = [&multiscale["version"], &node.attributes["version"]].into_iter().find_map(|v| match v {
        Value::String(text) => Some(text.chars().take(32).collect()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let version: String = written.unwrap_or_else(|| usual.to_owned());
    if !matches!(version.as_str(), "0.1" | "0.2" | "0.3" | "0.4" | "0.5") {
        warnings.push(format!("OME-Zarr version {version:?} is read as if it were {usual}"));
    }
    version
}
