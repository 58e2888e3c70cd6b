//! `notify.scene.level`: the level that is shown.

use super::levels;
use lucida_components::applied::ViewState;
use serde_json::{Value, json};

/// The payload.
pub fn payload(state: &ViewState) -> Value {
    json!({
        "current_level": state.lod.level,
        "downgraded": state.lod.downgraded,
        "levels": levels::numbered(&state.dataset),
    })
}
