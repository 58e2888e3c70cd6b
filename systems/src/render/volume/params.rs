//! What the volume shader is told. Mirrors the structs of `assets/shaders/volume.wgsl`.
//!
//! Lengths are in *render units*: pixels at the depth of the point looked at, counted from there. Everything is
//! taken relative to that point and to a level's window in f64 first, so that f32 is exact enough on images of any
//! size.

use super::{
    super::plane::{colours::Colours, params::blending},
    place::{Place, Window},
    program::{LayerSpec, Spec},
    words::Words,
};
use crate::residency::{
    bricks::{chosen::BrickLayer, grid::Block, pools::Class},
    plan::Plan,
    pools::Pools,
};
use bytemuck::{Pod, Zeroable};
use lucida_components::{
    applied::{LayerState, ViewState},
    clip::Clip,
    colormap::{self, Colormap},
    controls::Blending,
    dtype::Dtype,
    layer::LayerKind,
    rays::Rays,
};

/// No entry of a table.
const NONE: u32 = u32::MAX;

/// How well a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// The nearest voxels, whatever was asked for.
    pub nearest: bool,
    /// Samples lie this many times as far apart as was asked for; ≥ 1.
    pub step: f32,
    /// Canvas pixels per drawn pixel, along both sides; ≥ 1. Levels are chosen for the drawn ones.
    pub pixels: f64,
}

impl Quality {
    /// As it was asked for.
    pub const FULL: Self = Self { nearest: false, step: 1.0, pixels: 1.0 };

    /// Of fewer pixels, while something changes; on a CPU of the nearest voxels.
    pub fn draft(is_cpu: bool, pixels: f64) -> Self {
        Self { nearest: is_cpu, step: 1.0, pixels }
    }
}

/// `Frame` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Frame {
    /// To the right of the picture.
    pub right: [f32; 3],
    /// From the eye to the origin; 0 = orthographic.
    pub eye: f32,
    /// To the bottom of the picture.
    pub down: [f32; 3],
    /// Clip planes.
    pub planes: u32,
    /// Into the picture.
    pub forward: [f32; 3],
    /// Rays are counted from the eye (1) or from the plane of the picture (0).
    pub by_eye: u32,
    /// Size of the whole picture.
    pub canvas: [f32; 2],
    /// Pixels that it is drawn with.
    pub size: [u32; 2],
    /// First pixel of the piece.
    pub start: [u32; 2],
    /// Its columns and rows.
    pub count: [u32; 2],
    /// Kept is where the product with a position and 1 is not negative.
    pub clip: [[f32; 4]; Clip::MOST_PLANES],
    /// Slots along x, y, z of each class of pool.
    pub slots: [[u32; 4]; Class::ALL.len()],
}

/// `Level` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Default, Pod, Zeroable)]
pub struct Level {
    /// Voxels per render unit.
    pub scale: [f32; 3],
    /// Depth from which on a coarser level is wanted.
    pub until: f32,
    /// Voxel centre coordinate of the origin, counted from the window's first voxel.
    pub offset: [f32; 3],
    /// First entry of the page table.
    pub table: u32,
    /// Where the window begins to answer.
    pub lower: [f32; 3],
    /// Alignment.
    pub pad0: u32,
    /// Where it ends.
    pub upper: [f32; 3],
    /// Alignment.
    pub pad1: u32,
    /// Bricks of the window along x, y, z.
    pub bricks: [u32; 3],
    /// Alignment.
    pub pad2: u32,
}

/// `Layer` of the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct Layer {
    /// Colour of a ramp, and opacity.
    pub color: [f32; 4],
    /// The box that is left of it.
    pub lower: [f32; 3],
    /// Lower contrast limit as textures give values.
    pub lo: f32,
    /// The box's other end.
    pub upper: [f32; 3],
    /// 1 / (upper − lower) of the same.
    pub gain: f32,
    /// Voxels of the finest level per render unit.
    pub scale: [f32; 3],
    /// Exponent.
    pub gamma: f32,
    /// Normal and offset of the slab.
    pub slab: [f32; 4],
    /// Half of its thickness.
    pub thickness: f32,
    /// Distance of samples, voxels of the level.
    pub step: f32,
    /// Extinction per voxel of the finest level.
    pub attenuation: f32,
    /// Of a surface, as textures give values.
    pub threshold: f32,
    /// First word of its colour table, or none.
    pub lut: u32,
    /// First level.
    pub first: u32,
    /// Levels.
    pub levels: u32,
    /// How it joins what is below, in the order of the shader's constants.
    pub blending: u32,
    /// Of labels: the chosen one.
    pub chosen: u32,
    /// Of labels: only that is shown.
    pub alone: u32,
    /// Lower contrast limit, raw units.
    pub raw_lo: f32,
    /// 1 / (upper − lower), raw units.
    pub raw_gain: f32,
    /// Threshold, raw units.
    pub raw_threshold: f32,
    /// Alignment.
    pub pad: [u32; 3],
}

/// Everything for one picture.
#[derive(Debug)]
pub struct Params {
    /// Camera, clip planes and pools; the piece to be drawn is filled in when it is recorded.
    pub frame: Frame,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    /// Levels of all layers.
    pub levels: Vec<Level>,
    /// Page tables of all levels, then colour tables.
    pub table: Vec<[u32; 2]>,
    /// Which program draws it.
    pub spec: Spec,
}

/// Gathers the parameters of a plan. Chosen bricks that are not there yet are answered by coarser ones.
pub fn gather(
    state: &ViewState,
    plan: &Plan,
    pools: &Pools,
    colours: &mut Colours,
    quality: Quality,
) -> Params {
    let rays = Rays::of(&state.camera.volume, state.canvas);
    let mut out = Params {
        frame: frame(state, pools, &rays),
        layers: Vec::new(),
        levels: Vec::new(),
        table: Vec::new(),
        spec: Spec::default(),
    };
    let mut luts: Vec<u32> = Vec::new();
    // A pose without a size shows nothing.
    let drawable = rays.pixel.is_finite() && rays.pixel > 0.0;
    for chosen in plan.volume.iter().filter(|_| drawable) {
        let layer = &state.layers[chosen.layer];
        let first = out.levels.len() as u32;
        push_levels(state, layer, chosen, pools, (&rays, quality.pixels), &mut out);
        let levels = out.levels.len() as u32 - first;
        if levels == 0 {
            continue;
        }
        let lut = luts.len() as u32;
        let ramp = colours_of(state, layer, colours, &mut luts);
        let lut = if luts.len() as u32 > lut { lut } else { NONE };
        let is_bottom = out.layers.is_empty();
        let dtype = state.dataset.images[layer.layer.image].dtype;
        out.layers.push(Layer {
            lut,
            first,
            levels,
            ..look(state, layer, &rays, quality, dtype, ramp, is_bottom)
        });
        out.spec.layers.push(LayerSpec::of(layer, dtype, quality.nearest));
    }
    // Colours stand behind the pages.
    let behind = 2 * out.table.len() as u32;
    out.layers.iter_mut().filter(|l| l.lut != NONE).for_each(|l| l.lut += behind);
    out.table.extend(luts.chunks(2).map(|pair| [pair[0], pair.get(1).copied().unwrap_or(0)]));
    out.spec.large = Spec::is_large(out.layers.len(), out.levels.len());
    out
}

fn single(v: [f64; 3]) -> [f32; 3] {
    v.map(|v| v as f32)
}

fn frame(state: &ViewState, pools: &Pools, rays: &Rays) -> Frame {
    let eye = rays.eye.map_or(0.0, |eye| eye / rays.pixel);
    let mut clip = [[0.0; 4]; Clip::MOST_PLANES];
    let planes = state.clip.planes.iter().take(Clip::MOST_PLANES);
    for (slot, plane) in clip.iter_mut().zip(planes) {
        *slot = super::place::half_space(rays, plane.position, plane.normal);
    }
    let slots = |class| {
        let [x, y, z] = pools.bricks.layout(class);
        [x, y, z, 0]
    };
    Frame {
        right: single(rays.right),
        eye: eye as f32,
        down: single(rays.down),
        planes: state.clip.planes.len().min(Clip::MOST_PLANES) as u32,
        forward: single(rays.forward),
        // From the eye where it is as near as the picture is large.
        by_eye: u32::from(rays.eye.is_some() && eye <= 2.0 * f64::from(state.canvas.height)),
        canvas: [0.0; 2],
        size: [0; 2],
        start: [0; 2],
        count: [0; 2],
        clip,
        slots: Class::ALL.map(slots),
    }
}

/// Puts the levels that a layer draws from behind the others, and their page tables.
fn push_levels(
    state: &ViewState,
    layer: &LayerState,
    chosen: &BrickLayer,
    pools: &Pools,
    (rays, pixels): (&Rays, f64),
    out: &mut Params,
) {
    let image = &state.dataset.images[layer.layer.image];
    let class = Class::of(image.dtype);
    let words = Words::of(layer, image.dtype);
    for level in &chosen.levels {
        let Some(block) = Block::of(state, image, layer.layer.channel, level.level) else { continue };
        let table = out.table.len();
        out.table.resize(table + level.window.count(), [0; 2]);
        for &at in &level.bricks {
            let Some(place) = level.window.place(at) else { continue };
            let key = block.key(at);
            let slot = pools.bricks.peek(class, &key);
            out.table[table + place] = words.of_brick(slot.map(|s| s.number), pools.bricks.known(&key));
        }
        let Window { scale, offset, lower, upper } = Window::of(state, &block, &level.window, rays);
        let [z, y, x] = level.window.extent();
        out.levels.push(Level {
            scale,
            until: super::place::until(rays, &chosen.detail, level.level, pixels),
            offset,
            table: table as u32,
            lower,
            upper,
            bricks: [x, y, z],
            ..Level::default()
        });
    }
}

/// Puts the layer's table of colours behind the others; the colour of a ramp.
fn colours_of(state: &ViewState, layer: &LayerState, colours: &mut Colours, luts: &mut Vec<u32>) -> [f64; 3] {
    if layer.layer.kind == LayerKind::Labels {
        let declared = state.source(layer).and_then(|s| s.labels.as_ref());
        let source = state.dataset.images[layer.layer.image].source;
        let table = declared.and_then(|labels| colours.of(source, labels));
        luts.extend(table.iter().flat_map(|t| t.iter()));
        return [1.0; 3];
    }
    match colormap::lookup(&layer.controls.colormap).unwrap_or(Colormap::Ramp([1.0; 3])) {
        Colormap::Ramp(ramp) => ramp,
        Colormap::Table(entries) => {
            luts.extend(entries.iter().map(|[r, g, b]| u32::from_le_bytes([*r, *g, *b, 255])));
            [1.0; 3]
        }
    }
}

/// What textures make of values of a type: what is added first, and what the sum is divided by.
pub(super) fn scaling(dtype: Dtype) -> [f64; 2] {
    match dtype {
        Dtype::U8 => [0.0, 255.0],
        Dtype::U16 => [0.0, 65_535.0],
        Dtype::I16 => [32_768.0, 65_535.0],
        Dtype::F32 | Dtype::U32 => [0.0, 1.0],
    }
}

/// How a layer looks; its levels and colours are filled in by the caller.
fn look(
    state: &ViewState,
    layer: &LayerState,
    rays: &Rays,
    quality: Quality,
    dtype: Dtype,
    ramp: [f64; 3],
    is_bottom: bool,
) -> Layer {
    let c = &layer.controls;
    let [lo, hi] = c.contrast_limits;
    let [add, divide] = scaling(dtype);
    // What f32 can multiply with.
    let finite = |v: f64| v.clamp(1e-37, 3e38) as f32;
    let bounded = |v: f64| v.clamp(-1e38, 1e38) as f32;
    // Equal whole numbers meet whatever a driver rounds.
    let slack = if dtype == Dtype::F32 { 0.0 } else { 1.0 / 64.0 };
    let place = Place::of(state, layer, rays);
    let order = [
        Blending::Opaque,
        Blending::Translucent,
        Blending::Additive,
        Blending::Minimum,
        Blending::Maximum,
        Blending::Average,
        Blending::Multiplicative,
    ];
    let joined = blending(c.blending, is_bottom);
    Layer {
        color: [ramp[0] as f32, ramp[1] as f32, ramp[2] as f32, c.opacity as f32],
        lower: place.lower,
        lo: bounded((lo + add) / divide),
        upper: place.upper,
        gain: finite(divide / (hi - lo)),
        scale: place.scale,
        gamma: c.gamma as f32,
        slab: place.slab,
        thickness: place.thickness,
        step: c.sample_step.max(0.1) as f32 * quality.step.max(1.0),
        attenuation: c.attenuation as f32,
        threshold: bounded((c.iso_threshold + add - slack) / divide),
        lut: NONE,
        first: 0,
        levels: 0,
        blending: order.iter().position(|b| *b == joined).unwrap_or(0) as u32,
        chosen: c.selected_label,
        alone: u32::from(c.show_selected_label),
        raw_lo: bounded(lo),
        raw_gain: finite(1.0 / (hi - lo)),
        raw_threshold: bounded(c.iso_threshold),
        pad: [0; 3],
    }
}
