//! What a client asks for, validated at the socket, now a message in the world.

use crate::{
    camera::CameraDelta,
    clip::ClipParts,
    controls::ControlChange,
    dataset::Dataset,
    ids::{IntentRef, LayerId, SessionId, ViewId},
    index::Index,
    lod::LodPolicy,
    seats::SeatChange,
    session::Newcomer,
    snapshot::Snapshot,
    stream::Canvas,
};
use bevy_ecs::message::Message;
use std::{sync::Arc, time::Instant};

/// One request for one change.
#[derive(Message, Debug, Clone)]
pub struct Intent {
    /// Who asks; `None` for the server itself (bootstrap, a still).
    pub origin: Option<Origin>,
    /// The view it is about. Of a session's it is the one that the session looks at when it enters the world.
    pub view: ViewId,
    /// What is asked for.
    pub change: Change,
    /// When it reached the process.
    pub arrived: Instant,
    /// The op that carries it, given when it enters the world.
    pub op: u64,
}

/// Who asks, and how it recognises the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The session.
    pub session: SessionId,
    /// The client's name for the intent.
    pub intent: IntentRef,
}

/// Which grid an index counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grid {
    /// The level that is shown (napari-cuda's convention).
    Level,
    /// The scene grid, full resolution.
    Scene,
}

/// What can be asked for. One reducer answers each group.
#[derive(Debug, Clone)]
pub enum Change {
    /// Group *view*: display 2 or 3 axes.
    Ndisplay(u8),
    /// Group *dims*: go to a place of an axis; clamped.
    Index {
        /// Axis by label or number, as the client named it.
        axis: String,
        /// The place.
        value: i64,
        /// What it counts.
        grid: Grid,
    },
    /// Group *dims*: move by steps of the level that is shown; clamped.
    Step {
        /// Axis by label or number.
        axis: String,
        /// Steps, signed.
        delta: i64,
    },
    /// Group *dims*: thickness of the slice on an axis, in scene voxels before and after.
    Margins {
        /// Axis by label or number.
        axis: String,
        /// Before, after; ≥ 0.
        margins: [f64; 2],
    },
    /// Group *dims*: the whole index, padded with zeros or truncated to the axes there are.
    WholeIndex(Index),
    /// Group *dims*: the order of display.
    Order(Vec<usize>),
    /// Group *lod*: show this level of the reference layer and stay there.
    Level(i64),
    /// Group *lod*: who chooses the level.
    Policy(LodPolicy),
    /// Group *camera*: queued for the transaction.
    Camera(CameraDelta),
    /// Group *camera*: shows everything, like [`CameraDelta::Reset`]; the words are told back.
    Reset(String),
    /// Group *clip*: parts of the crop box, or the free planes.
    Clip(ClipParts),
    /// Group *layers*: one control of one layer.
    Layer {
        /// The layer.
        layer: LayerId,
        /// The control and its value.
        control: ControlChange,
    },
    /// Group *layers*: contrast limits from percentiles of the values that are shown.
    AutoContrast {
        /// The layer.
        layer: LayerId,
        /// Lower and upper percentile, `0 ≤ lower < upper ≤ 100`.
        percentiles: [f64; 2],
    },
    /// Group *volume*: one control of every layer.
    Volume(ControlChange),
    /// Group *volume*: contrast limits of every image layer, lower first; 0 and 1 are those that it was opened with.
    VolumeContrast([f64; 2]),
    /// Group *stream*: the size of the session's picture, already fitted; of the view's where nobody asks. Where the
    /// session leads its view it is the view's too.
    Canvas(Canvas),
    /// Group *stream*: the view's canvas is this from now on, that of the session that leads it now. What that
    /// session sees stays as it is. Nobody can ask for it.
    Lead(Canvas),
    /// Group *seats*: views come and go, sessions look at them.
    Seat(SeatChange),
    /// Group *dataset*: show another image. Opened before it was sent; showing it is short.
    Dataset(Arc<Dataset>),
    /// Group *dataset*: bring back a snapshot.
    Restore(Box<Snapshot>),
}

/// Sessions come and go through the same door as intents.
#[derive(Message, Debug, Clone)]
pub enum SessionEvent {
    /// A client finished its handshake.
    Joined {
        /// Its number.
        session: SessionId,
        /// What it brings.
        newcomer: Box<Newcomer>,
    },
    /// A client's pixel channel opened: it watches its view.
    Watching {
        /// Its number.
        session: SessionId,
    },
    /// A client's pixel channel closed.
    Unwatching {
        /// Its number.
        session: SessionId,
    },
    /// A picture was written to the socket, or acknowledged where frames were negotiated.
    PictureTaken {
        /// Its number.
        session: SessionId,
    },
    /// A client wants to start decoding anew.
    KeyframeRequested {
        /// Its number.
        session: SessionId,
    },
    /// A client is gone.
    Left {
        /// Its number.
        session: SessionId,
    },
}
