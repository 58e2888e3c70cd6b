//! Opening an OME-Zarr image from a local path.

use super::{
    ChunkSource, Opened, axes, channels,
    error::OpenError,
    level::{self, OpenLevel},
    ngff, sample,
    store::FolderStore,
    transforms,
    zarr_source::ZarrSource,
};
use lucida_components::dataset::{Dataset, Level, LevelKind, Multiscale};
use std::{path::Path, sync::Arc};

/// Opens the OME-Zarr image (0.4 on Zarr v2, 0.5 on Zarr v3, sharded or not) in the folder `path`. Reads
/// metadata, and, where no display window is given, a few chunks of the coarsest level.
///
/// # Errors
/// [`OpenError`]: what, where, and the way out.
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    let mut warnings = Vec::new();
    let ngff = ngff::read(path, &mut warnings)?;
    let unreadable =
        |e: std::io::Error| OpenError::Unreadable { path: path.to_owned(), reason: e.to_string() };
    let store = Arc::new(FolderStore::new(path).map_err(unreadable)?);
    let arrays =
        ngff.datasets.iter().map(|d| level::open_level(&store, &d.path)).collect::<Result<Vec<_>, _>>()?;
    let stored = arrays[0].stored;
    let dims = axes::read(&ngff, arrays[0].shape.len(), &mut warnings)?;
    let multiscale = Multiscale {
        source: super::next_source_id(),
        stored,
        dtype: stored.drawn_as(),
        dims: dims.array,
        levels: Vec::new(),
    };
    let channel_dim = multiscale.channel_dim();
    check_levels(&arrays, channel_dim)?;

    let shapes: Vec<Vec<u64>> = arrays.iter().map(|a| a.shape.clone()).collect();
    let lists: Vec<&serde_json::Value> = ngff.datasets.iter().map(|d| &d.transforms).collect();
    let placed = transforms::place(&lists, &ngff.transforms, &shapes, &dims.names, &mut warnings);
    let mut levels: Vec<(OpenLevel, Level)> = Vec::with_capacity(arrays.len());
    for ((array, dataset), placement) in arrays.into_iter().zip(&ngff.datasets).zip(placed) {
        let level = Level {
            path: dataset.path.clone(),
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
    let source: Arc<dyn ChunkSource> = Arc::new(ZarrSource::new(levels));

    let name = name_of(path);
    let count = channel_dim.map_or(1, |d| shapes[0][d]);
    let mut unread = None;
    let mut measure = |channel: u64| {
        sample::middle_plane(&multiscale, &dims.scene, &*source, channel, count).unwrap_or_else(|fault| {
            unread.get_or_insert(fault);
            Vec::new()
        })
    };
    let layers = channels::layers(&name, count, stored, &ngff.omero, &mut measure, &mut warnings);
    if let Some(fault) = unread {
        warnings.push(format!("contrast could not be measured everywhere: {fault}"));
    }
    let id = multiscale.source;
    let dataset = Dataset {
        name,
        locator: path.display().to_string(),
        format: ngff.format,
        axes: dims.scene,
        images: vec![multiscale],
        layers,
        warnings,
    };
    Ok(Opened { dataset: Arc::new(dataset), sources: vec![(id, source)] })
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

/// The folder's name without what it usually ends in.
pub fn name_of(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let stem = name.strip_suffix(".zarr").map_or(&*name, |s| s.strip_suffix(".ome").unwrap_or(s));
    if stem.is_empty() { name.into_owned() } else { stem.to_owned() }
}
