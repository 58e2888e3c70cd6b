//! A bare Zarr array, without the metadata of an image round it.

use super::{
    error::OpenError,
    image,
    ngff::{Dataset, Ngff},
    node::Node,
    open::{Image, Opening},
    pyramid::{self, Wanted},
};
use lucida_components::layer::LayerKind;
use serde_json::{Value, json};

/// Opens the array that was asked for itself. Its axes are those that the user names, else its own dimension
/// names (v3, or those that xarray leaves in v2), else guessed by their number.
///
/// # Errors
/// What is wrong with the array, or with the names for it.
pub fn open(
    opening: &Opening,
    node: &Node,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Image, OpenError> {
    let dims = node.array["shape"].as_array().map_or(0, Vec::len);
    let (axes, axes_field) = match &opening.options.axes {
        Some(axes) => (json!(axes), "--axes"),
        None => (names(node), if node.zarr == 3 { "dimension_names" } else { "_ARRAY_DIMENSIONS" }),
    };
    let ngff = Ngff {
        version: String::new(),
        axes,
        datasets: vec![Dataset {
            path: String::new(),
            transforms: json!([{"type": "scale", "scale": vec![1.0; dims]}]),
        }],
        transforms: Value::Null,
    };
    let wanted = Wanted { node, prefix: "", ngff: &ngff, axes_field, kind: LayerKind::Image, over: None };
    let pyramid = pyramid::open(opening, &wanted, warnings)?;
    let format = format!("zarr v{} array", node.zarr);
    Ok(image::of_channels(pyramid, format, &Value::Null, name, warnings))
}

/// The dimension names that the array has of its own; `Null` where it names none.
fn names(node: &Node) -> Value {
    let written =
        if node.zarr == 3 { &node.array["dimension_names"] } else { &node.attributes["_ARRAY_DIMENSIONS"] };
    let named = written.as_array().is_some_and(|l| l.iter().any(Value::is_string));
    if named { written.clone() } else { Value::Null }
}
