//! The volume shader's twin: the same picture in f64 on the CPU, from dense arrays. It knows nothing of bricks,
//! cells or page tables: every sample of every ray is taken. Tests compare the two.

use super::{params::Quality, program::Mode, record::Grid};
use crate::{
    render::{
        colour,
        plane::{params::blending, twin::blend},
    },
    residency::bricks::detail::Detail,
};
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap::{self, Colormap},
    controls::{Controls, Depiction, Interpolation, Rendering},
    dataset::Multiscale,
    labels::scramble,
    places,
    rays::Rays,
};

/// Halvings of the step in which a surface was found.
const HALVINGS: usize = 8;

/// Where the twin's values come from. Layers are places in `ViewState::layers`.
pub trait Field {
    /// The raw value of a voxel (z, y, x) of a level; `None` where it is not a number.
    fn voxel(&self, layer: usize, level: usize, at: [u64; 3]) -> Option<f64>;

    /// The level that answers at a world point (x, y, z) where `wanted` is wanted: that one or a coarser one, or none.
    fn answers(&self, layer: usize, wanted: usize, point: [f64; 3]) -> Option<usize>;
}

/// One axis of one level: world size of a voxel, world place of the first one's centre, voxels.
#[derive(Clone, Copy)]
struct Axis {
    size: f64,
    first: f64,
    count: u64,
}

/// A ray in world units, x, y, z.
struct Ray {
    origin: [f64; 3],
    direction: [f64; 3],
    near: f64,
    jitter: f64,
}

impl Ray {
    fn at(&self, s: f64) -> [f64; 3] {
        std::array::from_fn(|i| self.origin[i] + s * self.direction[i])
    }
}

/// A layer to be drawn.
struct Drawn<'a, F> {
    number: usize,
    controls: &'a Controls,
    mode: Mode,
    state: &'a ViewState,
    layer: &'a LayerState,
    /// By level, along x, y, z.
    levels: Vec<[Axis; 3]>,
    detail: Detail,
    colormap: Colormap,
    linear: bool,
    step: f64,
    field: &'a F,
}

/// A sample that a ray takes.
struct Sample {
    s: f64,
    step: f64,
    level: usize,
}

/// Draws a volume: RGB in `[0, 1]`, row-major, row 0 on top, of the whole target of `grid`.
pub fn draw<F: Field>(state: &ViewState, grid: &Grid, quality: Quality, field: &F) -> Vec<[f64; 3]> {
    let visible = |l: &&(usize, &LayerState)| l.1.controls.visible && l.1.controls.opacity > 0.0;
    let numbered: Vec<_> = state.layers.iter().enumerate().collect();
    let drawn: Vec<_> =
        numbered.iter().filter(visible).filter_map(|(n, l)| drawn(state, *n, l, quality, field)).collect();
    let rays = Rays::of(&state.camera.volume, state.canvas);
    let mut out = Vec::new();
    for j in 0..grid.size[1] {
        for i in 0..grid.size[0] {
            let place = [0, 1]
                .map(|a| (f64::from([i, j][a]) + 0.5) * f64::from(grid.canvas[a]) / f64::from(grid.size[a]));
            let ray = ray(&rays, grid, place);
            let mut color = [0.0; 3];
            for (n, layer) in drawn.iter().enumerate() {
                let Some((over, cover)) = layer.color(&rays, &ray) else { continue };
                let mode = blending(layer.controls.blending, n == 0);
                let whole = blend(color, over, layer.controls.opacity, mode);
                color = std::array::from_fn(|c| color[c] + (whole[c] - color[c]) * cover);
            }
            out.push(color);
        }
    }
    out
}

fn ray(rays: &Rays, grid: &Grid, place: [f64; 2]) -> Ray {
    let [x, y] = [0, 1].map(|a| (place[a] - f64::from(grid.canvas[a]) / 2.0) * rays.pixel);
    let at: [f64; 3] = std::array::from_fn(|i| rays.center[i] + x * rays.right[i] + y * rays.down[i]);
    let word = (place[0] as u32).wrapping_add(0x9E37_79B9_u32.wrapping_mul(place[1] as u32));
    let jitter = f64::from(scramble(word) >> 8) / f64::from(1 << 24);
    match rays.eye {
        None => Ray { origin: at, direction: rays.forward, near: f64::NEG_INFINITY, jitter },
        Some(eye) => {
            let origin: [f64; 3] = std::array::from_fn(|i| rays.center[i] - eye * rays.forward[i]);
            let to: [f64; 3] = std::array::from_fn(|i| at[i] - origin[i]);
            Ray { origin, direction: to.map(|v| v / length(to)), near: 0.0, jitter }
        }
    }
}

fn length(v: [f64; 3]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum()
}

fn axes(state: &ViewState, image: &Multiscale, level: usize) -> [Axis; 3] {
    std::array::from_fn(|i| {
        let axis = state.displayed()[2 - i];
        let level = &image.levels[level];
        image.dim_of(axis).map_or_else(
            || {
                let [from, to] = places::world_extent(&state.dataset, axis);
                Axis { size: to - from, first: f64::midpoint(from, to), count: 1 }
            },
            |d| Axis { size: level.scale[d], first: level.translation[d], count: level.shape[d] },
        )
    })
}

fn drawn<'a, F: Field>(
    state: &'a ViewState,
    number: usize,
    layer: &'a LayerState,
    quality: Quality,
    field: &'a F,
) -> Option<Drawn<'a, F>> {
    let image = state.dataset.images.get(layer.layer.image)?;
    let controls = &layer.controls;
    let mode = Mode::of(layer);
    Some(Drawn {
        number,
        controls,
        mode,
        state,
        layer,
        levels: (0..image.levels.len()).map(|l| axes(state, image, l)).collect(),
        detail: Detail::of(state, image),
        colormap: colormap::lookup(&controls.colormap).unwrap_or(Colormap::Ramp([1.0; 3])),
        linear: mode != Mode::Labels && !quality.nearest && controls.interpolation != Interpolation::Nearest,
        step: controls.sample_step * f64::from(quality.step),
        field,
    })
}

impl<F: Field> Drawn<'_, F> {
    /// Where a ray is in what is left of the layer.
    fn span(&self, ray: &Ray) -> Option<[f64; 2]> {
        let (mut from, mut to) = (ray.near, f64::INFINITY);
        let mut keep = |normal: [f64; 3], distance: f64| {
            // distance = how far inside the origin is.
            let along = dot(normal, ray.direction);
            if along > 0.0 {
                from = from.max(-distance / along);
            } else if along < 0.0 {
                to = to.min(-distance / along);
            } else if distance < 0.0 {
                to = f64::NEG_INFINITY;
            }
        };
        let mut middle = [0.0; 3];
        for i in 0..3 {
            let Axis { size, first, count } = self.levels[0][i];
            let (mut a, mut b) = (first - size / 2.0, first + (count as f64 - 0.5) * size);
            middle[i] = f64::midpoint(a, b);
            let axis = self.state.displayed()[2 - i];
            if let Some(Some([x, y])) = self.state.clip.ranges.get(axis) {
                (a, b) = (a.max(*x), b.min(*y));
            }
            let mut unit = [0.0; 3];
            unit[i] = 1.0;
            keep(unit, ray.origin[i] - a);
            unit[i] = -1.0;
            keep(unit, b - ray.origin[i]);
        }
        let away = |p: [f64; 3]| std::array::from_fn(|i| ray.origin[i] - p[i]);
        for plane in &self.state.clip.planes {
            keep(plane.normal, dot(plane.normal, away(plane.position)));
        }
        if self.controls.depiction == Depiction::Plane {
            let n = self.controls.plane_normal.map(|v| v / length(self.controls.plane_normal));
            let voxels = length(std::array::from_fn(|i| n[i] / self.levels[0][i].size));
            let half = self.controls.plane_thickness / voxels / 2.0;
            let at = dot(n, away(self.controls.plane_position.unwrap_or(middle)));
            keep(n, half + at);
            keep(n.map(|v| -v), half - at);
        }
        (from < to).then_some([from, to])
    }

    /// All samples of a ray, nearest first.
    fn samples(&self, rays: &Rays, ray: &Ray) -> Vec<Sample> {
        let Some([from, to]) = self.span(ray) else { return Vec::new() };
        let mut out = Vec::new();
        for (level, axes) in self.levels.iter().enumerate() {
            let voxels = length(std::array::from_fn(|i| ray.direction[i] / axes[i].size));
            let step = self.step / voxels;
            for n in 0.. {
                let s = from + (f64::from(n) + ray.jitter) * step;
                if s >= to {
                    break;
                }
                let point = ray.at(s);
                let wanted = self.detail.wanted(rays.pixel_at(rays.depth(point)));
                if self.field.answers(self.number, wanted, point) == Some(level) {
                    out.push(Sample { s, step, level });
                }
            }
        }
        out.sort_by(|a, b| a.s.total_cmp(&b.s));
        out
    }

    /// The value at a place of a level.
    fn value(&self, level: usize, point: [f64; 3]) -> Option<f64> {
        let axes = self.levels[level];
        let c: [f64; 3] = std::array::from_fn(|i| {
            ((point[i] - axes[i].first) / axes[i].size).clamp(0.0, axes[i].count as f64 - 1.0)
        });
        let voxel = |p: [f64; 3]| self.field.voxel(self.number, level, [p[2], p[1], p[0]].map(|v| v as u64));
        let near = || voxel(c.map(|v| (v + 0.5).floor()));
        if !self.linear {
            return near();
        }
        let base = c.map(f64::floor);
        let mut sum = 0.0;
        for n in 0..8 {
            let side = [0, 1, 2].map(|i| f64::from(n >> i & 1));
            let weight: f64 = (0..3)
                .map(|i| {
                    let f = c[i] - base[i];
                    if side[i] > 0.0 { f } else { 1.0 - f }
                })
                .product();
            if weight > 0.0 {
                // Beside a hole the nearest value stands for itself.
                let Some(v) = voxel(std::array::from_fn(|i| base[i] + side[i])) else { return near() };
                sum += weight * v;
            }
        }
        Some(sum)
    }

    /// The value at a place by a level or what is coarser.
    fn find(&self, level: usize, point: [f64; 3]) -> Option<f64> {
        self.value(self.field.answers(self.number, level, point)?, point)
    }

    fn normalised(&self, v: f64) -> f64 {
        let [lo, hi] = self.controls.contrast_limits;
        ((v - lo) / (hi - lo)).clamp(0.0, 1.0)
    }

    fn toned(&self, t: f64) -> f64 {
        t.powf(self.controls.gamma)
    }

    /// The layer's colour along a ray, and how much of what is below it covers; `None` where nothing is.
    fn color(&self, rays: &Rays, ray: &Ray) -> Option<([f64; 3], f64)> {
        let samples = self.samples(rays, ray);
        let rendering = match self.mode {
            Mode::Labels => return self.object(ray, &samples),
            Mode::Image(Rendering::Iso) => return self.surface(ray, &samples),
            Mode::Image(rendering) => rendering,
        };
        let fine = length(std::array::from_fn(|i| ray.direction[i] / self.levels[0][i].size));
        let a = self.controls.attenuation;
        // Normalised values, and the lengths they stand for in voxels of the finest level.
        let numbers: Vec<(f64, f64)> = samples
            .iter()
            .filter_map(|m| Some((self.normalised(self.value(m.level, ray.at(m.s))?), m.step * fine)))
            .collect();
        if numbers.is_empty() {
            return None;
        }
        let of = |t: f64| Some((self.colormap.eval(self.toned(t)), 1.0));
        match rendering {
            Rendering::Mip => of(numbers.iter().fold(0.0, |m, n| n.0.max(m))),
            Rendering::MinIp => of(numbers.iter().fold(1.0, |m, n| n.0.min(m))),
            Rendering::AttenuatedMip => {
                let (mut best, mut sum) = (0.0_f64, 0.0);
                for (t, length) in numbers {
                    best = best.max(t * (-a * sum).exp());
                    sum += t * length;
                }
                of(best)
            }
            Rendering::Average => {
                let path: f64 = numbers.iter().map(|n| n.1).sum();
                of(numbers.iter().map(|(t, length)| t * length).sum::<f64>() / path)
            }
            Rendering::Translucent => {
                let (mut light, mut through) = ([0.0; 3], 1.0);
                for (t, length) in numbers {
                    let u = self.toned(t);
                    let opacity = 1.0 - (-a * u * length).exp();
                    let color = self.colormap.eval(u);
                    light = std::array::from_fn(|i| light[i] + through * opacity * color[i]);
                    through *= 1.0 - opacity;
                }
                let cover = 1.0 - through;
                Some((light.map(|v| if cover > 0.0 { v / cover } else { 0.0 }), cover))
            }
            Rendering::Additive | Rendering::Iso => {
                let mut light = [0.0; 3];
                for (t, length) in numbers {
                    let color = self.colormap.eval(self.toned(t));
                    light = std::array::from_fn(|i| light[i] + color[i] * length);
                }
                Some((light.map(|v| 1.0 - (-a * v).exp()), 1.0))
            }
        }
    }

    fn surface(&self, ray: &Ray, samples: &[Sample]) -> Option<([f64; 3], f64)> {
        let start = self.span(ray)?[0];
        let is_inside = |v: Option<f64>| v.is_some_and(|v| v >= self.controls.iso_threshold);
        let hit = samples.iter().find(|m| is_inside(self.value(m.level, ray.at(m.s))))?;
        let (mut before, mut behind) = ((hit.s - hit.step).max(start), hit.s);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(before, behind);
            if is_inside(self.find(hit.level, ray.at(middle))) {
                behind = middle;
            } else {
                before = middle;
            }
        }
        let facing = self.facing(ray, hit.level, behind, |point| self.find(hit.level, point));
        Some((lit(self.colormap.eval(1.0), facing), 1.0))
    }

    fn object(&self, ray: &Ray, samples: &[Sample]) -> Option<([f64; 3], f64)> {
        let c = self.controls;
        let is_shown = |id: f64| id != 0.0 && (!c.show_selected_label || id == f64::from(c.selected_label));
        let (hit, id) = samples.iter().find_map(|m| {
            let id = self.value(m.level, ray.at(m.s))?;
            is_shown(id).then_some((m, id))
        })?;
        let same = |point| self.find(hit.level, point).map(|v| f64::from(u8::from(v == id)));
        let facing = self.facing(ray, hit.level, hit.s, same);
        let [r, g, b, a] = colour::of_label(self.state.source(self.layer), id as u32);
        Some((lit([r, g, b], facing), a))
    }

    /// How far a surface at `s` faces the eye.
    fn facing(&self, ray: &Ray, level: usize, s: f64, find: impl Fn([f64; 3]) -> Option<f64>) -> f64 {
        let point = ray.at(s);
        let middle = find(point).unwrap_or(0.0);
        let gradient: [f64; 3] = std::array::from_fn(|i| {
            let size = self.levels[level][i].size;
            let aside = |by: f64| {
                let mut p = point;
                p[i] += by * size;
                find(p).unwrap_or(middle)
            };
            (aside(1.0) - aside(-1.0)) / size
        });
        if gradient == [0.0; 3] { 1.0 } else { (dot(gradient, ray.direction) / length(gradient)).abs() }
    }
}

/// A colour in a light at the eye.
fn lit(color: [f64; 3], facing: f64) -> [f64; 3] {
    color.map(|c| (c * (0.2 + 0.7 * facing) + 0.1 * facing.powi(32)).min(1.0))
}
