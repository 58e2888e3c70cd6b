//! Small colour pictures of layers.

use crate::ids::LayerId;
use bevy_ecs::component::Component;
use std::{collections::BTreeMap, sync::Arc};

/// A layer as it is seen in small: its coarsest level at the view's place, through its contrast limits, gamma and
/// colormap, whatever its opacity.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail {
    /// Columns and rows, each from 1 to [`Thumbnail::MOST`].
    pub size: [usize; 2],
    /// RGBA per pixel, components from 0 to 1, rows from the top.
    pub pixels: Vec<[f32; 4]>,
}

impl Thumbnail {
    /// Pixels per side at most.
    pub const MOST: usize = 32;
}

/// The thumbnails of a view, by layer; of a layer that is missing the data is not there yet.
#[derive(Component, Debug, Clone, PartialEq, Default)]
pub struct Thumbnails(pub BTreeMap<LayerId, Arc<Thumbnail>>);
