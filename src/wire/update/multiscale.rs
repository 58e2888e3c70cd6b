//! Scope `multiscale`.

use super::{Asked, read::text};
use crate::wire::conventions::Dialect;
use lucida_components::{fault::Rejection, intent::Change, lod::LodPolicy};
use serde_json::Value;

pub(super) fn multiscale(asked: &Asked<'_>) -> Result<Change, Rejection> {
    asked.on_main()?;
    match asked.key {
        "level" => level(asked.value),
        // The older server has no policy to choose; its client hears what it expects.
        "policy" if asked.dialect == Dialect::Napari => {
            Err(Rejection::unsupported("the policy of levels cannot be chosen"))
        }
        "policy" => match text(asked.value, "policy")?.to_lowercase().as_str() {
            "auto" => Ok(Change::Policy(LodPolicy::Auto)),
            "locked" => Ok(Change::Policy(LodPolicy::Locked)),
            _ => Err(Rejection::unsupported("policy is \"auto\" or \"locked\"")),
        },
        _ => Err(asked.unsupported_key()),
    }
}

/// A whole number, or a text that is one.
fn level(value: &Value) -> Result<Change, Rejection> {
    let level = match value {
        Value::String(s) => s.trim().parse().ok(),
        _ => value.as_i64(),
    };
    level.map(Change::Level).ok_or_else(|| Rejection::invalid("level must be a whole number"))
}
