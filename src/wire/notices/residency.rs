//! `notify.residency`: how much of what is wanted is there, and of which levels a volume is made.

use lucida_components::notice::Residency;
use serde_json::{Value, json};

/// The payload.
pub fn payload(residency: Residency) -> Value {
    let mut told = json!({
        "resident": residency.resident,
        "wanted": residency.wanted,
        "missing": residency.missing,
        "withheld": residency.withheld,
        "waiting": residency.waiting,
    });
    if let Some(levels) = residency.levels {
        told["levels"] = json!(levels);
    }
    told
}
