//! `call.command` and its answers.

mod listing;
mod seats;
#[cfg(test)]
mod tests;

pub use listing::{Entry, Listing, Wanted, ZarrMetadata};

use super::fields::{Fields, clipped};
use lucida_components::{seats::SeatChange, session::Features, value::Value as Told};
use serde_json::{Map, Value, json};

/// Asks for a keyframe.
const KEYFRAME: &str = "napari.pixel.request_keyframe";
/// Shows another image.
const LOAD: &str = "napari.load_zarr";

/// What lies in a folder.
const LIST: &str = "fs.listdir";

/// The commands of the base protocol, in its order.
const BASE: [&str; 3] = [KEYFRAME, LIST, LOAD];

/// The commands there are, as the welcome lists them.
pub fn catalogue(features: Features) -> Vec<&'static str> {
    let ours: &[&str] = if features.seats { &seats::CATALOGUE } else { &[] };
    BASE.iter().chain(ours).copied().collect()
}

/// A command that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Start decoding anew.
    RequestKeyframe,
    /// Show the image at this path.
    LoadZarr {
        /// As the client named it.
        path: String,
    },
    /// Tell what lies in a folder.
    ListDir(Wanted),
    /// Views and sessions: an intent, whose acknowledgement is the answer.
    Seat(SeatChange),
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CommandFailure {
    /// Class of the failure.
    pub code: CommandCode,
    /// A sentence: what, and the way out.
    pub message: String,
    /// For [`CommandCode::Ambiguous`]: the images found below `path`, relative to it.
    pub options: Vec<String>,
    /// The path it is about, where it is about one.
    pub path: Option<String>,
}

/// Class of a command's failure; the wire has a word for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandCode {
    /// The frame is malformed.
    Forbidden,
    /// Wrong arguments.
    Invalid,
    /// No command of that name.
    NotFound,
    /// It failed this time.
    Retryable,
    /// The path may not be opened.
    PathForbidden,
    /// Nothing is there.
    PathNotFound,
    /// More than one image is there.
    Ambiguous,
    /// It is no image that can be read.
    InvalidImage,
}

impl CommandCode {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "command.forbidden",
            Self::Invalid => "command.invalid",
            Self::NotFound => "command.not_found",
            Self::Retryable => "command.retryable",
            Self::PathForbidden => "fs.forbidden",
            Self::PathNotFound => "fs.not_found",
            Self::Ambiguous => "zarr.disambiguate",
            Self::InvalidImage => "zarr.invalid",
        }
    }
}

impl CommandFailure {
    /// A failure about no path.
    pub fn new(code: CommandCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), options: Vec::new(), path: None }
    }

    /// The same, about a path.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// Reads the payload of a `call.command` of a session with these features.
pub fn parse(payload: &Map<String, Value>, features: Features) -> Result<Call, CommandFailure> {
    let malformed = |e: String| CommandFailure::new(CommandCode::Forbidden, e);
    let payload = Fields::new("payload", payload);
    let name = payload.text("command").map_err(malformed)?;
    let args = payload.optional_list("args").map_err(malformed)?.unwrap_or_default();
    let kwargs = payload.optional_object("kwargs").map_err(malformed)?;
    let said = Said { args, kwargs };
    let invalid = |e: String| CommandFailure::new(CommandCode::Invalid, e);
    match name {
        KEYFRAME => Ok(Call::RequestKeyframe),
        LOAD => load(&said).map_err(invalid),
        LIST => listing::parse(&said).map(Call::ListDir).map_err(invalid),
        _ if features.seats && seats::CATALOGUE.contains(&name) => {
            seats::parse(name, &said).map(Call::Seat).map_err(invalid)
        }
        _ => Err(CommandFailure::new(
            CommandCode::NotFound,
            format!("unknown command '{}'; there are {}", clipped(name), catalogue(features).join(", ")),
        )),
    }
}

/// What a command came with.
struct Said<'a> {
    args: &'a [Value],
    kwargs: Option<Fields<'a>>,
}

impl<'a> Said<'a> {
    /// A value by name; `null` counts as absent.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.kwargs?.get(key)
    }

    /// A text by name, or the first of those without a name.
    fn first_text(&self, key: &str) -> Result<Option<&'a str>, String> {
        match self.text(key)? {
            Some(text) => Ok(Some(text)),
            None => match self.args.first() {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) if text.len() <= super::fields::MAX_TEXT => Ok(Some(text)),
                Some(_) => Err(format!("args: the first, {key}, must be a text")),
            },
        }
    }

    /// A text by name.
    fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        self.kwargs.map_or(Ok(None), |kwargs| kwargs.optional_text(key))
    }
}

fn load(said: &Said<'_>) -> Result<Call, String> {
    let path = said.first_text("path")?.unwrap_or_default().trim();
    if path.is_empty() {
        return Err("napari.load_zarr needs a path, a text that is not empty".into());
    }
    Ok(Call::LoadZarr { path: path.to_owned() })
}

/// The result of a command that the world carried out: what it names, or that it is done.
pub fn result(value: &Told) -> Value {
    match value {
        Told::Map(_) => super::ack::plain(value),
        _ => json!({ "ok": true }),
    }
}

/// The payload of a `reply.command`.
pub fn reply(in_reply_to: &str, result: Option<Value>) -> Value {
    let mut payload = json!({ "in_reply_to": in_reply_to, "status": "ok" });
    if let Some(result) = result {
        payload["result"] = result;
    }
    payload
}

/// The payload of an `error.command`.
pub fn error(in_reply_to: &str, why: &CommandFailure) -> Value {
    let mut payload = json!({
        "in_reply_to": in_reply_to,
        "status": "error",
        "code": why.code.as_str(),
        "message": why.message,
    });
    match (&why.path, why.code) {
        (Some(path), CommandCode::Ambiguous) => {
            payload["details"] = json!({ "path": path, "options": why.options });
        }
        (Some(path), _) => payload["details"] = json!({ "path": path }),
        (None, _) => {}
    }
    payload
}
