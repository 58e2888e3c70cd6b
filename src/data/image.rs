//! One OME-Zarr image: its channels as layers, its labels on top of them.

use super::{
    channels,
    error::OpenError,
    labels, ngff,
    node::Node,
    omero,
    open::{Image, Opening},
    pyramid::{self, Pyramid, Wanted},
    sample,
};
use lucida_components::layer::LayerKind;
use serde_json::{Value, json};

/// A hidden channel is measured as if it were one of so many: by one chunk.
const HIDDEN: u64 = 256;

/// Opens the image of a group. `prefix` is its folder inside what was opened, empty for that itself; `name`
/// is given to a layer that has no name of its own.
///
/// # Errors
/// [`OpenError`]. Labels that cannot be opened are warnings.
pub fn open(
    opening: &Opening,
    prefix: &str,
    node: &Node,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Image, OpenError> {
    let mut ngff = ngff::read(node, warnings)?;
    let named = ngff.axes.as_array().is_some_and(|a| !a.is_empty());
    let mut axes_field = "multiscales[0].axes";
    match &opening.options.axes {
        Some(_) if named => warnings.push("the image names its axes; --axes is not used".into()),
        Some(axes) => (ngff.axes, axes_field) = (json!(axes), "--axes"),
        None => {}
    }
    let format = format!("ome-zarr {}", ngff.version);
    let wanted = Wanted { node, prefix, ngff: &ngff, axes_field, kind: LayerKind::Image, over: None };
    if labels::is_labels(node) {
        let as_labels = Wanted { kind: LayerKind::Labels, ..wanted };
        match pyramid::open(opening, &as_labels, warnings) {
            Ok(pyramid) => return Ok(labels::alone(pyramid, format, node, name, warnings)),
            Err(error @ OpenError::Unsupported { .. }) => {
                warnings.push(format!("labels are shown as an image: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    let pyramid = pyramid::open(opening, &wanted, warnings)?;
    let mut image = of_channels(pyramid, format, &node.attributes["omero"], name, warnings);
    labels::put_over(opening, prefix, node, &mut image, warnings);
    Ok(image)
}

/// An image of one pyramid, each channel a layer.
pub fn of_channels(
    pyramid: Pyramid,
    format: String,
    omero: &Value,
    name: &str,
    warnings: &mut Vec<String>,
) -> Image {
    let Pyramid { multiscale, dims, source, channels } = pyramid;
    let mut unread = None;
    let mut measure = |channel: u64, visible: bool| {
        // Of a channel that nobody sees yet a chunk is enough: opening must not wait for more.
        let among = if visible { channels } else { channels.max(HIDDEN) };
        sample::middle_plane(&multiscale, &dims.scene, &*source, channel, among).unwrap_or_else(|fault| {
            unread.get_or_insert(fault);
            Vec::new()
        })
    };
    let layers = channels::layers(name, channels, multiscale.stored, omero, &mut measure, warnings);
    if let Some(fault) = unread {
        warnings.push(format!("contrast could not be measured everywhere: {fault}"));
    }
    Image {
        format,
        start: omero::start(omero, &dims.scene),
        axes: dims.scene,
        sources: vec![(multiscale.source, source)],
        images: vec![multiscale],
        layers,
    }
}
