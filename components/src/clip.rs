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
}

/// A free clipping plane: what lies on the side that the normal points to is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClipPlane {
    /// A point of the plane, world x, y, z of the displayed axes (x is the last of them).
    pub position: [f64; 3],
    /// Points to what is kept; not zero, of any length.
    pub normal: [f64; 3],
}

/// Parts of the clip block that a client sets; `None` leaves a part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClipParts {
    /// By axis (label or number, as the client named it): a range in world units, or `None` for the whole axis.
    pub ranges: Vec<(String, Option<[f64; 2]>)>,
    /// All free planes.
    pub planes: Option<Vec<ClipPlane>>,
}
