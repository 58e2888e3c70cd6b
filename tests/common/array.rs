//! An image whose values are a function: a source like any other, with values that a test knows.

use lucida::data::{ChunkSource, Opened};
use lucida_components::{
    axes::AxisKind,
    chunk::{ChunkData, ChunkFault, ChunkValues},
    controls::{Blending, Controls, Interpolation},
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, SceneAxis, SourceId},
    dtype::{Dtype, StoredType},
    labels::LabelTable,
    layer::LayerKind,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Value of a voxel: level, array coordinates.
pub type Values = Arc<dyn Fn(usize, &[u64]) -> f64 + Send + Sync>;

/// A made image.
#[derive(Clone)]
pub struct ArrayImage {
    /// One letter per dimension; `c` is the channel axis.
    pub axes: &'static str,
    /// Shape of level 0.
    pub shape: Vec<u64>,
    /// Chunk shape of all levels.
    pub chunk: Vec<u64>,
    /// World units per voxel of level 0.
    pub scale: Vec<f64>,
    /// World coordinate of voxel 0.
    pub translation: Vec<f64>,
    /// Levels; y and x halve.
    pub levels: usize,
    pub dtype: Dtype,
    pub values: Values,
    /// What the values are.
    pub kind: LayerKind,
    /// Of labels: the colours that they declare.
    pub labels: LabelTable,
    /// Chunks that cannot be read.
    pub broken: fn(usize, u64) -> bool,
}

impl ArrayImage {
    /// A plane or stack of one unit per voxel, one level, chunks of 32.
    pub fn new(axes: &'static str, shape: &[u64], dtype: Dtype, values: Values) -> Self {
        Self {
            axes,
            shape: shape.to_vec(),
            chunk: shape.iter().map(|s| (*s).min(32)).collect(),
            scale: vec![1.0; shape.len()],
            translation: vec![0.0; shape.len()],
            levels: 1,
            dtype,
            values,
            kind: LayerKind::Image,
            labels: LabelTable::default(),
            broken: |_, _| false,
        }
    }

    fn level(&self, n: usize) -> Level {
        let f = |d: usize| if "yx".contains(&self.axes[d..=d]) { 1 << n } else { 1u64 };
        let dims = 0..self.shape.len();
        Level {
            path: format!("s{n}"),
            shape: dims.clone().map(|d| self.shape[d].div_ceil(f(d))).collect(),
            chunk: self.chunk.clone(),
            scale: dims.clone().map(|d| self.scale[d] * f(d) as f64).collect(),
            translation: dims
                .map(|d| self.translation[d] + self.scale[d] * (f(d) as f64 - 1.0) / 2.0)
                .collect(),
            kind: LevelKind::Stored,
        }
    }

    /// The same as labels.
    pub fn of_labels(self, labels: LabelTable) -> Self {
        Self { kind: LayerKind::Labels, labels, ..self }
    }

    /// Opens it with one layer per channel, values 0..=255 over the contrast limits, additive, grey, nearest;
    /// labels as labels start.
    pub fn open(self) -> Opened {
        static NEXT: AtomicU32 = AtomicU32::new(1 << 30);
        let source = SourceId(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut scene = Vec::new();
        let mut dims = Vec::new();
        for label in self.axes.chars() {
            if label == 'c' {
                dims.push(ArrayAxis::Channel);
                continue;
            }
            dims.push(ArrayAxis::Scene(scene.len()));
            let kind = if label == 't' { AxisKind::Time } else { AxisKind::Space };
            scene.push(SceneAxis { label: label.to_string(), kind, unit: None });
        }
        let channels = self.axes.find('c').map_or(1, |d| self.shape[d]);
        let stored = match self.dtype {
            Dtype::U8 => StoredType::U8,
            Dtype::U16 => StoredType::U16,
            Dtype::I16 => StoredType::I16,
            Dtype::F32 => StoredType::F32,
            Dtype::U32 => StoredType::U32,
        };
        let levels: Vec<Level> = (0..self.levels).map(|n| self.level(n)).collect();
        let layers = (0..channels)
            .map(|channel| LayerSource {
                name: format!("channel {channel}"),
                image: 0,
                channel,
                controls: match self.kind {
                    LayerKind::Image => Controls {
                        contrast_limits: [0.0, 255.0],
                        interpolation: Interpolation::Nearest,
                        blending: Blending::Additive,
                        ..Controls::default()
                    },
                    LayerKind::Labels => Controls::labels(),
                },
                range: [0.0, 255.0],
                kind: self.kind,
                labels: Some(Arc::new(self.labels.clone())).filter(|_| self.kind == LayerKind::Labels),
            })
            .collect();
        let image = Multiscale { source, stored, dtype: self.dtype, dims, levels };
        let dataset = Arc::new(Dataset {
            name: "made".into(),
            locator: format!("made-{}", source.0),
            format: "made".into(),
            axes: scene,
            images: vec![image],
            layers,
            start: Vec::new(),
            contents: None,
            warnings: Vec::new(),
        });
        let chunks = Chunks { image: self, dataset: dataset.clone() };
        Opened { dataset, sources: vec![(source, Arc::new(chunks))] }
    }
}

/// One scene of two: the first gives the axes, the layers of the second lie above.
pub fn stack(below: Opened, above: Opened) -> Opened {
    let mut scene = (*below.dataset).clone();
    let first = scene.images.len();
    for image in &above.dataset.images {
        let mut image = image.clone();
        for dim in &mut image.dims {
            if let ArrayAxis::Scene(axis) = dim {
                let label = &above.dataset.axes[*axis].label;
                *axis = scene.axes.iter().position(|a| a.label == *label).expect("the same axes");
            }
        }
        scene.images.push(image);
    }
    let layers = above.dataset.layers.iter().cloned();
    scene.layers.extend(layers.map(|layer| LayerSource { image: layer.image + first, ..layer }));
    let sources = below.sources.into_iter().chain(above.sources).collect();
    Opened { dataset: Arc::new(scene), sources }
}

struct Chunks {
    image: ArrayImage,
    dataset: Arc<Dataset>,
}

impl ChunkSource for Chunks {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        if (self.image.broken)(usize::from(level), number) {
            return Err(ChunkFault { level, number, reason: "broken on purpose".into() });
        }
        let l = &self.dataset.images[0].levels[usize::from(level)];
        let grid = l.chunk_at(number);
        let mut bytes = Vec::new();
        let mut inside = vec![0; l.chunk.len()];
        for _ in 0..l.chunk_voxels() {
            let at: Vec<u64> = (0..inside.len()).map(|d| grid[d] * l.chunk[d] + inside[d]).collect();
            // Edge chunks are padded; what stands there must never be seen.
            let padding = at.iter().zip(&l.shape).any(|(a, s)| a >= s);
            let v = if padding { 77.0 } else { (self.image.values)(usize::from(level), &at) };
            match self.image.dtype {
                Dtype::U8 => bytes.push(v as u8),
                Dtype::U16 => bytes.extend((v as u16).to_ne_bytes()),
                Dtype::I16 => bytes.extend((v as i16).to_ne_bytes()),
                Dtype::F32 => bytes.extend((v as f32).to_ne_bytes()),
                Dtype::U32 => bytes.extend((v as u32).to_ne_bytes()),
            }
            for d in (0..inside.len()).rev() {
                inside[d] += 1;
                if inside[d] < l.chunk[d] {
                    break;
                }
                inside[d] = 0;
            }
        }
        Ok(ChunkData { dtype: self.image.dtype, values: ChunkValues::Dense(bytes.into()), missing: false })
    }
}
