//! Ops: one entry per change, from the intent to the frame. One sequence for the whole scene.

use crate::{
    controls::ControlKey,
    fault::Rejection,
    ids::{LayerId, ViewId},
    intent::{Intent, Origin},
    stream::Canvas,
};
use bevy_ecs::resource::Resource;
use std::{collections::VecDeque, fmt, time::Instant};

/// What an op changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OpKind {
    /// 2D ↔ 3D.
    ViewToggle,
    /// Index, margins, order.
    Dims,
    /// Level or its policy, asked for or chosen by the transaction.
    Policy,
    /// Camera deltas.
    Camera,
    /// Crop box and clip planes.
    Clip,
    /// Layer controls.
    Layer,
    /// Stream size.
    Stream,
    /// Views that come and go, sessions that look at them.
    Seat,
    /// Dataset or snapshot.
    Dataset,
}

impl OpKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::ViewToggle,
        Self::Dims,
        Self::Policy,
        Self::Camera,
        Self::Clip,
        Self::Layer,
        Self::Stream,
        Self::Seat,
        Self::Dataset,
    ];

    /// The word used in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ViewToggle => "view-toggle",
            Self::Dims => "dims",
            Self::Policy => "policy",
            Self::Camera => "camera",
            Self::Clip => "clip",
            Self::Layer => "layer",
            Self::Stream => "stream",
            Self::Seat => "seat",
            Self::Dataset => "dataset",
        }
    }
}

impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an op stands. It is opened and closed within one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpState {
    /// Reduced, waiting for its transaction.
    Open,
    /// Committed; shown from this revision on.
    Applied {
        /// The revision (unchanged where the value was equal).
        revision: u64,
    },
    /// Refused; nothing of it was applied.
    Rejected(Rejection),
}

/// Which applied value the acknowledgement reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Nothing.
    None,
    /// `ndisplay`.
    Ndisplay,
    /// The resulting index of an axis at the level shown.
    LevelIndex(usize),
    /// The resulting index of an axis on the scene grid.
    SceneIndex(usize),
    /// The margins of an axis.
    Margins(usize),
    /// The order.
    Order,
    /// The level.
    Level,
    /// The policy.
    Policy,
    /// A control of a layer.
    Control(LayerId, ControlKey),
    /// A control that every layer was given.
    VolumeControl(ControlKey),
    /// The session's canvas.
    Canvas(Canvas),
    /// The clip block.
    Clip,
    /// The camera delta as it was normalised, and the key it was asked for by: `zoom`, `pan`, `orbit`, `reset`, `set`.
    Camera(&'static str, crate::value::Value),
    /// A value that is in no view.
    Value(crate::value::Value),
}

/// One change.
#[derive(Debug, Clone)]
pub struct Op {
    /// Its place in the scene's one sequence.
    pub seq: u64,
    /// What it changes.
    pub kind: OpKind,
    /// The view.
    pub view: ViewId,
    /// Who is told.
    pub origin: Option<Origin>,
    /// The intent behind it; none where the transaction opened it itself. Kept while open, for the retry.
    pub intent: Option<Intent>,
    /// What the acknowledgement reports.
    pub report: Report,
    /// Where it stands.
    pub state: OpState,
    /// When its intent reached the process.
    pub arrived: Instant,
}

/// The ops of this turn, and a bounded memory of closed ones.
#[derive(Resource, Debug, Default)]
pub struct Ops {
    /// Last sequence number given.
    pub last_seq: u64,
    /// Opened in this turn.
    pub turn: Vec<Op>,
    /// Closed ones, newest last, at most [`Ops::MEMORY`].
    pub closed: VecDeque<Op>,
}

impl Ops {
    /// Closed ops that are remembered: more than a turn can close.
    pub const MEMORY: usize = 1024;

    /// The next sequence number.
    pub fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// Opens an op.
    pub fn open(&mut self, op: Op) {
        debug_assert_eq!(op.state, OpState::Open);
        self.turn.push(op);
    }

    /// The open op of this number.
    pub fn get_mut(&mut self, seq: u64) -> Option<&mut Op> {
        self.turn.iter_mut().find(|o| o.seq == seq)
    }

    /// Refuses an op.
    pub fn reject(&mut self, seq: u64, why: Rejection) {
        if let Some(op) = self.get_mut(seq) {
            op.state = OpState::Rejected(why);
        }
    }

    /// Moves the closed ops of this turn into the memory.
    pub fn retire(&mut self) {
        for mut op in self.turn.drain(..) {
            debug_assert!(op.state != OpState::Open, "op {} ended its turn open", op.seq);
            op.intent = None;
            if self.closed.len() == Self::MEMORY {
                self.closed.pop_front();
            }
            self.closed.push_back(op);
        }
    }
}
