//! How many axes a view displays: the only driver of its mode.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// Number of displayed axes, 2 or 3.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// 2 = plane, 3 = volume.
    pub ndisplay: u8,
}

impl Default for View {
    fn default() -> Self {
        Self { ndisplay: 2 }
    }
}

/// Derived from [`View`]; told to clients, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A 2D slice.
    Plane,
    /// A 3D volume.
    Volume,
}

impl View {
    /// The mode that follows from `ndisplay`.
    pub fn mode(self) -> Mode {
        if self.ndisplay >= 3 { Mode::Volume } else { Mode::Plane }
    }
}

impl Mode {
    /// The wire's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Volume => "volume",
        }
    }
}
