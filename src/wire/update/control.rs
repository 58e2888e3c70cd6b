//! Scopes `layer` and `volume`: controls of one layer, and of all.

use super::{
    Asked,
    read::{integer, number, numbers, positive, text, truth},
};
use crate::wire::fields::clipped;
use lucida_components::{
    colormap,
    controls::{Blending, ControlChange, Depiction, Interpolation, Projection, Rendering},
    fault::Rejection,
    ids::LayerId,
    intent::Change,
    labels::{COLORMAP, drawn_id},
};
use serde_json::Value;

/// Percentiles of automatic contrast where none are named: those that images without a recipe are opened with.
const USUAL_PERCENTILES: [f64; 2] = [0.5, 99.5];

/// Distance of ray samples in voxels.
const SAMPLE_STEP: std::ops::RangeInclusive<f64> = 0.1..=4.0;

pub(super) fn layer(asked: &Asked<'_>) -> Result<Change, Rejection> {
    let layer = match asked.target {
        "" => LayerId(0),
        name => LayerId::parse(name).ok_or_else(|| {
            Rejection::invalid(format!("no layer {}; layers are layer-0, layer-1, …", clipped(name)))
        })?,
    };
    // What is wrong with a value is an error, with a key it is invalid: so the older server has it.
    let of_value = |why: Rejection| Rejection::error(why.message);
    if asked.key == "auto_contrast" {
        let percentiles = percentiles(asked.value).map_err(of_value)?;
        return Ok(Change::AutoContrast { layer, percentiles });
    }
    match control(asked.key, asked.value).map_err(of_value)? {
        Some(control) => Ok(Change::Layer { layer, control }),
        None => Err(asked.unsupported_key()),
    }
}

/// The control of this key with this value; `None` where there is no such key.
fn control(key: &str, value: &Value) -> Result<Option<ControlChange>, Rejection> {
    let control = match key {
        "visible" => ControlChange::Visible(truth(value, "visible")?),
        "opacity" => opacity(value)?,
        "blending" => ControlChange::Blending(word(
            value,
            "blending",
            Blending::parse,
            Blending::ALL,
            Blending::as_str,
        )?),
        "interpolation" => ControlChange::Interpolation(word(
            value,
            "interpolation",
            Interpolation::parse,
            Interpolation::ALL,
            Interpolation::as_str,
        )?),
        "colormap" => colormap_of(value)?,
        "gamma" => ControlChange::Gamma(positive(Some(value), "gamma")?),
        "contrast_limits" => contrast(value)?,
        "depiction" => ControlChange::Depiction(word(
            value,
            "depiction",
            Depiction::parse,
            Depiction::ALL,
            Depiction::as_str,
        )?),
        "projection" => ControlChange::Projection(word(
            value,
            "projection",
            Projection::parse,
            Projection::ALL,
            Projection::as_str,
        )?),
        "plane_thickness" => ControlChange::PlaneThickness(positive(Some(value), "plane_thickness")?),
        "plane_position" => ControlChange::PlanePosition(plane_position(value)?),
        "plane_normal" => ControlChange::PlaneNormal(plane_normal(value)?),
        "rendering" => ControlChange::Rendering(word(
            value,
            "rendering",
            Rendering::parse,
            Rendering::ALL,
            Rendering::as_str,
        )?),
        "attenuation" => ControlChange::Attenuation(number(Some(value), "attenuation")?.max(0.0)),
        "iso_threshold" => ControlChange::IsoThreshold(number(Some(value), "iso_threshold")?),
        "sample_step" => sample_step(value)?,
        "contour" => ControlChange::Contour(contour(value)?),
        "selected_label" => ControlChange::SelectedLabel(label(value)?),
        "show_selected_label" => ControlChange::ShowSelectedLabel(truth(value, "show_selected_label")?),
        _ => return Ok(None),
    };
    Ok(Some(control))
}

pub(super) fn volume(asked: &Asked<'_>) -> Result<Change, Rejection> {
    asked.on_main()?;
    let value = asked.value;
    let control = match asked.key {
        "render_mode" => {
            let modes = [Rendering::Mip, Rendering::Translucent, Rendering::Iso];
            let parse = |t: &str| Rendering::parse(t).filter(|m| modes.contains(m));
            ControlChange::Rendering(word(value, "render_mode", parse, &modes, Rendering::as_str)?)
        }
        "contrast_limits" => contrast(value)?,
        "colormap" => colormap_of(value)?,
        "opacity" => opacity(value)?,
        "sample_step" => sample_step(value)?,
        _ => return Err(asked.unsupported_key()),
    };
    Ok(Change::Volume(control))
}

fn word<T: Copy>(
    value: &Value,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<T, Rejection> {
    text(value, what).ok().and_then(parse).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|w| as_str(*w)).collect();
        Rejection::invalid(format!("{what} is one of {}", words.join(", ")))
    })
}

fn opacity(value: &Value) -> Result<ControlChange, Rejection> {
    Ok(ControlChange::Opacity(number(Some(value), "opacity")?.clamp(0.0, 1.0)))
}

fn sample_step(value: &Value) -> Result<ControlChange, Rejection> {
    let step = number(Some(value), "sample_step")?;
    Ok(ControlChange::SampleStep(step.clamp(*SAMPLE_STEP.start(), *SAMPLE_STEP.end())))
}

/// World x, y, z; nothing, or an empty list, is the middle of the layer.
fn plane_position(value: &Value) -> Result<Option<[f64; 3]>, Rejection> {
    match value {
        Value::Null => Ok(None),
        Value::Array(list) if list.is_empty() => Ok(None),
        _ => numbers(Some(value), "plane_position").map(Some),
    }
}

fn plane_normal(value: &Value) -> Result<[f64; 3], Rejection> {
    let normal: [f64; 3] = numbers(Some(value), "plane_normal")?;
    if normal.iter().all(|v| *v == 0.0) {
        return Err(Rejection::invalid("plane_normal must not be zero"));
    }
    Ok(normal)
}

/// `[lower, upper]`; nothing, or an object without them, means the usual ones. The reducer knows what is possible.
fn percentiles(value: &Value) -> Result<[f64; 2], Rejection> {
    match value {
        Value::Null | Value::Bool(true) => Ok(USUAL_PERCENTILES),
        Value::Object(map) if map.is_empty() => Ok(USUAL_PERCENTILES),
        _ => numbers(Some(value), "auto_contrast"),
    }
}

/// Voxels; the reducer clamps.
fn contour(value: &Value) -> Result<u32, Rejection> {
    let voxels = integer(value, "contour")?;
    u32::try_from(voxels.min(i64::from(u32::MAX)))
        .map_err(|_| Rejection::invalid("contour is a thickness in voxels, 0 or more"))
}

/// An id as it is stored: any whole number of 64 bits.
fn label(value: &Value) -> Result<u32, Rejection> {
    let id = value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from));
    id.map(drawn_id).ok_or_else(|| Rejection::invalid("selected_label must be a whole number"))
}

fn colormap_of(value: &Value) -> Result<ControlChange, Rejection> {
    let name = text(value, "colormap")?;
    // Whether the layer is one of labels is the reducer's to know.
    if name.eq_ignore_ascii_case(COLORMAP) {
        return Ok(ControlChange::Colormap(COLORMAP.into()));
    }
    colormap::canonical(name)
        .map(ControlChange::Colormap)
        .ok_or_else(|| Rejection::invalid(colormap::unknown(&clipped(name))))
}

/// `[lo, hi]` or `{lo, hi}`, swapped where they are reversed.
fn contrast(value: &Value) -> Result<ControlChange, Rejection> {
    let [a, b] = match value {
        Value::Object(map) => [number(map.get("lo"), "lo")?, number(map.get("hi"), "hi")?],
        _ => numbers(Some(value), "contrast_limits")?,
    };
    if a == b {
        return Err(Rejection::invalid("contrast_limits must differ"));
    }
    Ok(ControlChange::ContrastLimits([a.min(b), a.max(b)]))
}
