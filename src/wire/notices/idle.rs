//! What is told while no image is open: a scene without layers, of one pixel.

use super::{Facts, scene};
use lucida_components::{session::Features, stream::Canvas};
use serde_json::{Value, json};

/// The payload of `notify.scene`.
pub fn scene(canvas: Canvas, facts: &Facts, features: Features) -> Value {
    let mut metadata = json!({ "status": "idle" });
    scene::choices(&mut metadata, facts, features);
    json!({
        "viewer": {
            "settings": {
                "fps_target": facts.fps,
                "canvas_size": [canvas.width, canvas.height],
                "volume_enabled": false,
            },
            "dims": {
                "ndim": 2,
                "axis_labels": ["y", "x"],
                "order": [0, 1],
                "level_shapes": [[1, 1]],
                "current_level": 0,
                "current_step": [0, 0],
                "displayed": [0, 1],
                "ndisplay": 2,
            },
            "camera": { "ndisplay": 2 },
        },
        "layers": [],
        "metadata": metadata,
        "policies": { "multiscale": { "active_level": 0, "downgraded": false, "levels": levels() } },
    })
}

/// The payload of `notify.dims`.
pub fn dims() -> Value {
    json!({
        "step": [0, 0],
        "current_step": [0, 0],
        "levels": levels(),
        "level_shapes": [[1, 1]],
        "current_level": 0,
        "downgraded": false,
        "mode": "plane",
        "ndisplay": 2,
        "axis_labels": ["y", "x"],
        "order": [0, 1],
        "displayed": [0, 1],
    })
}

fn levels() -> Value {
    json!([{ "index": 0, "shape": [1, 1], "downsample": [1.0, 1.0] }])
}
