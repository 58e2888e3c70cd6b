//! Small pictures of layers: in the blocks of `notify.scene`, and by `notify.layers` when they change.

use crate::wire::envelope;
use lucida_components::{ids::LayerId, thumbnail::Thumbnail};
use serde_json::{Value, json};

/// The payload of `notify.layers`.
pub fn payload(layer: LayerId, thumbnail: &Thumbnail) -> Value {
    let [columns, rows] = thumbnail.size;
    json!({
        "layer_id": layer.to_string(),
        "thumbnail": {
            "array": array(thumbnail),
            "shape": [rows, columns, 4],
            "dtype": "float32",
            "generated_at": envelope::now(),
        },
    })
}

/// Rows from the top, of columns, of red, green, blue and alpha from 0 to 1.
pub fn array(thumbnail: &Thumbnail) -> Value {
    let columns = thumbnail.size[0].max(1);
    thumbnail.pixels.chunks(columns).map(|row| row.iter().map(pixel).collect::<Value>()).collect()
}

/// A colour has 8 bits when it is shown: three decimals tell it and keep the frame short.
fn pixel(rgba: &[f32; 4]) -> Value {
    rgba.iter().map(|c| (f64::from(*c) * 1e3).round() / 1e3).collect()
}

/// What stands for a thumbnail that is not there yet where a client cannot do without: black, four pixels.
pub fn placeholder() -> Value {
    let black = [0.0, 0.0, 0.0, 1.0];
    json!([[black, black], [black, black]])
}
