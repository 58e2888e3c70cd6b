//! Names of things that cross a boundary (the wire, a thread, a snapshot). Inside the world, entities are used.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One connected client, unique for the life of the process. The wire's UUID is the socket's business.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// One view. `ViewId::MAIN` is always there.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViewId(pub u32);

impl ViewId {
    /// The view that everybody shares unless they ask for their own.
    pub const MAIN: Self = Self(0);
}

/// One stream of encoded pictures.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The stream of the main view.
    pub const MAIN: Self = Self(0);
}

/// One layer; on the wire `layer-N`.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayerId(pub u32);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session-{}", self.0)
    }
}

impl SessionId {
    /// Reads the wire form `session-N`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("session-")?.parse().ok().map(Self)
    }
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MAIN => f.write_str("main"),
            Self(number) => write!(f, "view-{number}"),
        }
    }
}

impl ViewId {
    /// Reads the wire form: `main`, or `view-N`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "main" => Some(Self::MAIN),
            _ => text.strip_prefix("view-")?.parse().ok().map(Self).filter(|id| *id != Self::MAIN),
        }
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer-{}", self.0)
    }
}

impl LayerId {
    /// Reads the wire form `layer-N`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("layer-")?.parse().ok().map(Self)
    }
}

/// How a client recognises the answer to one of its intents. Unique per session only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IntentRef {
    /// The client's `intent_id`.
    pub intent_id: String,
    /// The `frame_id` of the frame that carried it; the acknowledgement's `in_reply_to`.
    pub frame_id: String,
}
