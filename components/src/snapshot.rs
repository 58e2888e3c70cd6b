//! A ledger revision as plain data: enough to make the same picture again.

use crate::{
    applied::{Applied, ViewState},
    axes::Axes,
    camera::Camera,
    clip::Clip,
    controls::Controls,
    ids::{LayerId, ViewId},
    index::Index,
    lod::Lod,
    restore::RestoreCache,
    stream::Canvas,
    view::View,
};
use serde::{Deserialize, Serialize};

/// Snapshot of one view. The dataset is named, not held: it must be open where it is restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of this form.
    pub version: u32,
    /// The revision it was taken of.
    pub revision: u64,
    /// The view.
    pub view_id: ViewId,
    /// [`crate::dataset::Dataset::locator`] of the image.
    pub dataset: String,
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
    /// Canvas size.
    pub canvas: Canvas,
    /// Controls by layer, bottom first.
    pub layers: Vec<(LayerId, Controls)>,
}

impl Snapshot {
    /// The version this code writes and reads.
    pub const VERSION: u32 = 1;

    /// Takes a snapshot of an applied state.
    pub fn of(view_id: ViewId, applied: &Applied) -> Self {
        let ViewState { dataset, view, axes, index, lod, camera, restore, clip, canvas, layers } =
            &*applied.state;
        Self {
            version: Self::VERSION,
            revision: applied.revision,
            view_id,
            dataset: dataset.locator.clone(),
            view: *view,
            axes: axes.clone(),
            index: index.clone(),
            lod: *lod,
            camera: *camera,
            restore: restore.clone(),
            clip: clip.clone(),
            canvas: *canvas,
            layers: layers.iter().map(|l| (l.id, l.controls.clone())).collect(),
        }
    }
}
