//! `ack.state`: accepted with a version, or rejected with an error.

use super::{Rule, count, keys, object, text};
use serde_json::Value;

/// What the client has words for (forbidden is only in its documents).
const CODES: &[&str] = &["state.invalid", "state.error", "state.unsupported"];

pub fn check(payload: &Value) -> Rule {
    keys(
        payload,
        "payload",
        &["intent_id", "in_reply_to", "status"],
        &["applied_value", "error", "version"],
    )?;
    // It matches answers by this.
    text(&payload["in_reply_to"], "in_reply_to")?;
    text(&payload["intent_id"], "intent_id")?;
    match text(&payload["status"], "status")? {
        "accepted" => {
            must!(payload.get("version").is_some(), "accepted without a version");
            count(&payload["version"], "version")?;
            must!(payload.get("error").is_none(), "accepted with an error");
        }
        "rejected" => {
            keys(&payload["error"], "error", &["code", "message"], &["details"])?;
            let code = text(&payload["error"]["code"], "error.code")?;
            must!(CODES.contains(&code), "error.code {code} is unknown");
            text(&payload["error"]["message"], "error.message")?;
            if let Some(details) = payload["error"].get("details") {
                object(details, "error.details")?;
            }
        }
        other => return Err(format!("status {other}")),
    }
    Ok(())
}
