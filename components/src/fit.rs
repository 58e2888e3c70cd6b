//! One view on canvases of several sizes.
//!
//! A view counts in the pixels of its own canvas. On another one the whole of what that shows is seen, in the
//! middle, as large as it goes, and more beside it where the sides have another ratio: everybody who looks at a
//! view sees at least the same.

use crate::{
    applied::ViewState,
    camera::{Camera, CameraDelta, CameraParts, PlanePose, VolumePose},
    stream::Canvas,
};
use std::borrow::Cow;

/// How what stands on one canvas is shown on another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    from: Canvas,
    to: Canvas,
    /// Pixels of `to` per pixel of `from`.
    scale: f64,
}

impl Fit {
    /// All of `from` in the middle of `to`.
    pub fn of(from: Canvas, to: Canvas) -> Self {
        let scale =
            (f64::from(to.width) / f64::from(from.width)).min(f64::from(to.height) / f64::from(from.height));
        Self { from, to, scale }
    }

    /// From one canvas to another at a given number of pixels per pixel.
    pub fn scaled(from: Canvas, to: Canvas, scale: f64) -> Self {
        Self { from, to, scale }
    }

    /// The other canvas.
    pub fn to(&self) -> Canvas {
        self.to
    }

    /// Pixels of the other canvas per pixel of the one.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Whether nothing changes.
    pub fn is_same(&self) -> bool {
        self.from == self.to && self.scale == 1.0
    }

    /// The state as it is shown on the other canvas.
    pub fn state<'a>(&self, state: &'a ViewState) -> Cow<'a, ViewState> {
        if self.is_same() {
            return Cow::Borrowed(state);
        }
        let mut fitted = state.clone();
        fitted.canvas = self.to;
        fitted.camera = self.camera(&state.camera);
        Cow::Owned(fitted)
    }

    /// The poses as they are shown on the other canvas.
    pub fn camera(&self, camera: &Camera) -> Camera {
        Camera { plane: self.plane(camera.plane), volume: self.volume(camera.volume) }
    }

    /// The same place of a plane.
    pub fn plane(&self, pose: PlanePose) -> PlanePose {
        PlanePose { zoom: pose.zoom * self.scale, ..pose }
    }

    /// The same eye: the field of view, which is that of the height, becomes that of another height. An orthographic
    /// camera, whose distance says how much is seen, is moved.
    pub fn volume(&self, pose: VolumePose) -> VolumePose {
        let heights = self.heights();
        if heights == 1.0 {
            return pose;
        }
        if pose.fov == 0.0 {
            return self.moved(pose);
        }
        let rise = (pose.fov.to_radians() / 2.0).tan() * heights;
        // Stays below 180 by what the numbers can tell apart.
        let fov = (2.0 * rise.atan()).to_degrees().clamp(VolumePose::LEAST_FOV, 180.0 - 1e-9);
        VolumePose { fov, ..pose }
    }

    /// The pose that shows what is at its centre as large, and as much of it, with the same field of view: the eye is
    /// moved. What is before and behind the centre is seen a little otherwise.
    pub fn moved(&self, pose: VolumePose) -> VolumePose {
        VolumePose { distance: pose.distance * self.heights(), ..pose }
    }

    /// Height of the other canvas, of that of what it shows of the one.
    fn heights(&self) -> f64 {
        f64::from(self.to.height) / (f64::from(self.from.height) * self.scale)
    }

    /// What a hand does on the other canvas, in terms of this one, where the volume's pose is `now`.
    #[must_use]
    pub fn delta(&self, delta: CameraDelta, now: &VolumePose) -> CameraDelta {
        if self.is_same() {
            return delta;
        }
        match delta {
            CameraDelta::Zoom { factor, anchor } => {
                let middle = |canvas: Canvas| [f64::from(canvas.width) / 2.0, f64::from(canvas.height) / 2.0];
                let (here, there) = (middle(self.from), middle(self.to));
                let anchor = [0, 1].map(|i| here[i] + (anchor[i] - there[i]) / self.scale);
                CameraDelta::Zoom { factor, anchor }
            }
            CameraDelta::Pan { dx, dy } => CameraDelta::Pan { dx: dx / self.scale, dy: dy / self.scale },
            CameraDelta::Set(parts) => CameraDelta::Set(self.parts(parts, now)),
            CameraDelta::Orbit { .. } | CameraDelta::Reset => delta,
        }
    }

    /// Parts of a pose as the other canvas shows it. A rectangle is one of the world: it is shown on this canvas.
    fn parts(&self, parts: CameraParts, now: &VolumePose) -> CameraParts {
        let back = Self { from: self.to, to: self.from, scale: 1.0 / self.scale };
        let eye = back.volume(VolumePose {
            distance: parts.distance.unwrap_or(now.distance),
            fov: parts.fov.unwrap_or(now.fov),
            ..*now
        });
        CameraParts {
            zoom: parts.zoom.map(|zoom| zoom / self.scale),
            distance: parts.distance.map(|_| eye.distance),
            fov: parts.fov.map(|_| eye.fov),
            ..parts
        }
    }
}
