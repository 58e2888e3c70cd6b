//! The plane shader's twin: the same picture in f64 on the CPU, from values instead of tiles. Tests compare
//! the two, and pictures of real data with arrays read by another path.

use super::params::blending;
use crate::residency::tiles::Plane;
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap::{self, Colormap},
    controls::{Blending, Interpolation},
    places,
};

/// Draws a plane whose target levels are wholly resident.
///
/// `value(layer, level, row, col)` is the raw value of a texel of a layer's plane. Returns RGB in `[0, 1]`,
/// row-major, row 0 on top.
pub fn draw(state: &ViewState, value: impl Fn(&LayerState, &Plane, u64, u64) -> f64) -> Vec<[f64; 3]> {
    let layers: Vec<_> =
        state.layers.iter().filter(|l| l.controls.visible && l.controls.opacity > 0.0).collect();
    let planes: Vec<_> = layers.iter().map(|l| plane_of(state, l)).collect();
    let bottom = planes.iter().position(|p| p.as_ref().is_some_and(|p| p.window(&state.rect()).count() > 0));
    let (width, height) = (state.canvas.width, state.canvas.height);
    let mut out = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        for x in 0..width {
            let mut color = [0.0; 3];
            for (i, (layer, plane)) in layers.iter().zip(&planes).enumerate() {
                let Some(plane) = plane else { continue };
                let Some(v) = sample(state, plane, layer, [y, x], &value) else { continue };
                let mode = blending(layer.controls.blending, bottom == Some(i));
                color = blend(color, shade(layer, v), layer.controls.opacity, mode);
            }
            out.push(color);
        }
    }
    out
}

/// The target plane of a layer.
pub fn plane_of<'a>(state: &'a ViewState, layer: &LayerState) -> Option<Plane<'a>> {
    let image = state.dataset.images.get(layer.layer.image)?;
    let level = places::resolve_level(&state.dataset, image, state.lod.level, state.plane_axes());
    Plane::of(state, image, layer.layer.channel, level)
}

/// The layer's value under the centre of a pixel; `None` outside the plane and where it is not a number.
fn sample(
    state: &ViewState,
    plane: &Plane,
    layer: &LayerState,
    pixel: [u32; 2],
    value: &impl Fn(&LayerState, &Plane, u64, u64) -> f64,
) -> Option<f64> {
    let rect = state.rect();
    let edge = [rect.bottom, rect.left];
    let extent = plane.extent();
    let mut at = [0.0; 2];
    for side in 0..2 {
        let world = edge[side] + (f64::from(pixel[side]) + 0.5) / state.camera.plane.zoom;
        let [scale, offset] = plane.texel_of_world(side);
        at[side] = world * scale + offset;
        if at[side] < 0.0 || at[side] >= extent[side] as f64 {
            return None;
        }
    }
    let read = |r: f64, c: f64| {
        let clamp = |v: f64, n: u64| v.clamp(0.0, n as f64 - 1.0) as u64;
        value(layer, plane, clamp(r, extent[0]), clamp(c, extent[1]))
    };
    let near = read(at[0].floor(), at[1].floor());
    if layer.controls.interpolation == Interpolation::Nearest {
        return near.is_finite().then_some(near);
    }
    let c = at.map(|v| v - 0.5);
    let base = c.map(f64::floor);
    let f = [c[0] - base[0], c[1] - base[1]];
    let corner = |dr: f64, dc: f64| read(base[0] + dr, base[1] + dc);
    let v = [corner(0.0, 0.0), corner(0.0, 1.0), corner(1.0, 0.0), corner(1.0, 1.0)];
    if v.iter().any(|v| !v.is_finite()) {
        return near.is_finite().then_some(near);
    }
    let mix = |a: f64, b: f64, f: f64| a + (b - a) * f;
    Some(mix(mix(v[0], v[1], f[1]), mix(v[2], v[3], f[1]), f[0]))
}

/// Contrast, gamma, colormap.
fn shade(layer: &LayerState, value: f64) -> [f64; 3] {
    let [lo, hi] = layer.controls.contrast_limits;
    let t = ((value - lo) / (hi - lo)).clamp(0.0, 1.0).powf(layer.controls.gamma);
    colormap::lookup(&layer.controls.colormap).unwrap_or(Colormap::Ramp([1.0; 3])).eval(t)
}

fn blend(below: [f64; 3], color: [f64; 3], a: f64, mode: Blending) -> [f64; 3] {
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
