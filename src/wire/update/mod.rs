//! `state.update` → [`Change`]: by hand, with every rule that needs no ledger. What needs the ledger
//! (does the axis, the layer, the level exist?) is the reducers' to check.

mod camera;
mod clip;
mod control;
mod dims;
mod multiscale;
mod read;
mod stream;

use super::{
    conventions::{Conventions, Dialect},
    fields::{Fields, clipped},
    napari,
};
use lucida_components::{fault::Rejection, intent::Change, stream::Canvas};
use serde_json::{Map, Value, json};

/// Longest `state.update`, bytes.
pub const MAX_BYTES: usize = 64 << 10;

/// A `state.update` that the wire refuses itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Why.
    pub why: Rejection,
    /// What was asked for, as the acknowledgement tells it back.
    pub(super) details: Option<Value>,
}

impl Refused {
    /// The frame itself is wrong.
    pub fn malformed(error: String) -> Self {
        Self { why: Rejection::invalid(error), details: None }
    }
}

/// What is asked for, before it is known to make sense.
struct Asked<'a> {
    scope: &'a str,
    target: &'a str,
    key: &'a str,
    value: &'a Value,
    /// What pixels refer to.
    canvas: Canvas,
    dialect: Dialect,
}

impl Asked<'_> {
    fn unsupported_key(&self) -> Rejection {
        Rejection::invalid(format!("unsupported {} key {}", clipped(self.scope), clipped(self.key)))
    }

    /// Refuses a target other than none or `main`.
    fn on_main(&self) -> Result<(), Rejection> {
        if self.target.is_empty() || self.target.eq_ignore_ascii_case("main") {
            return Ok(());
        }
        Err(Rejection::invalid(format!("the target of {} is \"main\"", self.scope)))
    }
}

/// Reads the payload, by the conventions of its session.
pub fn parse(payload: &Map<String, Value>, conventions: &Conventions) -> Result<Change, Refused> {
    let fields = Fields::new("payload", payload);
    let text = |key| fields.text(key).map(str::trim).map_err(Refused::malformed);
    let (scope, key) = (text("scope")?.to_lowercase(), text("key")?.to_lowercase());
    let target = text("target")?;
    let Some(value) = payload.get("value") else {
        return Err(Refused::malformed("payload: value is missing".into()));
    };
    let (told, dialect) = (conventions.told(), conventions.dialect());
    let asked = Asked { scope: &scope, target, key: &key, value, canvas: told.canvas, dialect };
    let understood = match dialect {
        Dialect::House => change(&asked),
        Dialect::Napari if !napari::knows(&scope, &key) => Err(asked.unsupported_key()),
        Dialect::Napari => change(&asked).and_then(|change| napari::understood(change, &told)),
    };
    understood.map_err(|why| Refused {
        why,
        details: Some(json!({ "scope": clipped(&scope), "key": clipped(&key), "target": clipped(target) })),
    })
}

fn change(asked: &Asked<'_>) -> Result<Change, Rejection> {
    match asked.scope {
        "view" => dims::view(asked),
        "dims" => dims::dims(asked),
        "camera" => camera::camera(asked),
        "clip" => clip::clip(asked),
        "layer" => control::layer(asked),
        "volume" => control::volume(asked),
        "multiscale" => multiscale::multiscale(asked),
        "stream" => stream::stream(asked),
        _ => Err(asked.unsupported_key()),
    }
}

#[cfg(test)]
mod tests;
