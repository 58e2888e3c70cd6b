//! What a view cuts away.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// Axis-aligned crop box in world units per axis of the scene; `None` leaves an axis whole.
#[derive(Component, Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Clip {
    /// `[from, to]` in world units, from < to.
    pub ranges: Vec<Option<[f64; 2]>>,
}
