//! Where a view stands on the axes that it does not display.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// One place on the scene grid: the full resolution of the reference layer.
#[derive(Component, Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Index {
    /// One voxel index per axis, `0 <= value < extent`.
    pub value: Vec<i64>,
    /// Thickness before and after the place, in scene voxels, per axis: the thick slice.
    pub margins: Vec<[f64; 2]>,
}

impl Index {
    /// A place without thickness.
    pub fn at(value: Vec<i64>) -> Self {
        let margins = vec![[0.0; 2]; value.len()];
        Self { value, margins }
    }
}
