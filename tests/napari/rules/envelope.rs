//! Which keys an envelope has, by type.

use super::{Rule, count, object, text};
use serde_json::Value;

/// All that an envelope can have.
const KEYS: &[&str] =
    &["type", "version", "timestamp", "session", "frame_id", "seq", "delta_token", "intent_id", "payload"];

/// Whether a key has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Yes,
    No,
    Maybe,
}

/// `session`, `frame_id`, `seq` with `delta_token`, `intent_id`. `notify.dims` always has a frame's id and never
/// an intent's: the client expects no echo there. `notify.camera` has one of the two, which is checked beside its
/// payload.
fn matrix(kind: &str) -> Option<[Has; 4]> {
    use Has::{Maybe, No, Yes};
    Some(match kind {
        "session.reject" => [No, Yes, No, No],
        "session.welcome" | "session.heartbeat" | "session.goodbye" | "notify.dims" | "ack.state"
        | "reply.command" | "error.command" => [Yes, Yes, No, No],
        "notify.scene" | "notify.layers" | "notify.stream" => [Yes, Maybe, Yes, Maybe],
        "notify.camera" => [Yes, Maybe, No, Maybe],
        _ => return None,
    })
}

pub fn check(frame: &Value) -> Rule {
    let envelope = object(frame, "a frame")?;
    for (key, value) in envelope {
        must!(KEYS.contains(&key.as_str()), "the envelope has {key}");
        must!(!value.is_null(), "{key} is null: the encoder leaves such keys out");
    }
    let kind = text(&frame["type"], "type")?;
    // Its documents say 1; its code drops what is not 2.
    must!(frame["version"].as_u64() == Some(2), "{kind}: version is {}, not 2", frame["version"]);
    must!(frame["timestamp"].is_number(), "{kind}: timestamp is missing");
    object(&frame["payload"], "payload")?;
    let Some(row) = matrix(kind) else { return Err(format!("{kind} is never sent to this client")) };
    for (key, has) in [("session", row[0]), ("frame_id", row[1]), ("intent_id", row[3])] {
        must!(has != Has::Yes || envelope.contains_key(key), "{kind} has no {key}");
        must!(has != Has::No || !envelope.contains_key(key), "{kind} has {key}");
        if envelope.contains_key(key) {
            text(&frame[key], key)?;
        }
    }
    for key in ["seq", "delta_token"] {
        must!(row[2] != Has::Yes || envelope.contains_key(key), "{kind} has no {key}");
        must!(row[2] != Has::No || !envelope.contains_key(key), "{kind} has {key}");
    }
    if row[2] == Has::Yes {
        let seq = count(&frame["seq"], "seq")?;
        text(&frame["delta_token"], "delta_token")?;
        must!(kind != "notify.scene" || seq == 0, "notify.scene with seq {seq}, which must always be 0");
    }
    Ok(())
}
