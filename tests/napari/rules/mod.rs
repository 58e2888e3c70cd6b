//! What napari-cuda's client (Python, protocol version 2) accepts, frame by frame: pure functions from a message
//! to what that client would have to say against it. Each rule has a frame in `bad` that breaks it alone.

/// Ends a check with a sentence unless something holds.
macro_rules! must {
    ($holds:expr, $($why:tt)*) => {{
        let holds: bool = $holds;
        if !holds {
            return Err(format!($($why)*));
        }
    }};
}

pub mod ack;
#[cfg(test)]
mod bad;
pub mod camera;
pub mod command;
pub mod controls;
pub mod conversation;
pub mod dims;
pub mod envelope;
pub mod layers;
pub mod pixels;
pub mod scene;
pub mod session;
pub mod stream;

use serde_json::{Map, Value};

/// Nothing, or what the client has against it.
pub type Rule<T = ()> = Result<T, String>;

/// Everything that a frame alone can do wrong.
pub fn frame(frame: &Value) -> Rule {
    envelope::check(frame)?;
    let payload = &frame["payload"];
    let kind = frame["type"].as_str().unwrap_or_default();
    let said = match kind {
        "session.welcome" => session::welcome(frame, payload),
        "session.reject" => session::reject(payload),
        "session.goodbye" => session::goodbye(payload),
        "session.heartbeat" => keys(payload, "heartbeat", &[], &[]).map(drop),
        "notify.scene" => scene::check(payload),
        "notify.layers" => layers::check(payload),
        "notify.dims" => dims::check(payload),
        "notify.camera" => camera::check(frame, payload),
        "notify.stream" => stream::check(payload),
        "ack.state" => ack::check(payload),
        "reply.command" => command::reply(payload),
        "error.command" => command::error(payload),
        other => Err(format!("{other} is never sent to this client")),
    };
    said.map_err(|why| format!("{kind}: {why}"))
}

/// An object with all of `required`, some of `optional`, and no other key: the client's parsers raise on others.
pub fn keys<'a>(
    value: &'a Value,
    what: &str,
    required: &[&str],
    optional: &[&str],
) -> Rule<&'a Map<String, Value>> {
    let object = object(value, what)?;
    for key in required {
        must!(object.contains_key(*key), "{what} has no {key}");
    }
    for key in object.keys() {
        must!(required.contains(&key.as_str()) || optional.contains(&key.as_str()), "{what} has {key}");
    }
    Ok(object)
}

pub fn object<'a>(value: &'a Value, what: &str) -> Rule<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("{what} is no object"))
}

pub fn list<'a>(value: &'a Value, what: &str) -> Rule<&'a [Value]> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("{what} is no list"))
}

/// A text that says something.
pub fn text<'a>(value: &'a Value, what: &str) -> Rule<&'a str> {
    value.as_str().filter(|t| !t.is_empty()).ok_or_else(|| format!("{what} is no text"))
}

pub fn flag(value: &Value, what: &str) -> Rule<bool> {
    value.as_bool().ok_or_else(|| format!("{what} is neither true nor false"))
}

/// A number; null raises in the client, and NaN is no JSON.
pub fn number(value: &Value, what: &str) -> Rule<f64> {
    value.as_f64().ok_or_else(|| format!("{what} is no number"))
}

pub fn numbers(value: &Value, what: &str, count: usize) -> Rule<Vec<f64>> {
    let list = list(value, what)?;
    must!(list.len() == count, "{what} has {} entries, not {count}", list.len());
    list.iter().map(|v| number(v, what)).collect()
}

/// A whole number from 0, written as one.
pub fn count(value: &Value, what: &str) -> Rule<usize> {
    value.as_u64().map(|n| n as usize).ok_or_else(|| format!("{what} is no whole number from 0"))
}

pub fn counts(value: &Value, what: &str) -> Rule<Vec<usize>> {
    list(value, what)?.iter().map(|v| count(v, what)).collect()
}

/// Shapes of pyramid levels: as many axes each, nothing empty, and never larger than the level before (the
/// client builds stubs of arrays of them, and napari refuses a pyramid that grows).
pub fn pyramid(value: &Value, what: &str) -> Rule<Vec<Vec<usize>>> {
    let shapes: Vec<Vec<usize>> = list(value, what)?.iter().map(|s| counts(s, what)).collect::<Rule<_>>()?;
    must!(!shapes.is_empty(), "{what} has no level");
    for shape in &shapes {
        must!(shape.len() == shapes[0].len(), "{what}: levels have different numbers of axes");
        must!(shape.iter().all(|n| *n > 0), "{what}: a level is empty");
    }
    for pair in shapes.windows(2) {
        must!(pair[0].iter().zip(&pair[1]).all(|(a, b)| b <= a), "{what} grows: {pair:?}");
    }
    Ok(shapes)
}

/// A permutation of 0..n.
pub fn permutation(value: &Value, what: &str, n: usize) -> Rule<Vec<usize>> {
    let order = counts(value, what)?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    must!(sorted.into_iter().eq(0..n), "{what} {order:?} is no permutation of {n} axes");
    Ok(order)
}
