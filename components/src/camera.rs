//! The camera of a view: a pose for the plane, a pose for the volume, and the deltas waiting to be applied.
//!
//! World coordinates are physical (NGFF scale and translation applied). In the plane, x runs along the
//! last displayed axis to the right, y along the one before it *downward*: image row 0 is on top.

use crate::stream::Canvas;
use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// Pose of the 2D camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlanePose {
    /// World point in the middle of the canvas, `[x, y]`.
    pub center: [f64; 2],
    /// Screen pixels per world unit, > 0.
    pub zoom: f64,
}

/// Pose of the 3D turntable camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VolumePose {
    /// World point looked at, `[x, y, z]`.
    pub center: [f64; 3],
    /// `[azimuth, elevation, roll]` in degrees.
    pub angles: [f64; 3],
    /// Distance from the centre in world units, > 0.
    pub distance: f64,
    /// Vertical field of view in degrees, from [`VolumePose::LEAST_FOV`] to less than 180; 0 = orthographic.
    pub fov: f64,
}

/// The camera block. Written by RenderTxn only.
#[derive(Component, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Pose used while two axes are displayed.
    pub plane: PlanePose,
    /// Pose used while three axes are displayed.
    pub volume: VolumePose,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            plane: PlanePose { center: [0.5, 0.5], zoom: 1.0 },
            volume: VolumePose { center: [0.5; 3], angles: [30.0, 30.0, 0.0], distance: 1.0, fov: 60.0 },
        }
    }
}

/// A rectangle of the displayed plane in world units; `bottom` is the smaller y (the upper screen edge).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Smaller x.
    pub left: f64,
    /// Smaller y.
    pub bottom: f64,
    /// Extent along x, > 0.
    pub width: f64,
    /// Extent along y, > 0.
    pub height: f64,
}

impl PlanePose {
    /// What a canvas of this size shows.
    pub fn rect(&self, canvas: Canvas) -> Rect {
        let (width, height) = (f64::from(canvas.width) / self.zoom, f64::from(canvas.height) / self.zoom);
        Rect { left: self.center[0] - width / 2.0, bottom: self.center[1] - height / 2.0, width, height }
    }

    /// The pose that shows all of `rect` on `canvas`, aspect kept, letterboxed where it must be.
    pub fn fit(rect: Rect, canvas: Canvas) -> Self {
        let zoom = (f64::from(canvas.width) / rect.width).min(f64::from(canvas.height) / rect.height);
        Self { center: [rect.left + rect.width / 2.0, rect.bottom + rect.height / 2.0], zoom }
    }

    /// Whether the pose can be drawn.
    pub fn is_valid(&self) -> bool {
        self.center.iter().all(|c| c.is_finite()) && self.zoom.is_finite() && self.zoom > 0.0
    }
}

impl VolumePose {
    /// Coordinates and distances beyond this, and distances below its inverse, are refused: squares and products
    /// of what is within stay finite.
    pub const FAR: f64 = 1e120;

    /// Below this the eye is so far away that rays of neighbouring pixels cannot be told apart in the shader's numbers.
    pub const LEAST_FOV: f64 = 0.1;

    /// Whether a field of view can be drawn.
    pub fn is_fov(fov: f64) -> bool {
        fov == 0.0 || (Self::LEAST_FOV..180.0).contains(&fov)
    }

    /// Whether the pose can be drawn.
    pub fn is_valid(&self) -> bool {
        self.center.iter().all(|c| c.abs() <= Self::FAR)
            && self.angles.iter().all(|a| a.is_finite())
            && (1.0 / Self::FAR..=Self::FAR).contains(&self.distance)
            && Self::is_fov(self.fov)
    }
}

/// One thing a hand did to the camera.
#[derive(Debug, Clone, PartialEq)]
pub enum CameraDelta {
    /// Enlarges what is seen by `factor` (> 1 zooms out) and keeps the world point under `anchor` in place.
    Zoom {
        /// > 0.
        factor: f64,
        /// Canvas pixels, x from the left, y from the *top*.
        anchor: [f64; 2],
    },
    /// The content follows the pointer by this many canvas pixels, y down.
    Pan {
        /// Right.
        dx: f64,
        /// Down.
        dy: f64,
    },
    /// Turns the 3D camera.
    Orbit {
        /// Degrees of azimuth.
        azimuth: f64,
        /// Degrees of elevation.
        elevation: f64,
    },
    /// Fits the data to the canvas.
    Reset,
    /// Sets parts of a pose; `None` leaves a part.
    Set(CameraParts),
}

/// Parts of a pose that a client sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameraParts {
    /// World centre, 2 or 3 coordinates (x, y, z).
    pub center: Option<Vec<f64>>,
    /// Screen pixels per world unit.
    pub zoom: Option<f64>,
    /// World rectangle to be shown.
    pub rect: Option<Rect>,
    /// Azimuth, elevation, roll in degrees.
    pub angles: Option<[f64; 3]>,
    /// Distance of the 3D camera.
    pub distance: Option<f64>,
    /// Field of view of the 3D camera in degrees.
    pub fov: Option<f64>,
}

/// Deltas that reducers queued for the next transaction, oldest first.
#[derive(Component, Debug, Default, Clone, PartialEq)]
pub struct CameraQueue(pub Vec<CameraDelta>);
