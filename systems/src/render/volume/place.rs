//! Where layers and the windows of their levels lie, in render units.

use crate::residency::bricks::{
    chosen,
    detail::Detail,
    grid::{Block, STRIDE},
};
use lucida_components::{
    applied::{LayerState, ViewState},
    controls::Depiction,
    places,
    rays::Rays,
};

/// Farther than anything.
const FAR: f64 = 1e30;

/// A layer in render units, along x, y, z.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The box between the outermost voxels' edges, cropped.
    pub lower: [f32; 3],
    /// Its other end.
    pub upper: [f32; 3],
    /// Voxels of the finest level per render unit.
    pub scale: [f32; 3],
    /// The slab's normal and offset; 0 where all is shown.
    pub slab: [f32; 4],
    /// Half of its thickness.
    pub thickness: f32,
}

/// World `[from, to]` and voxel size of a level along z (0), y (1) or x (2). An axis that the array lacks has one
/// voxel, as large as the scene.
fn side(state: &ViewState, block: &Block, side: usize) -> ([f64; 2], f64) {
    let Some(d) = block.dims[side] else {
        let [from, to] = places::world_extent(&state.dataset, state.displayed()[side]);
        return ([from, to], to - from);
    };
    let level = block.level();
    let (scale, first) = (level.scale[d], level.translation[d]);
    ([first - scale / 2.0, first + (level.shape[d] as f64 - 0.5) * scale], scale)
}

impl Place {
    /// Where a layer lies, clipped by the crop box.
    pub(super) fn of(state: &ViewState, layer: &LayerState, rays: &Rays) -> Self {
        let image = &state.dataset.images[layer.layer.image];
        let mut out =
            Self { lower: [0.0; 3], upper: [0.0; 3], scale: [1.0; 3], slab: [0.0; 4], thickness: 1.0 };
        let Some(block) = Block::of(state, image, layer.layer.channel, 0) else { return out };
        let mut middle = [0.0; 3];
        let mut voxel = [1.0; 3];
        for axis in 0..3 {
            let ([mut from, mut to], size) = side(state, &block, 2 - axis);
            middle[axis] = f64::midpoint(from, to);
            voxel[axis] = size;
            let crop = state.clip.ranges.get(state.displayed()[2 - axis]).copied().flatten();
            if let Some([a, b]) = crop {
                (from, to) = (from.max(a), to.min(b));
            }
            let place = |world: f64| ((world - rays.center[axis]) / rays.pixel).clamp(-FAR, FAR) as f32;
            (out.lower[axis], out.upper[axis]) = (place(from), place(to));
            out.scale[axis] = (rays.pixel / size) as f32;
        }
        let c = &layer.controls;
        if c.depiction == Depiction::Plane {
            let normal = unit(c.plane_normal);
            // Voxels that the normal passes per world unit.
            let passed = (0..3).map(|i| (normal[i] / voxel[i]).powi(2)).sum::<f64>().sqrt();
            out.slab = half_space(rays, c.plane_position.unwrap_or(middle), c.plane_normal);
            out.thickness = (c.plane_thickness / passed / 2.0 / rays.pixel).min(FAR) as f32;
        }
        out
    }
}

/// A vector of length 1; of no length it stays 0.
fn unit(v: [f64; 3]) -> [f64; 3] {
    // Squares of what is very large or small are not there.
    let largest = v.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if largest == 0.0 {
        return v;
    }
    let v = v.map(|v| v / largest);
    let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
    v.map(|v| v / length)
}

/// The half space on the side of a plane that a normal points to: normal and offset, in render units.
pub(super) fn half_space(rays: &Rays, position: [f64; 3], normal: [f64; 3]) -> [f32; 4] {
    let n = unit(normal);
    let offset = (0..3).map(|i| n[i] * (position[i] - rays.center[i]) / rays.pixel).sum::<f64>();
    [n[0] as f32, n[1] as f32, n[2] as f32, (-offset).clamp(-FAR, FAR) as f32]
}

/// The depth from which on, of an image with this detail, a coarser level than `level` is wanted, where a drawn pixel
/// is `pixels` of the canvas wide.
pub(super) fn until(rays: &Rays, detail: &Detail, level: usize, pixels: f64) -> f32 {
    if level < detail.finest {
        return -FAR as f32;
    }
    let Some(&next) = detail.sizes.get(level + 1) else { return FAR as f32 };
    let next = next / pixels;
    let from = match rays.eye {
        // A pixel covers pixel · (eye + depth) / eye.
        Some(eye) if next > 0.0 => eye / rays.pixel * (next / rays.pixel - 1.0),
        None if next > rays.pixel => FAR,
        _ => -FAR,
    };
    from.clamp(-FAR, FAR) as f32
}

/// A level's window in render units, along x, y, z.
pub(super) struct Window {
    /// Voxels per render unit.
    pub scale: [f32; 3],
    /// Voxel centre coordinate of the origin, counted from the window's first voxel.
    pub offset: [f32; 3],
    /// Where it begins to answer.
    pub lower: [f32; 3],
    /// Where it ends.
    pub upper: [f32; 3],
}

impl Window {
    /// Places a window of a level.
    pub(super) fn of(state: &ViewState, block: &Block, window: &chosen::Window, rays: &Rays) -> Self {
        let bricks = block.bricks();
        let mut out = Self { scale: [1.0; 3], offset: [0.0; 3], lower: [0.0; 3], upper: [0.0; 3] };
        for axis in 0..3 {
            let z = 2 - axis;
            let ([from, _], size) = side(state, block, z);
            let begin = f64::from(window.from[z]) * STRIDE as f64;
            let count = f64::from(window.to[z] - window.from[z]) * STRIDE as f64;
            out.scale[axis] = (rays.pixel / size) as f32;
            out.offset[axis] = ((rays.center[axis] - from) / size - 0.5 - begin) as f32;
            // The image goes on with its outermost voxels.
            out.lower[axis] = if window.from[z] == 0 { -FAR as f32 } else { 0.0 };
            out.upper[axis] = if u64::from(window.to[z]) >= bricks[z] { FAR as f32 } else { count as f32 };
        }
        out
    }
}
