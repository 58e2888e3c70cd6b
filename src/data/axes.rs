//! What the dimensions of the arrays are.

use super::error::OpenError;
use lucida_components::{
    axes::AxisKind,
    dataset::{ArrayAxis, SceneAxis},
};
use serde_json::Value;
use std::path::Path;

/// The dimensions of the arrays of one image, and the scene's axes among them.
pub struct Dims {
    /// One per array dimension.
    pub array: Vec<ArrayAxis>,
    /// The axes of the scene, in array order.
    pub scene: Vec<SceneAxis>,
    /// The names of all dimensions, the channels' included.
    pub names: Vec<String>,
}

/// What one dimension is, before it is numbered.
enum Kind {
    Channel,
    Scene(AxisKind),
}

/// From this many elements on, the first of four unnamed axes is taken as time instead of channels.
const MANY_CHANNELS: u64 = 17;

/// Reads the axes of arrays of the shape `shape`. `written` is a list of names or of NGFF's axis objects;
/// where it is not, the last of t, c, z, y, x are taken ([`guess`]). `at` names file and field for errors.
///
/// # Errors
/// Their number does not fit, a name stands twice, or fewer than two axes remain beside the channels.
pub fn read(
    written: &Value,
    shape: &[u64],
    at: (&Path, &str),
    warnings: &mut Vec<String>,
) -> Result<Dims, OpenError> {
    let wrong = |reason: String| OpenError::Metadata { file: at.0.to_owned(), field: at.1.into(), reason };
    let written = match written {
        Value::Array(axes) if !axes.is_empty() => axes.clone(),
        _ => {
            let names = guess(shape).ok_or_else(|| match shape.len() {
                n @ 0..=1 => wrong(format!("{n} dimensions; a picture needs at least two")),
                n => wrong(format!("none are named for {n} dimensions; name them with --axes")),
            })?;
            warnings.push(format!("no axes are named; taken as {} (--axes names others)", names.join(", ")));
            names.iter().map(|n| Value::from(*n)).collect()
        }
    };
    if written.len() != shape.len() {
        return Err(wrong(format!("{} axes for arrays of {} dimensions", written.len(), shape.len())));
    }
    let mut read = Dims { array: Vec::new(), scene: Vec::new(), names: Vec::new() };
    for (i, axis) in written.iter().enumerate() {
        let name = axis.as_str().or(axis["name"].as_str()).unwrap_or_default();
        let name = if name.is_empty() {
            warnings.push(format!("axis {i} has no name"));
            format!("axis {i}")
        } else {
            name.chars().take(64).collect()
        };
        if read.names.contains(&name) {
            return Err(wrong(format!("the name {name:?} stands twice")));
        }
        let kind = match kind(&name, &axis["type"]) {
            Kind::Channel if read.array.contains(&ArrayAxis::Channel) => {
                warnings.push(format!("axis {name:?} is a second channel axis; it gets a slider"));
                Kind::Scene(AxisKind::Other)
            }
            kind => kind,
        };
        read.names.push(name.clone());
        match kind {
            Kind::Channel => read.array.push(ArrayAxis::Channel),
            Kind::Scene(kind) => {
                read.array.push(ArrayAxis::Scene(read.scene.len()));
                let unit =
                    axis["unit"].as_str().filter(|u| !u.is_empty()).map(|u| u.chars().take(64).collect());
                read.scene.push(SceneAxis { label: name, kind, unit });
            }
        }
    }
    if read.scene.len() < 2 {
        return Err(wrong(format!(
            "{} beside the channels; a picture needs at least two",
            match read.scene.len() {
                0 => "no axis".to_owned(),
                _ => "one axis".to_owned(),
            }
        )));
    }
    Ok(read)
}

/// The names that dimensions without names are taken to have: `y, x`; `z, y, x`; `c, z, y, x`, or
/// `t, z, y, x` where the first is longer than 16; `t, c, z, y, x`, which 0.1 and 0.2 prescribe.
fn guess(shape: &[u64]) -> Option<&'static [&'static str]> {
    const ALL: [&str; 5] = ["t", "c", "z", "y", "x"];
    match shape.len() {
        4 if shape[0] >= MANY_CHANNELS => Some(&["t", "z", "y", "x"]),
        n @ 2..=5 => Some(&ALL[5 - n..]),
        _ => None,
    }
}

/// By its type; where that is missing, by its name.
fn kind(name: &str, kind: &Value) -> Kind {
    match kind.as_str() {
        Some("channel") => Kind::Channel,
        Some("space") => Kind::Scene(AxisKind::Space),
        Some("time") => Kind::Scene(AxisKind::Time),
        Some(_) => Kind::Scene(AxisKind::Other),
        None => match name.to_ascii_lowercase().as_str() {
            "c" | "channel" | "channels" => Kind::Channel,
            "t" | "time" => Kind::Scene(AxisKind::Time),
            "z" | "y" | "x" => Kind::Scene(AxisKind::Space),
            _ => Kind::Scene(AxisKind::Other),
        },
    }
}
