//! World y of the plane: upward for the client, downward in the ledger. The image covers the same interval in
//! both, so that showing all of it is the same rectangle.

use super::rounded;
use lucida_components::{applied::ViewState, places};

/// Digits of a y that are told: what a client sends with as many comes back as it was.
const DIGITS: i32 = 12;

/// The interval that the image covers along the axis of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows {
    ends: [f64; 2],
}

impl Rows {
    /// Those of a state.
    pub fn of(state: &ViewState) -> Self {
        let [row, _] = state.plane_axes();
        Self::between(places::world_extent(&state.dataset, row))
    }

    /// Of an interval. One that is not finite is not turned over.
    pub fn between(ends: [f64; 2]) -> Self {
        Self { ends: if (ends[0] + ends[1]).is_finite() { ends } else { [0.0, 0.0] } }
    }

    /// y of the client → y of the ledger.
    pub fn downward(&self, y: f64) -> f64 {
        self.ends[0] + self.ends[1] - y
    }

    /// y of the ledger → y of the client, in [`DIGITS`] digits of the largest number that it is made of.
    pub fn upward(&self, y: f64) -> f64 {
        let up = self.downward(y);
        let reach = self.ends.iter().fold(up.abs().max(y.abs()), |most, end| most.max(end.abs()));
        if reach == 0.0 || !reach.is_finite() {
            return up;
        }
        rounded(up, DIGITS - reach.log10().ceil() as i32)
    }
}
