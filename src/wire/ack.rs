//! `ack.state`: the answer to one `state.update`.

use lucida_components::{
    fault::{RejectCode, Rejection},
    ids::IntentRef,
    notice::AckApplied,
    stream::Canvas,
    value::Value,
};
use serde_json::{Map, Value as Json, json};

/// The payload for something applied. Pixel rows are counted from the bottom again, on `canvas`.
pub fn accepted(intent: &IntentRef, applied: &AckApplied, canvas: Canvas) -> Json {
    let mut payload = json!({
        "intent_id": intent.intent_id,
        "in_reply_to": intent.frame_id,
        "status": "accepted",
        "version": applied.version,
    });
    match value(&applied.value, canvas) {
        Json::Null => {}
        told => payload["applied_value"] = told,
    }
    payload
}

/// The payload for something refused; `details` names what was asked for, where the wire refused it itself.
pub fn rejected(intent: &IntentRef, why: &Rejection, details: Option<Json>) -> Json {
    let mut error = json!({ "code": code(why.code), "message": why.message });
    if let Some(details) = details {
        error["details"] = details;
    }
    json!({
        "intent_id": intent.intent_id,
        "in_reply_to": intent.frame_id,
        "status": "rejected",
        "error": error,
    })
}

fn code(code: RejectCode) -> &'static str {
    match code {
        RejectCode::Invalid => "state.invalid",
        RejectCode::Error => "state.error",
        RejectCode::Unsupported => "state.unsupported",
        RejectCode::Forbidden => "state.forbidden",
    }
}

fn value(value: &Value, canvas: Canvas) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::Float(v) => json!(v),
        Value::Text(v) => json!(v),
        Value::Floats(v) => json!(v),
        Value::List(entries) => entries.iter().map(|v| self::value(v, canvas)).collect(),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, v)| ((*key).to_owned(), entry(key, v, canvas)))
                .collect::<Map<String, Json>>(),
        ),
    }
}

fn entry(key: &str, v: &Value, canvas: Canvas) -> Json {
    match (key, v) {
        ("anchor_px", Value::Floats(at)) if at.len() == 2 => json!([at[0], f64::from(canvas.height) - at[1]]),
        _ => value(v, canvas),
    }
}
