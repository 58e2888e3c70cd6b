//! An image of any size, made as it is asked for: deterministic, five-dimensional, and like what a
//! fluorescence microscope sees. For tests, benches and the demo.

mod blobs;
mod field;
mod hash;
mod lattice;
mod waves;

use super::{ChunkSource, Opened};
use field::{Field, Kind};
use lattice::Lattice;
use lucida_components::{
    axes::AxisKind,
    chunk::{ChunkData, ChunkFault, ChunkValues},
    controls::{Blending, Controls},
    dataset::{ArrayAxis, Dataset, LayerSource, Level, Multiscale, SceneAxis},
    dtype::{Dtype, StoredType},
};
use std::sync::Arc;

/// What image to make. Extents and chunks of 0 are taken as 1, at least one level is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ProceduralSpec {
    /// Name to show.
    pub name: String,
    /// Another seed, another specimen.
    pub seed: u64,
    /// Extents t, c, z, y, x of the finest level; their product must stay below 2⁶³.
    pub shape: [u64; 5],
    /// Extents z, y, x of a chunk; it holds one time point and one channel.
    pub chunk: [u64; 3],
    /// Levels of the pyramid: y and x halve at each, z where its voxels are not longer than those of x.
    pub levels: u16,
    /// Value type. Unsigned integers are `offset + gain × photons`, `f32` are photons / 200.
    pub dtype: Dtype,
    /// Seconds per time point, micrometres per voxel along z, y, x; finite and > 0.
    pub spacing: [f64; 4],
    /// Strength of the photon noise: 1 as in nature, 0 for none.
    pub noise: f64,
}

impl Default for ProceduralSpec {
    fn default() -> Self {
        Self {
            name: "procedural".into(),
            seed: 1,
            shape: [4, 3, 32, 768, 1024],
            chunk: [16, 128, 128],
            levels: 4,
            dtype: Dtype::U16,
            spacing: [10.0, 1.0, 0.3, 0.3],
            noise: 1.0,
        }
    }
}

impl ProceduralSpec {
    /// Finest voxels in one voxel of a level along z, y, x.
    pub fn downsampling(&self, level: u16) -> [u64; 3] {
        let mut factor = [1u64; 3];
        for _ in 0..level.min(62) {
            if self.spacing[1] * factor[0] as f64 <= self.spacing[3] * factor[2] as f64 {
                factor[0] *= 2;
            }
            factor[1] *= 2;
            factor[2] *= 2;
        }
        factor
    }

    /// Extents t, c, z, y, x of a level.
    pub fn level_shape(&self, level: u16) -> [u64; 5] {
        let [fz, fy, fx] = self.downsampling(level);
        let factor = [1, 1, fz, fy, fx];
        std::array::from_fn(|d| self.shape[d].max(1).div_ceil(factor[d]))
    }

    /// Bytes of one full chunk.
    pub fn chunk_bytes(&self) -> u64 {
        self.chunk.iter().map(|c| c.max(&1)).product::<u64>() * self.dtype.size() as u64
    }

    fn lattice(&self, level: u16, origin: [u64; 3], size: [usize; 3]) -> Lattice {
        let factor = self.downsampling(level);
        let spacing = [self.spacing[1], self.spacing[2], self.spacing[3]];
        Lattice {
            origin,
            size,
            voxel: std::array::from_fn(|d| spacing[d] * factor[d] as f64),
            first: std::array::from_fn(|d| spacing[d] * (factor[d] - 1) as f64 / 2.0),
        }
    }

    /// The value that stands for a number of photons.
    fn value(&self, photons: f64) -> f64 {
        match self.dtype {
            Dtype::U8 => (6.0 + photons.round()).clamp(0.0, 255.0),
            Dtype::U16 | Dtype::U32 => (100.0 + 16.0 * photons.round()).clamp(0.0, 65_535.0),
            Dtype::I16 => (-500.0 + 16.0 * photons.round()).clamp(-32_768.0, 32_767.0),
            Dtype::F32 => photons / 200.0,
        }
    }
}

/// The value of a voxel `[t, c, z, y, x]` of a level: the same that chunks hold, bit for bit.
pub fn value_at(spec: &ProceduralSpec, level: u16, [t, c, z, y, x]: [u64; 5]) -> f64 {
    let mut photons = [0.0];
    let lattice = spec.lattice(level, [z, y, x], [1; 3]);
    Field::new(spec).photons(&lattice, level, t, c, averaged(spec, level), &mut photons);
    let mut bytes = Vec::new();
    push(spec, &photons, &mut bytes);
    spec.dtype.read(&bytes, 0)
}

fn averaged(spec: &ProceduralSpec, level: u16) -> f64 {
    spec.downsampling(level).iter().map(|f| *f as f64).product()
}

/// Appends values in native order.
fn push(spec: &ProceduralSpec, photons: &[f32], out: &mut Vec<u8>) {
    for p in photons {
        let v = spec.value(f64::from(*p));
        match spec.dtype {
            Dtype::U8 => out.push(v as u8),
            Dtype::U16 => out.extend_from_slice(&(v as u16).to_ne_bytes()),
            Dtype::I16 => out.extend_from_slice(&(v as i16).to_ne_bytes()),
            Dtype::U32 => out.extend_from_slice(&(v as u32).to_ne_bytes()),
            Dtype::F32 => out.extend_from_slice(&(v as f32).to_ne_bytes()),
        }
    }
}

/// Opens the image of a spec. Nothing is made before it is read.
pub fn procedural(spec: ProceduralSpec) -> Opened {
    let id = super::next_source_id();
    let source = Procedural::new(spec);
    let dataset = source.dataset(id);
    Opened { dataset: Arc::new(dataset), sources: vec![(id, Arc::new(source))] }
}

struct Procedural {
    spec: ProceduralSpec,
    field: Field,
    levels: Vec<Level>,
}

impl Procedural {
    fn new(mut spec: ProceduralSpec) -> Self {
        spec.shape = spec.shape.map(|s| s.max(1));
        spec.chunk = spec.chunk.map(|s| s.max(1));
        spec.levels = spec.levels.clamp(1, 32);
        let levels = (0..spec.levels).map(|level| {
            let shape = spec.level_shape(level);
            let factor = spec.downsampling(level);
            let lattice = spec.lattice(level, [0; 3], [1; 3]);
            let [z, y, x] = std::array::from_fn(|d| spec.chunk[d].min(spec.shape[d + 2].div_ceil(factor[d])));
            Level {
                path: level.to_string(),
                shape: shape.to_vec(),
                chunk: vec![1, 1, z, y, x],
                scale: [[spec.spacing[0], 1.0].as_slice(), &lattice.voxel].concat(),
                translation: [[0.0; 2].as_slice(), &lattice.first].concat(),
            }
        });
        Self { levels: levels.collect(), field: Field::new(&spec), spec }
    }

    fn dataset(&self, id: lucida_components::dataset::SourceId) -> Dataset {
        let spec = &self.spec;
        let axis =
            |label: &str, kind, unit: &str| SceneAxis { label: label.into(), kind, unit: Some(unit.into()) };
        let stored = match spec.dtype {
            Dtype::U8 => StoredType::U8,
            Dtype::U16 => StoredType::U16,
            Dtype::I16 => StoredType::I16,
            Dtype::U32 => StoredType::U32,
            Dtype::F32 => StoredType::F32,
        };
        let channels = spec.shape[1];
        let layers = (0..channels).map(|channel| {
            let (name, colour, window) = Kind::of(channel).recipe();
            let contrast_limits = window.map(|photons| spec.value(photons));
            LayerSource {
                name: if channel < 3 { name.into() } else { format!("{name} {}", channel / 3 + 1) },
                image: 0,
                channel,
                controls: Controls {
                    blending: if channels == 1 { Blending::Translucent } else { Blending::Additive },
                    colormap: if channels == 1 { "gray".into() } else { colour.into() },
                    iso_threshold: f64::midpoint(contrast_limits[0], contrast_limits[1]),
                    contrast_limits,
                    ..Controls::default()
                },
                range: [spec.value(0.0), spec.value(250.0)],
            }
        });
        Dataset {
            name: spec.name.clone(),
            locator: format!("procedural:{}", spec.name),
            format: "procedural".into(),
            axes: vec![
                axis("t", AxisKind::Time, "second"),
                axis("z", AxisKind::Space, "micrometer"),
                axis("y", AxisKind::Space, "micrometer"),
                axis("x", AxisKind::Space, "micrometer"),
            ],
            images: vec![Multiscale {
                source: id,
                stored,
                dtype: spec.dtype,
                dims: [ArrayAxis::Scene(0), ArrayAxis::Channel]
                    .into_iter()
                    .chain((1..4).map(ArrayAxis::Scene))
                    .collect(),
                levels: self.levels.clone(),
            }],
            layers: layers.collect(),
            warnings: Vec::new(),
        }
    }
}

impl ChunkSource for Procedural {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        let fault = |reason: &str| ChunkFault { level, number, reason: reason.into() };
        let geometry = self.levels.get(usize::from(level)).ok_or_else(|| fault("there is no such level"))?;
        if number >= geometry.grid().product() {
            return Err(fault("there is no such chunk"));
        }
        let at = geometry.chunk_at(number);
        let origin: [u64; 3] = std::array::from_fn(|d| at[d + 2] * geometry.chunk[d + 2]);
        let full: [usize; 3] = std::array::from_fn(|d| geometry.chunk[d + 2] as usize);
        // What lies beyond the image stays 0.
        let inside = std::array::from_fn(|d| full[d].min((geometry.shape[d + 2] - origin[d]) as usize));
        let lattice = self.spec.lattice(level, origin, inside);
        let mut photons = vec![0.0; lattice.voxels()];
        self.field.photons(&lattice, level, at[0], at[1], averaged(&self.spec, level), &mut photons);
        let size = self.spec.dtype.size();
        let mut bytes = Vec::with_capacity(full.iter().product::<usize>() * size);
        for z in 0..inside[0] {
            for y in 0..inside[1] {
                let start = (z * inside[1] + y) * inside[2];
                push(&self.spec, &photons[start..start + inside[2]], &mut bytes);
                bytes.resize(bytes.len() + (full[2] - inside[2]) * size, 0);
            }
            bytes.resize(bytes.len() + (full[1] - inside[1]) * full[2] * size, 0);
        }
        bytes.resize(full.iter().product::<usize>() * size, 0);
        Ok(ChunkData { dtype: self.spec.dtype, values: ChunkValues::Dense(bytes.into()) })
    }
}
