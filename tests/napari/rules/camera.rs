//! `notify.camera`: the echo of an intent, or where the camera is.

use super::{Rule, keys, number, numbers, object, text};
use serde_json::Value;

pub fn check(frame: &Value, payload: &Value) -> Rule {
    keys(payload, "payload", &["mode", "origin"], &["delta", "state"])?;
    let mode = text(&payload["mode"], "mode")?;
    let origin = text(&payload["origin"], "origin")?;
    let (echo, named) = (frame.get("intent_id").is_some(), frame.get("frame_id").is_some());
    must!(echo != named, "an echo has an intent_id and a pose a frame_id: one of them");
    if mode == "pose" {
        must!(named, "a pose echoes nothing");
        // With a state the delta would be ignored.
        must!(payload.get("delta").is_none(), "a pose with a delta");
        must!(origin == "worker.state.camera", "a pose from {origin}");
        let state = &payload["state"];
        return pose(state, state.get("angles").is_some());
    }
    must!(["zoom", "pan", "orbit", "reset", "set"].contains(&mode), "mode {mode}");
    must!(echo, "{mode} without the intent that it echoes");
    must!(origin == "state.update", "an echo from {origin}");
    must!(payload.get("state").is_none(), "an echo with a state: its delta would be ignored");
    delta(mode, &payload["delta"])
}

/// What an intent came to: numbers with a fraction, as the older server sends all of them.
pub fn delta(mode: &str, delta: &Value) -> Rule {
    object(delta, "delta")?;
    for (key, part) in delta.as_object().into_iter().flatten() {
        let parts = part.as_array().map_or(std::slice::from_ref(part), Vec::as_slice);
        must!(!parts.iter().any(|p| p.is_i64() || p.is_u64()), "delta.{key} is a whole number, not a float");
    }
    match mode {
        "zoom" => {
            keys(delta, "delta", &["factor"], &["anchor_px"])?;
            must!(number(&delta["factor"], "factor")? > 0.0, "a factor that is not above 0");
            numbers(&delta["anchor_px"], "anchor_px", 2).map(drop)
        }
        "pan" => {
            keys(delta, "delta", &["dx_px", "dy_px"], &[])?;
            number(&delta["dx_px"], "dx_px")?;
            number(&delta["dy_px"], "dy_px").map(drop)
        }
        "orbit" => {
            keys(delta, "delta", &["d_az_deg", "d_el_deg"], &[])?;
            number(&delta["d_az_deg"], "d_az_deg")?;
            number(&delta["d_el_deg"], "d_el_deg").map(drop)
        }
        "reset" => {
            keys(delta, "delta", &["reason"], &[])?;
            text(&delta["reason"], "reason").map(drop)
        }
        _ => {
            let parts = keys(delta, "delta", &[], &["center", "zoom", "angles", "rect"])?;
            must!(!parts.is_empty(), "set of nothing");
            for (key, part) in parts {
                match key.as_str() {
                    "zoom" => number(part, key).map(drop)?,
                    "angles" => numbers(part, key, 3).map(drop)?,
                    "rect" => numbers(part, key, 4).map(drop)?,
                    _ => numbers(part, key, 2).or_else(|_| numbers(part, key, 3)).map(drop)?,
                }
            }
            Ok(())
        }
    }
}

/// A pose in full: every part is a number, null raises.
pub fn pose(state: &Value, three: bool) -> Rule {
    if three {
        keys(state, "a pose of a volume", &["center", "angles", "distance", "fov"], &[])?;
        numbers(&state["center"], "center", 3)?;
        numbers(&state["angles"], "angles", 3)?;
        must!(number(&state["distance"], "distance")? > 0.0, "a distance that is not above 0");
        number(&state["fov"], "fov").map(drop)
    } else {
        keys(state, "a pose of a plane", &["center", "zoom", "rect"], &[])?;
        let center = numbers(&state["center"], "center", 2)?;
        must!(number(&state["zoom"], "zoom")? > 0.0, "a zoom that is not above 0");
        let rect = numbers(&state["rect"], "rect", 4)?;
        must!(rect[2] > 0.0 && rect[3] > 0.0, "an empty rect {rect:?}");
        for i in 0..2 {
            let middle = rect[i] + rect[i + 2] / 2.0;
            must!((middle - center[i]).abs() <= 1e-6 * rect[i + 2], "rect {rect:?} is not about {center:?}");
        }
        Ok(())
    }
}
