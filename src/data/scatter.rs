//! A volume of any size whose chunks cost next to nothing to make: solid objects scattered through it, or dense
//! noise. For benches and for tests of what is too large to store; [`super::procedural`] is nicer to look at.
//!
//! Space is cut into regions of 63³ voxels, each with one object or none, so that the share of regions with an
//! object is the share of bricks that are not empty. An object is a product of three profiles, one along each
//! axis; the mean over a coarse voxel is then a product (or a short sum of products) of means, and every level
//! is exactly the mean of the finest, but for its grain.

mod along;
mod field;

use super::{ChunkSource, Opened, recycle};
use field::Field;
use lucida_components::{
    axes::AxisKind,
    chunk::{ChunkData, ChunkFault, ChunkValues},
    controls::{Blending, Controls},
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, SceneAxis, SourceId},
    dtype::{Dtype, StoredType},
    layer::LayerKind,
};
use std::sync::Arc;

/// Edge of a region, in voxels of the finest level.
pub const REGION: u64 = 63;
/// The value of a voxel without an object.
pub const BACKGROUND: u16 = 100;
/// The coarsest level has at most this many voxels along each axis.
const COARSEST: u64 = 64;
/// Colours of the channels, in turn.
const COLOURS: [&str; 4] = ["#3c8cff", "#ff46a0", "#64ff78", "#ffc040"];

/// What is in a volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content {
    /// Solid objects in this share of the regions (0..=1), each region's own; [`BACKGROUND`] elsewhere.
    Objects {
        /// The share.
        occupancy: f64,
    },
    /// Every voxel a random number over the whole range: nothing can be skipped. A coarse voxel varies as the
    /// mean of its finest ones would.
    Noise,
}

/// What volume to make: u16, voxels of one micrometre, a full pyramid of halves down to at most 64³. Extents
/// and chunks of 0 are taken as 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterSpec {
    /// Name to show.
    pub name: String,
    /// Another seed, another specimen.
    pub seed: u64,
    /// Extents c, z, y, x of the finest level; their product must stay below 2⁶³.
    pub shape: [u64; 4],
    /// Edge of a chunk; it holds one channel.
    pub chunk: u64,
    /// What is in it.
    pub content: Content,
    /// Random grain of the objects, of their value: 0..=0.35, beyond which it would not fit 16 bits.
    pub grain: f64,
}

impl Default for ScatterSpec {
    fn default() -> Self {
        Self {
            name: "scatter".into(),
            seed: 1,
            shape: [1, 256, 256, 256],
            chunk: 64,
            content: Content::Objects { occupancy: 0.6 },
            grain: 0.3,
        }
    }
}

impl ScatterSpec {
    /// A cube of one channel.
    pub fn cube(side: u64, content: Content) -> Self {
        Self { name: format!("scatter {side}³"), shape: [1, side, side, side], content, ..Self::default() }
    }

    /// Extents c, z, y, x of a level.
    pub fn level_shape(&self, level: u16) -> [u64; 4] {
        let [c, z, y, x] = self.shape.map(|s| s.max(1));
        let halved = |s: u64| s.div_ceil(1 << level.min(62));
        [c, halved(z), halved(y), halved(x)]
    }

    /// Levels of the pyramid.
    pub fn levels(&self) -> u16 {
        (1..62).find(|n| self.level_shape(n - 1)[1..].iter().all(|s| *s <= COARSEST)).unwrap_or(62)
    }

    /// Window that shows the objects.
    fn contrast(&self) -> [f64; 2] {
        match self.content {
            Content::Objects { .. } => [f64::from(BACKGROUND), 40_000.0],
            Content::Noise => [0.0, 65_535.0],
        }
    }
}

/// The value of a voxel `[c, z, y, x]` of a level: the same that chunks hold, bit for bit.
pub fn value_at(spec: &ScatterSpec, level: u16, [c, z, y, x]: [u64; 4]) -> u16 {
    let mut value = 0;
    Field::new(spec, level + 1, 1).rows(level, c, [z, y, x], [1; 3], |row| value = row[0]);
    value
}

/// Opens the volume of a spec. Nothing is made before it is read.
pub fn scatter(mut spec: ScatterSpec) -> Opened {
    spec.shape = spec.shape.map(|s| s.max(1));
    spec.chunk = spec.chunk.max(1);
    let levels = (0..spec.levels()).map(|level| {
        let shape = spec.level_shape(level);
        let size = (1_u64 << level) as f64;
        Level {
            path: level.to_string(),
            shape: shape.to_vec(),
            chunk: [1].into_iter().chain((1..4).map(|d| spec.chunk.min(shape[d]))).collect(),
            scale: vec![1.0, size, size, size],
            translation: [[0.0].as_slice(), &[(size - 1.0) / 2.0; 3]].concat(),
            kind: LevelKind::Stored,
        }
    });
    let levels: Vec<Level> = levels.collect();
    let id = super::next_source_id();
    let dataset = dataset(&spec, id, levels.clone());
    let field = Field::new(&spec, levels.len() as u16, spec.chunk.min(spec.shape[3]) as usize);
    Opened { dataset: Arc::new(dataset), sources: vec![(id, Arc::new(Scatter { field, levels }))] }
}

fn dataset(spec: &ScatterSpec, id: SourceId, levels: Vec<Level>) -> Dataset {
    let axis = |label: &str| SceneAxis {
        label: label.into(),
        kind: AxisKind::Space,
        unit: Some("micrometer".into()),
    };
    let contrast_limits = spec.contrast();
    let layers = (0..spec.shape[0]).map(|channel| LayerSource {
        name: format!("channel {channel}"),
        image: 0,
        channel,
        controls: Controls {
            blending: if spec.shape[0] == 1 { Blending::Translucent } else { Blending::Additive },
            colormap: match spec.shape[0] {
                1 => "gray".into(),
                _ => COLOURS[channel as usize % COLOURS.len()].into(),
            },
            iso_threshold: f64::midpoint(contrast_limits[0], contrast_limits[1]),
            contrast_limits,
            ..Controls::default()
        },
        range: [0.0, 65_535.0],
        kind: LayerKind::Image,
        labels: None,
    });
    Dataset {
        name: spec.name.clone(),
        locator: format!("scatter:{}", spec.name),
        format: "procedural".into(),
        axes: ["z", "y", "x"].map(axis).to_vec(),
        images: vec![Multiscale {
            source: id,
            stored: StoredType::U16,
            dtype: Dtype::U16,
            dims: [ArrayAxis::Channel].into_iter().chain((0..3).map(ArrayAxis::Scene)).collect(),
            levels,
        }],
        layers: layers.collect(),
        start: Vec::new(),
        contents: None,
        warnings: Vec::new(),
    }
}

struct Scatter {
    field: Field,
    levels: Vec<Level>,
}

impl ChunkSource for Scatter {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        let fault = |reason: &str| ChunkFault { level, number, reason: reason.into() };
        let geometry = self.levels.get(usize::from(level)).ok_or_else(|| fault("there is no such level"))?;
        if number >= geometry.grid().product() {
            return Err(fault("there is no such chunk"));
        }
        let at = geometry.chunk_at(number);
        let origin: [u64; 3] = std::array::from_fn(|d| at[d + 1] * geometry.chunk[d + 1]);
        let full: [usize; 3] = std::array::from_fn(|d| geometry.chunk[d + 1] as usize);
        let inside: [usize; 3] =
            std::array::from_fn(|d| full[d].min((geometry.shape[d + 1] - origin[d]) as usize));
        let mut bytes = recycle::take(2 * full.iter().product::<usize>());
        if inside != full {
            // What lies beyond the image is 0.
            bytes.fill(0);
        }
        let (values, _) = bytes.as_chunks_mut::<2>();
        let mut row = 0;
        self.field.rows(level, at[0], origin, inside, |made| {
            let (z, y) = (row / inside[1], row % inside[1]);
            let out = &mut values[(z * full[1] + y) * full[2]..][..inside[2]];
            out.iter_mut().zip(made).for_each(|(out, value)| *out = value.to_ne_bytes());
            row += 1;
        });
        let values = ChunkValues::Dense(recycle::share(bytes));
        Ok(ChunkData { dtype: Dtype::U16, values, missing: false })
    }
}

#[cfg(test)]
mod tests;
