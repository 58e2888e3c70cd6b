//! Where the OME-Zarr metadata stands, and its multiscales, read leniently: what is odd but usable
//! becomes a warning.

use super::{error::OpenError, json};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// Most levels of a pyramid.
pub const MAX_LEVELS: usize = 32;

/// The metadata of one image, not yet compared with its arrays.
pub struct Ngff {
    /// The file it was read from.
    pub file: PathBuf,
    /// For people, for example `ome-zarr 0.4`.
    pub format: String,
    /// The `axes` as written; `Null` where there are none.
    pub axes: Value,
    /// Levels as listed.
    pub datasets: Vec<Dataset>,
    /// `coordinateTransformations` of the multiscales, applied after those of a level.
    pub transforms: Value,
    /// The `omero` object; `Null` where there is none.
    pub omero: Value,
}

/// One level as listed.
pub struct Dataset {
    /// Folder inside the image, cleaned, without leading or trailing separators.
    pub path: String,
    /// Its `coordinateTransformations` as written.
    pub transforms: Value,
}

/// Finds and reads the metadata of the image in the folder `root`.
///
/// # Errors
/// No folder, no Zarr, no multiscales, malformed or hostile metadata.
pub fn read(root: &Path, warnings: &mut Vec<String>) -> Result<Ngff, OpenError> {
    match std::fs::metadata(root) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpenError::Missing { path: root.to_owned() });
        }
        Err(e) => return Err(OpenError::Unreadable { path: root.to_owned(), reason: e.to_string() }),
        Ok(meta) if !meta.is_dir() => {
            let reason =
                "it is a file. Give the path of an OME-Zarr folder; a zipped one has to be unpacked first";
            return Err(OpenError::NotZarr { path: root.to_owned(), reason: reason.into() });
        }
        Ok(_) => {}
    }
    let (v3, v2) = (root.join("zarr.json"), root.join(".zattrs"));
    let group = json::read(&v3)?;
    if let Some(mut group) = group.clone() {
        let mut attributes = group.get_mut("attributes").map_or(Value::Null, Value::take);
        if attributes["ome"]["multiscales"].is_array() {
            return image(&v3, attributes["ome"].take(), "0.5", warnings);
        }
        if attributes["multiscales"].is_array() {
            warnings.push("the multiscales stand beside, not inside, the attribute \"ome\"".into());
            return image(&v3, attributes, "0.5", warnings);
        }
    }
    let attributes = json::read(&v2)?;
    if let Some(attributes) = &attributes
        && attributes["multiscales"].is_array()
    {
        return image(&v2, attributes.clone(), "0.4", warnings);
    }
    Err(no_image(root, group.as_ref(), attributes.as_ref()))
}

/// The clearest error for a folder that holds no image.
fn no_image(root: &Path, v3: Option<&Value>, v2: Option<&Value>) -> OpenError {
    let path = root.to_owned();
    let is_array = root.join(".zarray").exists() || v3.is_some_and(|g| g["node_type"] == "array");
    if is_array {
        let hint = "this is a single Zarr array. Give the folder round it, which has the OME-Zarr metadata";
        return OpenError::NoMultiscales { path, hint: hint.into() };
    }
    if v3.is_none() && v2.is_none() && !root.join(".zgroup").exists() {
        let reason = "neither zarr.json nor .zgroup nor .zattrs. Give the path of an OME-Zarr folder";
        return OpenError::NotZarr { path, reason: reason.into() };
    }
    let inner: Vec<String> =
        ["0", "1"].into_iter().filter(|n| root.join(n).is_dir()).map(str::to_owned).collect();
    let plate =
        [v3.map(|g| &g["attributes"]["ome"]), v2].into_iter().flatten().any(|a| a["plate"].is_object());
    let hint = if plate {
        "this is a plate. Give the path of one field of a well, for example A/1/0 in it".to_owned()
    } else if let Some(first) = inner.first() {
        format!("this Zarr group is not an image itself. Perhaps {} is", root.join(first).display())
    } else {
        "this Zarr group is not an OME-Zarr image (0.4 or 0.5)".to_owned()
    };
    OpenError::NoMultiscales { path, hint }
}

fn image(
    file: &Path,
    mut attributes: Value,
    default_version: &str,
    warnings: &mut Vec<String>,
) -> Result<Ngff, OpenError> {
    let wrong = |field: &str, reason: String| OpenError::Metadata {
        file: file.to_owned(),
        field: field.into(),
        reason,
    };
    let listed = attributes["multiscales"].as_array().map_or(0, Vec::len);
    if listed > 1 {
        warnings.push(format!("{listed} multiscales; the first one is shown"));
    }
    let mut multiscale = attributes["multiscales"].get_mut(0).map_or(Value::Null, Value::take);
    if !multiscale.is_object() {
        return Err(wrong("multiscales", "the list is empty".into()));
    }
    let version = [&multiscale["version"], &attributes["version"]]
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or(default_version)
        .to_owned();
    if !matches!(version.as_str(), "0.4" | "0.5") {
        warnings.push(format!("OME-Zarr version {version:?} is read as if it were {default_version}"));
    }
    let none = Vec::new();
    let datasets = multiscale["datasets"].as_array().unwrap_or(&none);
    if datasets.is_empty() || datasets.len() > MAX_LEVELS {
        return Err(wrong(
            "multiscales[0].datasets",
            format!("{} levels (1 to {MAX_LEVELS} are read)", datasets.len()),
        ));
    }
    let datasets = datasets
        .iter()
        .enumerate()
        .map(|(i, dataset)| {
            let field = format!("multiscales[0].datasets[{i}].path");
            let path = dataset["path"].as_str().ok_or_else(|| wrong(&field, "missing".into()))?;
            let clean = inner_path(file, path).ok_or_else(|| OpenError::Escapes {
                file: file.to_owned(),
                field,
                path: path.into(),
            })?;
            Ok(Dataset { path: clean, transforms: dataset["coordinateTransformations"].clone() })
        })
        .collect::<Result<_, OpenError>>()?;
    Ok(Ngff {
        file: file.to_owned(),
        format: format!("ome-zarr {version}"),
        axes: multiscale["axes"].take(),
        datasets,
        transforms: multiscale["coordinateTransformations"].take(),
        omero: attributes["omero"].take(),
    })
}

/// A path as the metadata writes it, cleaned; `None` where it is absolute, climbs, names the image itself
/// or is a link that leads out.
fn inner_path(file: &Path, path: &str) -> Option<String> {
    let parts = Path::new(path).components().filter(|c| *c != Component::CurDir);
    let parts: Option<Vec<&str>> = parts
        .map(|c| match c {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    let clean = parts.filter(|p| !p.is_empty())?.join("/");
    let root = file.parent()?.canonicalize().ok()?;
    match root.join(&clean).canonicalize() {
        Ok(real) => real.starts_with(&root).then_some(clean),
        Err(_) => Some(clean), // not there: opening it says so
    }
}
