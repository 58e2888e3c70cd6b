//! Why something was not done.

use std::fmt;

/// Why an intent was refused; told to its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// Class of the refusal.
    pub code: RejectCode,
    /// A sentence: what, and the way out.
    pub message: String,
}

/// Class of a refusal; the wire has a word for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectCode {
    /// The value or the name is wrong: asking again the same way is useless.
    Invalid,
    /// It could have worked, but a step failed.
    Error,
    /// This server cannot do it (yet).
    Unsupported,
    /// The session's role does not allow it.
    Forbidden,
}

impl Rejection {
    /// A wrong value or name.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { code: RejectCode::Invalid, message: message.into() }
    }

    /// A step that failed.
    pub fn error(message: impl Into<String>) -> Self {
        Self { code: RejectCode::Error, message: message.into() }
    }

    /// Something the session's role does not allow.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { code: RejectCode::Forbidden, message: message.into() }
    }

    /// Something this server cannot do.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self { code: RejectCode::Unsupported, message: message.into() }
    }
}

/// Why a transaction was abandoned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {reason}")]
pub struct Fault {
    /// The step that failed.
    pub step: Step,
    /// Why.
    pub reason: FaultReason,
}

/// The steps of RenderTxn, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as the sets of the schedule, which say what they do")]
pub enum Step {
    Begin,
    Dims,
    Level,
    Camera,
    Commit,
}

impl Step {
    /// Every step in order.
    pub const ALL: [Self; 5] = [Self::Begin, Self::Dims, Self::Level, Self::Camera, Self::Commit];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "begin",
            Self::Dims => "dims",
            Self::Level => "level",
            Self::Camera => "camera",
            Self::Commit => "commit",
        })
    }
}

/// What a step found wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// There is nothing to show yet.
    #[error("no dataset is open")]
    NoDataset,
    /// The order does not hold each axis once.
    #[error("order {0:?} is not a permutation of the axes")]
    OrderNotPermutation(Vec<usize>),
    /// Index and axes differ in length.
    #[error("index has {got} entries for {want} axes")]
    IndexLength {
        /// Entries of the index.
        got: usize,
        /// Axes.
        want: usize,
    },
    /// The index lies outside the scene grid.
    #[error("index {value} of axis {axis} is outside 0..{extent}")]
    IndexOutside {
        /// Axis number.
        axis: usize,
        /// The index.
        value: i64,
        /// Extent of the scene grid.
        extent: u64,
    },
    /// Fewer axes than are to be displayed.
    #[error("{axes} axes cannot display {ndisplay}")]
    TooFewAxes {
        /// Axes there are.
        axes: usize,
        /// Axes asked for.
        ndisplay: u8,
    },
    /// The level does not exist.
    #[error("level {level} of {levels}")]
    NoSuchLevel {
        /// The level.
        level: usize,
        /// How many there are.
        levels: usize,
    },
    /// A pose has a NaN, an infinity or an empty rectangle.
    #[error("the camera pose is not finite or shows nothing")]
    PoseInvalid,
    /// A control has a value that cannot be drawn.
    #[error("layer {layer}: {what}")]
    ControlInvalid {
        /// The layer.
        layer: u32,
        /// What is wrong.
        what: &'static str,
    },
    /// The clip block cannot be cut along.
    #[error("clip: {0}")]
    ClipInvalid(&'static str),
    /// A step panicked or was never reached.
    #[error("the step panicked")]
    Panicked,
    /// Made to fail by a test.
    #[error("made to fail")]
    Injected,
}
