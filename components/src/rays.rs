//! How a volume pose looks at the world: the one place that turns angles, distance and field of view into rays.
//!
//! World space here is x, y, z of the displayed axes, x the *last* of them, z the first. At azimuth and elevation 0
//! the camera looks along +y, x runs to the right and z upward; azimuth turns it about z, elevation lifts it,
//! roll turns the picture clockwise. (vispy's turntable with z up, as napari-cuda had it.)

use crate::{camera::VolumePose, stream::Canvas};

/// The field of view, in degrees, whose height an orthographic camera shows at its distance.
pub const ORTHOGRAPHIC: f64 = 60.0;

/// The rays of a pose on a canvas. All vectors are world x, y, z; the first three are a right-handed
/// orthonormal basis in which the picture lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rays {
    /// To the right of the picture.
    pub right: [f64; 3],
    /// To the bottom of the picture.
    pub down: [f64; 3],
    /// Into the picture.
    pub forward: [f64; 3],
    /// The point looked at: the middle of the picture, at depth 0.
    pub center: [f64; 3],
    /// World units per pixel at the centre.
    pub pixel: f64,
    /// Distance of the eye before the centre, world units; `None` for an orthographic camera.
    pub eye: Option<f64>,
}

impl Rays {
    /// The rays of a pose.
    pub fn of(pose: &VolumePose, canvas: Canvas) -> Self {
        let [az, el, roll] = pose.angles.map(f64::to_radians);
        let forward = [-az.sin() * el.cos(), az.cos() * el.cos(), -el.sin()];
        let level = [az.cos(), az.sin(), 0.0];
        let fall = [-az.sin() * el.sin(), az.cos() * el.sin(), el.cos()].map(|v: f64| -v);
        let turned = |a: f64, b: f64| std::array::from_fn(|i| a * level[i] + b * fall[i]);
        let fov = if pose.fov > 0.0 { pose.fov } else { ORTHOGRAPHIC };
        let height = 2.0 * pose.distance * (fov.to_radians() / 2.0).tan();
        Self {
            right: turned(roll.cos(), -roll.sin()),
            down: turned(roll.sin(), roll.cos()),
            forward,
            center: pose.center,
            pixel: height / f64::from(canvas.height),
            eye: (pose.fov > 0.0).then_some(pose.distance),
        }
    }

    /// Depth of a world point: along `forward` from the centre.
    pub fn depth(&self, point: [f64; 3]) -> f64 {
        (0..3).map(|i| (point[i] - self.center[i]) * self.forward[i]).sum()
    }

    /// World units that a pixel covers at a depth; 0 at the eye and behind it.
    pub fn pixel_at(&self, depth: f64) -> f64 {
        self.eye.map_or(self.pixel, |eye| self.pixel * ((eye + depth) / eye).max(0.0))
    }

    /// Where a world point falls, in pixels from the middle of the picture, right and down; `None` at the eye and
    /// behind it.
    pub fn project(&self, point: [f64; 3]) -> Option<[f64; 2]> {
        let pixel = self.pixel_at(self.depth(point));
        let along = |axis: [f64; 3]| (0..3).map(|i| (point[i] - self.center[i]) * axis[i]).sum::<f64>();
        (pixel > 0.0).then(|| [along(self.right) / pixel, along(self.down) / pixel])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rays(angles: [f64; 3], fov: f64) -> Rays {
        let pose = VolumePose { center: [1.0, 2.0, 3.0], angles, distance: 10.0, fov };
        Rays::of(&pose, Canvas { width: 200, height: 100 })
    }

    fn near(a: [f64; 3], b: [f64; 3]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
        (0..3).map(|i| a[i] * b[i]).sum()
    }

    #[test]
    fn without_angles_it_looks_along_y_with_z_up() {
        let r = rays([0.0; 3], 60.0);
        assert!(
            near(r.right, [1.0, 0.0, 0.0])
                && near(r.down, [0.0, 0.0, -1.0])
                && near(r.forward, [0.0, 1.0, 0.0])
        );
        // From above, y runs up.
        let r = rays([0.0, 90.0, 0.0], 60.0);
        assert!(near(r.forward, [0.0, 0.0, -1.0]) && near(r.down, [0.0, -1.0, 0.0]), "{r:?}");
    }

    #[test]
    fn any_angles_give_an_orthonormal_right_handed_basis() {
        for angles in [[30.0, 30.0, 0.0], [-170.0, -85.0, 33.0], [12.0, 90.0, -90.0]] {
            let r = rays(angles, 60.0);
            for (a, b) in [(r.right, r.down), (r.down, r.forward), (r.forward, r.right)] {
                assert!(dot(a, b).abs() < 1e-12 && (dot(a, a) - 1.0).abs() < 1e-12);
            }
            let cross: [f64; 3] = std::array::from_fn(|i| {
                let (j, k) = ((i + 1) % 3, (i + 2) % 3);
                r.right[j] * r.down[k] - r.right[k] * r.down[j]
            });
            assert!(near(cross, r.forward), "{angles:?}");
        }
    }

    #[test]
    fn what_is_looked_at_is_in_the_middle_and_pixels_grow_with_depth() {
        let r = rays([40.0, 20.0, 5.0], 60.0);
        assert_eq!(r.project([1.0, 2.0, 3.0]), Some([0.0, 0.0]));
        let at = |depth: f64, right: f64| {
            std::array::from_fn(|i| r.center[i] + depth * r.forward[i] + right * r.right[i])
        };
        let [x, _] = r.project(at(0.0, r.pixel * 7.0)).unwrap_or_default();
        assert!((x - 7.0).abs() < 1e-9);
        let [x, _] = r.project(at(10.0, r.pixel * 14.0)).unwrap_or_default();
        assert!((x - 7.0).abs() < 1e-9, "twice as far, half as large");
        assert_eq!(r.project(at(-10.0, 1.0)), None, "the eye itself");
        let flat = rays([40.0, 20.0, 5.0], 0.0);
        assert_eq!((flat.pixel, flat.pixel_at(1e9)), (r.pixel, r.pixel), "orthographic: the same everywhere");
    }
}
