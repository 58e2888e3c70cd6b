//! Reading payloads: typed fields, and errors that name them.

use serde_json::{Map, Value};

/// Longest list that is read.
pub const MAX_LIST: usize = 64;
/// Longest text in a payload, bytes: a path.
pub const MAX_TEXT: usize = 4096;

/// An object of a payload; `null` counts as absent.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    what: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// Wraps an object; `what` names it in errors.
    pub fn new(what: &'static str, map: &'a Map<String, Value>) -> Self {
        Self { what, map }
    }

    /// Refuses every key that is not listed.
    pub fn only(self, keys: &[&str]) -> Result<Self, String> {
        match self.map.keys().find(|k| !keys.contains(&k.as_str())) {
            Some(key) => Err(format!("{}: unknown key {}", self.what, clipped(key))),
            None => Ok(self),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    /// A text that must be there.
    pub fn text(&self, key: &str) -> Result<&'a str, String> {
        self.optional_text(key)?.ok_or_else(|| format!("{}: {key} is missing", self.what))
    }

    /// A text that may be absent.
    pub fn optional_text(&self, key: &str) -> Result<Option<&'a str>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(s)) if s.len() <= MAX_TEXT => Ok(Some(s)),
            Some(_) => Err(format!("{}: {key} must be a text of at most {MAX_TEXT} bytes", self.what)),
        }
    }

    /// An object that may be absent, of at most [`MAX_LIST`] entries.
    pub fn optional_object(&self, key: &'static str) -> Result<Option<Fields<'a>>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) if map.len() <= MAX_LIST => Ok(Some(Fields::new(key, map))),
            Some(_) => Err(format!("{}: {key} must be an object of at most {MAX_LIST} entries", self.what)),
        }
    }

    /// An object that must be there.
    pub fn object(&self, key: &'static str) -> Result<Fields<'a>, String> {
        self.optional_object(key)?.ok_or_else(|| format!("{}: {key} is missing", self.what))
    }

    /// A list that may be absent, of at most [`MAX_LIST`] entries.
    pub fn optional_list(&self, key: &str) -> Result<Option<&'a [Value]>, String> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(list)) if list.len() <= MAX_LIST => Ok(Some(list)),
            Some(_) => Err(format!("{}: {key} must be a list of at most {MAX_LIST} entries", self.what)),
        }
    }

    /// Its keys and values.
    pub fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.map.iter()
    }
}

/// A text of a client, short enough to be told back.
pub fn clipped(text: &str) -> String {
    let mut short: String = text.chars().take(64).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
