//! `session.welcome`: what was negotiated.

use super::{command, conventions::Dialect, hello::Hello};
use lucida_components::{
    notice::{Cursors, Mark},
    session::{Features, Resume},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Place, level and mode.
const DIMS: &str = "notify.dims";
/// The pose.
const CAMERA: &str = "notify.camera";
/// What pictures cost.
const TELEMETRY: &str = "notify.telemetry";
/// The level.
const LEVEL: &str = "notify.scene.level";
/// What went wrong.
const ERROR: &str = "notify.error";
/// All-blocks `notify.view` and `notify.residency`.
const VIEW: &str = "lucida.view";
/// Pictures with an extension, acknowledged by the client.
const FRAMES: &str = "lucida.frames";
/// Who is here, views of one's own.
const SEATS: &str = "lucida.seats";
/// Small pictures of layers.
const THUMBNAILS: &str = "lucida.thumbnails";

/// Digits of a token that name what was open: those of the process and of the image.
const EPOCH: usize = 24;

/// What a client gets. Dims and camera are on whether asked for or not, as the base protocol has it; a client
/// that has all of it from `notify.view` may decline them. In napari-cuda's dialect nothing can be chosen.
pub fn negotiate(hello: &Hello, dialect: Dialect) -> Features {
    if dialect == Dialect::Napari {
        return Features { thumbnails: true, ..Features::BASE };
    }
    let asked = |topic| hello.features.contains(topic);
    let view = asked(VIEW);
    let on = |topic| !(view && hello.declined.contains(topic));
    Features {
        view,
        frames: asked(FRAMES),
        dims: on(DIMS),
        camera: on(CAMERA),
        seats: asked(SEATS),
        thumbnails: asked(THUMBNAILS),
        level: asked(LEVEL),
        telemetry: asked(TELEMETRY),
        incidents: asked(ERROR),
    }
}

/// What the welcome tells.
#[derive(Debug, Clone, Copy)]
pub struct Welcome<'a> {
    /// The session's name.
    pub session: &'a str,
    /// Time between heartbeats.
    pub heartbeat: Duration,
    /// What the session speaks.
    pub dialect: Dialect,
    /// What was negotiated.
    pub features: Features,
    /// What the client was told last, in a connection before this.
    pub resume: &'a Resume,
    /// Where the topics stand now.
    pub cursors: &'a Cursors,
}

impl Welcome<'_> {
    /// The payload. A client that did not ask for our additions does not see them named.
    pub fn payload(&self) -> Value {
        let features = self.features;
        let plain = json!({ "enabled": true, "version": 1, "resume": false });
        let if_on = |on: bool| if on { plain.clone() } else { json!({ "enabled": false }) };
        let mut topics = json!({
            "notify.scene": resumable(self.scene()),
            "notify.layers": resumable(self.layers()),
            "notify.stream": resumable(self.stream()),
            DIMS: if_on(features.dims),
            CAMERA: if_on(features.camera),
            TELEMETRY: if_on(features.telemetry),
            "call.command": {
                "enabled": true, "version": 1, "resume": false, "commands": command::catalogue(features),
            },
        });
        if self.dialect == Dialect::House {
            for (name, on) in [
                (VIEW, features.view),
                (FRAMES, features.frames),
                (SEATS, features.seats),
                (THUMBNAILS, features.thumbnails),
                (LEVEL, features.level),
                (ERROR, features.incidents),
            ] {
                if on {
                    topics[name] = plain.clone();
                }
            }
        }
        json!({
            "protocol_version": super::envelope::VERSION,
            "session": { "id": self.session, "heartbeat_s": self.heartbeat.as_secs_f64(), "ack_timeout_ms": 250 },
            "features": topics,
        })
    }

    /// Where the scene stands, if the client knows the image that is open. What it holds is told anew in any case.
    pub(super) fn scene(&self) -> Option<&Mark> {
        let token = self.resume.scene.as_deref()?.get(..EPOCH)?;
        self.cursors.scene.as_ref().filter(|now| now.token.get(..EPOCH) == Some(token))
    }

    /// Where the layers stand, if the client knows everything up to there.
    pub(super) fn layers(&self) -> Option<&Mark> {
        current(self.resume.layers.as_deref(), self.cursors.layers.as_ref())
    }

    fn stream(&self) -> Option<&Mark> {
        current(self.resume.stream.as_deref(), self.cursors.stream.as_ref())
    }
}

fn current<'a>(token: Option<&str>, now: Option<&'a Mark>) -> Option<&'a Mark> {
    now.filter(|now| token == Some(&now.token))
}

/// A topic that can be gone on with. The client keeps the place that it is told here and no other.
fn resumable(place: Option<&Mark>) -> Value {
    let mut topic = json!({ "enabled": true, "version": 1, "resume": true });
    if let Some(mark) = place {
        topic["resume_state"] = json!({ "seq": mark.seq, "delta_token": mark.token });
    }
    topic
}
