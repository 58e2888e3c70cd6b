//! What clients are told. A notice names what changed and holds the applied state it is about;
//! the wire turns it into frames.

use crate::{
    applied::Applied,
    controls::ControlKey,
    fault::Rejection,
    ids::{IntentRef, LayerId},
    stream::StreamConfig,
    value::Value,
};
use std::{collections::BTreeSet, sync::Arc};

/// The answer to one intent. Goes to its sender alone, before any notice of its effect, and is never dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Ack {
    /// Which intent.
    pub intent: IntentRef,
    /// The applied value and the property's version, or why not.
    pub outcome: Result<AckApplied, Rejection>,
}

/// What was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct AckApplied {
    /// The value after clamping and normalising.
    pub value: Value,
    /// Counts the changes of this property; unchanged where the value was equal.
    pub version: u64,
}

/// What a notice is about; notices of the same topic merge while they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Everything: baseline, and a changed dataset. Comes first, supersedes what waits.
    Scene,
    /// Index, level, mode, axes.
    Dims,
    /// Controls of one layer.
    Layer(LayerId),
    /// The pose.
    Camera,
    /// Parameter sets of the stream.
    Stream,
    /// All blocks, for clients that negotiated it.
    View,
    /// What is loading, for clients that negotiated `View`.
    Residency,
}

/// One notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// What it says.
    pub body: NoticeBody,
    /// The intent that caused it, where exactly one did.
    pub cause: Option<IntentRef>,
}

/// The content of a notice.
#[derive(Debug, Clone)]
pub enum NoticeBody {
    /// For Scene, Dims, Camera and View: the state to be told.
    Applied(Arc<Applied>),
    /// For Layer: the state and which controls changed.
    Layer {
        /// The state.
        applied: Arc<Applied>,
        /// The changed controls; merging joins the sets.
        changed: BTreeSet<ControlKey>,
    },
    /// For Stream.
    Stream(Arc<StreamConfig>),
    /// For Residency.
    Residency(Residency),
}

/// How much of what is wanted is on the GPU: tiles of a plane, bricks of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bevy_ecs::component::Component)]
pub struct Residency {
    /// Tiles of the target level (or marked missing) of those wanted.
    pub resident: u32,
    /// Tiles wanted at the target level.
    pub wanted: u32,
    /// Tiles whose data could not be read.
    pub missing: u32,
    /// Tiles of the target level that the budgets have no room for, not among those wanted: they are drawn
    /// from a coarser level where there is one.
    pub withheld: u32,
    /// In a volume, the finest and the coarsest level of the reference layer that the picture is made of.
    pub levels: Option<[u16; 2]>,
    /// No picture of the current revision can be shown yet; the last one stands.
    pub waiting: bool,
}
