//! `notify.dims`: place, level and mode, counted at the level shown.

use super::levels;
use lucida_components::applied::ViewState;
use serde_json::{Value, json};

/// The payload; a strict client takes exactly these keys.
pub fn payload(state: &ViewState) -> Value {
    let step = levels::step(state);
    json!({
        "step": step,
        "current_step": step,
        "levels": levels::numbered(&state.dataset),
        "level_shapes": levels::shapes(&state.dataset),
        "current_level": state.lod.level,
        "downgraded": state.lod.downgraded,
        "mode": state.view.mode().as_str(),
        "ndisplay": state.view.ndisplay,
        "axis_labels": state.axes.labels,
        "order": state.axes.order,
        "displayed": state.displayed(),
    })
}
