//! The thick slice: the planes that a layer with a projection shows at once.
//!
//! Along every axis that is not displayed they are the voxels of the level shown whose centres lie within the
//! index's margins, and the voxel at the place itself.

use super::tiles::Plane;
use lucida_components::{
    applied::{LayerState, ViewState},
    controls::Projection,
    dataset::{ArrayAxis, Multiscale},
    places,
};

/// Most planes of one layer at one level. A level of which the margins hold more does not fit the budgets:
/// a coarser one is shown, and where there is none, the margins become smaller. The sum of as many 16-bit
/// values is exact in the shader's f32.
pub const MOST_PLANES: u64 = 256;

/// Voxel centres this close to a margin's end count as inside, in voxels: rounding of transforms.
const ON_THE_EDGE: f64 = 1e-6;

/// The planes of one level of a layer.
#[derive(Debug, Clone)]
pub struct Slab<'a> {
    first: Plane<'a>,
    spans: Vec<Span>,
}

/// Neighbouring voxels along one array dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The dimension.
    pub dim: usize,
    /// First voxel.
    pub from: u64,
    /// Voxels, at least one.
    pub count: u64,
}

impl<'a> Slab<'a> {
    /// What a layer shows of `level` of its image where the view stands: one plane, or the thick slice where
    /// the layer has a projection. `None` where the layer has nothing.
    pub fn of(state: &ViewState, layer: &LayerState, image: &'a Multiscale, level: usize) -> Option<Self> {
        let channel = layer.layer.channel;
        if layer.controls.projection == Projection::None {
            return Some(Self { first: Plane::of(state, image, channel, level)?, spans: Vec::new() });
        }
        let [row, col] = state.plane_axes();
        let dims = [image.dim_of(row)?, image.dim_of(col)?];
        let mut fixed = vec![0; image.dims.len()];
        let mut spans = Vec::new();
        for (d, kind) in image.dims.iter().enumerate() {
            match *kind {
                _ if dims.contains(&d) => {}
                ArrayAxis::Channel => fixed[d] = channel,
                ArrayAxis::Scene(axis) => {
                    let span = span(state, image, level, d, axis)?;
                    fixed[d] = span.from;
                    if span.count > 1 {
                        spans.push(span);
                    }
                }
            }
        }
        Some(Self { first: Plane { image, number: level, dims, fixed }, spans })
    }

    /// One of its planes, for what they have in common: place and size in the picture, names of levels.
    pub fn any(&self) -> &Plane<'a> {
        &self.first
    }

    /// Planes, at least one.
    pub fn count(&self) -> u64 {
        self.spans.iter().fold(1, |n: u64, span| n.saturating_mul(span.count))
    }

    /// The plane of a number below [`Self::count`]; the last axis runs fastest.
    pub fn plane(&self, mut number: u64) -> Plane<'a> {
        let mut plane = self.first.clone();
        for span in self.spans.iter().rev() {
            plane.fixed[span.dim] = span.from + number % span.count;
            number /= span.count;
        }
        plane
    }

    /// Every plane; no more than [`MOST_PLANES`], which a level that fits the budgets never has.
    pub fn planes(&self) -> impl Iterator<Item = Plane<'a>> + '_ {
        (0..self.count().min(MOST_PLANES)).map(|n| self.plane(n))
    }

    /// Voxels along the array dimensions that vary from plane to plane.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The planes that come in with the next step along `dim`; `None` at the end of the level.
    pub fn ahead(&self, dim: usize, direction: i64) -> Option<Self> {
        let size = *self.first.level().shape.get(dim)?;
        let (from, count) = self
            .spans
            .iter()
            .find(|s| s.dim == dim)
            .map_or((self.first.fixed[dim], 1), |s| (s.from, s.count));
        let next = if direction > 0 { from + count } else { from.checked_sub(1)? };
        let mut slab = self.clone();
        slab.first.fixed[dim] = next;
        slab.spans.retain(|s| s.dim != dim);
        (next < size && !self.first.dims.contains(&dim)).then_some(slab)
    }
}

/// The voxels of a level along one scene axis that the index and its margins hold.
fn span(state: &ViewState, image: &Multiscale, level: usize, dim: usize, axis: usize) -> Option<Span> {
    let value = *state.index.value.get(axis)?;
    let margins = state.index.margins.get(axis).copied().unwrap_or_default();
    let world = places::world_of(&state.dataset, axis, value);
    let (unit, _) = state.dataset.placement(axis);
    let (scale, origin) = (image.levels[level].scale[dim], image.levels[level].translation[dim]);
    let last = image.levels[level].shape[dim] as i64 - 1;
    let voxel = |w: f64| (w - origin) / scale;
    // A conversion from f64 saturates, so that endless margins end with the axis.
    let from = ((voxel(world - margins[0] * unit) - ON_THE_EDGE).ceil() as i64).max(0);
    let to = ((voxel(world + margins[1] * unit) + ON_THE_EDGE).floor() as i64).min(last);
    let place = places::level_voxel(image, level, axis, world);
    let (from, to) = match place {
        Some(place) => (from.min(place), to.max(place)),
        None => (from, to),
    };
    (from <= to).then(|| Span { dim, from: from as u64, count: (to - from) as u64 + 1 })
}
