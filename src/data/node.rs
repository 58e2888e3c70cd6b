//! One Zarr node, group or array, and the OME metadata that stands on it.

use super::{error::OpenError, json};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A group.
    Group,
    /// An array.
    Array,
}

/// The metadata of one node.
#[derive(Debug)]
pub struct Node {
    /// Its folder.
    pub folder: PathBuf,
    /// The file that the attributes were read from.
    pub file: PathBuf,
    /// Group or array.
    pub kind: Kind,
    /// Zarr format, 2 or 3.
    pub zarr: u8,
    /// The document of an array (`zarr.json` or `.zarray`); `Null` for a group.
    pub array: Value,
    /// The attributes in which OME's keys stand: those of the attribute `ome`, or all.
    pub attributes: Value,
}

/// The keys by which a group of OME-Zarr is known.
pub const OME_KEYS: [&str; 7] =
    ["multiscales", "plate", "well", "image-label", "labels", "bioformats2raw.layout", "series"];

/// Reads the node in `folder`; `None` where there is none. Where both Zarr formats stand side by side, the
/// one that has OME metadata is meant, else the newer.
///
/// # Errors
/// Unreadable, too large or malformed metadata.
pub fn read(folder: &Path, warnings: &mut Vec<String>) -> Result<Option<Node>, OpenError> {
    let v3 = of_v3(folder)?;
    if v3.as_ref().is_some_and(|n| n.kind == Kind::Array || n.has_ome()) {
        return Ok(v3.map(|n| n.unwrapped(warnings)));
    }
    let v2 = of_v2(folder)?;
    let meant = if v3.is_none() || v2.as_ref().is_some_and(Node::has_ome) { v2 } else { v3 };
    Ok(meant.map(|n| n.unwrapped(warnings)))
}

/// A metadata file of a node; `None` where there is none. A link that leads out of the folder is not followed.
fn document(folder: &Path, name: &str) -> Result<Option<Value>, OpenError> {
    let file = folder.join(name);
    if let (Ok(real), Ok(root)) = (file.canonicalize(), folder.canonicalize())
        && !real.starts_with(root)
    {
        return Err(OpenError::Escapes { file, field: "link".into(), path: real.display().to_string() });
    }
    json::read(&file)
}

fn of_v3(folder: &Path) -> Result<Option<Node>, OpenError> {
    let file = folder.join("zarr.json");
    let Some(mut document) = document(folder, "zarr.json")? else { return Ok(None) };
    let kind = if document["node_type"] == "array" { Kind::Array } else { Kind::Group };
    let attributes = document.get_mut("attributes").map(Value::take).unwrap_or_default();
    let array = if kind == Kind::Array { document } else { Value::Null };
    Ok(Some(Node { folder: folder.to_owned(), file, kind, zarr: 3, array, attributes }))
}

fn of_v2(folder: &Path) -> Result<Option<Node>, OpenError> {
    let file = folder.join(".zattrs");
    let (attributes, array) = (document(folder, ".zattrs")?, document(folder, ".zarray")?);
    if attributes.is_none() && array.is_none() && !folder.join(".zgroup").exists() {
        return Ok(None);
    }
    Ok(Some(Node {
        folder: folder.to_owned(),
        file,
        kind: if array.is_some() { Kind::Array } else { Kind::Group },
        zarr: 2,
        array: array.unwrap_or_default(),
        attributes: attributes.unwrap_or_default(),
    }))
}

/// Whether one of OME's keys stands in these attributes.
fn holds_ome(attributes: &Value) -> bool {
    OME_KEYS.iter().any(|key| attributes.get(key).is_some_and(|v| !v.is_null()))
}

impl Node {
    fn has_ome(&self) -> bool {
        holds_ome(&self.attributes) || holds_ome(&self.attributes["ome"])
    }

    /// With the attributes in which OME's keys stand, wherever that is.
    fn unwrapped(mut self, warnings: &mut Vec<String>) -> Self {
        if holds_ome(&self.attributes["ome"]) {
            if self.zarr == 2 {
                warnings.push("the OME metadata stands inside the attribute \"ome\", as from 0.5 on".into());
            }
            self.attributes = self.attributes["ome"].take();
        } else if self.zarr == 3 && holds_ome(&self.attributes) {
            let found = OME_KEYS.iter().find(|key| !self.attributes[**key].is_null());
            let found = found.copied().unwrap_or("metadata");
            warnings.push(format!("the {found} stand beside, not inside, the attribute \"ome\""));
        }
        self
    }

    /// An error about a field of the attributes.
    pub fn wrong(&self, field: impl Into<String>, reason: impl Into<String>) -> OpenError {
        OpenError::Metadata { file: self.file.clone(), field: field.into(), reason: reason.into() }
    }

    /// The path of a child as this node's metadata writes it in `field`, cleaned.
    ///
    /// # Errors
    /// [`OpenError::Escapes`] where it is absolute, climbs, names the node itself or is a link that leads
    /// out of its folder.
    pub fn child(&self, field: &str, path: &str) -> Result<String, OpenError> {
        inside(&self.folder, path).ok_or_else(|| self.escapes(field, path))
    }

    /// The same without looking at the disk, for long lists: before it is opened, it goes through
    /// [`Self::child`].
    ///
    /// # Errors
    /// [`OpenError::Escapes`] where it is absolute, climbs or names the node itself.
    pub fn listed(&self, field: &str, path: &str) -> Result<String, OpenError> {
        clean(path).ok_or_else(|| self.escapes(field, path))
    }

    fn escapes(&self, field: &str, path: &str) -> OpenError {
        OpenError::Escapes { file: self.file.clone(), field: field.into(), path: path.into() }
    }

    /// The child in this folder, which this node's metadata lists.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn open_child(&self, path: &str, warnings: &mut Vec<String>) -> Result<Self, OpenError> {
        let folder = self.folder.join(path);
        read(&folder, warnings)?.ok_or_else(|| OpenError::NotZarr {
            path: folder,
            reason: format!("{} lists it, but there is nothing", self.file.display()),
        })
    }
}

/// A path that stays inside `folder`, cleaned; `None` where it is absolute, climbs, names the folder itself
/// or is a link that leads out of it.
pub fn inside(folder: &Path, path: &str) -> Option<String> {
    let clean = clean(path)?;
    let root = folder.canonicalize().ok()?;
    match root.join(&clean).canonicalize() {
        Ok(real) => real.starts_with(&root).then_some(clean),
        Err(_) => Some(clean), // not there: opening it says so
    }
}

/// A path without superfluous parts; `None` where it is absolute, climbs or is empty.
fn clean(path: &str) -> Option<String> {
    let parts = Path::new(path).components().filter(|c| *c != Component::CurDir);
    let parts: Option<Vec<&str>> = parts
        .map(|c| match c {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    Some(parts.filter(|p| !p.is_empty())?.join("/"))
}
