//! Opening what stands at a local path: an image, labels, a bare array, or a container of images.

use super::{
    ChunkSource, Opened, array, container,
    error::OpenError,
    image,
    node::{self, Kind, Node},
    store::FolderStore,
};
use lucida_components::dataset::{Dataset, LayerSource, Multiscale, SceneAxis, SourceId};
use std::{path::Path, sync::Arc};

/// Most warnings that are kept, and most letters of one: clients are told them all.
const MAX_WARNINGS: usize = 64;
const MAX_LETTERS: usize = 500;

/// What the user says about the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Names of the axes, in array order, for arrays that name none.
    pub axes: Option<Vec<String>>,
}

/// One opening: where, and with which options.
pub struct Opening<'a> {
    /// The path as asked for.
    pub path: &'a Path,
    /// Its folder.
    pub store: Arc<FolderStore>,
    /// What the user says.
    pub options: &'a Options,
}

/// One image, opened, before it gets its name.
pub struct Image {
    /// For people, for example `ome-zarr 0.4`.
    pub format: String,
    /// As in [`Dataset::axes`].
    pub axes: Vec<SceneAxis>,
    /// As in [`Dataset::images`].
    pub images: Vec<Multiscale>,
    /// As in [`Dataset::layers`].
    pub layers: Vec<LayerSource>,
    /// As in [`Dataset::start`].
    pub start: Vec<Option<u64>>,
    /// As in [`Opened::sources`].
    pub sources: Vec<(SourceId, Arc<dyn ChunkSource>)>,
}

/// Opens what stands in the folder `path`: an OME-Zarr image (0.1 to 0.5, with its labels), a labels image,
/// a bare Zarr array (v2 or v3), or the first image of a collection, a plate or a well. Reads metadata, and,
/// where no display window is given, a few chunks of the coarsest level.
///
/// # Errors
/// [`OpenError`]: what, where, and the way out.
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    open_with(path, &Options::default())
}

/// [`open`] with what the user says about the data.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    check_folder(path)?;
    let unreadable =
        |e: std::io::Error| OpenError::Unreadable { path: path.to_owned(), reason: e.to_string() };
    let store = Arc::new(FolderStore::new(path).map_err(unreadable)?);
    let opening = Opening { path, store, options };
    let mut warnings = Vec::new();
    let node = node::read(path, &mut warnings)?.ok_or_else(|| OpenError::NotZarr {
        path: path.to_owned(),
        reason: "neither zarr.json nor .zgroup nor .zattrs. Give the path of an OME-Zarr folder".into(),
    })?;
    let name = name_of(path);
    let (image, contents) = if node.attributes["multiscales"].is_array() {
        (image::open(&opening, "", &node, &name, &mut warnings)?, None)
    } else if node.kind == Kind::Array {
        (array::open(&opening, &node, &name, &mut warnings)?, None)
    } else if let Some((image, contents)) = container::open(&opening, &node, &name, &mut warnings)? {
        (image, Some(contents))
    } else {
        return Err(no_image(path, &node));
    };
    let dataset = Dataset {
        name: contents.as_ref().map_or(name.clone(), |c| format!("{name} {}", c.shown)),
        locator: path.display().to_string(),
        format: image.format,
        axes: image.axes,
        images: image.images,
        layers: image.layers,
        start: image.start,
        contents,
        warnings: bounded(warnings),
    };
    Ok(Opened { dataset: Arc::new(dataset), sources: image.sources })
}

/// The first of very many warnings, none too long.
fn bounded(mut warnings: Vec<String>) -> Vec<String> {
    let more = warnings.len().saturating_sub(MAX_WARNINGS);
    warnings.truncate(MAX_WARNINGS);
    for warning in warnings.iter_mut().filter(|w| w.chars().nth(MAX_LETTERS).is_some()) {
        *warning = warning.chars().take(MAX_LETTERS).chain(['…']).collect();
    }
    if more > 0 {
        warnings.push(format!("… and {more} more"));
    }
    warnings
}

/// There is a folder at `path`.
pub fn check_folder(path: &Path) -> Result<(), OpenError> {
    match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(OpenError::Missing { path: path.to_owned() })
        }
        Err(e) => Err(OpenError::Unreadable { path: path.to_owned(), reason: e.to_string() }),
        Ok(meta) if !meta.is_dir() => {
            let reason =
                "it is a file. Give the path of an OME-Zarr folder; a zipped one has to be unpacked first";
            Err(OpenError::NotZarr { path: path.to_owned(), reason: reason.into() })
        }
        Ok(_) => Ok(()),
    }
}

/// The clearest error for a group that holds no image.
fn no_image(path: &Path, node: &Node) -> OpenError {
    let inner: Vec<String> =
        ["0", "1"].into_iter().filter(|n| path.join(n).is_dir()).map(str::to_owned).collect();
    let labels = node.attributes["labels"].as_array().and_then(|l| l.first()?.as_str());
    let hint = if let Some(first) = labels {
        format!("this lists the labels of an image. Give the image's path, or {}", path.join(first).display())
    } else if let Some(first) = inner.first() {
        format!("this Zarr group is not an image itself. Perhaps {} is", path.join(first).display())
    } else {
        "this Zarr group is not an OME-Zarr image (0.1 to 0.5)".to_owned()
    };
    OpenError::NoMultiscales { path: path.to_owned(), hint }
}

/// The folder's name without what it usually ends in.
pub fn name_of(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let stem = name.strip_suffix(".zarr").map_or(&*name, |s| s.strip_suffix(".ome").unwrap_or(s));
    if stem.is_empty() { name.into_owned() } else { stem.to_owned() }
}
