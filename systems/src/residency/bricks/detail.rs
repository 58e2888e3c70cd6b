//! Which level of an image a volume wants where.

pub mod estimate;

use lucida_components::{
    applied::ViewState,
    dataset::Multiscale,
    lod::{self, Lod, LodPolicy},
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
        Self::with(state, image, state.lod)
    }

    /// The detail that another level block would ask for.
    ///
    /// Where the level is automatic, sizes are those of [`lod::sizes`] over 2^bias, so that each step of bias wants
    /// levels of half the resolution everywhere. Where it is locked, it is wanted whatever a pixel covers; an image
    /// other than the reference has the level that answers it.
    pub fn with(state: &ViewState, image: &Multiscale, lod: Lod) -> Self {
        let axes = state.axes.displayed(3);
        match lod.policy {
            LodPolicy::Auto => {
                let coarser = 0.5_f64.powi(i32::from(lod.bias));
                let sizes = lod::sizes(image, axes).into_iter().map(|size| size * coarser).collect();
                Self { sizes, finest: 0 }
            }
            LodPolicy::Locked => {
                let level = places::resolve_level(&state.dataset, image, lod.level, axes);
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
