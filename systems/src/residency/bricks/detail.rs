//! Which level of an image a volume wants where.

use lucida_components::{
    applied::ViewState,
    dataset::Multiscale,
    lod::{self, LodPolicy},
    places,
};

/// The wanted levels of one image in a view.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Effective sizes by level, world units, never falling: a level is fine enough where its size is at most that
    /// of a pixel.
    pub sizes: Vec<f64>,
    /// No finer level is drawn.
    pub finest: usize,
}

impl Detail {
    /// The detail that an applied state asks for.
    pub fn of(state: &ViewState, image: &Multiscale) -> Self {
        let axes = state.displayed();
        match state.lod.policy {
            LodPolicy::Auto => Self { sizes: lod::sizes(image, axes), finest: 0 },
            LodPolicy::Locked => {
                let level = places::resolve_level(&state.dataset, image, state.lod.level, state.plane_axes());
                let size = |l: usize| if l <= level { 0.0 } else { f64::INFINITY };
                Self { sizes: (0..image.levels.len()).map(size).collect(), finest: level }
            }
        }
    }

    /// The level wanted where a pixel covers `pixel` world units: the coarsest that is fine enough.
    pub fn wanted(&self, pixel: f64) -> usize {
        (self.finest..self.sizes.len()).rev().find(|&l| self.sizes[l] <= pixel).unwrap_or(self.finest)
    }
}
