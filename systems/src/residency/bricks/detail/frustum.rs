//! What a picture's rays pass through, as straight lines over depth.

use lucida_components::rays::Rays;

/// World box: `[from, to]` along x, y, z.
pub(super) type Box3 = [[f64; 2]; 3];

/// Of the eye's distance, what lies closer than this before the eye is not looked at.
const NEAR: f64 = 1e-3;

/// The rays of a picture, where the frustum's sides may be moved outward: those to the left and right then meet
/// behind the eye, and so do those above and below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frustum {
    rays: Rays,
    /// Half the picture, pixels.
    half: [f64; 2],
    /// World units of a pixel's width and height at depth 0, …
    pixel: [f64; 2],
    /// … and by how much they grow with depth.
    spread: f64,
    /// Where depth begins.
    near: f64,
}

/// Where `normal · p + offset ≥ 0`; the normal has length 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Half {
    pub normal: [f64; 3],
    pub offset: f64,
}

/// A ray: the point at depth 0, and how it moves with depth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ray {
    at: [f64; 3],
    by: [f64; 3],
}

impl Frustum {
    /// The rays of a picture of `half` its pixels, with its sides moved outward by `by` world units: those to the
    /// right and left, those below and above, and the near one.
    pub fn wider(rays: &Rays, half: [f64; 2], by: [f64; 3]) -> Self {
        let Some(eye) = rays.eye else {
            let half = [0, 1].map(|i| half[i] + by[i] / rays.pixel);
            return Self { rays: *rays, half, pixel: [rays.pixel; 2], spread: 0.0, near: f64::NEG_INFINITY };
        };
        let spread = rays.pixel / eye;
        let pixel = [0, 1].map(|i| {
            let tan = half[i] * spread;
            // A side that moves by 1 across itself meets the axis 1 / sin farther back.
            rays.pixel + spread * by[i] * tan.hypot(1.0) / tan
        });
        Self { rays: *rays, half, pixel, spread, near: -eye * (1.0 - NEAR) - by[2] }
    }

    /// The smallest depth that is looked at.
    pub fn near(&self) -> f64 {
        self.near
    }

    /// The part of the picture in which a box is seen: pixels from the middle, right and down. `None` where the box
    /// is empty or out of sight.
    pub fn window(&self, of: &Box3) -> Option<[[f64; 2]; 2]> {
        if of.iter().any(|[from, to]| from > to) {
            return None;
        }
        let picture = self.half.map(|half| [-half, half]);
        let mut bounds = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for corner in corners(of) {
            let depth = self.rays.depth(corner);
            let from_center: [f64; 3] = std::array::from_fn(|i| corner[i] - self.rays.center[i]);
            for ((bound, axis), pixel) in
                bounds.iter_mut().zip([self.rays.right, self.rays.down]).zip(self.pixel)
            {
                let pixel = pixel + self.spread * depth;
                // With a corner behind the eye the box may fill the picture.
                if pixel <= 0.0 {
                    return Some(picture);
                }
                let at = dot(from_center, axis) / pixel;
                *bound = [bound[0].min(at), bound[1].max(at)];
            }
        }
        let window: [[f64; 2]; 2] =
            std::array::from_fn(|i| [bounds[i][0].max(picture[i][0]), bounds[i][1].min(picture[i][1])]);
        window.iter().all(|[from, to]| from <= to).then_some(window)
    }

    /// The ray through a place in the picture.
    pub fn ray(&self, [x, y]: [f64; 2]) -> Ray {
        let Rays { right, down, forward, center, .. } = self.rays;
        let [wide, high] = self.pixel;
        Ray {
            at: std::array::from_fn(|i| center[i] + x * wide * right[i] + y * high * down[i]),
            by: std::array::from_fn(|i| forward[i] + self.spread * (x * right[i] + y * down[i])),
        }
    }

    /// The depths between which a ray is in a box and not cut away.
    pub fn depths(&self, ray: &Ray, sides: &Box3, cuts: impl Iterator<Item = Half>) -> Option<[f64; 2]> {
        let mut depths = [self.near, f64::INFINITY];
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
    pub fn volume(&self, from: f64, to: f64) -> f64 {
        let area =
            |depth: f64| self.pixel.iter().map(|p| (p + self.spread * depth).max(0.0)).product::<f64>();
        // Simpson's rule is exact here: areas are of second degree in depth.
        (to - from).max(0.0) * (area(from) + 4.0 * area(f64::midpoint(from, to)) + area(to)) / 6.0
    }
}

impl Half {
    /// The side of a plane through `point` that `normal` points to, and `reach` more; `None` without a direction.
    pub fn through(point: [f64; 3], normal: [f64; 3], reach: f64) -> Option<Self> {
        // Over the largest part first: squares of very small or large ones would be 0 or infinite.
        let largest = normal.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let normal = normal.map(|v| v / largest);
        let length = dot(normal, normal).sqrt();
        let normal = normal.map(|v| v / length);
        let offset = reach - dot(normal, point);
        offset.is_finite().then_some(Self { normal, offset })
    }

    /// The same with `by` more kept.
    pub fn moved(self, by: f64) -> Self {
        Self { offset: self.offset + by, ..self }
    }
}

pub(super) fn corners(of: &Box3) -> impl Iterator<Item = [f64; 3]> + '_ {
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
