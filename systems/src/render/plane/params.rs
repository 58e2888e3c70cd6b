//! What the plane shader is told. Mirrors the structs of `assets/shaders/plane.wgsl`.

use super::{
    colours::Colours,
    program::{Kind, LayerSpec, Sampling, Spec},
};
use crate::residency::{
    plan::Plan,
    pools::Pools,
    slab::Slab,
    tiles::{Plane, TILE},
};
use bytemuck::{Pod, Zeroable};
use lucida_components::{
    applied::{LayerState, ViewState},
    colormap::{self, Colormap},
    controls::Blending,
    layer::LayerKind,
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
    /// Planes of the thick slice, at least one.
    pub planes: u32,
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
    /// Of labels: the one that may be shown alone.
    pub selected: u32,
    /// Of labels: thickness of outlines, texels.
    pub contour: u32,
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
pub fn gather(state: &ViewState, plan: &Plan, pools: &Pools, colours: &mut Colours, nearest: bool) -> Params {
    let mut out = Params::default();
    for layer_plan in &plan.layers {
        let layer = &state.layers[layer_plan.layer];
        let image = &state.dataset.images[layer.layer.image];
        let c = &layer.controls;
        let first_coarser = out.levels.len() as u32;
        let mut target = None;
        for &(number, window) in &layer_plan.levels {
            let Some(slab) = Slab::of(state, layer, image, number) else { continue };
            let table = out.table.len() as u32;
            let (mut complete, mut planes) = (true, 0);
            for plane in slab.planes() {
                planes += 1;
                for at in window.tiles() {
                    let slot = pools.peek(image.dtype.size(), &plane.key(at));
                    complete &= slot.is_some();
                    out.table.push(slot.map_or(0, |s| s.number + 1));
                }
            }
            let level = Level { table, planes, ..level(state, slab.any(), window.from, window.to) };
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
        let lut = out.luts.len() as u32;
        let Look { kind, sampling, ramp, is_table } =
            look(state, layer, colours, if nearest { Some(Sampling::Nearest) } else { None }, &mut out.luts);
        // The page tables differ, the place under a pixel does not.
        let place_of = |level: &Level| Level { table: 0, planes: 0, ..*level };
        let shared = out.layers.last().is_some_and(|before| place_of(&before.target) == place_of(&target))
            && out.spec.layers.last().is_some_and(|before| before.sampling.is_near() == sampling.is_near());
        let [lo, hi] = c.contrast_limits;
        out.layers.push(Layer {
            color: [ramp[0] as f32, ramp[1] as f32, ramp[2] as f32, c.opacity as f32],
            lo: lo as f32,
            per_range: (1.0 / (hi - lo)) as f32,
            gamma: c.gamma as f32,
            lut,
            first_coarser,
            coarser,
            selected: c.selected_label,
            contour: c.contour,
            target,
        });
        out.spec.layers.push(LayerSpec {
            dtype: image.dtype,
            kind,
            sampling,
            shared,
            single: coarser == 0,
            gamma: layer.layer.kind == LayerKind::Image && c.gamma != 1.0,
            lut: is_table,
            faded: c.opacity != 1.0,
            blending: blending(c.blending, out.layers.len() == 1),
        });
    }
    out.spec.large = Spec::is_large(out.layers.len(), out.levels.len());
    out
}

/// What a layer's kind, interpolation and colours select.
struct Look {
    kind: Kind,
    sampling: Sampling,
    /// The colour of a ramp.
    ramp: [f64; 3],
    /// The colormap is a table.
    is_table: bool,
}

/// Selects, and puts the layer's table of colours behind the others.
fn look(
    state: &ViewState,
    layer: &LayerState,
    colours: &mut Colours,
    forced: Option<Sampling>,
    luts: &mut Vec<u32>,
) -> Look {
    let c = &layer.controls;
    if layer.layer.kind == LayerKind::Labels {
        let declared = state.source(layer).and_then(|s| s.labels.as_ref());
        let source = state.dataset.images[layer.layer.image].source;
        let table = declared.and_then(|labels| colours.of(source, labels));
        luts.extend(table.iter().flat_map(|t| t.iter()));
        let kind =
            Kind::Labels { given: table.is_some(), outlined: c.contour > 0, alone: c.show_selected_label };
        return Look { kind, sampling: Sampling::Nearest, ramp: [1.0; 3], is_table: false };
    }
    let kind = Kind::Image { projection: c.projection };
    let sampling = forced.unwrap_or(c.interpolation.into());
    match colormap::lookup(&c.colormap).unwrap_or(Colormap::Ramp([1.0; 3])) {
        Colormap::Ramp(ramp) => Look { kind, sampling, ramp, is_table: false },
        Colormap::Table(entries) => {
            luts.extend(entries.iter().map(|[r, g, b]| u32::from_le_bytes([*r, *g, *b, 255])));
            Look { kind, sampling, ramp: [1.0; 3], is_table: true }
        }
    }
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
fn level(state: &ViewState, plane: &Plane, from: [u64; 2], to: [u64; 2]) -> Level {
    let rect = state.rect();
    let edge = [rect.bottom, rect.left];
    let extent = plane.extent();
    let mut out = Level {
        origin: [0.0; 2],
        step: [0.0; 2],
        from: [0.0; 2],
        to: [0.0; 2],
        tiles: [(to[1] - from[1]) as u32, (to[0] - from[0]) as u32],
        table: 0,
        planes: 1,
    };
    // A window that the budget made smaller than what is seen ends the plane.
    let seen = plane.window(&rect);
    let whole = (0..2).all(|s| from[s] <= seen.from[s] && seen.to[s] <= to[s]);
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
