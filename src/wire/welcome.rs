//! `session.welcome`: what was negotiated.

use super::{command, hello::Hello};
use lucida_components::session::Features;
use serde_json::{Value, json};
use std::time::Duration;

/// All-blocks `notify.view` and `notify.residency`.
const VIEW: &str = "lucida.view";
/// Pictures with an extension, acknowledged by the client.
const FRAMES: &str = "lucida.frames";

/// What a client gets. Dims and camera are on whether asked for or not, as the base protocol has it.
pub fn negotiate(hello: &Hello) -> Features {
    Features {
        view: hello.features.contains(VIEW),
        frames: hello.features.contains(FRAMES),
        dims: true,
        camera: true,
    }
}

/// The payload of the welcome. A client that did not ask for our additions does not see them named.
pub fn payload(session: &str, heartbeat: Duration, features: Features) -> Value {
    let resumable = json!({ "enabled": true, "version": 1, "resume": true });
    let plain = json!({ "enabled": true, "version": 1, "resume": false });
    let mut topics = json!({
        "notify.scene": resumable,
        "notify.layers": resumable,
        "notify.stream": resumable,
        "notify.dims": plain,
        "notify.camera": plain,
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
