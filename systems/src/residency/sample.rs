//! Values of what is shown, out of the host's cache.

use super::{cache::ChunkCache, slab::Slab, tiles::Plane};
use lucida_components::{
    applied::{LayerState, ViewState},
    chunk::{ChunkData, ChunkValues},
    controls::Projection,
    dataset::Multiscale,
    places,
};

/// Voxels read at most, over all planes: some milliseconds of a turn.
const MOST_READS: u64 = 1 << 20;
/// Texels of the picture at most.
const MOST_TEXELS: u64 = 1 << 18;

/// The values of a layer under the picture: at the level shown where all of it is in the cache, else at the
/// finest coarser level of which it is, else what there is of the finest. Of more than `MOST_TEXELS`, texels
/// at even distances. A thick slice is projected. `None` where nothing is there; values may be NaN.
pub fn shown(state: &ViewState, layer: &LayerState, cache: &ChunkCache) -> Option<Vec<f64>> {
    let image = state.dataset.images.get(layer.layer.image)?;
    let target = places::resolve_level(&state.dataset, image, state.lod.level, state.plane_axes());
    let mut some = None;
    for level in target..image.levels.len() {
        let Some(read) = at_level(state, layer, image, level, cache) else { continue };
        if read.complete {
            return Some(read.values);
        }
        if some.is_none() && !read.values.is_empty() {
            some = Some(read.values);
        }
    }
    some
}

struct Read {
    values: Vec<f64>,
    /// Nothing was missing from the cache.
    complete: bool,
}

fn at_level(
    state: &ViewState,
    layer: &LayerState,
    image: &Multiscale,
    level: usize,
    cache: &ChunkCache,
) -> Option<Read> {
    let slab = Slab::of(state, layer, image, level)?;
    let texels = visible(state, slab.any())?;
    let planes: Vec<Plane> = slab.planes().collect();
    let step = step(texels, planes.len() as u64);
    let sides = texels.map(|[from, to]| (from..to).step_by(step as usize).collect::<Vec<u64>>());
    let samples = gather(&planes, &sides, layer.controls.projection, cache);
    Some(Read { values: samples.values.into_iter().flatten().collect(), complete: samples.absent == 0 })
}

/// What the cache has of some texels.
pub(crate) struct Samples {
    /// One for each row and column, row by row; `None` where there is no finite value.
    pub values: Vec<Option<f64>>,
    /// Samples of planes whose chunk the cache does not have.
    pub absent: usize,
    /// Samples of planes whose chunk could not be read, or only in part.
    pub missing: usize,
}

/// Reads the texels at these rows and columns, which ascend, of planes that become one.
pub(crate) fn gather(
    planes: &[Plane],
    sides: &[Vec<u64>; 2],
    projection: Projection,
    cache: &ChunkCache,
) -> Samples {
    let columns = sides[1].len();
    let mut folds = vec![Fold::default(); sides[0].len() * columns];
    let (mut absent, mut missing) = (0, 0);
    for plane in planes {
        let chunk = plane.dims.map(|d| plane.level().chunk[d]);
        // A chunk is looked up once for all the samples that fall into it.
        for (rows, row) in runs(&sides[0], chunk[0]) {
            for (cols, col) in runs(&sides[1], chunk[1]) {
                let count = rows.len() * cols.len();
                match cache.peek(&plane.chunk_key(row, col)) {
                    Some(Ok(data)) => {
                        missing += if data.missing { count } else { 0 };
                        let at = Reader::new(plane, data);
                        for r in rows.clone() {
                            for c in cols.clone() {
                                folds[r * columns + c].push(at.value(sides[0][r], sides[1][c]));
                            }
                        }
                    }
                    Some(Err(_)) => missing += count,
                    None => absent += count,
                }
            }
        }
    }
    Samples { values: folds.into_iter().map(|f| f.end(projection)).collect(), absent, missing }
}

/// The texels of a plane under the picture, `[from, to)` per side; `None` where there is none.
fn visible(state: &ViewState, plane: &Plane) -> Option<[[u64; 2]; 2]> {
    let rect = state.rect();
    let edges = [[rect.bottom, rect.bottom + rect.height], [rect.left, rect.left + rect.width]];
    let extent = plane.extent();
    let mut texels = [[0; 2]; 2];
    for side in 0..2 {
        let [scale, offset] = plane.texel_of_world(side);
        let [from, to] = edges[side].map(|w| (w * scale + offset).clamp(0.0, extent[side] as f64));
        texels[side] = [from.floor() as u64, to.ceil() as u64];
    }
    texels.iter().all(|[from, to]| from < to).then_some(texels)
}

/// The smallest distance of samples, along both sides, that keeps the bounds.
fn step(texels: [[u64; 2]; 2], planes: u64) -> u64 {
    let most = (MOST_READS / planes.max(1)).clamp(1, MOST_TEXELS);
    let [rows, cols] = texels.map(|[from, to]| to - from);
    let mut step = ((rows as f64 * cols as f64 / most as f64).sqrt().floor() as u64).max(1);
    while rows.div_ceil(step).saturating_mul(cols.div_ceil(step)) > most {
        step += 1;
    }
    step
}

/// Samples in runs that share a chunk: places in `samples`, and the chunk's grid coordinate.
fn runs(samples: &[u64], chunk: u64) -> impl Iterator<Item = (std::ops::Range<usize>, u64)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let grid = samples.get(at)? / chunk;
        let from = at;
        at += samples[at..].iter().take_while(|s| *s / chunk == grid).count();
        Some((from..at, grid))
    })
}

/// Reads texels of a plane out of one of its chunks.
struct Reader<'a> {
    data: &'a ChunkData,
    base: u64,
    steps: [u64; 2],
    chunk: [u64; 2],
}

impl<'a> Reader<'a> {
    fn new(plane: &Plane, data: &'a ChunkData) -> Self {
        let chunk = &plane.level().chunk;
        let strides = super::cut::strides(chunk);
        let base = plane.fixed.iter().zip(chunk).zip(&strides).map(|((f, c), s)| (f % c) * s).sum();
        Self { data, base, steps: plane.dims.map(|d| strides[d]), chunk: plane.dims.map(|d| chunk[d]) }
    }

    fn value(&self, row: u64, col: u64) -> f64 {
        match &self.data.values {
            ChunkValues::Uniform(value) => self.data.dtype.read(value, 0),
            ChunkValues::Dense(bytes) => {
                let at =
                    self.base + (row % self.chunk[0]) * self.steps[0] + (col % self.chunk[1]) * self.steps[1];
                self.data.dtype.read(bytes, at as usize)
            }
        }
    }
}

/// Finite values of one place in many planes, becoming one.
#[derive(Debug, Clone, Copy)]
pub struct Fold {
    count: u64,
    sum: f64,
    least: f64,
    most: f64,
}

impl Default for Fold {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, least: f64::INFINITY, most: f64::NEG_INFINITY }
    }
}

impl Fold {
    /// Takes a value in; one that is not finite is left out.
    pub fn push(&mut self, value: f64) {
        if value.is_finite() {
            self.count += 1;
            self.sum += value;
            self.least = self.least.min(value);
            self.most = self.most.max(value);
        }
    }

    /// The projection of what came in; `None` where nothing did. Of one plane, any projection is its value.
    pub fn end(self, projection: Projection) -> Option<f64> {
        (self.count > 0).then(|| match projection {
            Projection::None | Projection::Sum => self.sum,
            Projection::Mean => self.sum / self.count as f64,
            Projection::Minimum => self.least,
            Projection::Maximum => self.most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stay_within_their_bounds_and_meet_every_chunk_once() {
        assert_eq!(step([[0, 512], [0, 512]], 1), 1);
        for (rows, cols, planes) in [(513, 512, 1), (1 << 22, 1 << 22, 1), (1, 1 << 40, 7), (3000, 4, 256)] {
            let step = step([[0, rows], [0, cols]], planes);
            let texels = rows.div_ceil(step) * cols.div_ceil(step);
            assert!(texels <= MOST_TEXELS && texels * planes <= MOST_READS, "{rows} {cols} {planes}");
        }
        let samples: Vec<u64> = (5..40).step_by(7).collect();
        let found: Vec<_> = runs(&samples, 16).collect();
        assert_eq!(found, [(0..2, 0), (2..4, 1), (4..5, 2)], "5 12 | 19 26 | 33");
    }

    #[test]
    fn projections_leave_out_what_is_not_finite() {
        let fold = |values: &[f64], p| {
            let mut fold = Fold::default();
            for v in values {
                fold.push(*v);
            }
            fold.end(p)
        };
        let values = [3.0, f64::NAN, -1.0, f64::INFINITY, 4.0];
        assert_eq!(fold(&values, Projection::Sum), Some(6.0));
        assert_eq!(fold(&values, Projection::Mean), Some(2.0));
        assert_eq!(fold(&values, Projection::Minimum), Some(-1.0));
        assert_eq!(fold(&values, Projection::Maximum), Some(4.0));
        assert_eq!(fold(&[f64::NAN], Projection::Sum), None);
    }
}
