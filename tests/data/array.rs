//! An image that stands in memory, whose reads are counted: a source like any other.

use lucida::data::{ChunkSource, Opened};
use lucida_components::{
    axes::AxisKind,
    chunk::{ChunkData, ChunkFault, ChunkValues},
    controls::Controls,
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, SceneAxis, SourceId},
    dtype::{Dtype, StoredType},
    layer::LayerKind,
};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

/// An array of values in C order and how it is cut.
#[derive(Clone)]
pub struct Array {
    /// One letter per dimension; `c` is the channel axis.
    pub axes: &'static str,
    pub shape: Vec<u64>,
    pub chunk: Vec<u64>,
    pub dtype: Dtype,
    pub kind: LayerKind,
    pub values: Arc<Vec<f64>>,
    /// Chunks that cannot be read.
    pub broken: Range<u64>,
    /// What tells it from other arrays.
    pub fingerprint: Option<&'static str>,
}

impl Array {
    /// An image with these values of its places.
    pub fn new(
        axes: &'static str,
        shape: &[u64],
        chunk: &[u64],
        dtype: Dtype,
        value: impl Fn(&[u64]) -> f64,
    ) -> Self {
        let values = super::image::places(shape).map(|at| value(&at)).collect();
        let (shape, chunk) = (shape.to_vec(), chunk.to_vec());
        Self {
            axes,
            shape,
            chunk,
            dtype,
            kind: LayerKind::Image,
            values: Arc::new(values),
            broken: 0..0,
            fingerprint: None,
        }
    }

    /// Opens it; the second counts the chunks that are read.
    pub fn open(self) -> (Opened, Arc<AtomicU64>) {
        static NEXT: AtomicU32 = AtomicU32::new(1 << 30);
        let id = SourceId(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut axes = Vec::new();
        let mut dims = Vec::new();
        for label in self.axes.chars() {
            if label == 'c' {
                dims.push(ArrayAxis::Channel);
                continue;
            }
            dims.push(ArrayAxis::Scene(axes.len()));
            let kind = if label == 't' { AxisKind::Time } else { AxisKind::Space };
            axes.push(SceneAxis { label: label.into(), kind, unit: None });
        }
        let level = Level {
            path: "0".into(),
            shape: self.shape.clone(),
            chunk: self.chunk.clone(),
            scale: vec![1.0; self.shape.len()],
            translation: vec![0.0; self.shape.len()],
            kind: LevelKind::Stored,
        };
        let stored = match self.dtype {
            Dtype::U8 => StoredType::U8,
            Dtype::U16 => StoredType::U16,
            Dtype::I16 => StoredType::I16,
            Dtype::F32 => StoredType::F32,
            Dtype::U32 => StoredType::U32,
        };
        let layer = LayerSource {
            name: "values".into(),
            image: 0,
            channel: 0,
            controls: Controls::default(),
            range: [0.0, 255.0],
            kind: self.kind,
            labels: None,
        };
        let image = Multiscale { source: id, stored, dtype: self.dtype, dims, levels: vec![level.clone()] };
        let dataset = Arc::new(Dataset {
            name: "array".into(),
            locator: format!("memory:{}", id.0),
            format: "memory".into(),
            axes,
            images: vec![image],
            layers: vec![layer],
            start: Vec::new(),
            contents: None,
            warnings: Vec::new(),
        });
        let reads = Arc::new(AtomicU64::new(0));
        let source = Chunks { array: self, level, reads: reads.clone() };
        (Opened { dataset, sources: vec![(id, Arc::new(source))] }, reads)
    }
}

struct Chunks {
    array: Array,
    level: Level,
    reads: Arc<AtomicU64>,
}

impl ChunkSource for Chunks {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        assert_eq!(level, 0, "the source has one level");
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.array.broken.contains(&number) {
            return Err(ChunkFault { level, number, reason: "broken on purpose".into() });
        }
        let (shape, chunk) = (&self.level.shape, &self.level.chunk);
        let grid = self.level.chunk_at(number);
        let mut bytes = Vec::new();
        for inside in super::image::places(chunk) {
            let at: Vec<u64> = (0..shape.len()).map(|d| grid[d] * chunk[d] + inside[d]).collect();
            let is_padding = at.iter().zip(shape).any(|(a, s)| a >= s);
            let n = at.iter().zip(shape).fold(0, |n, (a, s)| n * s + a) as usize;
            // What stands in the padding must never count.
            let v = if is_padding { 99.0 } else { self.array.values[n] };
            match self.array.dtype {
                Dtype::U8 => bytes.push(v as u8),
                Dtype::U16 => bytes.extend((v as u16).to_ne_bytes()),
                Dtype::I16 => bytes.extend((v as i16).to_ne_bytes()),
                Dtype::F32 => bytes.extend((v as f32).to_ne_bytes()),
                Dtype::U32 => bytes.extend((v as u32).to_ne_bytes()),
            }
        }
        Ok(ChunkData { dtype: self.array.dtype, values: ChunkValues::Dense(bytes.into()), missing: false })
    }

    fn fingerprint(&self) -> Option<String> {
        self.array.fingerprint.map(Into::into)
    }
}
