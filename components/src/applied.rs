//! What a view *is*: the last committed state. Mirrors, render, picks and snapshots read this and nothing else.

use crate::{
    axes::Axes,
    camera::{Camera, Rect},
    clip::Clip,
    controls::Controls,
    dataset::{Dataset, LayerSource},
    ids::LayerId,
    index::Index,
    layer::Layer,
    lod::Lod,
    restore::RestoreCache,
    stream::Canvas,
    view::View,
};
use bevy_ecs::{component::Component, resource::Resource};
use std::sync::Arc;

/// The applied state of one view. Equal states are the same picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewState {
    /// The image.
    pub dataset: Arc<Dataset>,
    /// Mode.
    pub view: View,
    /// Axes and order.
    pub axes: Axes,
    /// Place.
    pub index: Index,
    /// Level.
    pub lod: Lod,
    /// Pose.
    pub camera: Camera,
    /// Ways back.
    pub restore: RestoreCache,
    /// Crop.
    pub clip: Clip,
    /// Size of the view's main stream, on which `rect` depends.
    pub canvas: Canvas,
    /// Layers, bottom first.
    pub layers: Arc<[LayerState]>,
}

/// A layer as applied.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerState {
    /// Its id.
    pub id: LayerId,
    /// What it draws.
    pub layer: Layer,
    /// How.
    pub controls: Controls,
}

/// The committed snapshot of a view: what it is, and since which revision.
#[derive(Component, Debug, Clone)]
pub struct Applied {
    /// Grows with every commit that changed something, in any view.
    pub revision: u64,
    /// The state.
    pub state: Arc<ViewState>,
}

/// The scene's revision: moved by commit only.
#[derive(Resource, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub u64);

impl ViewState {
    /// The displayed axes, rows before columns.
    pub fn displayed(&self) -> &[usize] {
        self.axes.displayed(self.view.ndisplay)
    }

    /// The plane's `[row axis, column axis]`: the last two of the order, also while three are displayed.
    pub fn plane_axes(&self) -> [usize; 2] {
        plane_axes(&self.axes)
    }

    /// What the plane camera shows, in world units.
    pub fn rect(&self) -> Rect {
        self.camera.plane.rect(self.canvas)
    }

    /// What a layer was made from. Its id is its place in the dataset.
    pub fn source(&self, layer: &LayerState) -> Option<&LayerSource> {
        self.dataset.layers.get(layer.id.0 as usize)
    }

    /// The layer of this id.
    pub fn layer(&self, id: LayerId) -> Option<&LayerState> {
        self.layers.iter().find(|l| l.id == id)
    }
}

/// The last two axes of an order of at least two.
pub fn plane_axes(axes: &Axes) -> [usize; 2] {
    let n = axes.order.len();
    debug_assert!(n >= 2, "a scene has at least two axes");
    [axes.order[n - 2], axes.order[n - 1]]
}
