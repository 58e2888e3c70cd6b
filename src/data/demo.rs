//! Writes the demo: a procedural image stored as OME-Zarr 0.4, so that any viewer can open it.

use super::{
    ChunkSource, Opened,
    procedural::{ProceduralSpec, procedural},
};
use lucida_components::{
    axes::AxisKind,
    chunk::{ChunkKey, ChunkValues},
    dataset::{ArrayAxis, Dataset, Level, Multiscale},
    dtype::StoredType,
};
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};
use zarrs::{
    array::{Array, ArrayBytes, ArrayMetadata, ArrayToBytesCodecTraits, CodecOptions},
    storage::store::MemoryStore,
};

/// Why the demo could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is something at the path.
    #[error("{}: already there. Remove it, or give another path", .0.display())]
    Exists(PathBuf),
    /// The system refused.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A chunk could not be made or encoded.
    #[error("cannot make the demo: {0}")]
    Make(String),
}

/// The demo's image: five-dimensional, three channels, four levels.
pub fn demo_spec() -> ProceduralSpec {
    ProceduralSpec {
        name: "demo".into(),
        shape: [4, 3, 24, 640, 896],
        chunk: [12, 128, 128],
        // As from a bright specimen; more of it would be most of the bytes on disk.
        noise: 0.35,
        ..ProceduralSpec::default()
    }
}

/// Writes the demo image to the folder `path`, which must not exist. `progress` hears of chunks: done, of
/// how many. The image is made beside its place and then renamed, so that half of one is never found.
///
/// # Errors
/// [`DemoError`]; nothing is left behind.
pub fn write_demo(path: &Path, progress: &dyn Fn(u64, u64)) -> Result<(), DemoError> {
    write(demo_spec(), path, progress)
}

/// Writes the image of any spec, as [`write_demo`] does.
///
/// # Errors
/// [`DemoError`]; nothing is left behind.
pub fn write(spec: ProceduralSpec, path: &Path, progress: &dyn Fn(u64, u64)) -> Result<(), DemoError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(DemoError::Exists(path.to_owned()));
    }
    let failed = |source| DemoError::Write { path: path.to_owned(), source };
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?.to_string_lossy();
    fs::create_dir_all(parent).map_err(failed)?;
    remove_abandoned(parent, &name);
    let partial = Partial(parent.join(format!(".{name}.partial-{}", std::process::id())));
    write_image(&procedural(spec), &partial.0, progress)?;
    fs::rename(&partial.0, path).map_err(failed)
}

/// An unfinished image, removed when it is dropped under its name.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // After the rename there is nothing to remove, and a failure here would hide the reason for it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes what processes that are no longer there left unfinished.
fn remove_abandoned(parent: &Path, name: &str) {
    let prefix = format!(".{name}.partial-");
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let owner =
            file.to_str().and_then(|f| f.strip_prefix(&prefix)).and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| pid != std::process::id() && !Path::new(&format!("/proc/{pid}")).exists())
        {
            // If it cannot be removed it only takes room.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn write_image(opened: &Opened, root: &Path, progress: &dyn Fn(u64, u64)) -> Result<(), DemoError> {
    let dataset = &*opened.dataset;
    let (Some(image), Some((_, source))) = (dataset.reference(), opened.sources.first()) else {
        return Err(DemoError::Make("there is no image".into()));
    };
    put(&root.join(".zgroup"), json!({"zarr_format": 2}).to_string().as_bytes())?;
    put(&root.join(".zattrs"), group(dataset, image).to_string().as_bytes())?;
    let mut levels = Vec::new();
    for level in &image.levels {
        let meta = array(level, image.stored);
        put(&root.join(&level.path).join(".zarray"), meta.to_string().as_bytes())?;
        levels.push(encoder(&meta, &level.path)?);
    }
    let jobs: Vec<ChunkKey> = image
        .levels
        .iter()
        .enumerate()
        .flat_map(|(level, geometry)| {
            let key = move |number| ChunkKey { source: image.source, level: level as u16, number };
            (0..geometry.grid().product()).map(key)
        })
        .collect();
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let threads = thread::available_parallelism().map_or(2, usize::from).min(16);
    // One message per chunk; a full channel makes the writers wait for whoever shows the progress.
    let (done, finished) = crossbeam_channel::bounded(threads * 4);
    thread::scope(|scope| {
        // Ends with this closure, however that ends, so that no thread waits for room for ever.
        let finished = finished;
        for n in 0..threads {
            let done = done.clone();
            let work = || {
                let done = done;
                while !stop.load(Ordering::Relaxed) {
                    let Some(key) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    let level = usize::from(key.level);
                    let written = write_chunk(&levels[level], &image.levels[level], &**source, *key, root);
                    if done.send(written).is_err() {
                        return;
                    }
                }
            };
            let spawned = thread::Builder::new().name(format!("lucida-demo-{n}")).spawn_scoped(scope, work);
            if let Err(source) = spawned {
                stop.store(true, Ordering::Relaxed);
                return Err(DemoError::Write { path: root.to_owned(), source });
            }
        }
        drop(done);
        let total = jobs.len() as u64;
        progress(0, total);
        for (n, written) in finished.iter().enumerate() {
            if written.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            written?;
            progress(n as u64 + 1, total);
        }
        Ok(())
    })
}

/// An array that only encodes: its store stays empty.
fn encoder(meta: &Value, path: &str) -> Result<Array<MemoryStore>, DemoError> {
    let meta: ArrayMetadata =
        serde_json::from_value(meta.clone()).map_err(|e| DemoError::Make(e.to_string()))?;
    Array::new_with_metadata(Arc::new(MemoryStore::new()), &format!("/{path}"), meta)
        .map_err(|e| DemoError::Make(e.to_string()))
}

fn write_chunk(
    array: &Array<MemoryStore>,
    level: &Level,
    source: &dyn ChunkSource,
    key: ChunkKey,
    root: &Path,
) -> Result<(), DemoError> {
    let failed = |e: &dyn std::fmt::Display| DemoError::Make(e.to_string());
    let chunk = source.read(key.level, key.number).map_err(|e| failed(&e))?;
    let ChunkValues::Dense(values) = &chunk.values else { return Ok(()) };
    let at = level.chunk_at(key.number);
    let shape = array.chunk_shape(&at).map_err(|e| failed(&e))?;
    // The threads are ours; zarrs gets none of its own.
    let options = CodecOptions::default().with_concurrent_target(1);
    let encoded = array.codecs().encode(
        ArrayBytes::new_flen(Cow::Borrowed(&**values)),
        &shape,
        array.data_type(),
        array.fill_value(),
        &options,
    );
    put(&root.join(array.chunk_key(&at).as_str()), &encoded.map_err(|e| failed(&e))?)
}

/// Writes a file and the folders above it.
fn put(file: &Path, bytes: &[u8]) -> Result<(), DemoError> {
    let failed = |source| DemoError::Write { path: file.to_owned(), source };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(file, bytes).map_err(failed)
}

/// `.zarray` of a level.
fn array(level: &Level, stored: StoredType) -> Value {
    let dtype = match stored {
        StoredType::U8 => "|u1",
        StoredType::I16 => "<i2",
        StoredType::U32 => "<u4",
        StoredType::F32 => "<f4",
        _ => "<u2",
    };
    json!({
        "zarr_format": 2, "shape": level.shape, "chunks": level.chunk, "dtype": dtype, "order": "C",
        "fill_value": 0, "filters": null, "dimension_separator": "/",
        "compressor": {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 2, "blocksize": 0},
    })
}

/// `.zattrs` of the image.
fn group(dataset: &Dataset, image: &Multiscale) -> Value {
    let axis = |dim: &ArrayAxis| match dim {
        ArrayAxis::Channel => json!({"name": "c", "type": "channel"}),
        ArrayAxis::Scene(n) => {
            let axis = &dataset.axes[*n];
            let kind = if axis.kind == AxisKind::Time { "time" } else { "space" };
            json!({"name": axis.label, "type": kind, "unit": axis.unit})
        }
    };
    let datasets = image.levels.iter().map(|level| {
        json!({"path": level.path, "coordinateTransformations": [
            {"type": "scale", "scale": level.scale},
            {"type": "translation", "translation": level.translation},
        ]})
    });
    let channels = dataset.layers.iter().map(|layer| {
        let colour = layer.controls.colormap.strip_prefix('#').unwrap_or("ffffff").to_uppercase();
        let [start, end] = layer.controls.contrast_limits;
        let [min, max] = layer.range;
        json!({
            "label": layer.name, "color": colour, "active": true,
            "window": {"start": start, "end": end, "min": min, "max": max},
        })
    });
    json!({
        "multiscales": [{
            "version": "0.4", "name": dataset.name,
            "axes": image.dims.iter().map(axis).collect::<Vec<_>>(),
            "datasets": datasets.collect::<Vec<_>>(),
        }],
        "omero": {"name": dataset.name, "version": "0.4", "channels": channels.collect::<Vec<_>>()},
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::data::{open::open, procedural::value_at};
    use lucida_components::dtype::Dtype;
    use std::cell::RefCell;

    fn small() -> ProceduralSpec {
        ProceduralSpec { shape: [2, 3, 10, 50, 70], chunk: [4, 32, 32], levels: 3, ..demo_spec() }
    }

    #[test]
    fn what_was_written_is_opened_again_with_its_values_and_recipe() {
        for dtype in [Dtype::U16, Dtype::U8, Dtype::I16, Dtype::F32] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("new/demo.ome.zarr");
            let spec = ProceduralSpec { dtype, ..small() };
            let heard = RefCell::new(Vec::new());
            write(spec.clone(), &path, &|done, total| heard.borrow_mut().push((done, total))).unwrap();
            let (made, opened) = (procedural(spec.clone()), open(&path).unwrap());
            let (want, got) = (&made.dataset.images[0], &opened.dataset.images[0]);
            assert_eq!(got.levels, want.levels);
            assert_eq!((got.stored, got.dtype), (want.stored, want.dtype));
            assert_eq!(opened.dataset.axes, made.dataset.axes);
            assert_eq!(opened.dataset.warnings, Vec::<String>::new());
            for (got, want) in opened.dataset.layers.iter().zip(&made.dataset.layers) {
                assert_eq!((&got.name, &got.controls, got.range), (&want.name, &want.controls, want.range));
            }
            let chunks: u64 = want.levels.iter().map(|l| l.grid().product::<u64>()).sum();
            assert_eq!(*heard.borrow(), (0..=chunks).map(|n| (n, chunks)).collect::<Vec<_>>());
            let chunk = opened.sources[0].1.read(1, 7).unwrap();
            let ChunkValues::Dense(bytes) = chunk.values else { panic!("dense") };
            let at = got.levels[1].chunk_at(7);
            let first: Vec<u64> = at.iter().zip(&got.levels[1].chunk).map(|(a, c)| a * c).collect();
            let want = value_at(&spec, 1, [first[0], first[1], first[2], first[3], first[4]]);
            assert_eq!(dtype.read(&bytes, 0), want);
        }
    }

    #[test]
    fn a_failed_write_leaves_nothing_and_an_existing_image_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("demo.ome.zarr");
        let abandoned = dir.path().join(format!(".demo.ome.zarr.partial-{}", u32::MAX));
        fs::create_dir(&abandoned).unwrap();
        let unwinds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            write(small(), &path, &|done, _| assert!(done < 3, "the terminal is gone"))
        }));
        assert!(unwinds.is_err());
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            0,
            "neither half an image nor the abandoned one"
        );

        fs::write(&path, b"mine").unwrap();
        assert!(matches!(write_demo(&path, &|_, _| {}), Err(DemoError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        let beside = path.join("inside-a-file");
        assert!(matches!(write(small(), &beside, &|_, _| {}), Err(DemoError::Write { .. })));
    }
}
