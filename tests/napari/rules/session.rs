//! Welcome, refusal, farewell.

use super::{Rule, count, flag, keys, list, number, object, text};
use serde_json::Value;

/// The commands that this client knows.
pub const COMMANDS: &[&str] = &["napari.pixel.request_keyframe", "fs.listdir", "napari.load_zarr"];

/// Codes with which a hello can be refused.
const REJECTS: &[&str] = &[
    "timeout",
    "invalid_payload",
    "invalid_json",
    "unexpected_message",
    "protocol_mismatch",
    "unsupported_client",
    "invalid_resume_token",
    "server_full",
];

/// Topics with a stored history.
const RESUMABLE: &[&str] = &["notify.scene", "notify.layers", "notify.stream"];

pub fn welcome(frame: &Value, payload: &Value) -> Rule {
    keys(payload, "the welcome", &["protocol_version", "session", "features"], &[])?;
    must!(payload["protocol_version"].as_u64() == Some(2), "protocol_version is not 2");
    let session = &payload["session"];
    keys(session, "session", &["id", "heartbeat_s", "ack_timeout_ms"], &[])?;
    let id = text(&session["id"], "session.id")?;
    must!(frame["session"].as_str() == Some(id), "the envelope's session is not {id}");
    must!(number(&session["heartbeat_s"], "heartbeat_s")? > 0.0, "a heartbeat of 0 s");
    must!(number(&session["ack_timeout_ms"], "ack_timeout_ms")? > 0.0, "an ack_timeout_ms of 0");
    let features = object(&payload["features"], "features")?;
    for (name, feature) in features {
        keys(feature, name, &["enabled"], &["version", "resume", "commands", "resume_state"])?;
        let on = flag(&feature["enabled"], name)?;
        must!(!name.starts_with("lucida."), "{name} was not asked for");
        if let Some(version) = feature.get("version") {
            count(version, name)?;
        }
        if let Some(resume) = feature.get("resume") {
            must!(!flag(resume, name)? || RESUMABLE.contains(&name.as_str()), "{name} is not resumable");
        }
        if let Some(state) = feature.get("resume_state") {
            must!(RESUMABLE.contains(&name.as_str()), "{name} has a resume_state");
            keys(state, "resume_state", &["seq", "delta_token"], &[])?;
            count(&state["seq"], "resume_state.seq")?;
            text(&state["delta_token"], "resume_state.delta_token")?;
        }
        must!(!on || name != "notify.telemetry", "telemetry is on, which this client drops");
    }
    // Without these the client stops, or never emits what a hand does.
    for name in [RESUMABLE[0], RESUMABLE[1], RESUMABLE[2], "notify.dims", "notify.camera", "call.command"] {
        must!(features.get(name).is_some_and(|f| f["enabled"] == true), "{name} is not on");
    }
    for name in RESUMABLE {
        must!(features[*name]["resume"] == true, "{name} says that it cannot be resumed");
    }
    let commands = list(&features["call.command"]["commands"], "commands")?;
    for name in COMMANDS {
        must!(commands.iter().any(|c| c == name), "{name} is not in the catalogue");
    }
    must!(commands.len() == COMMANDS.len(), "the catalogue has commands of others: {commands:?}");
    Ok(())
}

/// Tolerant of further keys.
pub fn reject(payload: &Value) -> Rule {
    let code = text(&payload["code"], "code")?;
    must!(REJECTS.contains(&code), "code {code} is unknown");
    text(&payload["message"], "message")?;
    if let Some(details) = payload.get("details") {
        object(details, "details")?;
    }
    Ok(())
}

pub fn goodbye(payload: &Value) -> Rule {
    for (key, value) in keys(payload, "goodbye", &[], &["code", "message", "reason"])? {
        text(value, key)?;
    }
    Ok(())
}
