//! A session: one connected client.

use crate::ids::{StreamId, ViewId};
use bevy_ecs::component::Component;

/// One connected client. Its [`crate::ids::SessionId`] and [`crate::outbox::Outbox`] are beside it on the entity.
#[derive(Component, Debug, Clone)]
pub struct Session {
    /// The view it looks at and changes.
    pub view: ViewId,
    /// What it negotiated.
    pub features: Features,
}

/// What a session negotiated beyond the base protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent switches, negotiated one by one")]
pub struct Features {
    /// All-blocks `notify.view` on the scene grid, and `notify.residency`.
    pub view: bool,
    /// Pictures carry revision and answered intents; the client acknowledges them.
    pub frames: bool,
    /// `notify.dims` is wanted.
    pub dims: bool,
    /// `notify.camera` is wanted.
    pub camera: bool,
}

/// A session that watches a stream: what it has been sent and not yet taken. Drives the drop policy.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// The stream.
    pub stream: StreamId,
    /// Pictures sent and not yet written to the socket (or acknowledged, where frames were negotiated).
    pub in_flight: u32,
    /// Nothing but a keyframe may be sent: it has just joined, or a picture was dropped for it.
    pub needs_keyframe: bool,
}

impl Watch {
    /// Pictures that may be under way to one client. Three keep a 60 Hz stream full over a 50 ms line.
    pub const MAX_IN_FLIGHT: u32 = 3;

    /// A watcher that has just joined.
    pub fn joined(stream: StreamId) -> Self {
        Self { stream, in_flight: 0, needs_keyframe: true }
    }

    /// Whether another picture may be sent.
    pub fn has_room(&self) -> bool {
        self.in_flight < Self::MAX_IN_FLIGHT
    }
}
