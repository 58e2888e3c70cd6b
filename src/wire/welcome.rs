//! `session.welcome`: what was negotiated.

use super::{command, hello::Hello};
use lucida_components::session::Features;
use serde_json::{Value, json};
use std::time::Duration;

/// Place, level and mode.
const DIMS: &str = "notify.dims";
/// The pose.
const CAMERA: &str = "notify.camera";
/// All-blocks `notify.view` and `notify.residency`.
const VIEW: &str = "lucida.view";
/// Pictures with an extension, acknowledged by the client.
const FRAMES: &str = "lucida.frames";

/// What a client gets. Dims and camera are on whether asked for or not, as the base protocol has it; a client
/// that has all of it from `notify.view` may decline them.
pub fn negotiate(hello: &Hello) -> Features {
    let view = hello.features.contains(VIEW);
    let on = |topic| !(view && hello.declined.contains(topic));
    Features {
        view,
        frames: hello.features.contains(FRAMES),
        dims: on(DIMS),
        camera: on(CAMERA),
        ..Features::default()
    }
}

/// The payload of the welcome. A client that did not ask for our additions does not see them named.
pub fn payload(session: &str, heartbeat: Duration, features: Features) -> Value {
    let resumable = json!({ "enabled": true, "version": 1, "resume": true });
    let plain = json!({ "enabled": true, "version": 1, "resume": false });
    let if_on = |on: bool| if on { plain.clone() } else { json!({ "enabled": false }) };
    let mut topics = json!({
        "notify.scene": resumable,
        "notify.layers": resumable,
        "notify.stream": resumable,
        DIMS: if_on(features.dims),
        CAMERA: if_on(features.camera),
        "notify.telemetry": { "enabled": false },
        "call.command": { "enabled": true, "version": 1, "resume": false, "commands": command::CATALOGUE },
    });
    for (name, on) in [(VIEW, features.view), (FRAMES, features.frames)] {
        if on {
            topics[name] = plain.clone();
        }
    }
    json!({
        "protocol_version": super::envelope::VERSION,
        "session": { "id": session, "heartbeat_s": heartbeat.as_secs_f64(), "ack_timeout_ms": 250 },
        "features": topics,
    })
}
