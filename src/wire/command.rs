//! `call.command` and its answers.

use super::fields::{Fields, clipped};
use serde_json::{Map, Value, json};

/// Asks for a keyframe.
const KEYFRAME: &str = "napari.pixel.request_keyframe";
/// Shows another image.
const LOAD: &str = "napari.load_zarr";

/// The commands there are, as the welcome lists them.
pub const CATALOGUE: [&str; 2] = [KEYFRAME, LOAD];

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

/// Reads the payload of a `call.command`.
pub fn parse(payload: &Map<String, Value>) -> Result<Call, CommandFailure> {
    let malformed = |e: String| CommandFailure::new(CommandCode::Forbidden, e);
    let payload = Fields::new("payload", payload);
    let name = payload.text("command").map_err(malformed)?;
    let args = payload.optional_list("args").map_err(malformed)?.unwrap_or_default();
    let kwargs = payload.optional_object("kwargs").map_err(malformed)?;
    match name {
        KEYFRAME => Ok(Call::RequestKeyframe),
        LOAD => {
            let invalid = |e: String| CommandFailure::new(CommandCode::Invalid, e);
            let named = kwargs.map(|k| k.optional_text("path")).transpose().map_err(invalid)?.flatten();
            let path = named.or_else(|| args.first()?.as_str()).unwrap_or_default().trim();
            if path.is_empty() || path.len() > super::fields::MAX_TEXT {
                return Err(invalid("napari.load_zarr needs a path, a text that is not empty".into()));
            }
            Ok(Call::LoadZarr { path: path.to_owned() })
        }
        _ => Err(CommandFailure::new(
            CommandCode::NotFound,
            format!("unknown command '{}'; there are {}", clipped(name), CATALOGUE.join(", ")),
        )),
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
