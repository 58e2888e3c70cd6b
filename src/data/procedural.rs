//! An image of any size, made as it is asked for: deterministic, five-dimensional, and like what a
//! fluorescence microscope sees. For tests, benches and the demo.

mod blobs;
mod field;
pub(super) mod hash;
mod lattice;
mod waves;

use super::{ChunkSource, Opened};
use field::{Field, Kind};
use lattice::Lattice;
use lucida_components::{
    axes::AxisKind,
    chunk::{ChunkData, ChunkFault, ChunkValues},
    controls::{Blending, Controls},
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, SceneAxis},
    dtype::{Dtype, StoredType},
    layer::LayerKind,
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
        let mut bytes = Vec::new();
        push(self.dtype, &[photons as f32], &mut bytes);
        self.dtype.read(&bytes, 0)
    }
}

/// The value of a voxel `[t, c, z, y, x]` of a level: the same that chunks hold, bit for bit.
pub fn value_at(spec: &ProceduralSpec, level: u16, [t, c, z, y, x]: [u64; 5]) -> f64 {
    let mut photons = [0.0];
    let lattice = spec.lattice(level, [z, y, x], [1; 3]);
    Field::new(spec).photons(&lattice, level, t, c, averaged(spec, level), &mut photons);
    let mut bytes = Vec::new();
    push(spec.dtype, &photons, &mut bytes);
    spec.dtype.read(&bytes, 0)
}

fn averaged(spec: &ProceduralSpec, level: u16) -> f64 {
    spec.downsampling(level).iter().map(|f| *f as f64).product()
}

/// Appends the values that stand for photons, in native order.
fn push(dtype: Dtype, photons: &[f32], out: &mut Vec<u8>) {
    // Rounds what is above -1024 without a call into libm.
    let whole = |p: f32| (p + 1024.5) as i32 - 1024;
    match dtype {
        Dtype::U8 => out.extend(photons.iter().map(|p| (6 + whole(*p)).clamp(0, 255) as u8)),
        Dtype::U16 => {
            out.extend(
                photons.iter().flat_map(|p| ((100 + 16 * whole(*p)).clamp(0, 65_535) as u16).to_ne_bytes()),
            );
        }
        Dtype::U32 => {
            out.extend(photons.iter().flat_map(|p| ((100 + 16 * whole(*p)).max(0) as u32).to_ne_bytes()));
        }
        Dtype::I16 => out.extend(
            photons.iter().flat_map(|p| ((16 * whole(*p) - 500).clamp(-32_768, 32_767) as i16).to_ne_bytes()),
        ),
        Dtype::F32 => out.extend(photons.iter().flat_map(|p| (p / 200.0).to_ne_bytes())),
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
                kind: LevelKind::Stored,
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
                kind: LayerKind::Image,
                labels: None,
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
            start: Vec::new(),
            contents: None,
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
                push(self.spec.dtype, &photons[start..start + inside[2]], &mut bytes);
                bytes.resize(bytes.len() + (full[2] - inside[2]) * size, 0);
            }
            bytes.resize(bytes.len() + (full[1] - inside[1]) * full[2] * size, 0);
        }
        bytes.resize(full.iter().product::<usize>() * size, 0);
        Ok(ChunkData { dtype: self.spec.dtype, values: ChunkValues::Dense(bytes.into()), missing: false })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn spec() -> ProceduralSpec {
        ProceduralSpec { shape: [2, 4, 20, 150, 200], chunk: [8, 64, 64], noise: 0.0, ..Default::default() }
    }

    fn dense(source: &dyn ChunkSource, level: u16, number: u64) -> lucida_components::chunk::Bytes {
        match source.read(level, number).unwrap().values {
            ChunkValues::Dense(bytes) => bytes,
            ChunkValues::Uniform(_) => panic!("procedural chunks are dense"),
        }
    }

    #[test]
    fn chunks_hold_what_value_at_says_and_nothing_beyond_the_image() {
        for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
            let spec = ProceduralSpec { dtype, noise: 1.0, ..spec() };
            let opened = procedural(spec.clone());
            let image = &opened.dataset.images[0];
            for (l, level) in image.levels.iter().enumerate() {
                let chunks: u64 = level.grid().product();
                for number in [0, chunks / 2, chunks - 1] {
                    let bytes = dense(&*opened.sources[0].1, l as u16, number);
                    assert_eq!(bytes.len() as u64, level.chunk_voxels() * dtype.size() as u64);
                    let at = level.chunk_at(number);
                    for n in (0..level.chunk_voxels()).step_by(977) {
                        let [z, y, x] = [2, 3, 4].map(|d| {
                            let inner: u64 = level.chunk[d + 1..].iter().product();
                            at[d] * level.chunk[d] + n / inner % level.chunk[d]
                        });
                        let inside = z < level.shape[2] && y < level.shape[3] && x < level.shape[4];
                        let want =
                            if inside { value_at(&spec, l as u16, [at[0], at[1], z, y, x]) } else { 0.0 };
                        assert_eq!(
                            dtype.read(&bytes, n as usize),
                            want,
                            "level {l} chunk {number} voxel {n}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_spec_is_the_same_image_and_another_seed_is_not() {
        let read = |seed| dense(&*procedural(ProceduralSpec { seed, ..spec() }).sources[0].1, 0, 3);
        assert_eq!(read(1), read(1));
        assert_ne!(read(1), read(2));
    }

    #[test]
    fn time_points_and_channels_differ() {
        let s = spec();
        let sum = |t, c| (0..2000).map(|n| value_at(&s, 0, [t, c, 10, n % 40 * 3, n / 40 * 3])).sum::<f64>();
        let sums: Vec<f64> = [(0, 0), (1, 0), (0, 1), (0, 2), (0, 3)].map(|(t, c)| sum(t, c)).to_vec();
        for (i, a) in sums.iter().enumerate() {
            assert!(sums[i + 1..].iter().all(|b| a != b), "{sums:?}");
        }
    }

    #[test]
    fn levels_halve_as_the_voxels_say_and_stay_in_place() {
        let s = ProceduralSpec { levels: 5, ..spec() };
        assert_eq!(
            (0..5).map(|l| s.downsampling(l)).collect::<Vec<_>>(),
            [[1; 3], [1, 2, 2], [1, 4, 4], [2, 8, 8], [4, 16, 16]]
        );
        assert_eq!(s.level_shape(4), [2, 4, 5, 10, 13]);
        let opened = procedural(s);
        let level = &opened.dataset.images[0].levels[3];
        assert_eq!(level.scale[2..], [2.0, 2.4, 2.4].map(|v: f64| v).map(|v| (v * 10.0).round() / 10.0));
        // The edge of voxel 0 is the same in all levels.
        for level in &opened.dataset.images[0].levels {
            for (d, edge) in [(2, -0.5), (3, -0.15), (4, -0.15)] {
                assert!((level.translation[d] - level.scale[d] / 2.0 - edge).abs() < 1e-9);
            }
        }
    }

    /// Each level is compared with the mean of the finer voxels that it covers: the fields are made by
    /// formulas that fade with the voxel, not by averaging, so they only have to be near.
    #[test]
    fn a_coarse_level_looks_like_the_fine_one_averaged() {
        let s = ProceduralSpec { shape: [1, 3, 16, 1024, 1024], levels: 7, ..spec() };
        let field = Field::new(&s);
        let mean = |lattice: &Lattice, level, channel| {
            let mut photons = vec![0.0; lattice.voxels()];
            field.photons(lattice, level, 0, channel, 1.0, &mut photons);
            photons.iter().map(|p| f64::from(*p)).sum::<f64>() / photons.len() as f64
        };
        for channel in 0..3 {
            for level in 1..7 {
                let (factor, shape) = (s.downsampling(level), s.level_shape(level));
                let pairs: Vec<(f64, f64)> = (0..100u64)
                    .map(|n| {
                        let h = hash::mix(&[n, channel]);
                        let at = [h % shape[2], h / 64 % shape[3], h / 65_536 % shape[4]];
                        let covered = std::array::from_fn(|d| at[d] * factor[d]);
                        (
                            mean(&s.lattice(level, at, [1; 3]), level, channel),
                            mean(&s.lattice(0, covered, factor.map(|f| f as usize)), 0, channel),
                        )
                    })
                    .collect();
                let n = pairs.len() as f64;
                let (coarse, fine) = pairs.iter().fold((0.0, 0.0), |(a, b), (c, f)| (a + c / n, b + f / n));
                let off = pairs.iter().map(|(c, f)| (c - f).abs()).sum::<f64>() / n;
                println!("channel {channel} level {level}: {coarse:.1} for {fine:.1}, off by {off:.1}");
                assert!(
                    (coarse / fine - 1.0).abs() < 0.2,
                    "channel {channel} level {level}: {coarse} for {fine}"
                );
                // From level 4 on a voxel is half a nucleus wide, and what is left is close to the mean.
                assert!(
                    off < if level < 4 { 0.2 } else { 0.8 } * fine,
                    "channel {channel} level {level}: off by {off} of {fine}"
                );
            }
        }
    }

    #[test]
    fn an_image_of_many_tebibytes_costs_no_more_than_its_chunks() {
        let s = ProceduralSpec {
            shape: [1000, 3, 4096, 1 << 20, 1 << 20],
            chunk: [64, 64, 64],
            levels: 14,
            noise: 1.0,
            ..Default::default()
        };
        let opened = procedural(s.clone());
        let image = &opened.dataset.images[0];
        assert_eq!(image.levels.len(), 14);
        for (l, level) in image.levels.iter().enumerate() {
            let last = level.grid().product::<u64>() - 1;
            let began = std::time::Instant::now();
            let bytes = dense(&*opened.sources[0].1, l as u16, last);
            println!("level {l}: {:?} per chunk", began.elapsed());
            let at: Vec<u64> = level.shape.iter().map(|s| s - 1).collect();
            let within = at.iter().zip(&level.chunk).fold(0, |n, (a, c)| n * c + a % c);
            let want = value_at(&s, l as u16, [at[0], at[1], at[2], at[3], at[4]]);
            assert_eq!(Dtype::U16.read(&bytes, within as usize), want);
        }
        assert!(opened.sources[0].1.read(14, 0).is_err());
        assert!(opened.sources[0].1.read(13, u64::MAX).is_err());
    }
}
