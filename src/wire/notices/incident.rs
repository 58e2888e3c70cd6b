//! `notify.error`: something that went wrong without having been asked for.

use lucida_components::incident::Incident;
use serde_json::{Value, json};

/// The payload.
pub fn payload(incident: &Incident) -> Value {
    json!({
        "domain": incident.domain.as_str(),
        "code": incident.code,
        "message": incident.message,
        "severity": incident.severity.as_str(),
    })
}
