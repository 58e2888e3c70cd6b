//! `notify.stream`: what a decoder has to know.

use base64::{Engine, prelude::BASE64_STANDARD};
use lucida_components::stream::StreamConfig;
use serde_json::{Value, json};

/// Advice for a client's jitter buffer.
const MAX_BUFFER_MILLIS: f64 = 120.0;
/// Advice: how long to wait for a keyframe before asking again.
const GRACE_KEYFRAME_MILLIS: f64 = 2000.0;

/// The payload; a strict client takes exactly these keys.
pub fn payload(config: &StreamConfig, fps: f64) -> Value {
    json!({
        "codec": "h264",
        "format": "avcc",
        "fps": fps,
        "frame_size": [config.canvas.width, config.canvas.height],
        "nal_length_size": 4,
        "avcc": BASE64_STANDARD.encode(&config.avcc),
        "latency_policy": {
            "max_buffer_ms": MAX_BUFFER_MILLIS,
            "grace_keyframe_ms": GRACE_KEYFRAME_MILLIS,
        },
    })
}
