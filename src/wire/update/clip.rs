//! Scope `clip`: the crop box, axis by axis, and the free planes.

use super::{Asked, read::numbers};
use lucida_components::{
    clip::{Clip, ClipParts, ClipPlane},
    fault::Rejection,
    intent::Change,
};
use serde_json::Value;

pub(super) fn clip(asked: &Asked<'_>) -> Result<Change, Rejection> {
    let parts = match asked.key {
        "range" => {
            if asked.target.is_empty() {
                return Err(Rejection::invalid("the target of clip range is an axis, by label or number"));
            }
            ClipParts { ranges: vec![(asked.target.to_owned(), range(asked.value)?)], planes: None }
        }
        "planes" => {
            asked.on_main()?;
            ClipParts { ranges: Vec::new(), planes: Some(planes(asked.value)?) }
        }
        _ => return Err(asked.unsupported_key()),
    };
    Ok(Change::Clip(parts))
}

/// `[from, to]` in world units; nothing leaves the axis whole.
fn range(value: &Value) -> Result<Option<[f64; 2]>, Rejection> {
    if value.is_null() {
        return Ok(None);
    }
    let bad = || Rejection::invalid("a clip range is [from, to] with from < to, in world units, or null");
    match (numbers::<2>(Some(value), "range"), value.as_array().map(Vec::len)) {
        (Ok([from, to]), Some(2)) if from < to => Ok(Some([from, to])),
        _ => Err(bad()),
    }
}

/// All planes there are to be; nothing takes them away.
fn planes(value: &Value) -> Result<Vec<ClipPlane>, Rejection> {
    let most = Clip::MOST_PLANES;
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) if list.len() <= most => list.iter().map(plane).collect(),
        _ => Err(Rejection::invalid(format!("planes is a list of at most {most} clip planes, or null"))),
    }
}

fn plane(value: &Value) -> Result<ClipPlane, Rejection> {
    let position = numbers(value.get("position"), "the position of a clip plane")?;
    let normal: [f64; 3] = numbers(value.get("normal"), "the normal of a clip plane")?;
    if normal.iter().all(|v| *v == 0.0) {
        return Err(Rejection::invalid("the normal of a clip plane must not be zero"));
    }
    Ok(ClipPlane { position, normal })
}
