//! What a folder looks like from its metadata files, at little cost: for listings and searches. Whether it opens
//! is said by opening it.

use super::{json, node::Kind, roots::Place};
use serde_json::Value;

/// Longest metadata file that is read for it, bytes. Of a longer one it is believed that it describes an image.
const MOST_BYTES: u64 = 256 << 10;

/// The keys by which a group is known that opens as an image.
const OPENS: [&str; 4] = ["multiscales", "plate", "well", "bioformats2raw.layout"];

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// An array, or a group that holds an image.
    pub is_dataset: bool,
    /// Its metadata lists levels.
    pub has_multiscales: bool,
}

/// What the folder at a place is. What cannot be read is nothing.
pub fn of(place: &Place<'_>) -> Signs {
    let v3 = document(place, "zarr.json");
    let attributes = |node: &Value| node.get("attributes").cloned().unwrap_or_default();
    let signs = match &v3 {
        Document::None => Signs { is_dataset: false, has_multiscales: false },
        Document::Long => Signs { is_dataset: true, has_multiscales: false },
        Document::Read(node) => group(&attributes(node)).or_kind(node),
    };
    if signs.is_dataset {
        return signs;
    }
    match document(place, ".zattrs") {
        Document::Read(attributes) if group(&attributes).is_dataset => group(&attributes),
        Document::Long => Signs { is_dataset: true, has_multiscales: false },
        _ => Signs { is_dataset: is_file(place, ".zarray"), has_multiscales: false },
    }
}

impl Signs {
    /// An array of Zarr 3 opens too.
    fn or_kind(self, node: &Value) -> Self {
        let kind = if node["node_type"] == "array" { Kind::Array } else { Kind::Group };
        Self { is_dataset: self.is_dataset || kind == Kind::Array, ..self }
    }
}

/// What the attributes of a group say, inside `ome` or beside it.
fn group(attributes: &Value) -> Signs {
    let holds = |key: &str| [attributes, &attributes["ome"]].iter().any(|a| says(&a[key]));
    Signs { is_dataset: OPENS.iter().any(|key| holds(key)), has_multiscales: holds("multiscales") }
}

/// Whether something stands there: an empty list says nothing.
fn says(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
}

enum Document {
    None,
    Long,
    Read(Value),
}

fn document(place: &Place<'_>, name: &str) -> Document {
    let file = place.child(name);
    let (store, key) = file.files();
    let Ok(Some(file)) = store.open(key) else { return Document::None };
    if file.len() > MOST_BYTES {
        return Document::Long;
    }
    let mut bytes = vec![0; file.len() as usize];
    if file.read_at(0, &mut bytes).is_err() {
        return Document::None;
    }
    json::parse(&bytes).map_or(Document::None, Document::Read)
}

fn is_file(place: &Place<'_>, name: &str) -> bool {
    let file = place.child(name);
    let (store, key) = file.files();
    matches!(store.open(key), Ok(Some(_)))
}
