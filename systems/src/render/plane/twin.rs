//! The plane shader's twin: the same picture in f64 on the CPU, from values instead of tiles. Tests compare
//! the two, and pictures of real data with arrays read by another path.

use super::params::blending;
use crate::{
    render::colour,
    residency::{sample::Fold, slab::Slab, tiles::Plane},
};
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap::{self, Colormap},
    controls::{Blending, Interpolation},
    layer::LayerKind,
    places,
};

/// A layer to be drawn: its planes, all in one place of the picture.
struct Drawn<'a> {
    state: &'a ViewState,
    layer: &'a LayerState,
    planes: Vec<Plane<'a>>,
    /// Of images.
    colormap: Colormap,
}

/// Draws a plane whose target levels are wholly resident.
///
/// `value(layer, level, row, col)` is the raw value of a texel of a layer's plane. Returns RGB in `[0, 1]`,
/// row-major, row 0 on top.
pub fn draw(state: &ViewState, value: impl Fn(&LayerState, &Plane, u64, u64) -> f64) -> Vec<[f64; 3]> {
    let layers: Vec<_> =
        state.layers.iter().filter(|l| l.controls.visible && l.controls.opacity > 0.0).collect();
    let drawn: Vec<_> = layers.iter().map(|l| drawn(state, l)).collect();
    let bottom =
        drawn.iter().position(|d| d.as_ref().is_some_and(|d| d.planes[0].window(&state.rect()).count() > 0));
    let (width, height) = (state.canvas.width, state.canvas.height);
    let mut out = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        for x in 0..width {
            let mut color = [0.0; 3];
            for (i, drawn) in drawn.iter().enumerate() {
                let Some(drawn) = drawn else { continue };
                let Some((over, opacity)) = drawn.color([y, x], &value) else { continue };
                let mode = blending(drawn.layer.controls.blending, bottom == Some(i));
                color = blend(color, over, opacity, mode);
            }
            out.push(color);
        }
    }
    out
}

/// The target planes of a layer.
fn drawn<'a>(state: &'a ViewState, layer: &'a LayerState) -> Option<Drawn<'a>> {
    let image = state.dataset.images.get(layer.layer.image)?;
    let level = places::resolve_level(&state.dataset, image, state.lod.level, state.plane_axes());
    let planes = Slab::of(state, layer, image, level)?.planes().collect();
    let colormap = colormap::lookup(&layer.controls.colormap).unwrap_or(Colormap::Ramp([1.0; 3]));
    Some(Drawn { state, layer, planes, colormap })
}

impl Drawn<'_> {
    /// The layer's colour and opacity under the centre of a pixel; `None` where it shows nothing.
    fn color(
        &self,
        pixel: [u32; 2],
        value: &impl Fn(&LayerState, &Plane, u64, u64) -> f64,
    ) -> Option<([f64; 3], f64)> {
        let c = &self.layer.controls;
        let at = self.texel(pixel)?;
        if self.layer.layer.kind == LayerKind::Labels {
            let [r, g, b, a] = colour::of_label(self.state.source(self.layer), self.label(at, value)?);
            return Some(([r, g, b], a * c.opacity));
        }
        let value = self.sample(at, value)?;
        Some((colour::of_value(c, &self.colormap, value), c.opacity))
    }

    /// The texel coordinate (row, column) under the centre of a pixel; `None` outside the plane.
    fn texel(&self, pixel: [u32; 2]) -> Option<[f64; 2]> {
        let rect = self.state.rect();
        let edge = [rect.bottom, rect.left];
        let (plane, extent) = (&self.planes[0], self.planes[0].extent());
        let mut at = [0.0; 2];
        for side in 0..2 {
            let world = edge[side] + (f64::from(pixel[side]) + 0.5) / self.state.camera.plane.zoom;
            let [scale, offset] = plane.texel_of_world(side);
            at[side] = world * scale + offset;
            if at[side] < 0.0 || at[side] >= extent[side] as f64 {
                return None;
            }
        }
        Some(at)
    }

    /// The id at a place; `None` where nothing is drawn.
    fn label(&self, at: [f64; 2], value: &impl Fn(&LayerState, &Plane, u64, u64) -> f64) -> Option<u32> {
        let c = &self.layer.controls;
        let (plane, extent) = (&self.planes[0], self.planes[0].extent());
        let [row, col] = at.map(|v| v.floor() as i64);
        let id = |row: i64, col: i64| value(self.layer, plane, row as u64, col as u64) as u32;
        let own = id(row, col);
        if !colour::is_shown(c, own) {
            return None;
        }
        let reach = i64::from(c.contour);
        let inside = |r: i64, c: i64| r >= 0 && c >= 0 && r < extent[0] as i64 && c < extent[1] as i64;
        let near = (-reach..=reach).flat_map(|dy| {
            let width = reach - dy.abs();
            (-width..=width).map(move |dx| (row + dy, col + dx))
        });
        let outlined = reach == 0 || near.into_iter().any(|(r, c)| inside(r, c) && id(r, c) != own);
        outlined.then_some(own)
    }

    /// The value at a place; `None` where it is not a number.
    fn sample(&self, at: [f64; 2], value: &impl Fn(&LayerState, &Plane, u64, u64) -> f64) -> Option<f64> {
        let extent = self.planes[0].extent();
        let read = |r: f64, c: f64| {
            let clamp = |v: f64, n: u64| v.clamp(0.0, n as f64 - 1.0) as u64;
            let (row, col) = (clamp(r, extent[0]), clamp(c, extent[1]));
            let mut fold = Fold::default();
            self.planes.iter().for_each(|plane| fold.push(value(self.layer, plane, row, col)));
            fold.end(self.layer.controls.projection)
        };
        let near = || read(at[0].floor(), at[1].floor());
        let centre = at.map(|v| v - 0.5);
        let base = centre.map(f64::floor);
        let [fy, fx] = [centre[0] - base[0], centre[1] - base[1]];
        // The first texel of those that have a part, relative to the base, and their weights.
        let (first, down, across) = match self.layer.controls.interpolation {
            Interpolation::Nearest => return near(),
            Interpolation::Linear => (0.0, vec![1.0 - fy, fy], vec![1.0 - fx, fx]),
            Interpolation::Cubic => (-1.0, catmull_rom(fy).to_vec(), catmull_rom(fx).to_vec()),
        };
        let mut sum = 0.0;
        for (j, wy) in down.iter().enumerate() {
            for (i, wx) in across.iter().enumerate() {
                // Beside a hole the nearest value stands for itself.
                let Some(v) = read(base[0] + first + j as f64, base[1] + first + i as f64) else {
                    return near();
                };
                sum += wy * wx * v;
            }
        }
        Some(sum)
    }
}

/// The weights of four values in a row for a place `f` between the middle two, by the spline's definition:
/// it goes through them, and its slope there is half the difference of the neighbours.
fn catmull_rom(f: f64) -> [f64; 4] {
    let (f2, f3) = (f * f, f * f * f);
    // The cubic Hermite basis.
    let (start, end) = (2.0 * f3 - 3.0 * f2 + 1.0, -2.0 * f3 + 3.0 * f2);
    let (leave, arrive) = (f3 - 2.0 * f2 + f, f3 - f2);
    [-leave / 2.0, start - arrive / 2.0, end + leave / 2.0, arrive / 2.0]
}

/// A layer's colour over what is below it.
pub(in super::super) fn blend(below: [f64; 3], color: [f64; 3], a: f64, mode: Blending) -> [f64; 3] {
    std::array::from_fn(|i| {
        let (d, s) = (below[i], color[i]);
        let mix = |to: f64| d + (to - d) * a;
        match mode {
            Blending::Opaque => s * a,
            Blending::Translucent => mix(s),
            Blending::Additive => d + s * a,
            Blending::Minimum => mix(d.min(s)),
            Blending::Maximum => mix(d.max(s)),
            Blending::Average => mix(f64::midpoint(d, s)),
            Blending::Multiplicative => mix(d * s),
        }
        .clamp(0.0, 1.0)
    })
}
