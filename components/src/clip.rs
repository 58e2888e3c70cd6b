//! What a view cuts away.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// The clip block: a crop box and free planes, of all layers alike. It cuts volumes; a plane shows its slice whole.
#[derive(Component, Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Clip {
    /// Axis-aligned crop box, one entry per axis of the scene: `[from, to]` in world units, from < to; `None`
    /// leaves an axis whole.
    pub ranges: Vec<Option<[f64; 2]>>,
    /// What lies behind any of these is cut away. At most [`Clip::MOST_PLANES`].
    #[serde(default)]
    pub planes: Vec<ClipPlane>,
}

impl Clip {
    /// Free planes at most.
    pub const MOST_PLANES: usize = 6;

    /// What cannot be cut along, as a sentence; `None` where all is well.
    pub fn fault(&self) -> Option<&'static str> {
        let finite = |range: &[f64; 2]| range.iter().all(|v| v.is_finite());
        if !self.ranges.iter().flatten().all(|r| finite(r) && r[0] < r[1]) {
            return Some("a range of the crop box is not two finite numbers, lower first");
        }
        if self.planes.len() > Self::MOST_PLANES {
            return Some("there are more than six clip planes");
        }
        if !self.planes.iter().all(ClipPlane::is_valid) {
            return Some("a clip plane has no direction or is not finite");
        }
        None
    }
}

/// A free clipping plane: what lies on the side that the normal points to is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClipPlane {
    /// A point of the plane, world x, y, z of the displayed axes (x is the last of them).
    pub position: [f64; 3],
    /// Points to what is kept; not zero, of any length.
    pub normal: [f64; 3],
}

impl ClipPlane {
    /// Whether it can be cut along.
    pub fn is_valid(&self) -> bool {
        self.position.iter().chain(&self.normal).all(|v| v.is_finite())
            && self.normal.iter().any(|v| *v != 0.0)
    }
}

/// Parts of the clip block that a client sets; `None` leaves a part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClipParts {
    /// By axis (label or number, as the client named it): a range in world units, or `None` for the whole axis.
    pub ranges: Vec<(String, Option<[f64; 2]>)>,
    /// All free planes.
    pub planes: Option<Vec<ClipPlane>>,
}
