//! What a view comes back to when its mode is toggled.

use crate::{
    camera::{PlanePose, VolumePose},
    index::Index,
    lod::Lod,
};
use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// One place of return: the state in which a mode was left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place<P> {
    /// Level and policy.
    pub lod: Lod,
    /// Index at the time; on return only the axes that the *left* mode displayed are taken from it.
    pub index: Index,
    /// Camera pose.
    pub pose: P,
}

/// The restore cache block. Copied by RenderTxn, so that the camera has one writer.
#[derive(Component, Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RestoreCache {
    /// How the plane was left.
    pub plane: Option<Place<PlanePose>>,
    /// How the volume was left.
    pub volume: Option<Place<VolumePose>>,
}
