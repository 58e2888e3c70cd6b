//! The arrays of one multiscales, opened and placed.

use super::{
    ChunkSource, axes,
    axes::Dims,
    channels,
    error::OpenError,
    level::{self, OpenLevel},
    ngff::{Dataset, Ngff},
    node::Node,
    open::Opening,
    transforms,
    zarr_source::ZarrSource,
};
use lucida_components::{
    dataset::{Level, LevelKind, Multiscale, SceneAxis},
    layer::LayerKind,
};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

/// An opened pyramid. Its dimensions are numbered by its own axes.
pub struct Pyramid {
    /// Levels, types, dimensions.
    pub multiscale: Multiscale,
    /// The axes.
    pub dims: Dims,
    /// Its chunks.
    pub source: Arc<dyn ChunkSource>,
    /// Elements of the channel axis, 1 without one.
    pub channels: u64,
}

/// What is to be opened, and as what.
pub struct Wanted<'a> {
    /// The group, or the array itself.
    pub node: &'a Node,
    /// Its folder inside what was opened, empty for that itself.
    pub prefix: &'a str,
    /// What its metadata says.
    pub ngff: &'a Ngff,
    /// The field in which the axes stand, for errors.
    pub axes_field: &'a str,
    /// What its values are.
    pub kind: LayerKind,
    /// The image that it lies over, for levels that say nothing of their place.
    pub over: Option<(&'a Multiscale, &'a [SceneAxis])>,
}

/// Opens the arrays of one multiscales.
///
/// # Errors
/// The finest level is not there; a level is there and cannot be read; levels or axes contradict each other.
pub fn open(opening: &Opening, wanted: &Wanted, warnings: &mut Vec<String>) -> Result<Pyramid, OpenError> {
    let Wanted { node, ngff, .. } = *wanted;
    let mut listed: Vec<&Dataset> = Vec::new();
    let mut arrays = Vec::new();
    for dataset in &ngff.datasets {
        let path = join(wanted.prefix, &dataset.path);
        if !listed.is_empty() && !is_array(&opening.store.root().join(&path)) {
            warnings.push(format!("level {} is listed but not there; left out", dataset.path));
            continue;
        }
        arrays.push(level::open_level(&opening.store, &path)?);
        listed.push(dataset);
    }
    let stored = arrays[0].stored;
    let dtype = match wanted.kind {
        LayerKind::Image => Some(stored.drawn_as()),
        LayerKind::Labels => stored.drawn_as_label(),
    };
    let dtype = dtype.ok_or_else(|| OpenError::Unsupported {
        file: arrays[0].file.clone(),
        field: "data type".into(),
        reason: format!("{stored} values name no objects; labels are whole numbers"),
    })?;
    let prescribed = json!(["t", "c", "z", "y", "x"]);
    let is_old = ngff.axes.is_null() && matches!(ngff.version.as_str(), "0.1" | "0.2");
    let written = if is_old && arrays[0].shape.len() == 5 { &prescribed } else { &ngff.axes };
    let dims = axes::read(written, &arrays[0].shape, (&node.file, wanted.axes_field), warnings)?;
    let multiscale = Multiscale {
        source: super::next_source_id(),
        stored,
        dtype,
        dims: dims.array.clone(),
        levels: Vec::new(),
    };
    let channel_dim = multiscale.channel_dim();
    check_levels(&arrays, channel_dim)?;
    let channels = channel_dim.map_or(1, |d| arrays[0].shape[d]);

    let shapes: Vec<Vec<u64>> = arrays.iter().map(|a| a.shape.clone()).collect();
    let mut lists: Vec<&Value> = listed.iter().map(|d| &d.transforms).collect();
    let covering;
    if let Some((image, scene)) = wanted.over
        && !has_scale(lists[0])
        && !has_scale(&ngff.transforms)
    {
        covering = json!(cover(image, scene, &dims.names, &shapes[0]));
        lists[0] = &covering;
        warnings.push("no scale for level 0; laid over the whole image".into());
    }
    let placed = transforms::place(&lists, &ngff.transforms, &shapes, &dims.names, warnings);
    let mut levels: Vec<(OpenLevel, Level)> = Vec::with_capacity(arrays.len());
    for ((array, dataset), placement) in arrays.into_iter().zip(&listed).zip(placed) {
        let path = join(wanted.prefix, &dataset.path);
        let level = Level {
            path: if path.is_empty() { ".".into() } else { path },
            shape: array.shape.clone(),
            chunk: array.chunk.iter().map(|n| n.get()).collect(),
            scale: placement.scale,
            translation: placement.translation,
            kind: LevelKind::Stored,
        };
        levels.push((array, level));
    }
    let voxels = |level: &Level| level.shape.iter().product::<u64>();
    if !levels.is_sorted_by(|a, b| voxels(&a.1) >= voxels(&b.1)) {
        warnings.push("the levels are not listed from fine to coarse; sorted by their size".into());
        levels.sort_by_key(|(_, level)| std::cmp::Reverse(voxels(level)));
    }
    let multiscale =
        Multiscale { levels: levels.iter().map(|(_, level)| level.clone()).collect(), ..multiscale };
    let source = Arc::new(ZarrSource::new(levels, dtype));
    Ok(Pyramid { multiscale, dims, source, channels })
}

/// Two paths inside the store, of which either can be empty.
pub fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) => path.into(),
        (prefix, "") => prefix.into(),
        (prefix, path) => format!("{prefix}/{path}"),
    }
}

/// Whether the folder has the metadata file of an array (or of any other node of Zarr v3).
fn is_array(folder: &Path) -> bool {
    folder.join("zarr.json").exists() || folder.join(".zarray").exists()
}

fn has_scale(list: &Value) -> bool {
    list.as_array().is_some_and(|l| l.iter().any(|t| t["type"] == "scale"))
}

/// Transforms by which an array of this shape covers what the image covers on the axes that they share.
fn cover(image: &Multiscale, scene: &[SceneAxis], names: &[String], shape: &[u64]) -> Value {
    let finest = &image.levels[0];
    let (scale, translation): (Vec<f64>, Vec<f64>) = names
        .iter()
        .zip(shape)
        .map(|(name, count)| {
            let axis = scene.iter().position(|a| a.label.eq_ignore_ascii_case(name));
            axis.and_then(|a| image.dim_of(a)).map_or((1.0, 0.0), |d| {
                transforms::by_counts(finest.scale[d], finest.translation[d], finest.shape[d], *count)
            })
        })
        .unzip();
    json!([{"type": "scale", "scale": scale}, {"type": "translation", "translation": translation}])
}

/// The levels of a pyramid have one value type, one number of dimensions and the same channels.
fn check_levels(arrays: &[OpenLevel], channel_dim: Option<usize>) -> Result<(), OpenError> {
    let first = &arrays[0];
    let wrong = |array: &OpenLevel, field: &str, reason: String| OpenError::Metadata {
        file: array.file.clone(),
        field: field.into(),
        reason,
    };
    for array in arrays {
        if array.shape.len() != first.shape.len() {
            let (got, want) = (array.shape.len(), first.shape.len());
            return Err(wrong(array, "shape", format!("{got} dimensions where the first level has {want}")));
        }
        if array.stored != first.stored {
            let (got, want) = (array.stored, first.stored);
            return Err(wrong(array, "data type", format!("{got} where the first level has {want}")));
        }
        let Some(d) = channel_dim else { continue };
        if array.shape[d] != first.shape[d] {
            let (got, want) = (array.shape[d], first.shape[d]);
            return Err(wrong(array, "shape", format!("{got} channels where the first level has {want}")));
        }
        if array.shape[d] > channels::MAX_CHANNELS {
            let most = channels::MAX_CHANNELS;
            return Err(wrong(
                array,
                "shape",
                format!("{} channels (at most {most} are shown)", array.shape[d]),
            ));
        }
    }
    Ok(())
}
