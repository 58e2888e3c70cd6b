//! What the specification of OME-Zarr says of metadata: 0.4 and 0.5, one file for each of its subjects.
//!
//! What it says MUST be is an error, what SHOULD be a warning. Where the text is stricter than the cases
//! that are published with it, the cases count, and the text's demand is a warning.
//! Source: the specifications at `ngff.openmicroscopy.org/0.4` and `/0.5`.

mod axes;
mod collection;
mod folder;
mod label;
mod multiscales;
mod notes;
mod omero;
mod plate;
mod transforms;
mod well;

pub use folder::folder;
pub use notes::{Finding, Report, Severity, Version};

use super::{error::OpenError, json};
use notes::Notes;
use serde_json::Value;
use std::path::Path;

/// Judges one metadata file by itself: a `.zattrs`, a `zarr.json`, or the attributes out of one. Without a
/// version it is that of the place where the metadata stands.
///
/// # Errors
/// The file is not there, cannot be read, or is not JSON.
pub fn file(path: &Path, version: Option<Version>) -> Result<Report, OpenError> {
    let value = json::read(path)?.ok_or_else(|| OpenError::Missing { path: path.to_owned() })?;
    Ok(document(&value, &path.display().to_string(), version))
}

/// Judges a metadata document: the attributes of a group, or a `zarr.json` that holds them.
pub fn document(value: &Value, name: &str, version: Option<Version>) -> Report {
    let attributes = if value["node_type"].is_string() { &value["attributes"] } else { value };
    let version = version.unwrap_or(if attributes["ome"].is_object() { Version::V05 } else { Version::V04 });
    let mut notes = Notes::new(version, name);
    let kinds = attributes_of(attributes, &mut notes);
    notes.report(kinds)
}

/// What judges one subject.
type Rule = fn(&Value, &mut Notes);

/// Judges attributes; returns the kinds of metadata that were found.
fn attributes_of(attributes: &Value, notes: &mut Notes) -> Vec<&'static str> {
    if !attributes.is_object() {
        notes.must("attributes", "not an object");
        return Vec::new();
    }
    let ome = match notes.version {
        Version::V04 => attributes,
        Version::V05 => {
            let ome = &attributes["ome"];
            if !ome.is_object() {
                notes.must("ome", "the attribute that holds all OME-Zarr metadata is missing");
                return Vec::new();
            }
            match ome["version"].as_str() {
                Some("0.5") => {}
                Some(other) => notes.must("ome.version", format!("{other:?} is not \"0.5\"")),
                None => notes.must("ome.version", "missing, or not a text"),
            }
            ome
        }
    };
    let subjects: [(&str, &str, Rule); 8] = [
        ("multiscales", "image", multiscales::check),
        ("omero", "omero", omero::check),
        ("image-label", "image-label", label::check),
        ("labels", "labels", label::check_list),
        ("plate", "plate", plate::check),
        ("well", "well", well::check),
        ("bioformats2raw.layout", "bioformats2raw", collection::check_layout),
        ("series", "series", collection::check_series),
    ];
    let mut kinds = Vec::new();
    for (key, kind, check) in subjects {
        if let Some(value) = ome.get(key) {
            kinds.push(kind);
            check(value, notes);
        }
    }
    if kinds.is_empty() || kinds == ["omero"] {
        notes.must("attributes", "no OME-Zarr metadata: neither multiscales nor plate, well, image-label, labels, bioformats2raw.layout or series");
    }
    kinds
}
