//! Scope `camera`. Rows of pixels are counted from the bottom by clients, from the top in the ledger.

use super::{
    Asked,
    read::{number, numbers, positive},
};
use lucida_components::{
    camera::{CameraDelta, CameraParts, Rect},
    fault::Rejection,
    intent::Change,
};
use serde_json::{Map, Value};

pub(super) fn camera(asked: &Asked<'_>) -> Result<Change, Rejection> {
    asked.on_main()?;
    if asked.key == "reset" {
        return Ok(Change::Reset(reason(asked.value)));
    }
    let delta = match asked.key {
        "zoom" => zoom(object(asked)?, f64::from(asked.canvas.height))?,
        "pan" => {
            let value = object(asked)?;
            CameraDelta::Pan {
                dx: number(value.get("dx_px"), "dx_px")?,
                dy: number(value.get("dy_px"), "dy_px")?,
            }
        }
        "orbit" => {
            let value = object(asked)?;
            CameraDelta::Orbit {
                azimuth: number(value.get("d_az_deg"), "d_az_deg")?,
                elevation: number(value.get("d_el_deg"), "d_el_deg")?,
            }
        }
        "set" => CameraDelta::Set(parts(object(asked)?)?),
        _ => return Err(asked.unsupported_key()),
    };
    Ok(Change::Camera(delta))
}

fn object<'a>(asked: &Asked<'a>) -> Result<&'a Map<String, Value>, Rejection> {
    asked
        .value
        .as_object()
        .ok_or_else(|| Rejection::invalid(format!("the value of camera {} is an object", asked.key)))
}

/// Longest reason that is told back, characters.
const MOST_REASON: usize = 64;

/// `{"reason": …}`, a text, or anything: whoever resets need not say why.
fn reason(value: &Value) -> String {
    let said = value.as_str().or_else(|| value.get("reason")?.as_str()).map_or("", str::trim);
    if said.is_empty() { "state.update".to_owned() } else { said.chars().take(MOST_REASON).collect() }
}

fn zoom(value: &Map<String, Value>, canvas_height: f64) -> Result<CameraDelta, Rejection> {
    let factor = positive(value.get("factor"), "factor")?;
    let [x, from_bottom] = numbers(value.get("anchor_px"), "anchor_px")?;
    Ok(CameraDelta::Zoom { factor, anchor: [x, canvas_height - from_bottom] })
}

fn parts(value: &Map<String, Value>) -> Result<CameraParts, Rejection> {
    let given = |key: &str| value.get(key).filter(|v| !v.is_null());
    let mut parts = CameraParts::default();
    if let Some(center) = given("center") {
        let long = center.as_array().is_some_and(|l| l.len() >= 3);
        parts.center = Some(if long {
            numbers::<3>(Some(center), "center")?.to_vec()
        } else {
            numbers::<2>(Some(center), "center")?.to_vec()
        });
    }
    if let Some(zoom) = given("zoom") {
        parts.zoom = Some(positive(Some(zoom), "zoom")?);
    }
    if let Some(rect) = given("rect") {
        let [left, bottom, width, height] = numbers(Some(rect), "rect")?;
        if width <= 0.0 || height <= 0.0 {
            return Err(Rejection::invalid("rect is [left, bottom, width > 0, height > 0]"));
        }
        parts.rect = Some(Rect { left, bottom, width, height });
    }
    if let Some(angles) = given("angles") {
        parts.angles = Some(numbers(Some(angles), "angles")?);
    }
    if let Some(distance) = given("distance") {
        parts.distance = Some(positive(Some(distance), "distance")?);
    }
    if let Some(fov) = given("fov") {
        parts.fov = Some(number(Some(fov), "fov")?);
    }
    if parts == CameraParts::default() {
        return Err(Rejection::invalid("camera set needs one of center, zoom, rect, angles, distance, fov"));
    }
    Ok(parts)
}
