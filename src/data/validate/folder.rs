//! A whole image, plate or collection: its metadata files, and whether the arrays are what they say.

use super::{
    super::{error::OpenError, json, node},
    attributes_of,
    notes::{Notes, Report, Version},
};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Most groups that are looked into.
const MAX_GROUPS: usize = 100_000;

/// Most images in numbered folders.
const MAX_NUMBERED: usize = 10_000;

/// Judges what stands in a folder, down to the arrays' metadata. No chunk is read. Without a version it is
/// that of the Zarr format.
///
/// # Errors
/// No folder, no Zarr group, or metadata that cannot be read as JSON.
pub fn folder(path: &Path, version: Option<Version>) -> Result<Report, OpenError> {
    super::super::open::check_folder(path)?;
    let has = |name: &str| path.join(name).exists();
    if !["zarr.json", ".zattrs", ".zgroup", ".zarray"].into_iter().any(has) {
        return Err(OpenError::NotZarr {
            path: path.to_owned(),
            reason: "neither zarr.json nor .zgroup nor .zattrs".into(),
        });
    }
    let newer = json::read(&path.join("zarr.json"))?;
    let is_newer = newer.is_some_and(|d| d["attributes"]["ome"].is_object() || !has(".zattrs"));
    let version = version.unwrap_or(if is_newer { Version::V05 } else { Version::V04 });
    let mut walk = Walk { notes: Notes::new(version, &path.display().to_string()), groups: 0 };
    let kinds = walk.group(path)?.map(|(_, kinds)| kinds).unwrap_or_default();
    Ok(walk.notes.report(kinds))
}

/// Going through a hierarchy.
struct Walk {
    notes: Notes,
    groups: usize,
}

impl Walk {
    /// Judges a group and all that it names; its attributes, and what they are.
    fn group(&mut self, folder: &Path) -> Result<Option<(Value, Vec<&'static str>)>, OpenError> {
        self.groups += 1;
        if self.groups > MAX_GROUPS {
            return Ok(None);
        }
        let Some((file, attributes)) = self.attributes(folder)? else {
            self.notes.turn_to(folder.display().to_string());
            let name = if self.notes.version == Version::V05 { "zarr.json" } else { ".zattrs" };
            self.notes.must("group", format!("there is no {name}"));
            return Ok(None);
        };
        self.notes.turn_to(file.display().to_string());
        let kinds = attributes_of(&attributes, &mut self.notes);
        let ome = if self.notes.version == Version::V05 { &attributes["ome"] } else { &attributes };
        if ome["multiscales"].is_array() {
            let levels = self.levels(folder, &file, ome)?;
            self.labels(folder, levels)?;
        }
        if ome["plate"].is_object() {
            for path in self.paths(folder, &file, &ome["plate"]["wells"], "plate.wells") {
                self.group(&path)?;
            }
        } else if !ome["bioformats2raw.layout"].is_null() {
            self.collection(folder)?;
        }
        for path in self.paths(folder, &file, &ome["well"]["images"], "well.images") {
            self.group(&path)?;
        }
        Ok(Some((attributes, kinds)))
    }

    /// The attributes of a group and the file that they stand in.
    fn attributes(&self, folder: &Path) -> Result<Option<(PathBuf, Value)>, OpenError> {
        let name = if self.notes.version == Version::V05 { "zarr.json" } else { ".zattrs" };
        let file = folder.join(name);
        let found = json::read(&file)?.map(|mut document| match self.notes.version {
            Version::V05 => document.get_mut("attributes").map(Value::take).unwrap_or_default(),
            Version::V04 => document,
        });
        Ok(found.map(|attributes| (file, attributes)))
    }

    /// Folders that a list names by `path`, as far as they stay inside.
    fn paths(&mut self, folder: &Path, file: &Path, list: &Value, field: &str) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for (i, entry) in list.as_array().into_iter().flatten().enumerate() {
            let Some(path) = entry.as_str().or(entry["path"].as_str()) else { continue };
            if let Some(clean) = node::inside(folder, path) {
                paths.push(folder.join(clean));
            } else {
                self.notes.turn_to(file.display().to_string());
                self.notes.must(format!("{field}[{i}]"), format!("{path:?} leads out of its group"));
            }
        }
        paths
    }

    /// Judges the arrays of an image; how many levels its first multiscales lists.
    fn levels(&mut self, folder: &Path, file: &Path, ome: &Value) -> Result<usize, OpenError> {
        let mut listed = 0;
        for (i, multiscale) in ome["multiscales"].as_array().into_iter().flatten().enumerate() {
            let at = format!("multiscales[{i}].datasets");
            let axes = multiscale["axes"].as_array();
            let names: Vec<&str> = axes.into_iter().flatten().filter_map(|a| a["name"].as_str()).collect();
            let mut last = f64::INFINITY;
            let paths = self.paths(folder, file, &multiscale["datasets"], &at);
            for (n, path) in paths.iter().enumerate() {
                let Some(shape) = self.array(path, &names)? else { continue };
                self.notes.turn_to(file.display().to_string());
                let transforms = &multiscale["datasets"][n]["coordinateTransformations"];
                for transform in transforms.as_array().into_iter().flatten() {
                    let lists = [&transform["scale"], &transform["translation"]].into_iter();
                    for list in lists.filter_map(Value::as_array).filter(|l| l.len() != shape.len()) {
                        let reason = format!("{} entries for {} dimensions", list.len(), shape.len());
                        self.notes.must(format!("{at}[{n}].coordinateTransformations"), reason);
                    }
                }
                let voxels = shape.iter().product::<f64>();
                if voxels > last {
                    self.notes.must(format!("{at}[{n}]"), "larger than the level before it");
                }
                last = voxels;
            }
            if i == 0 {
                listed = multiscale["datasets"].as_array().map_or(0, Vec::len);
            }
        }
        Ok(listed)
    }

    /// Judges one array; its shape.
    fn array(&mut self, folder: &Path, axes: &[&str]) -> Result<Option<Vec<f64>>, OpenError> {
        let name = if self.notes.version == Version::V05 { "zarr.json" } else { ".zarray" };
        let file = folder.join(name);
        self.notes.turn_to(file.display().to_string());
        let Some(meta) = json::read(&file)? else {
            self.notes.must("array", "a level that is listed is not there");
            return Ok(None);
        };
        if self.notes.version == Version::V05 && meta["node_type"] != "array" {
            self.notes.must("node_type", "a level that is listed is not an array");
            return Ok(None);
        }
        let shape = meta["shape"].as_array().and_then(|s| s.iter().map(Value::as_f64).collect());
        let Some(shape): Option<Vec<f64>> = shape else {
            self.notes.must("shape", "not a list of numbers");
            return Ok(None);
        };
        if shape.len() != axes.len() {
            self.notes.must("shape", format!("{} dimensions for {} axes", shape.len(), axes.len()));
        }
        match &meta["dimension_names"] {
            Value::Null if self.notes.version == Version::V05 => {
                self.notes.should("dimension_names", "missing");
            }
            Value::Array(names) if !names.iter().map(Value::as_str).eq(axes.iter().map(|a| Some(*a))) => {
                self.notes.must("dimension_names", "not the names of the axes");
            }
            _ => {}
        }
        if self.notes.version == Version::V04 && meta["dimension_separator"] != "/" {
            self.notes.should("dimension_separator", "not \"/\"");
        }
        Ok(Some(shape))
    }

    /// Judges the labels of an image of so many levels.
    fn labels(&mut self, folder: &Path, levels: usize) -> Result<(), OpenError> {
        let Some(inside) = node::inside(folder, "labels") else { return Ok(()) };
        let group = folder.join(inside);
        let Some((file, attributes)) = self.attributes(&group)? else { return Ok(()) };
        self.notes.turn_to(file.display().to_string());
        let ome = if self.notes.version == Version::V05 { &attributes["ome"] } else { &attributes };
        if ome["labels"].is_null() {
            self.notes.must("labels", "missing");
            return Ok(());
        }
        attributes_of(&attributes, &mut self.notes);
        for path in self.paths(&group, &file, &ome["labels"], "labels") {
            let Some((attributes, _)) = self.group(&path)? else { continue };
            self.notes.turn_to(path.display().to_string());
            let ome = if self.notes.version == Version::V05 { &attributes["ome"] } else { &attributes };
            if ome["image-label"].is_null() {
                self.notes.should("image-label", "missing");
            }
            let own = ome["multiscales"][0]["datasets"].as_array().map_or(0, Vec::len);
            if own != levels {
                self.notes
                    .must("multiscales[0].datasets", format!("{own} levels where the image has {levels}"));
            }
            if let Some(first) = ome["multiscales"][0]["datasets"][0]["path"].as_str() {
                self.whole_numbers(&path, first)?;
            }
        }
        Ok(())
    }

    /// The values of a label image are integers.
    fn whole_numbers(&mut self, folder: &Path, level: &str) -> Result<(), OpenError> {
        let Some(inside) = node::inside(folder, level) else { return Ok(()) };
        let v5 = self.notes.version == Version::V05;
        let file = folder.join(inside).join(if v5 { "zarr.json" } else { ".zarray" });
        let Some(meta) = json::read(&file)? else { return Ok(()) };
        let field = if v5 { "data_type" } else { "dtype" };
        let name = meta[field].as_str().unwrap_or_default();
        let kind = name.trim_start_matches(['<', '>', '|', '=']);
        if !kind.starts_with(['i', 'u']) {
            self.notes.turn_to(file.display().to_string());
            self.notes.must(field, format!("{} is no type of whole numbers", meta[field]));
        }
        Ok(())
    }

    /// Judges the images of a collection.
    fn collection(&mut self, folder: &Path) -> Result<(), OpenError> {
        let ome = node::inside(folder, "OME").map(|inside| folder.join(inside));
        let listed = ome.as_deref().map(|ome| self.attributes(ome)).transpose()?.flatten();
        let paths = if let Some((file, attributes)) = &listed {
            self.notes.turn_to(file.display().to_string());
            let own = if self.notes.version == Version::V05 { &attributes["ome"] } else { attributes };
            if !own["series"].is_null() {
                attributes_of(attributes, &mut self.notes);
            }
            self.paths(folder, file, &own["series"], "series")
        } else {
            Vec::new()
        };
        if paths.is_empty() {
            let numbered = (0..MAX_NUMBERED).map(|n| folder.join(n.to_string())).take_while(|p| p.is_dir());
            for path in numbered {
                self.group(&path)?;
            }
        }
        for path in paths {
            self.group(&path)?;
        }
        Ok(())
    }
}
