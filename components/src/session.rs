//! A session: one connected client.

use crate::{
    ids::{SessionId, StreamId, ViewId},
    stream::{Canvas, Orientation},
};
use bevy_ecs::component::Component;
use serde::Serialize;

/// One connected client. Its [`SessionId`] and [`crate::outbox::Outbox`] are beside it on the entity.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct Session {
    /// The view it looks at and changes.
    pub view: ViewId,
    /// What it negotiated.
    pub features: Features,
    /// What it may do now.
    pub role: Role,
    /// What it may give itself: it came with the key to no more.
    pub most: Role,
    /// What others see it as.
    pub name: String,
    /// Size of its picture; that of its view where it never said.
    pub canvas: Option<Canvas>,
    /// Row order of its picture.
    pub orientation: Orientation,
    /// The session whose view it looks at, whichever that is.
    pub follows: Option<SessionId>,
    /// Whether it is told anything: a pixel channel that belongs to no session hears nothing.
    pub hears: bool,
    /// Where it was told last, in a connection before this.
    pub resume: Resume,
}

/// What a client brings when it joins.
#[derive(Debug, Clone, PartialEq)]
pub struct Newcomer {
    /// The view it looks at first.
    pub view: ViewId,
    /// What it negotiated.
    pub features: Features,
    /// What it may do.
    pub role: Role,
    /// What it may give itself later.
    pub most: Role,
    /// What others see it as; `None` for its number.
    pub name: Option<String>,
    /// Size of its picture, where it is fixed.
    pub canvas: Option<Canvas>,
    /// Row order of its picture.
    pub orientation: Orientation,
    /// Whether it is told anything.
    pub hears: bool,
    /// Tokens of a connection before this.
    pub resume: Resume,
}

impl Newcomer {
    /// One of these features that looks at the main view and may change it.
    pub fn new(features: Features) -> Self {
        Self {
            view: ViewId::MAIN,
            features,
            role: Role::Controller,
            most: Role::Controller,
            name: None,
            canvas: None,
            orientation: Orientation::TopDown,
            hears: true,
            resume: Resume::default(),
        }
    }
}

impl Session {
    /// The session that a newcomer becomes.
    pub fn of(id: SessionId, newcomer: Newcomer) -> Self {
        let Newcomer { view, features, role, most, name, canvas, orientation, hears, resume } = newcomer;
        let name = name.unwrap_or_else(|| id.to_string());
        Self { view, features, role, most, name, canvas, orientation, follows: None, hears, resume }
    }
}

/// What a session may do. Ordered: a later one may do all that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look, at any view; choose the size of its picture and its name.
    Viewer,
    /// Change everything.
    #[default]
    Controller,
}

impl Role {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Controller => "controller",
        }
    }

    /// Reads the wire's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Controller].into_iter().find(|r| r.as_str() == text)
    }
}

/// Tokens that a client kept from a connection before this, by topic: what it was told last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resume {
    /// Of `notify.scene`.
    pub scene: Option<String>,
    /// Of `notify.layers`.
    pub layers: Option<String>,
    /// Of `notify.stream`.
    pub stream: Option<String>,
}

/// What a session negotiated.
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
    /// Who is here, and which views there are.
    pub seats: bool,
    /// Layers come with thumbnails.
    pub thumbnails: bool,
    /// `notify.scene.level` is wanted.
    pub level: bool,
    /// `notify.telemetry` is wanted.
    pub telemetry: bool,
    /// `notify.error` is wanted.
    pub incidents: bool,
}

impl Features {
    /// What a client of the older protocol is told.
    pub const BASE: Self = Self {
        view: false,
        frames: false,
        dims: true,
        camera: true,
        seats: false,
        thumbnails: false,
        level: false,
        telemetry: false,
        incidents: false,
    };
    /// Everything that can be negotiated.
    pub const ALL: Self = Self {
        view: true,
        frames: true,
        dims: true,
        camera: true,
        seats: true,
        thumbnails: true,
        level: true,
        telemetry: true,
        incidents: true,
    };
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
    /// Grows from watcher to watcher: who came first leads, that is, its canvas is the view's.
    pub since: u64,
}

impl Watch {
    /// Pictures that may be under way to one client. Three keep a 60 Hz stream full over a 50 ms line.
    pub const MAX_IN_FLIGHT: u32 = 3;

    /// A watcher that has just joined, as the `since`-th.
    pub fn joined(stream: StreamId, since: u64) -> Self {
        Self { stream, in_flight: 0, needs_keyframe: true, since }
    }

    /// Whether another picture may be sent.
    pub fn has_room(&self) -> bool {
        self.in_flight < Self::MAX_IN_FLIGHT
    }
}
