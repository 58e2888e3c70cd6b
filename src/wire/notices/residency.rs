//! `notify.residency`: how much of what is wanted is there.

use lucida_components::notice::Residency;
use serde_json::{Value, json};

/// The payload.
pub fn payload(residency: Residency) -> Value {
    json!({
        "resident": residency.resident,
        "wanted": residency.wanted,
        "missing": residency.missing,
        "withheld": residency.withheld,
        "waiting": residency.waiting,
    })
}
