//! `omero`: rendering settings.

use super::notes::{Notes, Version};
use serde_json::Value;

/// Judges the settings.
pub fn check(value: &Value, notes: &mut Notes) {
    if !value.is_object() {
        return notes.must("omero", "not an object");
    }
    let Some(channels) = value["channels"].as_array() else {
        let reason = if value["channels"].is_null() { "missing" } else { "not a list" };
        return notes.must("omero.channels", reason);
    };
    for (i, entry) in channels.iter().enumerate() {
        let at = format!("omero.channels[{i}]");
        if entry.is_object() {
            channel(entry, &at, notes);
        } else {
            notes.must(at, "not an object");
        }
    }
}

fn channel(channel: &Value, at: &str, notes: &mut Notes) {
    let needed = notes.version == Version::V04;
    for key in ["label", "family"] {
        notes.optional_text(&channel[key], &format!("{at}.{key}"));
    }
    if !channel["active"].is_null() && !channel["active"].is_boolean() {
        notes.must(format!("{at}.active"), format!("{} is not true or false", channel["active"]));
    }
    let colour = &channel["color"];
    if needed || !colour.is_null() {
        let at = format!("{at}.color");
        let is_hex = |c: &str| c.len() == 6 && c.bytes().all(|b| b.is_ascii_hexdigit());
        if notes.text(colour, &at).is_some_and(|c| !is_hex(c)) {
            notes.should(at, format!("{colour} is not RRGGBB"));
        }
    }
    let window = &channel["window"];
    if window.is_null() && !needed {
        return;
    }
    let at = format!("{at}.window");
    if !window.is_object() {
        return notes.must(at, if window.is_null() { "missing" } else { "not an object" });
    }
    for key in ["start", "min", "end", "max"] {
        if !window[key].is_number() {
            let reason = if window[key].is_null() { "missing" } else { "not a number" };
            notes.must(format!("{at}.{key}"), reason);
        }
    }
}
