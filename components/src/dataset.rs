//! What an opened image is: axes, pyramids, layers. Immutable once opened; a change is a new dataset.

use crate::{
    axes::AxisKind,
    contents::Contents,
    controls::Controls,
    dtype::{Dtype, StoredType},
    labels::LabelTable,
    layer::LayerKind,
};
use bevy_ecs::resource::Resource;
use serde::Serialize;
use std::{fmt, sync::Arc};

/// An opened image. Compared by identity: two datasets are the same if they are the same opening.
#[derive(Clone, Serialize)]
pub struct Dataset {
    /// Name to show.
    pub name: String,
    /// Where it was opened, as a client may be shown it.
    pub locator: String,
    /// Format and version, for example `ome-zarr 0.4`.
    pub format: String,
    /// Axes of the scene in array order, without the channel axis.
    pub axes: Vec<SceneAxis>,
    /// The arrays behind the layers; the first is the reference whose full resolution is the scene grid.
    pub images: Vec<Multiscale>,
    /// The layers, bottom first.
    pub layers: Vec<LayerSource>,
    /// Where the index begins along each axis, scene voxels; the middle of space and the beginning of all
    /// else where it is `None` or the list is short.
    pub start: Vec<Option<u64>>,
    /// What else stands where it was opened; `None` for a single image.
    pub contents: Option<Contents>,
    /// What was odd but usable, in sentences.
    pub warnings: Vec<String>,
}

/// One axis of the scene.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SceneAxis {
    /// Name, for example `z`.
    pub label: String,
    /// Kind.
    pub kind: AxisKind,
    /// Unit as the data names it.
    pub unit: Option<String>,
}

/// What one dimension of a stored array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrayAxis {
    /// The scene axis of this number.
    Scene(usize),
    /// The channel axis: its elements are layers.
    Channel,
}

/// Names one opened array pyramid, unique for the life of the process, so that a late chunk of an old
/// dataset can never be taken for one of the new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SourceId(pub u32);

/// A pyramid of arrays.
#[derive(Debug, Clone, Serialize)]
pub struct Multiscale {
    /// Its name for chunk requests.
    pub source: SourceId,
    /// Value type on disk.
    pub stored: StoredType,
    /// Value type in chunks and tiles.
    pub dtype: Dtype,
    /// What each array dimension is.
    pub dims: Vec<ArrayAxis>,
    /// Levels, finest first. Never empty.
    pub levels: Vec<Level>,
}

/// One array of a pyramid. All vectors have one entry per *array* dimension (channel included).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// Path inside the dataset.
    pub path: String,
    /// Extent in voxels.
    pub shape: Vec<u64>,
    /// Extent of what is read at once: a chunk, or the inner chunk of a shard.
    pub chunk: Vec<u64>,
    /// World units per voxel (NGFF scale; dataset and multiscale transforms combined), > 0.
    pub scale: Vec<f64>,
    /// World coordinate of the *centre* of voxel 0.
    pub translation: Vec<f64>,
    /// Whether it is stored.
    pub kind: LevelKind,
}

/// Where the values of a level come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelKind {
    /// It is stored.
    #[default]
    Stored,
    /// It is made of the level before it, which takes its time.
    Virtual,
}

/// One layer to be made from a dataset.
#[derive(Debug, Clone, Serialize)]
pub struct LayerSource {
    /// Name to show.
    pub name: String,
    /// Which of [`Dataset::images`].
    pub image: usize,
    /// Element of the channel axis; 0 where there is none.
    pub channel: u64,
    /// Controls to start with: OMERO's where they are given, else measured.
    pub controls: Controls,
    /// The range the contrast control spans, raw units.
    pub range: [f64; 2],
    /// What its values are.
    pub kind: LayerKind,
    /// Colours and names of the objects, for labels that declare them.
    pub labels: Option<Arc<LabelTable>>,
}

/// Short, because it stands in the log line of the op that shows it.
impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataset({})", self.locator)
    }
}

impl PartialEq for Dataset {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.images.first().map(|i| i.source) == other.images.first().map(|i| i.source)
    }
}

impl Multiscale {
    /// The array dimension that holds a scene axis.
    pub fn dim_of(&self, axis: usize) -> Option<usize> {
        self.dims.iter().position(|d| *d == ArrayAxis::Scene(axis))
    }

    /// The array dimension of the channels.
    pub fn channel_dim(&self) -> Option<usize> {
        self.dims.iter().position(|d| *d == ArrayAxis::Channel)
    }
}

impl Level {
    /// Number of chunks per dimension.
    pub fn grid(&self) -> impl Iterator<Item = u64> + '_ {
        self.shape.iter().zip(&self.chunk).map(|(s, c)| s.div_ceil(*c))
    }

    /// C-order number of the chunk at these grid coordinates.
    pub fn chunk_number(&self, at: &[u64]) -> u64 {
        self.grid().zip(at).fold(0, |n, (g, a)| n * g + a)
    }

    /// Grid coordinates of a chunk number; inverse of [`Self::chunk_number`].
    pub fn chunk_at(&self, mut number: u64) -> Vec<u64> {
        let grid: Vec<u64> = self.grid().collect();
        let mut at = vec![0; grid.len()];
        for (slot, g) in at.iter_mut().zip(&grid).rev() {
            *slot = number % g;
            number /= g;
        }
        at
    }

    /// Whether its chunks are made, not stored.
    pub fn is_virtual(&self) -> bool {
        self.kind == LevelKind::Virtual
    }

    /// Voxels of one chunk.
    pub fn chunk_voxels(&self) -> u64 {
        self.chunk.iter().product()
    }
}

impl Dataset {
    /// The reference image, whose full resolution is the scene grid.
    pub fn reference(&self) -> Option<&Multiscale> {
        self.images.first()
    }

    /// Extent of the scene grid along a scene axis, in voxels; 1 where the reference lacks the axis.
    pub fn extent(&self, axis: usize) -> u64 {
        self.reference().and_then(|r| Some(r.levels[0].shape[r.dim_of(axis)?])).unwrap_or(1)
    }

    /// World units per scene voxel and world coordinate of scene voxel 0's centre along a scene axis.
    pub fn placement(&self, axis: usize) -> (f64, f64) {
        self.reference()
            .and_then(|r| {
                let d = r.dim_of(axis)?;
                Some((r.levels[0].scale[d], r.levels[0].translation[d]))
            })
            .unwrap_or((1.0, 0.0))
    }
}

/// The dataset that the reducers asked for. `None` until the first one was opened.
#[derive(Resource, Debug, Default, Clone)]
pub struct Scene {
    /// The requested dataset.
    pub dataset: Option<Arc<Dataset>>,
}
