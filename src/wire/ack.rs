//! `ack.state`: the answer to one `state.update`.

use super::{
    conventions::{Conventions, Dialect, Told},
    napari,
};
use lucida_components::{
    fault::{RejectCode, Rejection},
    ids::IntentRef,
    notice::AckApplied,
    value::Value,
};
use serde_json::{Map, Value as Json, json};

/// The payload for something applied, in the terms of who asked.
pub fn accepted(intent: &IntentRef, applied: &AckApplied, conventions: &Conventions) -> Json {
    let mut payload = json!({
        "intent_id": intent.intent_id,
        "in_reply_to": intent.frame_id,
        "status": "accepted",
        "version": applied.version,
    });
    match value(applied, conventions) {
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

fn value(applied: &AckApplied, conventions: &Conventions) -> Json {
    let told = conventions.told();
    match (conventions.dialect(), applied.of, &told.state) {
        (Dialect::Napari, Some((layer, key)), Some(state)) => {
            plain(&napari::control_value(&applied.value, layer, key, state))
        }
        (dialect, ..) => posed(&applied.value, &told, dialect),
    }
}

/// What was done to a camera, as a client would ask for it: rows of pixels count from the bottom.
pub fn delta(value: &Value, conventions: &Conventions) -> Json {
    posed(value, &conventions.told(), conventions.dialect())
}

fn posed(value: &Value, told: &Told, dialect: Dialect) -> Json {
    let Value::Map(entries) = value else { return plain(value) };
    let entry = |name: &str, value: &Value| match (name, value, &told.state) {
        ("anchor_px", Value::Floats(at), _) if at.len() == 2 => {
            json!([at[0], f64::from(told.canvas.height) - at[1]])
        }
        (_, Value::Floats(numbers), Some(state)) if dialect == Dialect::Napari => {
            json!(napari::camera_value(name, numbers, state).as_ref().unwrap_or(numbers))
        }
        _ => plain(value),
    };
    Json::Object(entries.iter().map(|(name, v)| ((*name).to_owned(), entry(name, v))).collect())
}

/// A value as it is.
pub fn plain(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(v) => json!(v),
        Value::Int(v) => json!(v),
        Value::Float(v) => json!(v),
        Value::Text(v) => json!(v),
        Value::Floats(v) => json!(v),
        Value::List(entries) => entries.iter().map(plain).collect(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, v)| ((*name).to_owned(), plain(v)));
            Json::Object(entries.collect::<Map<String, Json>>())
        }
    }
}
