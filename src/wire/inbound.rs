//! One text of a client inside its session → what it means.

use super::{
    command::{self, Call, CommandCode, CommandFailure},
    conventions::Conventions,
    envelope::{EnvelopeError, MAX_NAME, MAX_TEXT, Raw, Rule},
    fields::Fields,
    update::{self, Refused},
};
use lucida_components::{ids::IntentRef, intent::Change};

/// What a client said.
#[derive(Debug, Clone)]
pub enum Said {
    /// A `state.update`, understood or to be refused.
    Update {
        /// How the client recognises the answer.
        intent: IntentRef,
        /// The change, or why there is none.
        change: Result<Change, Refused>,
    },
    /// A `call.command`, understood or to be refused.
    Call {
        /// How the client recognises the answer.
        frame_id: String,
        /// The command, or why there is none.
        call: Result<Call, CommandFailure>,
    },
    /// `session.goodbye`.
    Goodbye(Goodbye),
    /// A sign of life: heartbeat, ack, ping, anything unknown.
    Alive,
}

/// The words of a goodbye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goodbye {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// Why.
    pub reason: String,
}

impl Goodbye {
    /// A goodbye of the server.
    pub fn new(code: &str, message: &str, reason: &str) -> Self {
        Self { code: code.into(), message: message.into(), reason: reason.into() }
    }
}

/// A text that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Reads a text of the session `session`, by its conventions.
pub fn parse(text: &str, session: &str, conventions: &Conventions) -> Result<Said, Malformed> {
    if text.len() > MAX_TEXT {
        return Err(Malformed(format!("longer than {MAX_TEXT} bytes")));
    }
    let raw = Raw::parse(text).map_err(|e| Malformed(e.to_string()))?;
    match raw.kind.as_str() {
        "state.update" => update_of(raw, text.len(), session, conventions),
        "call.command" => call_of(raw, session, conventions),
        "session.goodbye" => {
            let frame = own(raw, session)?;
            goodbye(Fields::new("payload", &frame.payload)).map(Said::Goodbye).map_err(Malformed)
        }
        "session.ack" | "session.heartbeat" => own(raw, session).map(|_| Said::Alive),
        _ => Ok(Said::Alive),
    }
}

fn own(raw: Raw, session: &str) -> Result<super::envelope::Incoming, Malformed> {
    let frame = raw.check(Rule::SESSION).map_err(|e| Malformed(e.to_string()))?;
    if frame.session.as_deref() != Some(session) {
        return Err(Malformed("the frame names another session".into()));
    }
    Ok(frame)
}

/// A malformed command is told so if its sender can tell which.
fn call_of(raw: Raw, session: &str, conventions: &Conventions) -> Result<Said, Malformed> {
    let identity = raw.frame_of(session);
    match (own(raw, session), identity) {
        (Ok(frame), _) => {
            let call = command::parse(&frame.payload, conventions.features());
            Ok(Said::Call { frame_id: frame.frame_id, call })
        }
        (Err(Malformed(why)), Some(frame_id)) => {
            Ok(Said::Call { frame_id, call: Err(CommandFailure::new(CommandCode::Forbidden, why)) })
        }
        (Err(malformed), None) => Err(malformed),
    }
}

fn update_of(raw: Raw, bytes: usize, session: &str, conventions: &Conventions) -> Result<Said, Malformed> {
    let identity = raw.identity();
    let frame = raw.check(Rule::UPDATE).and_then(|frame| {
        if bytes > update::MAX_BYTES {
            return Err(EnvelopeError::Invalid(format!("longer than {} bytes", update::MAX_BYTES)));
        }
        if frame.session.as_deref() != Some(session) {
            return Err(EnvelopeError::Invalid("the frame names another session".into()));
        }
        Ok(frame)
    });
    let Some((intent_id, frame_id)) = identity else {
        let why = frame.err().map_or_else(String::new, |e| e.to_string());
        return Err(Malformed(why));
    };
    let intent = IntentRef { intent_id, frame_id };
    let change = match frame {
        Ok(frame) => update::parse(&frame.payload, conventions),
        Err(e) => Err(Refused::malformed(e.to_string())),
    };
    Ok(Said::Update { intent, change })
}

fn goodbye(payload: Fields<'_>) -> Result<Goodbye, String> {
    let payload = payload.only(&["code", "message", "reason"])?;
    let word = |key: &str, default: &str| -> Result<String, String> {
        let text = payload.optional_text(key)?.unwrap_or(default);
        Ok(text.chars().take(MAX_NAME).collect())
    };
    Ok(Goodbye {
        code: word("code", "goodbye")?,
        message: word("message", "client requested shutdown")?,
        reason: word("reason", "client_goodbye")?,
    })
}

/// A command that could not be carried out because the server is busy with another.
pub fn busy() -> CommandFailure {
    CommandFailure::new(CommandCode::Retryable, "other commands are still being carried out; try again")
}
