//! `axes`: what the dimensions are.

use super::notes::Notes;
use serde_json::Value;

/// Units of length that the specification lists.
const LENGTHS: [&str; 26] = [
    "angstrom",
    "attometer",
    "centimeter",
    "decimeter",
    "exameter",
    "femtometer",
    "foot",
    "gigameter",
    "hectometer",
    "inch",
    "kilometer",
    "megameter",
    "meter",
    "micrometer",
    "mile",
    "millimeter",
    "nanometer",
    "parsec",
    "petameter",
    "picometer",
    "terameter",
    "yard",
    "yoctometer",
    "yottameter",
    "zeptometer",
    "zettameter",
];

/// Units of time that it lists.
const TIMES: [&str; 23] = [
    "attosecond",
    "centisecond",
    "day",
    "decisecond",
    "exasecond",
    "femtosecond",
    "gigasecond",
    "hectosecond",
    "hour",
    "kilosecond",
    "megasecond",
    "microsecond",
    "millisecond",
    "minute",
    "nanosecond",
    "petasecond",
    "picosecond",
    "second",
    "terasecond",
    "yoctosecond",
    "yottasecond",
    "zeptosecond",
    "zettasecond",
];

/// Where each kind stands: time, then channels or others, then space.
fn rank(kind: Option<&str>) -> u8 {
    match kind {
        Some("time") => 0,
        Some("space") => 2,
        _ => 1,
    }
}

/// Judges the axes of one multiscales and returns their number, `None` where they are no list.
pub fn check(value: &Value, at: &str, notes: &mut Notes) -> Option<usize> {
    let axes = notes.list(value, at);
    if axes.is_empty() {
        return None;
    }
    if !(2..=5).contains(&axes.len()) {
        notes.must(at, format!("{} axes; 2 to 5 are allowed", axes.len()));
    }
    let mut names: Vec<&str> = Vec::new();
    for (i, axis) in axes.iter().enumerate() {
        let at = format!("{at}[{i}]");
        if !axis.is_object() {
            notes.must(at, "not an object");
            continue;
        }
        if let Some(name) = notes.text(&axis["name"], &format!("{at}.name")) {
            if names.contains(&name) {
                notes.must(format!("{at}.name"), format!("{name:?} stands twice"));
            }
            names.push(name);
        }
        kind_and_unit(axis, &at, notes);
    }
    let kinds: Vec<Option<&str>> = axes.iter().map(|a| a["type"].as_str()).collect();
    let count = |kind: &str| kinds.iter().filter(|k| **k == Some(kind)).count();
    if !(2..=3).contains(&count("space")) {
        notes.must(at, format!("{} axes of type \"space\"; 2 or 3 are needed", count("space")));
    }
    if count("time") > 1 {
        notes.must(at, "more than one axis of type \"time\"");
    }
    if kinds.iter().filter(|k| rank(**k) == 1).count() > 1 {
        notes.must(at, "more than one axis of channels or of a type of its own");
    }
    if !kinds.is_sorted_by_key(|k| rank(*k)) {
        notes.must(at, "not in the order time, channels or others, space");
    }
    let space: Vec<&str> =
        axes.iter().filter(|a| a["type"] == "space").filter_map(|a| a["name"].as_str()).collect();
    if space.len() == 3 && ["x", "y", "z"].iter().all(|n| space.contains(n)) && space != ["z", "y", "x"] {
        notes.should(at, "axes of space are not in the order z, y, x");
    }
    Some(axes.len())
}

fn kind_and_unit(axis: &Value, at: &str, notes: &mut Notes) {
    let kind = &axis["type"];
    match kind {
        Value::Null => notes.should(format!("{at}.type"), "missing"),
        Value::String(text) if matches!(text.as_str(), "space" | "time" | "channel") => {}
        Value::String(text) => {
            notes.should(format!("{at}.type"), format!("{text:?} is none of space, time, channel"));
        }
        _ => notes.must(format!("{at}.type"), "not a text"),
    }
    let units: &[&str] = match kind.as_str() {
        Some("space") => &LENGTHS,
        Some("time") => &TIMES,
        _ => return,
    };
    let at = format!("{at}.unit");
    match &axis["unit"] {
        Value::Null => notes.should(at, "missing"),
        Value::String(unit) if units.contains(&unit.as_str()) => {}
        Value::String(unit) => notes.should(at, format!("{unit:?} is not a listed unit of this type")),
        _ => notes.must(at, "not a text"),
    }
}
