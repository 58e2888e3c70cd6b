//! Reading single values, leniently where the protocol is lenient.

use lucida_components::fault::Rejection;
use serde_json::Value;

/// A finite number.
pub fn number(value: Option<&Value>, what: &str) -> Result<f64, Rejection> {
    match value.and_then(Value::as_f64) {
        Some(v) if v.is_finite() => Ok(v),
        _ => Err(Rejection::invalid(format!("{what} must be a number"))),
    }
}

/// A finite number > 0.
pub fn positive(value: Option<&Value>, what: &str) -> Result<f64, Rejection> {
    match number(value, what) {
        Ok(v) if v > 0.0 => Ok(v),
        _ => Err(Rejection::invalid(format!("{what} must be a number > 0"))),
    }
}

/// As many finite numbers as `N`; further ones are ignored.
pub fn numbers<const N: usize>(value: Option<&Value>, what: &str) -> Result<[f64; N], Rejection> {
    let bad = || Rejection::invalid(format!("{what} must be a list of {N} numbers"));
    let list = value.and_then(Value::as_array).filter(|l| l.len() >= N).ok_or_else(bad)?;
    let mut out = [0.0; N];
    for (slot, v) in out.iter_mut().zip(list) {
        *slot = number(Some(v), what).map_err(|_| bad())?;
    }
    Ok(out)
}

/// A JSON whole number; one beyond 64 bits with sign is clamped.
pub fn integer(value: &Value, what: &str) -> Result<i64, Rejection> {
    value
        .as_i64()
        .or_else(|| value.as_u64().map(|_| i64::MAX))
        .ok_or_else(|| Rejection::invalid(format!("{what} must be a whole number")))
}

/// Anything that stands for a whole number: a number (truncated), a truth value, a text of digits.
pub fn integer_like(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|v| v.trunc() as i64)),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// A text.
pub fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, Rejection> {
    match value.as_str().map(str::trim) {
        Some(s) if !s.is_empty() => Ok(s),
        _ => Err(Rejection::invalid(format!("{what} must be a text"))),
    }
}

/// A truth value, a number, or one of the words that people use.
pub fn truth(value: &Value, what: &str) -> Result<bool, Rejection> {
    let found = match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => n.as_f64().map(|v| v != 0.0),
        Value::String(s) => match s.trim().to_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| Rejection::invalid(format!("{what} must be true or false")))
}
