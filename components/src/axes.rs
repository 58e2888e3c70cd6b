//! The axes of the scene. The channel axis is not among them: channels are layers.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// What an axis measures (NGFF `type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisKind {
    /// Space; the unit is a length.
    Space,
    /// Time; the unit is a duration.
    Time,
    /// Anything else: angle, wavelength, condition, …
    Other,
}

/// The axes block of a view: names, kinds and units in array order, and the order of display.
#[derive(Component, Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Axes {
    /// One name per axis.
    pub labels: Vec<String>,
    /// One kind per axis.
    pub kinds: Vec<AxisKind>,
    /// One unit per axis, as the data names it (`micrometer`, `second`), if it does.
    pub units: Vec<Option<String>>,
    /// A permutation of `0..len`; the last `ndisplay` entries are displayed.
    pub order: Vec<usize>,
}

impl Axes {
    /// Number of axes.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no axis at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The displayed axes, rows before columns: the last `ndisplay` of the order.
    pub fn displayed(&self, ndisplay: u8) -> &[usize] {
        let n = self.order.len();
        &self.order[n.saturating_sub(ndisplay as usize)..]
    }

    /// Whether `order` holds each axis once.
    pub fn order_is_permutation(&self) -> bool {
        let mut seen = vec![false; self.len()];
        self.order.len() == self.len()
            && self.order.iter().all(|&a| a < seen.len() && !std::mem::replace(&mut seen[a], true))
    }

    /// Finds an axis as clients name it: an index in range, or a label in any case.
    pub fn resolve(&self, name: &str) -> Option<usize> {
        let name = name.trim();
        if let Ok(i) = name.parse::<usize>()
            && i < self.len()
        {
            return Some(i);
        }
        self.labels.iter().position(|l| l.eq_ignore_ascii_case(name))
    }
}
