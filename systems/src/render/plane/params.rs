//! What the plane shader is told. Mirrors the structs of `assets/shaders/plane.wgsl`.

use super::program::{LayerSpec, Spec};
use crate::residency::{
    plan::Plan,
    pools::Pools,
    tiles::{Plane, TILE, Window},
};
use bytemuck::{Pod, Zeroable};
use lucida_components::{
    applied::ViewState,
    colormap::{self, Colormap},
    controls::{Blending, Interpolation},
};

/// `Frame` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct Frame {
    /// Pixels of the picture.
    pub size: [u32; 2],
    /// Layers to draw.
    pub layers: u32,
    /// Alignment.
    pub pad: u32,
}

/// `Level` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Level {
    /// Texel of the window at pixel 0, columns and rows.
    pub origin: [f32; 2],
    /// Texels per pixel.
    pub step: [f32; 2],
    /// First texel of the plane as seen from the window.
    pub from: [f32; 2],
    /// Behind its last texel.
    pub to: [f32; 2],
    /// Tiles of the window, columns and rows.
    pub tiles: [u32; 2],
    /// First entry of the page table.
    pub table: u32,
    /// Alignment.
    pub pad: u32,
}

/// `Layer` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub struct Layer {
    /// Colour of a ramp, and opacity.
    pub color: [f32; 4],
    /// Lower contrast limit.
    pub lo: f32,
    /// 1 / (upper − lower).
    pub per_range: f32,
    /// Exponent.
    pub gamma: f32,
    /// First entry of the colour table.
    pub lut: u32,
    /// First of the coarser levels that may answer for the target.
    pub first_coarser: u32,
    /// How many.
    pub coarser: u32,
    /// Alignment.
    pub pad: [u32; 2],
    /// The target level.
    pub target: Level,
}

/// Everything for one picture.
#[derive(Debug, Default)]
pub struct Params {
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// Coarser levels of all layers.
    pub levels: Vec<Level>,
    /// Page tables of all levels.
    pub table: Vec<u32>,
    /// Colour tables.
    pub luts: Vec<u32>,
    /// Which program draws it.
    pub spec: Spec,
}

/// Gathers the parameters of a plan whose essential tiles are uploaded. `nearest` forces nearest sampling.
pub fn gather(state: &ViewState, plan: &Plan, pools: &Pools, nearest: bool) -> Params {
    let mut out = Params::default();
    for layer_plan in &plan.layers {
        let layer = &state.layers[layer_plan.layer];
        let image = &state.dataset.images[layer.layer.image];
        let c = &layer.controls;
        let first_coarser = out.levels.len() as u32;
        let mut target = None;
        for &(number, window) in &layer_plan.levels {
            let Some(plane) = Plane::of(state, image, layer.layer.channel, number) else { continue };
            let table = out.table.len() as u32;
            let mut complete = true;
            for at in window.tiles() {
                let slot = pools.peek(image.dtype.size(), &plane.key(at));
                complete &= slot.is_some();
                out.table.push(slot.map_or(0, |s| s.number + 1));
            }
            let level = level(state, &plane, window.from, window.to, table);
            if target.is_none() {
                target = Some(level);
            } else {
                out.levels.push(level);
            }
            if complete {
                // Coarser levels can no longer be seen.
                break;
            }
        }
        let Some(target) = target else { continue };
        let coarser = out.levels.len() as u32 - first_coarser;
        let map = colormap::lookup(&c.colormap).unwrap_or(Colormap::Ramp([1.0; 3]));
        let lut = out.luts.len() as u32;
        let ramp = match &map {
            Colormap::Ramp(rgb) => *rgb,
            Colormap::Table(entries) => {
                out.luts.extend(entries.iter().map(|[r, g, b]| u32::from_le_bytes([*r, *g, *b, 255])));
                [1.0; 3]
            }
        };
        let linear = c.interpolation == Interpolation::Linear && !nearest;
        // The page tables differ, the place under a pixel does not.
        let same_place = |before: &Layer| Level { table: 0, ..before.target } == Level { table: 0, ..target };
        let shared = out.layers.last().is_some_and(same_place)
            && out.spec.layers.last().is_some_and(|before| before.linear == linear);
        let [lo, hi] = c.contrast_limits;
        out.layers.push(Layer {
            color: [ramp[0] as f32, ramp[1] as f32, ramp[2] as f32, c.opacity as f32],
            lo: lo as f32,
            per_range: (1.0 / (hi - lo)) as f32,
            gamma: c.gamma as f32,
            lut,
            first_coarser,
            coarser,
            pad: [0; 2],
            target,
        });
        out.spec.layers.push(LayerSpec {
            dtype: image.dtype,
            linear,
            shared,
            single: coarser == 0,
            gamma: c.gamma != 1.0,
            lut: matches!(map, Colormap::Table(_)),
            faded: c.opacity != 1.0,
            blending: blending(c.blending, out.layers.len() == 1),
        });
    }
    out.spec.large = Spec::is_large(out.layers.len(), out.levels.len());
    out
}

/// On the empty background some modes would always be black: the bottom layer is then drawn as translucent.
pub fn blending(asked: Blending, is_bottom: bool) -> Blending {
    match asked {
        Blending::Minimum | Blending::Multiplicative | Blending::Average if is_bottom => {
            Blending::Translucent
        }
        other => other,
    }
}

/// Places a level's window under the picture. Everything is taken relative to the window in f64 first, so
/// that f32 is exact enough on images of any size.
fn level(state: &ViewState, plane: &Plane, from: [u64; 2], to: [u64; 2], table: u32) -> Level {
    let rect = state.rect();
    let edge = [rect.bottom, rect.left];
    let extent = plane.extent();
    let mut out = Level {
        origin: [0.0; 2],
        step: [0.0; 2],
        from: [0.0; 2],
        to: [0.0; 2],
        tiles: [(to[1] - from[1]) as u32, (to[0] - from[0]) as u32],
        table,
        pad: 0,
    };
    // A window that the budget made smaller than what is seen ends the plane.
    let whole = plane.window(&rect) == Window { from, to };
    for side in 0..2 {
        // The shader's x is the columns.
        let xy = 1 - side;
        let [scale, offset] = plane.texel_of_world(side);
        let first = (from[side] * TILE) as f64;
        out.origin[xy] = (edge[side] * scale + offset - first) as f32;
        out.step[xy] = (scale / state.camera.plane.zoom) as f32;
        let end = if whole { extent[side] } else { extent[side].min(to[side] * TILE) };
        out.from[xy] = if whole { -first as f32 } else { 0.0 };
        out.to[xy] = (end as f64 - first) as f32;
    }
    out
}
