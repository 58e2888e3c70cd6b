//! What clients are told. A notice names what changed and holds the applied state it is about;
//! the wire turns it into frames.

use crate::{
    applied::Applied,
    controls::ControlKey,
    fault::Rejection,
    ids::{IntentRef, LayerId, ViewId},
    incident::{Domain, Incident},
    seats::Seats,
    stream::StreamConfig,
    thumbnail::{Thumbnail, Thumbnails},
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
    /// The control that it is the value of, where it is one of a layer; of several layers' the first one's.
    pub of: Option<(LayerId, ControlKey)>,
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
    /// The level, for clients that asked for it.
    Level,
    /// The small picture of one layer, for clients that want them.
    Thumbnail(LayerId),
    /// Who is here, for clients that asked for it.
    Seats,
    /// What pictures cost, for clients that asked for it.
    Telemetry,
    /// The newest thing that went wrong of a domain, for clients that asked for it.
    Incident(Domain),
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
    /// The view that the session looks at.
    pub view: ViewId,
    /// Its place in its topic, where a client that comes back can go on from it: Scene, Layer and Stream. A Thumbnail
    /// has that of the layers, as far as they were told when it was made; a Level is counted and no more.
    pub mark: Option<Mark>,
}

/// A place in the sequence of a resumable topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Grows with every notice of the topic, for everybody alike. Within a connection it never falls.
    pub seq: u64,
    /// With it a client that comes back says that it knows all up to here.
    pub token: String,
}

/// The present place of each resumable topic, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursors {
    /// Of `notify.scene`.
    pub scene: Option<Mark>,
    /// Of `notify.layers`.
    pub layers: Option<Mark>,
    /// Of `notify.stream`.
    pub stream: Option<Mark>,
}

/// The content of a notice.
#[derive(Debug, Clone)]
pub enum NoticeBody {
    /// For Scene: everything.
    Scene {
        /// The state.
        applied: Arc<Applied>,
        /// Small pictures, for clients that want them.
        thumbnails: Arc<Thumbnails>,
    },
    /// For Scene: no image is open.
    Idle,
    /// For Dims, View and Level: the state to be told.
    Applied(Arc<Applied>),
    /// For Camera: the pose, and what was asked of it where exactly one intent changed it.
    Camera {
        /// The state.
        applied: Arc<Applied>,
        /// The key (`zoom`, `pan`, …) and its value as it was applied.
        echo: Option<(&'static str, Value)>,
    },
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
    /// For Thumbnail.
    Thumbnail(Arc<Thumbnail>),
    /// For Seats.
    Seats(Arc<Seats>),
    /// For Telemetry.
    Telemetry(Telemetry),
    /// For Incident.
    Incident(Arc<Incident>),
}

/// What the pictures of a session cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Telemetry {
    /// Drawing the last picture, milliseconds on the GPU.
    pub draw: f64,
    /// Encoding it, milliseconds.
    pub encode: f64,
    /// Pictures on their way to the session.
    pub in_flight: u32,
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
