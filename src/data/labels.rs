//! Labels: images whose values name objects, over an image or alone.

use super::{
    error::OpenError,
    label_table, ngff,
    node::{self, Node},
    open::{Image, Opening},
    pyramid::{self, Pyramid, Wanted},
};
use lucida_components::{
    controls::{Blending, Controls, Interpolation},
    dataset::{ArrayAxis, LayerSource, Multiscale, SceneAxis},
    labels::{COLORMAP, LabelTable},
    layer::LayerKind,
};
use serde_json::Value;
use std::sync::Arc;

/// The group of an image's labels.
const GROUP: &str = "labels";

/// Most labels images of an image.
pub const MAX_LABELS: usize = 32;

/// How much of the image shows through labels that lie over it.
const OPACITY: f64 = 0.5;

/// Whether a node is a labels image: it says so, or the group that it stands in lists it as one.
pub fn is_labels(node: &Node) -> bool {
    if !node.attributes["image-label"].is_null() {
        return true;
    }
    let folder = node.folder.canonicalize().unwrap_or_else(|_| node.folder.clone());
    let (Some(group), Some(name)) = (folder.parent(), folder.file_name().and_then(|n| n.to_str())) else {
        return false;
    };
    // What is wrong with the group is not this image's concern.
    let group = node::read(group, &mut Vec::new()).ok().flatten();
    group.is_some_and(|g| g.attributes["labels"].as_array().is_some_and(|l| l.iter().any(|n| n == name)))
}

/// A labels image by itself.
pub fn alone(pyramid: Pyramid, format: String, node: &Node, name: &str, warnings: &mut Vec<String>) -> Image {
    let table = label_table::read(&node.attributes["image-label"], warnings).map(Arc::new);
    let Pyramid { multiscale, dims, source, channels } = pyramid;
    Image {
        format,
        start: Vec::new(),
        layers: layers(&multiscale, 0, name, channels, table.as_ref(), false),
        axes: dims.scene,
        sources: vec![(multiscale.source, source)],
        images: vec![multiscale],
    }
}

/// Puts the labels of an image over its layers. What cannot be opened is left out with a warning.
pub fn put_over(opening: &Opening, prefix: &str, node: &Node, image: &mut Image, warnings: &mut Vec<String>) {
    let (group, listed) = match list(node, warnings) {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(error) => return warnings.push(format!("labels are left out: {error}")),
    };
    let prefix = pyramid::join(prefix, GROUP);
    for path in &listed {
        let mut said = Vec::new();
        let added = add(opening, &prefix, &group, path, image, &mut said);
        warnings.extend(said.into_iter().map(|w| format!("labels {path:?}: {w}")));
        if let Err(error) = added {
            warnings.push(format!("labels {path:?} are left out: {error}"));
        }
    }
}

/// The group of an image's labels and the paths that it lists; `None` where there is none.
fn list(node: &Node, warnings: &mut Vec<String>) -> Result<Option<(Node, Vec<String>)>, OpenError> {
    let folder = node.folder.join(node.child(GROUP, GROUP)?);
    let mut said = Vec::new();
    let Some(group) = node::read(&folder, &mut said)? else { return Ok(None) };
    warnings.extend(said.into_iter().map(|w| format!("labels: {w}")));
    let listed = match &group.attributes["labels"] {
        Value::Null => return Ok(None),
        Value::Array(listed) => listed,
        _ => return Err(group.wrong("labels", "not a list of paths")),
    };
    let paths: Vec<String> = listed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if paths.len() < listed.len() {
        warnings.push("labels: entries that are no paths are left out".into());
    }
    if paths.len() > MAX_LABELS {
        warnings.push(format!("{} labels images; the first {MAX_LABELS} are shown", paths.len()));
    }
    let paths = paths.into_iter().take(MAX_LABELS).collect();
    Ok(Some((group, paths)))
}

/// Opens one labels image and puts it on top.
fn add(
    opening: &Opening,
    prefix: &str,
    group: &Node,
    path: &str,
    image: &mut Image,
    warnings: &mut Vec<String>,
) -> Result<(), OpenError> {
    let path = group.child("labels", path)?;
    let node = group.open_child(&path, warnings)?;
    let ngff = ngff::read(&node, warnings)?;
    let reference = image.images.first().ok_or_else(|| node.wrong("multiscales", "no image under it"))?;
    let wanted = Wanted {
        node: &node,
        prefix: &pyramid::join(prefix, &path),
        ngff: &ngff,
        axes_field: "multiscales[0].axes",
        kind: LayerKind::Labels,
        over: Some((reference, &image.axes)),
    };
    let mut pyramid = pyramid::open(opening, &wanted, warnings)?;
    pyramid.multiscale.dims = dims_on(&pyramid, &image.axes).map_err(|why| node.wrong("axes", why))?;
    let table = label_table::read(&node.attributes["image-label"], warnings).map(Arc::new);
    let name = path.rsplit('/').next().unwrap_or(&path);
    let number = image.images.len();
    image.layers.extend(layers(&pyramid.multiscale, number, name, pyramid.channels, table.as_ref(), true));
    image.sources.push((pyramid.multiscale.source, pyramid.source));
    image.images.push(pyramid.multiscale);
    Ok(())
}

/// The dimensions of labels by the axes of the image that they lie on. An axis that only the labels have is
/// taken at its one element, like a channel axis of one.
fn dims_on(pyramid: &Pyramid, scene: &[SceneAxis]) -> Result<Vec<ArrayAxis>, String> {
    let dims = pyramid.multiscale.dims.iter().zip(&pyramid.dims.names).enumerate();
    dims.map(|(d, (dim, name))| {
        if *dim == ArrayAxis::Channel {
            return Ok(ArrayAxis::Channel);
        }
        if let Some(axis) = scene.iter().position(|a| a.label.eq_ignore_ascii_case(name)) {
            return Ok(ArrayAxis::Scene(axis));
        }
        let single = pyramid.multiscale.levels.iter().all(|l| l.shape[d] == 1);
        if single && pyramid.channels == 1 {
            return Ok(ArrayAxis::Channel);
        }
        Err(format!("the image has no axis {name:?}"))
    })
    .collect()
}

/// One layer for each channel of a labels image; usually there is one. `over`: they lie over an image.
fn layers(
    multiscale: &Multiscale,
    image: usize,
    name: &str,
    channels: u64,
    table: Option<&Arc<LabelTable>>,
    over: bool,
) -> Vec<LayerSource> {
    let range = multiscale.stored.range().unwrap_or([0.0, f64::from(u32::MAX)]);
    let layer = |channel| LayerSource {
        name: if channels == 1 { name.to_owned() } else { format!("{name} {channel}") },
        image,
        channel,
        controls: Controls {
            // Over an image they are one click away: it is the image that was asked for.
            visible: !over,
            opacity: if over { OPACITY } else { 1.0 },
            blending: Blending::Translucent,
            interpolation: Interpolation::Nearest,
            colormap: COLORMAP.into(),
            contrast_limits: range,
            ..Controls::default()
        },
        range,
        kind: LayerKind::Labels,
        labels: table.cloned(),
    };
    (0..channels).map(layer).collect()
}
