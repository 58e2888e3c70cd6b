//! What a view sees of a layer: the frustum, cut by the crop box, the clipping planes and the layer's slab.
//!
//! Everything here is along z, y, x, as bricks are.

use lucida_components::{
    applied::{LayerState, ViewState},
    controls::Depiction,
    rays::Rays,
};

/// A world box: `[from, to]` along z, y, x.
pub(super) type Box3 = [[f64; 2]; 3];

/// Of the eye's distance, what lies this close before the eye counts as this far: a pixel there is not 0.
const NEAR: f64 = 1e-3;

/// Where `normal · p + offset ≥ 0`.
#[derive(Debug, Clone, Copy)]
struct Half {
    normal: [f64; 3],
    /// The normal without signs.
    reach: [f64; 3],
    offset: f64,
}

impl Half {
    /// The side of a plane through `point` that `normal` points to.
    fn through(point: [f64; 3], normal: [f64; 3]) -> Self {
        Self::new(normal, -dot(normal, point))
    }

    fn new(normal: [f64; 3], offset: f64) -> Self {
        Self { normal, reach: normal.map(f64::abs), offset }
    }

    /// Of a box by its middle and half its sides.
    fn touches(&self, middle: [f64; 3], half: [f64; 3]) -> bool {
        let most = dot(self.normal, middle) + dot(self.reach, half) + self.offset;
        // What is no number hides nothing.
        most >= 0.0 || most.is_nan()
    }
}

/// The part of the world that is seen.
#[derive(Debug)]
pub(super) struct Region {
    range: Box3,
    halves: Vec<Half>,
    /// World units per pixel at the centre, how many more per depth, and the least depth.
    pixel: f64,
    slope: f64,
    near: f64,
    forward: [f64; 3],
    right: [f64; 3],
    down: [f64; 3],
    center: [f64; 3],
    /// Half the picture's diagonal, pixels.
    diagonal: f64,
}

impl Region {
    /// What is seen of a layer that fills the box `outer`; `voxel` is the longest side of its finest voxels.
    pub fn of(state: &ViewState, layer: &LayerState, outer: Box3, voxel: f64) -> Self {
        let rays = Rays::of(&state.camera.volume, state.canvas);
        let [forward, right, down, center] = [rays.forward, rays.right, rays.down, rays.center].map(zyx);
        let mut range = outer;
        for (side, axis) in state.displayed().iter().take(3).enumerate() {
            if let Some(Some([from, to])) = state.clip.ranges.get(*axis) {
                range[side] = [range[side][0].max(*from), range[side][1].min(*to)];
            }
        }
        let half = [state.canvas.width, state.canvas.height].map(|n| f64::from(n) / 2.0 * rays.pixel);
        // ±x ≤ half the width, which grows with depth before an eye.
        let slope = rays.eye.map_or(0.0, |eye| 1.0 / eye);
        let mut halves = Vec::new();
        for (axis, half) in [(right, half[0]), (down, half[1])] {
            for sign in [1.0, -1.0] {
                let normal: [f64; 3] = std::array::from_fn(|i| half * slope * forward[i] + sign * axis[i]);
                halves.push(Half::new(normal, half - dot(normal, center)));
            }
        }
        let planes = state.clip.planes.iter();
        halves.extend(planes.map(|p| Half::through(zyx(p.position), zyx(p.normal))));
        if layer.controls.depiction == Depiction::Plane {
            halves.extend(slab(layer, outer, voxel));
        }
        let diagonal = f64::from(state.canvas.width).hypot(f64::from(state.canvas.height)) / 2.0;
        // Without an eye no depth is too near, and it does not matter.
        let near = rays.eye.map_or(-f64::MAX, |eye| -eye * (1.0 - NEAR));
        let (pixel, slope) = (rays.pixel, slope * rays.pixel);
        Self { range, halves, pixel, slope, near, forward, right, down, center, diagonal }
    }

    /// What lies within the crop box of a box that is seen; `None` where nothing of it is.
    pub fn seen(&self, of: &Box3) -> Option<Box3> {
        let mut cut = *of;
        for i in 0..3 {
            cut[i] = [of[i][0].max(self.range[i][0]), of[i][1].min(self.range[i][1])];
            if cut[i][0] > cut[i][1] {
                return None;
            }
        }
        let middle = cut.map(|[a, b]| (a + b) * 0.5);
        let half = cut.map(|[a, b]| (b - a) * 0.5);
        self.halves.iter().all(|h| h.touches(middle, half)).then_some(cut)
    }

    /// World units that a pixel covers at the nearest corner of a box, > 0.
    pub fn pixel(&self, of: &Box3) -> f64 {
        let nearest: f64 = (0..3)
            .map(|i| {
                let f = self.forward[i];
                (f * (of[i][0] - self.center[i])).min(f * (of[i][1] - self.center[i]))
            })
            .sum();
        self.pixel_at(nearest)
    }

    /// How far from the middle of the picture the middle of a box is seen: 0 in the middle, 1 in its corners,
    /// 2 at most.
    pub fn aside(&self, of: &Box3) -> f64 {
        let middle: [f64; 3] = std::array::from_fn(|i| (of[i][0] + of[i][1]) * 0.5 - self.center[i]);
        let (right, down) = (dot(self.right, middle), dot(self.down, middle));
        let corner = self.pixel_at(dot(self.forward, middle)) * self.diagonal;
        ((right * right + down * down).sqrt() / corner).min(2.0)
    }

    fn pixel_at(&self, depth: f64) -> f64 {
        self.pixel + self.slope * depth.max(self.near)
    }
}

/// The two sides of a layer's slab, a voxel more on each.
fn slab(layer: &LayerState, outer: Box3, voxel: f64) -> [Half; 2] {
    let controls = &layer.controls;
    let middle = outer.map(|[a, b]| f64::midpoint(a, b));
    let position = controls.plane_position.map_or(middle, zyx);
    let normal = zyx(controls.plane_normal);
    let length = dot(normal, normal).sqrt();
    let reach = (controls.plane_thickness / 2.0 + 1.0) * voxel * length;
    let side = |normal: [f64; 3]| {
        let half = Half::through(position, normal);
        Half { offset: half.offset + reach, ..half }
    };
    [side(normal), side(normal.map(|v| -v))]
}

/// World x, y, z as z, y, x.
fn zyx([x, y, z]: [f64; 3]) -> [f64; 3] {
    [z, y, x]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| a[i] * b[i]).sum()
}
