//! A layer entity: one channel of one image, or one labels image.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// What the values of a layer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// Intensities, drawn through contrast limits, gamma and a colormap.
    #[default]
    Image,
    /// Names of objects, drawn in one colour each.
    Labels,
}

/// What a layer draws and where it stands. Its id is [`crate::ids::LayerId`], its controls are
/// [`crate::controls::Controls`], both beside it on the entity.
#[derive(Component, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Name to show.
    pub name: String,
    /// Which of the dataset's images.
    pub image: usize,
    /// Element of the channel axis.
    pub channel: u64,
    /// Place in the stack, 0 = bottom.
    pub order: u32,
    /// What its values are.
    pub kind: LayerKind,
}
