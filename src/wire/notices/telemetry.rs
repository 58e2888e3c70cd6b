//! `notify.telemetry`: what the pictures of the session cost.

use lucida_components::notice::Telemetry;
use serde_json::{Value, json};

/// The payload: milliseconds of drawing and of encoding, and pictures on their way.
pub fn payload(costs: Telemetry) -> Value {
    json!({
        "presenter": costs.draw,
        "decode": costs.encode,
        "queue_depth": f64::from(costs.in_flight),
    })
}
