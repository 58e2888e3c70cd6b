//! `controls` of a layer: ten keys, anything else asserts in the client, and so does null.

use super::{Rule, flag, number, numbers, object, text};
use serde_json::Value;

/// napari's `Blending`. The older server also knew maximum and average, which napari has no words for.
const BLENDINGS: &[&str] =
    &["opaque", "translucent", "translucent_no_depth", "additive", "minimum", "multiplicative"];
/// napari's `Interpolation`.
const INTERPOLATIONS: &[&str] = &[
    "bessel", "bicubic", "bilinear", "blackman", "catrom", "cubic", "gaussian", "hamming", "hanning",
    "hermite", "kaiser", "lanczos", "linear", "mitchell", "nearest", "spline16", "spline36", "sinc",
];
/// napari's `ImageRendering`.
const RENDERINGS: &[&str] = &["mip", "minip", "attenuated_mip", "translucent", "additive", "iso", "average"];
/// Colormaps that every napari has (compared as the client does, in any case).
const COLORMAPS: &[&str] = &[
    "gray",
    "gray_r",
    "viridis",
    "magma",
    "inferno",
    "plasma",
    "turbo",
    "twilight",
    "twilight_shifted",
    "hsv",
    "fire",
    "ice",
    "hilo",
    "piyg",
    "gist_earth",
    "red",
    "green",
    "blue",
    "cyan",
    "magenta",
    "yellow",
    "bop blue",
    "bop orange",
    "bop purple",
    "i blue",
    "i bordeaux",
    "i forest",
    "i orange",
    "i purple",
];

pub fn check(controls: &Value) -> Rule {
    for (key, value) in object(controls, "controls")? {
        one(key, value)?;
    }
    Ok(())
}

fn one(key: &str, value: &Value) -> Rule {
    let named = |names: &[&str]| -> Rule {
        let name = text(value, key)?;
        must!(names.contains(&name), "{key} {name} is not one of napari's");
        Ok(())
    };
    match key {
        "visible" => flag(value, key).map(drop),
        "opacity" => {
            let opacity = number(value, key)?;
            must!((0.0..=1.0).contains(&opacity), "opacity is {opacity}: napari wants 0 to 1");
            Ok(())
        }
        "gamma" => {
            must!(number(value, key)? > 0.0, "gamma is not above 0");
            Ok(())
        }
        "attenuation" => {
            must!(number(value, key)? >= 0.0, "attenuation is below 0");
            Ok(())
        }
        "iso_threshold" => number(value, key).map(drop),
        "blending" => named(BLENDINGS),
        "interpolation" => named(INTERPOLATIONS),
        "rendering" => named(RENDERINGS),
        "colormap" => {
            let name = text(value, key)?.to_lowercase();
            must!(COLORMAPS.contains(&name.as_str()), "colormap {name} is not one of napari's");
            Ok(())
        }
        "contrast_limits" => {
            let limits = numbers(value, key, 2)?;
            must!(limits[0] < limits[1], "contrast_limits {limits:?}: the lower is not below the upper");
            Ok(())
        }
        other => Err(format!("controls have {other}, on which the client asserts")),
    }
}
