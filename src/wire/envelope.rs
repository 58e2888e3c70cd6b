//! The envelope of every state frame: one JSON object per text message.
//!
//! `null` counts as absent; keys of the envelope that are not listed here are ignored.

use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The protocol's version, in every frame.
pub const VERSION: i64 = 2;
/// Longest state frame that is read, bytes.
pub const MAX_TEXT: usize = 1 << 20;
/// Longest name of a frame, an intent, a scope or a key, bytes.
pub const MAX_NAME: usize = 256;

/// A frame whose type is known and nothing else checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// `type` as sent.
    pub kind: String,
    object: Map<String, Value>,
}

/// A frame whose envelope is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// `session`, where the type wants one.
    pub session: Option<String>,
    /// `frame_id`.
    pub frame_id: String,
    /// `intent_id`, where the type wants one.
    pub intent_id: Option<String>,
    /// `payload`.
    pub payload: Map<String, Value>,
}

/// Why a text is no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON at all, or nested too deep.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("a frame is a JSON object")]
    NotObject,
    /// No `type`, or not a text.
    #[error("the frame has no type")]
    NoType,
    /// The keys do not fit the type.
    #[error("{0}")]
    Invalid(String),
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Forbidden,
}

/// What the envelope of one type must hold. Frames of clients never carry a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    session: Need,
    intent_id: Need,
}

impl Rule {
    /// `session.hello`: there is no session yet.
    pub const HELLO: Self = Self { session: Need::Forbidden, intent_id: Need::Forbidden };
    /// Frames inside a session: ack, heartbeat, goodbye, commands.
    pub const SESSION: Self = Self { session: Need::Required, intent_id: Need::Forbidden };
    /// `state.update`.
    pub const UPDATE: Self = Self { session: Need::Required, intent_id: Need::Required };
}

impl Raw {
    /// Reads a text as far as its type.
    pub fn parse(text: &str) -> Result<Self, EnvelopeError> {
        let value = serde_json::from_str(text).map_err(|e| EnvelopeError::NotJson(e.to_string()))?;
        let Value::Object(object) = value else { return Err(EnvelopeError::NotObject) };
        match object.get("type") {
            Some(Value::String(kind)) => Ok(Self { kind: kind.clone(), object }),
            _ => Err(EnvelopeError::NoType),
        }
    }

    /// The names by which a client would recognise an answer, if they can be had although the frame is wrong.
    pub fn identity(&self) -> Option<(String, String)> {
        self.name("session").ok()??;
        Some((self.name("intent_id").ok()??, self.name("frame_id").ok()??))
    }

    /// The frame's name, if it can be had and the frame is one of this session, although it is wrong otherwise.
    pub fn frame_of(&self, session: &str) -> Option<String> {
        let own = self.name("session").ok()?.as_deref() == Some(session);
        own.then(|| self.name("frame_id").ok().flatten()).flatten()
    }

    /// Checks the envelope against its rule.
    pub fn check(mut self, rule: Rule) -> Result<Incoming, EnvelopeError> {
        let invalid = |text: String| EnvelopeError::Invalid(text);
        if self.object.get("version").and_then(Value::as_i64) != Some(VERSION) {
            return Err(invalid(format!("version must be {VERSION}")));
        }
        if !self.object.get("timestamp").is_some_and(Value::is_number) {
            return Err(invalid("timestamp must be a number".into()));
        }
        let session = self.needed("session", rule.session)?;
        let frame_id = self.needed("frame_id", Need::Required)?.unwrap_or_default();
        let intent_id = self.needed("intent_id", rule.intent_id)?;
        for key in ["seq", "delta_token"] {
            if self.object.get(key).is_some_and(|v| !v.is_null()) {
                return Err(invalid(format!("{key} is not allowed here")));
            }
        }
        match self.object.remove("payload") {
            Some(Value::Object(payload)) => Ok(Incoming { session, frame_id, intent_id, payload }),
            _ => Err(invalid("payload must be an object".into())),
        }
    }

    fn needed(&self, key: &str, need: Need) -> Result<Option<String>, EnvelopeError> {
        match (self.name(key)?, need) {
            (None, Need::Required) => Err(EnvelopeError::Invalid(format!("{key} is missing"))),
            (Some(_), Need::Forbidden) => Err(EnvelopeError::Invalid(format!("{key} is not allowed here"))),
            (name, _) => Ok(name),
        }
    }

    fn name(&self, key: &str) -> Result<Option<String>, EnvelopeError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(s)) if !s.is_empty() && s.len() <= MAX_NAME => Ok(Some(s.clone())),
            Some(_) => Err(EnvelopeError::Invalid(format!("{key} must be a text of 1 to {MAX_NAME} bytes"))),
        }
    }
}

/// A frame on its way out. Absent keys are omitted.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    version: i64,
    /// `session`; absent in a reject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Arc<str>>,
    /// `frame_id`; the echo of an intent goes by its `intent_id` instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_id: Option<String>,
    /// Seconds since the epoch.
    pub timestamp: f64,
    /// `seq` of a resumable notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// `delta_token` of a resumable notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_token: Option<String>,
    /// The intent that caused a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent_id: Option<String>,
    /// `payload`, always there.
    pub payload: Value,
}

impl Frame {
    /// A frame with nothing optional in its envelope.
    pub fn new(kind: &'static str, frame_id: String, payload: Value) -> Self {
        Self {
            kind,
            version: VERSION,
            session: None,
            frame_id: Some(frame_id),
            timestamp: now(),
            seq: None,
            delta_token: None,
            intent_id: None,
            payload,
        }
    }

    /// The text to send.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists always have a JSON form")
    }
}

/// Seconds since the epoch.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}
