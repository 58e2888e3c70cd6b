//! What the bricks of a volume would cost, before any of them is chosen: a few microseconds, so that it can be asked
//! in every turn of an orbit.
//!
//! A lattice of rays measures how much of each layer's box is seen where a pixel is how large. A level is resident
//! wherever it or a finer one is wanted, because coarser bricks stay below finer ones; so its bytes are those of all
//! its bricks, times the part of the box that is seen there. Bricks are whole: what is seen is taken half a brick
//! larger on all sides that cut through the box.

use super::{
    Detail,
    frustum::{Box3, Frustum, Half, corners},
};
use lucida_components::{
    applied::{LayerState, ViewState},
    camera::VolumePose,
    controls::Depiction,
    dataset::Multiscale,
    lod::{Budgets, Lod},
    places,
    rays::Rays,
};

/// Rays across and down.
const LATTICE: [usize; 2] = [16, 9];
/// Voxels of a brick as stored, and steps between voxel centres that it covers, per side.
const STORED: f64 = 64.0;
const STRIDE: f64 = 63.0;
/// Of the true number: rounding to whole bricks differs from place to place.
const MARGIN: f64 = 1.15;
/// Of all bricks' memory, what one view may want; the rest is for bricks of the next step.
const SHARE: f64 = 0.75;

/// Bytes that what one view wants may have.
pub fn limit(budgets: &Budgets) -> f64 {
    budgets.brick_bytes as f64 * SHARE
}

/// What a pose sees of the layers of a state.
#[derive(Debug)]
pub struct Sight<'a> {
    state: &'a ViewState,
    rays: Rays,
    /// Half the canvas, pixels.
    half: [f64; 2],
    parts: Vec<Part<'a>>,
}

/// Layers that show the same part of the same image.
#[derive(Debug)]
struct Part<'a> {
    image: &'a Multiscale,
    layers: f64,
    slab: Option<Slab>,
    /// The image's box and what is left of it by the crop box; world x, y, z.
    outer: Box3,
    crop: Box3,
    /// What else is cut away.
    cuts: Vec<Half>,
    levels: Vec<Bricks>,
}

/// One level of a part.
#[derive(Debug, Clone, Copy)]
struct Bricks {
    /// Bytes of all bricks.
    bytes: f64,
    /// Sides of a brick, world x, y, z.
    sides: [f64; 3],
}

impl Bricks {
    /// How far a brick reaches from its middle along a direction of length 1: on average over where a surface across
    /// this direction cuts through bricks.
    fn half(&self, along: [f64; 3]) -> f64 {
        (0..3).map(|i| (along[i] * self.sides[i]).powi(2)).sum::<f64>().sqrt() / 2.0
    }
}

/// What of a layer is shown where that is a slab.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slab {
    position: Option<[f64; 3]>,
    normal: [f64; 3],
    thickness: f64,
}

impl Slab {
    fn of(layer: &LayerState) -> Option<Self> {
        let c = &layer.controls;
        let slab = Self { position: c.plane_position, normal: c.plane_normal, thickness: c.plane_thickness };
        (c.depiction == Depiction::Plane).then_some(slab)
    }
}

impl<'a> Sight<'a> {
    /// What `pose` sees of a state that displays three axes, whatever the state's own pose is.
    pub fn of(state: &'a ViewState, pose: &VolumePose) -> Self {
        let rays = Rays::of(pose, state.canvas);
        let half = [f64::from(state.canvas.width) / 2.0, f64::from(state.canvas.height) / 2.0];
        let mut parts: Vec<Part> = Vec::new();
        for layer in state.layers.iter().filter(|l| l.controls.visible) {
            let Some(image) = state.dataset.images.get(layer.layer.image) else { continue };
            let slab = Slab::of(layer);
            match parts.iter_mut().find(|p| std::ptr::eq(p.image, image) && p.slab == slab) {
                Some(part) => part.layers += 1.0,
                None => parts.push(Part::of(state, image, slab)),
            }
        }
        Self { state, rays, half, parts }
    }

    /// Bytes of the bricks that a level block would want.
    pub fn bytes(&self, lod: Lod) -> f64 {
        self.parts.iter().map(|part| self.bytes_of(part, &Detail::with(self.state, part.image, lod))).sum()
    }

    fn bytes_of(&self, part: &Part, detail: &Detail) -> f64 {
        let whole: f64 = part.outer.iter().map(|[from, to]| to - from).product();
        let bytes = part.levels.iter().enumerate().map(|(level, bricks)| {
            let until = self.until(bricks, detail.sizes.get(level + 1).copied());
            let share = self.volume(part, bricks, until) / whole;
            // What cannot be told is taken whole.
            bricks.bytes * if share.is_finite() { share.min(1.0) } else { 1.0 }
        });
        let bytes: f64 = bytes.sum();
        (bytes * MARGIN * part.layers).max(part.least())
    }

    /// The depth up to which the bricks of a level are resident, where the next coarser level has the effective size
    /// `next`. A brick is chosen by its nearest point, which lies half its depth before the average one.
    fn until(&self, bricks: &Bricks, next: Option<f64>) -> f64 {
        let rays = &self.rays;
        let pixel = match (next, rays.eye) {
            (None, _) => f64::INFINITY,
            (Some(size), Some(eye)) if size > 0.0 => {
                let deep: f64 = (0..3).map(|i| (rays.forward[i] * bricks.sides[i]).abs()).sum();
                size + rays.pixel / eye * deep / 2.0
            }
            (Some(size), _) => size,
        };
        match rays.eye {
            _ if pixel.is_infinite() => f64::INFINITY,
            Some(eye) => (pixel / rays.pixel - 1.0) * eye,
            None if rays.pixel < pixel => f64::INFINITY,
            None => f64::NEG_INFINITY,
        }
    }

    /// World volume of a part that is seen up to a depth, half a brick larger on all sides that cut through the box.
    fn volume(&self, part: &Part, bricks: &Bricks, until: f64) -> f64 {
        let rays = &self.rays;
        let sides: Box3 = std::array::from_fn(|i| {
            let ([from, to], [first, last], pad) = (part.crop[i], part.outer[i], bricks.sides[i] / 2.0);
            [(from - pad).max(first), (to + pad).min(last)]
        });
        let frustum =
            Frustum::wider(rays, self.half, [rays.right, rays.down, rays.forward].map(|a| bricks.half(a)));
        if until <= frustum.near() {
            return 0.0;
        }
        let Some(window) = frustum.window(&sides) else { return 0.0 };
        let area = (0..2).map(|i| (window[i][1] - window[i][0]) / LATTICE[i] as f64).product::<f64>();
        let rays = lattice(window, |place, of| (place as f64 + 0.5) / of as f64);
        let volumes = rays.filter_map(|place| {
            let cuts = part.cuts.iter().map(|h| h.moved(bricks.half(h.normal)));
            let [from, to] = frustum.depths(&frustum.ray(place), &sides, cuts)?;
            Some(frustum.volume(from, to.min(until)))
        });
        area * volumes.sum::<f64>()
    }

    /// World units of a pixel at the nearest point that is seen of the reference image; infinity where nothing is.
    ///
    /// Looked for at the corners of its box, and where a lattice of rays enters it.
    pub fn nearest_pixel(&self) -> f64 {
        let Some(image) = self.state.dataset.reference() else { return f64::INFINITY };
        let part = Part::of(self.state, image, None);
        let frustum = Frustum::wider(&self.rays, self.half, [0.0; 3]);
        let Some(window) = frustum.window(&part.crop) else { return f64::INFINITY };
        let corners = corners(&part.crop).filter_map(|corner| {
            let at = self.rays.project(corner)?;
            let inside = (0..2).all(|i| at[i].abs() <= self.half[i]);
            inside.then(|| self.rays.depth(corner))
        });
        let rays = lattice(window, |place, of| place as f64 / (of - 1) as f64).filter_map(|place| {
            Some(frustum.depths(&frustum.ray(place), &part.crop, std::iter::empty())?[0])
        });
        corners.chain(rays).reduce(f64::min).map_or(f64::INFINITY, |depth| self.rays.pixel_at(depth))
    }
}

impl<'a> Part<'a> {
    /// One layer's part of an image.
    fn of(state: &ViewState, image: &'a Multiscale, slab: Option<Slab>) -> Self {
        let displayed = state.axes.displayed(3);
        let mut outer = places::world_box(&state.dataset, displayed);
        let mut crop = outer;
        // World x, y, z are the displayed axes from the last to the first.
        let mut dims = [None; 3];
        for (i, &axis) in displayed.iter().rev().enumerate().take(3) {
            dims[i] = image.dim_of(axis);
            if let Some(d) = dims[i] {
                let level = &image.levels[0];
                let (scale, origin) = (level.scale[d], level.translation[d]);
                outer[i] = [origin - 0.5 * scale, origin + (level.shape[d] as f64 - 0.5) * scale];
            }
            crop[i] = match state.clip.ranges.get(axis) {
                Some(Some([from, to])) => [outer[i][0].max(*from), outer[i][1].min(*to)],
                _ => outer[i],
            };
        }
        let levels = image.levels.iter().map(|level| {
            let bricks =
                dims.iter().flatten().map(|&d| ((level.shape[d] as f64 - 1.0) / STRIDE).ceil().max(1.0));
            Bricks {
                bytes: bricks.product::<f64>() * brick(image),
                // Along an axis that the image lacks, it is one voxel thick.
                sides: std::array::from_fn(|i| {
                    dims[i].map_or(outer[i][1] - outer[i][0], |d| STRIDE * level.scale[d])
                }),
            }
        });
        let levels = levels.collect();
        let planes = state.clip.planes.iter().filter_map(|p| Half::through(p.position, p.normal, 0.0));
        let mut cuts: Vec<Half> = planes.collect();
        if let Some(Slab { position, normal, thickness }) = slab {
            let position = position.unwrap_or(outer.map(|[from, to]| f64::midpoint(from, to)));
            let voxel = dims.iter().flatten().map(|&d| image.levels[0].scale[d]).fold(0.0, f64::max);
            let sides = [normal, normal.map(|v| -v)];
            cuts.extend(
                sides.into_iter().filter_map(|n| Half::through(position, n, thickness / 2.0 * voxel)),
            );
        }
        Self { image, layers: 1.0, slab, outer, crop, cuts, levels }
    }

    /// One brick for each layer.
    fn least(&self) -> f64 {
        brick(self.image) * self.layers
    }
}

/// Bytes of a brick.
fn brick(image: &Multiscale) -> f64 {
    STORED.powi(3) * image.dtype.size() as f64
}

/// Places in a window; `at` says how far across it the place of a number is.
fn lattice(window: [[f64; 2]; 2], at: impl Fn(usize, usize) -> f64) -> impl Iterator<Item = [f64; 2]> {
    (0..LATTICE[0] * LATTICE[1]).map(move |step| {
        let place = [step % LATTICE[0], step / LATTICE[0]];
        std::array::from_fn(|i| window[i][0] + (window[i][1] - window[i][0]) * at(place[i], LATTICE[i]))
    })
}
