//! `notify.dims`: where the sliders stand. Until the first one the client refuses to send anything.

use super::{Rule, count, counts, flag, keys, list, object, permutation, pyramid, text};
use serde_json::Value;

pub fn check(payload: &Value) -> Rule {
    keys(
        payload,
        "payload",
        &["step", "levels", "current_level", "mode", "ndisplay", "level_shapes"],
        &["current_step", "downgraded", "axis_labels", "order", "displayed", "labels"],
    )?;
    let shapes = pyramid(&payload["level_shapes"], "level_shapes")?;
    let ndim = shapes[0].len();
    let level = count(&payload["current_level"], "current_level")?;
    must!(level < shapes.len(), "current_level {level} of {} levels: the client asserts", shapes.len());
    let step = steps(&payload["step"], "step", &shapes[level])?;
    if let Some(current) = payload.get("current_step") {
        // Where both are there this one wins; so they are equal.
        must!(steps(current, "current_step", &shapes[level])? == step, "step and current_step differ");
    }
    let levels = list(&payload["levels"], "levels")?;
    must!(levels.len() == shapes.len(), "{} levels and {} level_shapes", levels.len(), shapes.len());
    for (n, (described, shape)) in levels.iter().zip(&shapes).enumerate() {
        object(described, "levels")?;
        must!(count(&described["index"], "levels.index")? == n, "level {n} says another index");
        must!(counts(&described["shape"], "levels.shape")? == *shape, "level {n} has two shapes");
    }
    let ndisplay = displayed(payload, ndim)?;
    let mode = text(&payload["mode"], "mode")?;
    // The gesture that orbits asks for exactly these.
    must!(mode == if ndisplay == 3 { "volume" } else { "plane" }, "mode {mode} with ndisplay {ndisplay}");
    for key in ["axis_labels", "labels"] {
        if let Some(labels) = payload.get(key) {
            let labels = list(labels, key)?;
            must!(labels.len() == ndim, "{} {key} of {ndim} axes", labels.len());
            labels.iter().try_for_each(|l| text(l, key).map(drop))?;
        }
    }
    if let Some(downgraded) = payload.get("downgraded") {
        flag(downgraded, "downgraded")?;
    }
    Ok(())
}

/// `viewer.dims` of a scene, which has its own names for the same.
pub fn of_scene(state: &Value) -> Rule {
    object(state, "viewer.dims")?;
    let shapes = pyramid(&state["level_shapes"], "viewer.dims.level_shapes")?;
    let level = count(&state["current_level"], "viewer.dims.current_level")?;
    must!(level < shapes.len(), "viewer.dims.current_level {level} of {}", shapes.len());
    must!(
        count(&state["ndim"], "viewer.dims.ndim")? == shapes[0].len(),
        "viewer.dims.ndim is not of its shapes"
    );
    steps(&state["current_step"], "viewer.dims.current_step", &shapes[level])?;
    displayed(state, shapes[0].len()).map(drop)
}

/// A place within the level that is shown: that is the range of the sliders.
fn steps(value: &Value, what: &str, shape: &[usize]) -> Rule<Vec<usize>> {
    let step = counts(value, what)?;
    must!(step.len() == shape.len(), "{what} {step:?} for {} axes", shape.len());
    must!(step.iter().zip(shape).all(|(at, n)| at < n), "{what} {step:?} is outside of {shape:?}");
    Ok(step)
}

/// `ndisplay`; what is displayed are the last so many of the order.
fn displayed(state: &Value, ndim: usize) -> Rule<usize> {
    let ndisplay = count(&state["ndisplay"], "ndisplay")?;
    must!([2, 3].contains(&ndisplay), "ndisplay is {ndisplay}");
    if let Some(order) = state.get("order") {
        let order = permutation(order, "order", ndim)?;
        if let Some(displayed) = state.get("displayed") {
            let displayed = counts(displayed, "displayed")?;
            must!(
                ndim >= ndisplay && displayed == order[ndim - ndisplay..],
                "displayed {displayed:?} are not the last {ndisplay} of {order:?}"
            );
        }
    }
    Ok(ndisplay)
}
