//! What the bricks of a volume would cost, before any of them is chosen: a few microseconds, so that it can be asked
//! in every turn of an orbit.
//!
//! A lattice of rays measures how much of each layer's box is seen where a pixel is how large. A level is resident
//! wherever it or a finer one is wanted, because coarser bricks stay below finer ones; so its bytes are those of all
//! its bricks, times the part of the box that is seen there. Bricks are whole: what is seen is taken half a brick
//! larger on all sides that cut through the box.

use super::Detail;
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
/// Of the eye's distance, what lies closer than this before the eye is not looked at.
const NEAR: f64 = 1e-3;

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
    is_slab: bool,
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
    /// Longest side of a voxel, world units.
    voxel: f64,
}

type Box3 = [[f64; 2]; 3];

/// Where `normal · p + offset ≥ 0`; the normal has length 1.
#[derive(Debug, Clone, Copy)]
struct Half {
    normal: [f64; 3],
    offset: f64,
}

/// A ray: the point at depth 0, and how it moves with depth.
#[derive(Debug, Clone, Copy)]
struct Ray {
    at: [f64; 3],
    by: [f64; 3],
}

impl<'a> Sight<'a> {
    /// What `pose` sees of a state that displays three axes, whatever the state's own pose is.
    pub fn of(state: &'a ViewState, pose: &VolumePose) -> Self {
        let rays = Rays::of(pose, state.canvas);
        let half = [f64::from(state.canvas.width) / 2.0, f64::from(state.canvas.height) / 2.0];
        let mut parts: Vec<Part> = Vec::new();
        for layer in state.layers.iter().filter(|l| l.controls.visible) {
            let Some(image) = state.dataset.images.get(layer.layer.image) else { continue };
            let is_slab = layer.controls.depiction == Depiction::Plane;
            let same = |p: &&mut Part| std::ptr::eq(p.image, image) && !is_slab && !p.is_slab;
            match parts.iter_mut().find(same) {
                Some(part) => part.layers += 1.0,
                None => parts.push(Part::of(state, image, is_slab.then_some(layer))),
            }
        }
        Self { state, rays, half, parts }
    }

    /// Bytes of the bricks that a level block would want.
    pub fn bytes(&self, lod: Lod) -> f64 {
        self.parts.iter().map(|part| self.bytes_of(part, &Detail::with(self.state, part.image, lod))).sum()
    }

    fn bytes_of(&self, part: &Part, detail: &Detail) -> f64 {
        let here = part.levels[detail.wanted(self.rays.pixel)].voxel;
        let pad = STRIDE / 2.0 * here;
        let sides: Box3 = std::array::from_fn(|i| {
            let ([from, to], [first, last]) = (part.crop[i], part.outer[i]);
            [(from - pad).max(first), (to + pad).min(last)]
        });
        // Depth at which a level begins to be too fine: a brick is chosen by its nearest point, on average as
        // far before any point of it as half its extent in a random direction.
        let slope = self.rays.eye.map_or(0.0, |eye| self.rays.pixel / eye);
        let until: Vec<f64> = (1..=part.levels.len())
            .map(|next| match detail.sizes.get(next) {
                Some(&size) if size > 0.0 => size + slope * 0.75 * STRIDE * part.levels[next - 1].voxel,
                Some(_) => 0.0,
                None => f64::INFINITY,
            })
            .map(|pixel| self.depth_of(pixel))
            .collect();
        let mut seen = vec![0.0; part.levels.len()];
        let beyond = (pad / self.rays.pixel).min(8.0 * self.half[0].max(self.half[1]));
        let Some(window) = self.window(&sides, beyond) else { return part.least() };
        let area = (0..2).map(|i| (window[i][1] - window[i][0]) / LATTICE[i] as f64).product::<f64>();
        for step in 0..LATTICE[0] * LATTICE[1] {
            let place = [step % LATTICE[0], step / LATTICE[0]];
            let ray = self.ray(std::array::from_fn(|i| {
                let [from, to] = window[i];
                from + (to - from) * (place[i] as f64 + 0.5) / LATTICE[i] as f64
            }));
            let Some([from, to]) = self.depths(&ray, &sides, part.cuts.iter().map(|h| h.moved(pad))) else {
                continue;
            };
            for (seen, until) in seen.iter_mut().zip(&until) {
                *seen += area * self.volume(from, to.min(*until));
            }
        }
        let whole: f64 = part.outer.iter().map(|[from, to]| to - from).product();
        let bytes = part.levels.iter().zip(seen).map(|(level, seen)| {
            let share = seen / whole;
            // What cannot be told is taken whole.
            level.bytes * if share.is_finite() { share.min(1.0) } else { 1.0 }
        });
        let bytes: f64 = bytes.sum();
        (bytes * MARGIN * part.layers).max(part.least())
    }

    /// World units of a pixel at the nearest point that is seen of the reference image; infinity where nothing is.
    ///
    /// Looked for at the corners of its box, and where a lattice of rays enters it.
    pub fn nearest_pixel(&self) -> f64 {
        let Some(image) = self.state.dataset.reference() else { return f64::INFINITY };
        let part = Part::of(self.state, image, None);
        let Some(window) = self.window(&part.crop, 0.0) else { return f64::INFINITY };
        let corners = corners(&part.crop).filter_map(|corner| {
            let at = self.rays.project(corner)?;
            let inside = (0..2).all(|i| at[i].abs() <= self.half[i]);
            inside.then(|| self.rays.depth(corner))
        });
        let rays = (0..LATTICE[0] * LATTICE[1]).filter_map(|step| {
            let place = [step % LATTICE[0], step / LATTICE[0]];
            let ray = self.ray(std::array::from_fn(|i| {
                let [from, to] = window[i];
                from + (to - from) * place[i] as f64 / (LATTICE[i] - 1) as f64
            }));
            Some(self.depths(&ray, &part.crop, std::iter::empty())?[0])
        });
        corners.chain(rays).reduce(f64::min).map_or(f64::INFINITY, |depth| self.rays.pixel_at(depth))
    }

    /// The part of the canvas, made larger by `beyond` pixels, in which a box is seen: pixels from the middle,
    /// right and down.
    fn window(&self, of: &Box3, beyond: f64) -> Option<[[f64; 2]; 2]> {
        let canvas = self.half.map(|half| [-half - beyond, half + beyond]);
        if of.iter().any(|[from, to]| from > to) {
            return None;
        }
        let mut bounds = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for corner in corners(of) {
            // With a corner behind the eye the box may fill the canvas.
            let Some(at) = self.rays.project(corner) else { return Some(canvas) };
            for (bound, at) in bounds.iter_mut().zip(at) {
                *bound = [bound[0].min(at), bound[1].max(at)];
            }
        }
        let window: [[f64; 2]; 2] =
            std::array::from_fn(|i| [bounds[i][0].max(canvas[i][0]), bounds[i][1].min(canvas[i][1])]);
        window.iter().all(|[from, to]| from <= to).then_some(window)
    }

    /// The ray through a place in the picture.
    fn ray(&self, [x, y]: [f64; 2]) -> Ray {
        let rays = &self.rays;
        let beside: [f64; 3] = std::array::from_fn(|i| (x * rays.right[i] + y * rays.down[i]) * rays.pixel);
        let spread = rays.eye.map_or(0.0, |eye| 1.0 / eye);
        Ray {
            at: std::array::from_fn(|i| rays.center[i] + beside[i]),
            by: std::array::from_fn(|i| rays.forward[i] + beside[i] * spread),
        }
    }

    /// The depths between which a ray is in a box and not cut away.
    fn depths(&self, ray: &Ray, sides: &Box3, cuts: impl Iterator<Item = Half>) -> Option<[f64; 2]> {
        let near = self.rays.eye.map_or(f64::NEG_INFINITY, |eye| -eye * (1.0 - NEAR));
        let mut depths = [near, f64::INFINITY];
        for (i, [from, to]) in sides.iter().enumerate() {
            cut(&mut depths, ray.at[i] - from, ray.by[i]);
            cut(&mut depths, to - ray.at[i], -ray.by[i]);
        }
        for half in cuts {
            cut(&mut depths, dot(half.normal, ray.at) + half.offset, dot(half.normal, ray.by));
        }
        (depths[0] < depths[1]).then_some(depths)
    }

    /// World volume behind one pixel between two depths, 0 where they are not in order.
    fn volume(&self, from: f64, to: f64) -> f64 {
        let [a, b] = [from, to].map(|depth| self.rays.pixel_at(depth));
        (to - from).max(0.0) * (a * a + a * b + b * b) / 3.0
    }

    /// The depth at which a pixel has this size: everything before it is smaller.
    fn depth_of(&self, pixel: f64) -> f64 {
        match self.rays.eye {
            _ if pixel.is_infinite() => f64::INFINITY,
            Some(eye) => (pixel / self.rays.pixel - 1.0) * eye,
            None if self.rays.pixel < pixel => f64::INFINITY,
            None => f64::NEG_INFINITY,
        }
    }
}

impl<'a> Part<'a> {
    /// One layer's part of an image; `slab` is the layer where it shows a slab.
    fn of(state: &ViewState, image: &'a Multiscale, slab: Option<&LayerState>) -> Self {
        let displayed = state.axes.displayed(3);
        let scene = places::world_box(&state.dataset, displayed);
        let (mut outer, mut crop) = (scene, scene);
        for (i, &axis) in displayed.iter().rev().enumerate().take(3) {
            if let Some(d) = image.dim_of(axis) {
                let level = &image.levels[0];
                let (scale, origin) = (level.scale[d], level.translation[d]);
                outer[i] = [origin - 0.5 * scale, origin + (level.shape[d] as f64 - 0.5) * scale];
            }
            crop[i] = match state.clip.ranges.get(axis) {
                Some(Some([from, to])) => [outer[i][0].max(*from), outer[i][1].min(*to)],
                _ => outer[i],
            };
        }
        let dims: Vec<usize> = displayed.iter().filter_map(|&a| image.dim_of(a)).collect();
        let levels = image.levels.iter().map(|level| {
            let bricks = dims.iter().map(|&d| ((level.shape[d] as f64 - 1.0) / STRIDE).ceil().max(1.0));
            Bricks {
                bytes: bricks.product::<f64>() * brick(image),
                voxel: dims.iter().map(|&d| level.scale[d]).fold(f64::MIN_POSITIVE, f64::max),
            }
        });
        let planes = state.clip.planes.iter().filter_map(|p| Half::through(p.position, p.normal, 0.0));
        let mut part = Self {
            image,
            layers: 1.0,
            is_slab: slab.is_some(),
            outer,
            crop,
            cuts: planes.collect(),
            levels: levels.collect(),
        };
        if let Some(layer) = slab {
            part.cuts.extend(part.slab(layer));
        }
        part
    }

    /// The two sides of a layer's slab.
    fn slab(&self, layer: &LayerState) -> Vec<Half> {
        let controls = &layer.controls;
        let middle = self.outer.map(|[from, to]| f64::midpoint(from, to));
        let position = controls.plane_position.unwrap_or(middle);
        let reach = controls.plane_thickness / 2.0 * self.levels[0].voxel;
        let normal = controls.plane_normal;
        let sides = [normal, normal.map(|v| -v)];
        sides.into_iter().filter_map(|normal| Half::through(position, normal, reach)).collect()
    }

    /// One brick for each layer.
    fn least(&self) -> f64 {
        brick(self.image) * self.layers
    }
}

impl Half {
    /// The side of a plane through `point` that `normal` points to, and `reach` more; `None` without a direction.
    fn through(point: [f64; 3], normal: [f64; 3], reach: f64) -> Option<Self> {
        // Over the largest part first: squares of very small or large ones would be 0 or infinite.
        let largest = normal.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let normal = normal.map(|v| v / largest);
        let length = dot(normal, normal).sqrt();
        let normal = normal.map(|v| v / length);
        let offset = reach - dot(normal, point);
        offset.is_finite().then_some(Self { normal, offset })
    }

    /// The same with `by` more kept.
    fn moved(self, by: f64) -> Self {
        Self { offset: self.offset + by, ..self }
    }
}

/// Bytes of a brick.
fn brick(image: &Multiscale) -> f64 {
    STORED.powi(3) * image.dtype.size() as f64
}

fn corners(of: &Box3) -> impl Iterator<Item = [f64; 3]> + '_ {
    (0..8).map(|n| std::array::from_fn(|i| of[i][n >> i & 1]))
}

/// Leaves of an interval of depths `z` where `a + b·z ≥ 0`.
fn cut(depths: &mut [f64; 2], a: f64, b: f64) {
    if b > 0.0 {
        depths[0] = depths[0].max(-a / b);
    } else if b < 0.0 {
        depths[1] = depths[1].min(-a / b);
    } else if a < 0.0 {
        *depths = [f64::INFINITY, f64::NEG_INFINITY];
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum()
}
