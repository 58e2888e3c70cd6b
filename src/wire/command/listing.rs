//! `fs.listdir`: what a client wants to see of a folder, and what it is told.

use super::Said;
use crate::wire::fields::{MAX_LIST, clipped};
use serde_json::{Value, json};

/// What is listed of files where a client does not say: images.
const USUAL: &str = ".zarr";

/// Longest suffix, bytes.
const MAX_SUFFIX: usize = 64;

/// A folder, and what of it is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As the client named it; `None` is where browsing begins.
    pub path: Option<String>,
    /// Names that begin with a dot too.
    pub show_hidden: bool,
    /// Of files, those whose name ends so; all where there is none. Folders are told in any case.
    pub only: Vec<String>,
}

/// What lies in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// The folder, as it may be asked for again.
    pub path: String,
    /// Its entries, by name in lower case.
    pub entries: Vec<Entry>,
    /// There are more than are told.
    pub has_more: bool,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name in the folder.
    pub name: String,
    /// As it may be asked for.
    pub path: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Bytes.
    pub size: u64,
    /// Last changed, seconds since the epoch.
    pub mtime: f64,
    /// Of a folder: whether it is an image.
    pub zarr: Option<ZarrMetadata>,
}

/// What a folder is to an opener.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ZarrMetadata {
    /// It can be opened.
    pub is_dataset: bool,
    /// It declares a pyramid.
    pub has_multiscales: bool,
    /// Images in it, relative to it.
    pub dataset_children: Vec<String>,
}

pub(super) fn parse(said: &Said<'_>) -> Result<Wanted, String> {
    let path = said.first_text("path")?.map(str::trim).filter(|p| !p.is_empty());
    let show_hidden = match said.get("show_hidden") {
        None => false,
        Some(Value::Bool(shown)) => *shown,
        Some(_) => return Err("fs.listdir: show_hidden is true or false".into()),
    };
    let only = match said.get("only") {
        None => vec![USUAL.to_owned()],
        Some(Value::Array(list)) if list.len() <= MAX_LIST => {
            list.iter().map(suffix).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(format!("fs.listdir: only is a list of at most {MAX_LIST} endings of names")),
    };
    Ok(Wanted { path: path.map(str::to_owned), show_hidden, only })
}

fn suffix(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if text.len() <= MAX_SUFFIX => Ok(text.clone()),
        Value::String(text) => Err(format!("fs.listdir: the ending {} is too long", clipped(text))),
        _ => Err("fs.listdir: only is a list of texts".into()),
    }
}

impl Listing {
    /// The result, as it is told.
    pub fn result(&self) -> Value {
        let entries: Value = self.entries.iter().map(Entry::told).collect();
        json!({ "path": self.path, "entries": entries, "has_more": self.has_more })
    }
}

impl Entry {
    fn told(&self) -> Value {
        let zarr = self.zarr.as_ref().map(|zarr| {
            json!({
                "is_dataset": zarr.is_dataset,
                "has_multiscales": zarr.has_multiscales,
                "dataset_children": zarr.dataset_children,
            })
        });
        json!({
            "name": self.name,
            "path": self.path,
            "is_dir": self.is_dir,
            "size": self.size,
            "mtime": self.mtime,
            "zarr_metadata": zarr,
        })
    }
}
