//! What the dimensions of the arrays are.

use super::{error::OpenError, ngff::Ngff};
use lucida_components::{
    axes::AxisKind,
    dataset::{ArrayAxis, SceneAxis},
};
use serde_json::Value;

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

/// Reads the axes of arrays of `ndim` dimensions.
///
/// # Errors
/// Their number does not fit, a name stands twice, or fewer than two axes remain beside the channels.
pub fn read(ngff: &Ngff, ndim: usize, warnings: &mut Vec<String>) -> Result<Dims, OpenError> {
    let wrong = |reason: String| OpenError::Metadata {
        file: ngff.file.clone(),
        field: "multiscales[0].axes".into(),
        reason,
    };
    let written = match &ngff.axes {
        Value::Array(axes) if !axes.is_empty() => axes.clone(),
        _ => {
            // Before 0.3 the order was fixed.
            let names = ["t", "c", "z", "y", "x"];
            let names = names
                .len()
                .checked_sub(ndim)
                .map(|skip| &names[skip..])
                .ok_or_else(|| wrong("missing".into()))?;
            warnings.push(format!("no axes are named; taken as {}", names.join(", ")));
            names.iter().map(|n| Value::from(*n)).collect()
        }
    };
    if written.len() != ndim {
        return Err(wrong(format!("{} axes for arrays of {ndim} dimensions", written.len())));
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

/// By its type; where that is missing, by its name.
fn kind(name: &str, kind: &Value) -> Kind {
    match kind.as_str() {
        Some("channel") => Kind::Channel,
        Some("space") => Kind::Scene(AxisKind::Space),
        Some("time") => Kind::Scene(AxisKind::Time),
        Some(_) => Kind::Scene(AxisKind::Other),
        None => match name.to_ascii_lowercase().as_str() {
            "c" | "channel" => Kind::Channel,
            "t" | "time" => Kind::Scene(AxisKind::Time),
            "z" | "y" | "x" => Kind::Scene(AxisKind::Space),
            _ => Kind::Scene(AxisKind::Other),
        },
    }
}
