//! Values of a layer: 0 and 1 of the client are the contrast limits that the layer was opened with.

use super::rounded;
use lucida_components::{
    applied::{LayerState, ViewState},
    dataset::LayerSource,
};

/// Decimals of a value that are told at most: what a client sends with as many comes back as it was. Where raw
/// values are so large, compared with their span, that they cannot tell as many apart, it is fewer.
const DECIMALS: i32 = 12;

/// The contrast limits that a layer was opened with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    lo: f64,
    hi: f64,
}

impl Span {
    /// Of a layer; of one that has no source nothing is converted.
    pub fn of(state: &ViewState, layer: &LayerState) -> Self {
        state.source(layer).map_or(Self { lo: 0.0, hi: 1.0 }, Self::of_source)
    }

    /// Of what a layer was made from.
    pub fn of_source(source: &LayerSource) -> Self {
        let [lo, hi] = source.controls.contrast_limits;
        Self::between(lo, hi)
    }

    /// From one raw value to another. Where they are no limits nothing is converted.
    pub fn between(lo: f64, hi: f64) -> Self {
        let span = hi - lo;
        if span > 0.0 && span.is_finite() { Self { lo, hi } } else { Self { lo: 0.0, hi: 1.0 } }
    }

    /// Value of the client → raw value.
    pub fn raw(&self, value: f64) -> f64 {
        self.lo + value * (self.hi - self.lo)
    }

    /// Raw value → value of the client.
    pub fn normal(&self, raw: f64) -> f64 {
        let span = self.hi - self.lo;
        // What is beyond numbers is told as the last of them: there is no word for more.
        let value = ((raw - self.lo) / span).clamp(f64::MIN, f64::MAX);
        let reach = raw.abs().max(self.lo.abs()).max(self.hi.abs());
        // A few of the last bits of the largest number, as a value of the client.
        let blur = 8.0 * f64::EPSILON * (reach / span).max(value.abs());
        rounded(value, DECIMALS.min((-blur.log10()).floor() as i32))
    }
}
