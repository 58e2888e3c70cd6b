//! OMERO's rendering settings (`omero`), in all the partial forms that writers leave.

use super::json;
use lucida_components::{colormap, dataset::SceneAxis};
use serde_json::Value;

/// What one channel's entry says, as far as it can be used.
#[derive(Debug, Default, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub label: Option<String>,
    /// A colormap's name or `#rrggbb`.
    pub colormap: Option<String>,
    /// The display window, raw units.
    pub limits: Option<[f64; 2]>,
    /// What the window's control spans, raw units.
    pub range: Option<[f64; 2]>,
    /// Whether it is shown at first.
    pub visible: Option<bool>,
    /// Exponent, > 0.
    pub gamma: Option<f64>,
}

/// The recipes of `channels` channels; those that are not described are empty.
pub fn recipes(omero: &Value, channels: u64, warnings: &mut Vec<String>) -> Vec<Recipe> {
    let listed = omero["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !listed.is_empty() && listed.len() as u64 != channels {
        warnings.push(format!("OMERO describes {} channels of {channels}", listed.len()));
    } else if listed.is_empty() && !omero.is_null() && !omero["channels"].is_null() {
        warnings.push("omero.channels is no list, or an empty one; not used".into());
    }
    let mut recipes: Vec<Recipe> = (0..channels)
        .map(|c| listed.get(c as usize).map(|entry| recipe(entry, c, warnings)).unwrap_or_default())
        .collect();
    if omero["rdefs"]["model"].as_str().is_some_and(|m| matches!(m, "greyscale" | "grayscale")) {
        greyscale(&mut recipes);
    }
    recipes
}

/// OMERO's grey model: one channel, in grey.
fn greyscale(recipes: &mut [Recipe]) {
    let mut shown = false;
    for recipe in recipes {
        recipe.visible = Some(recipe.visible.unwrap_or(true) && !shown);
        shown |= recipe.visible == Some(true);
        if recipe.colormap.as_deref() != Some("gray_r") {
            recipe.colormap = Some("gray".into());
        }
    }
}

/// Where the index begins: `rdefs.defaultZ` and `defaultT`, by the names of the axes.
pub fn start(omero: &Value, scene: &[SceneAxis]) -> Vec<Option<u64>> {
    let rdefs = &omero["rdefs"];
    let start = |axis: &SceneAxis| match axis.label.to_ascii_lowercase().as_str() {
        "z" => rdefs["defaultZ"].as_u64(),
        "t" => rdefs["defaultT"].as_u64(),
        _ => None,
    };
    scene.iter().map(start).collect()
}

fn recipe(channel: &Value, number: u64, warnings: &mut Vec<String>) -> Recipe {
    let window = &channel["window"];
    let pair = |low: &str, high: &str| -> Option<[f64; 2]> {
        let pair = [json::number(&window[low])?, json::number(&window[high])?];
        Some(pair).filter(|p| p.iter().all(|v| v.is_finite()) && p[0] < p[1])
    };
    let limits = pair("start", "end");
    if limits.is_none() && !window.is_null() {
        warnings.push(format!("channel {number}: its OMERO window cannot be used; measured instead"));
    }
    let mut colormap = channel["lut"].as_str().and_then(lookup_table);
    if colormap.is_none() && !channel["color"].is_null() && channel["color"] != "" {
        colormap = colour(&channel["color"]);
        if colormap.is_none() {
            warnings.push(format!("channel {number}: {} is no colour", channel["color"]));
        }
    }
    if channel["inverted"].as_bool() == Some(true) {
        let reversed = format!("{}_r", colormap.as_deref().unwrap_or("gray"));
        match colormap::canonical(&reversed) {
            Some(reversed) => colormap = Some(reversed),
            None => warnings.push(format!("channel {number}: this colour is not drawn inverted")),
        }
    }
    let label = channel["label"].as_str().or(channel["name"].as_str()).map(str::trim);
    Recipe {
        label: label.filter(|l| !l.is_empty()).map(|l| l.chars().take(256).collect()),
        colormap,
        limits,
        range: pair("min", "max"),
        visible: truth(&channel["active"]),
        gamma: gamma(channel, number, warnings),
    }
}

/// A truth value as writers leave it.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(v) => Some(*v),
        Value::Number(n) => n.as_f64().map(|v| v != 0.0),
        Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
        Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// OMERO's quantum map: `linear` says nothing, `polynomial` is an exponent, the others are not drawn.
fn gamma(channel: &Value, number: u64, warnings: &mut Vec<String>) -> Option<f64> {
    match channel["family"].as_str()? {
        "polynomial" => json::number(&channel["coefficient"]).filter(|k| k.is_finite() && *k > 0.0),
        "linear" | "" => None,
        other => {
            warnings.push(format!("channel {number}: the family {other:?} is drawn as linear"));
            None
        }
    }
}

/// `viridis.lut` → the colormap of that name, where there is one.
fn lookup_table(name: &str) -> Option<String> {
    colormap::canonical(name.strip_suffix(".lut").unwrap_or(name))
}

/// A colour in any of the forms that are met: `RRGGBB`, `RRGGBBAA`, `RGB`, with or without `#` or `0x`; the
/// name of a ramp; a number `0xRRGGBB`, or OMERO's signed `0xRRGGBBAA`; a list of three or four. White is grey.
fn colour(written: &Value) -> Option<String> {
    let rgb = match written {
        Value::String(text) => return from_text(text.trim()),
        Value::Number(number) => {
            let number = number.as_i64()?;
            let packed = u32::try_from(number).or_else(|_| i32::try_from(number).map(|n| n as u32)).ok()?;
            if (0..1 << 24).contains(&number) { packed } else { packed >> 8 }
        }
        Value::Array(parts) if matches!(parts.len(), 3 | 4) => {
            let part = |v: &Value| v.as_u64().and_then(|v| u8::try_from(v).ok()).map(u32::from);
            parts[..3].iter().map(part).try_fold(0, |rgb, part| Some(rgb << 8 | part?))?
        }
        _ => return None,
    };
    from_text(&format!("{rgb:06x}"))
}

fn from_text(text: &str) -> Option<String> {
    let hex = text.trim_start_matches('#');
    let hex = hex.strip_prefix("0x").or(hex.strip_prefix("0X")).unwrap_or(hex);
    let full = match hex.len() {
        3 => hex.chars().flat_map(|c| [c, c]).collect(),
        8 => hex.get(..6)?.to_owned(),
        _ => hex.to_owned(),
    };
    let ramp = colormap::canonical(&format!("#{full}")).or_else(|| colormap::canonical(text))?;
    Some(if ramp == "#ffffff" { "gray".into() } else { ramp })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::axes::AxisKind;
    use serde_json::json;

    #[test]
    fn colours_in_every_form() {
        for (written, want) in [
            (json!("FF0000"), Some("#ff0000")),
            (json!("#ff0000"), Some("#ff0000")),
            (json!("#FF000080"), Some("#ff0000")),
            (json!("0x00ff00"), Some("#00ff00")),
            (json!("f00"), Some("#ff0000")),
            (json!(" ffffff "), Some("gray")),
            (json!("Red"), Some("red")),
            (json!(0x00ff_0000), Some("#ff0000")),
            (json!(255), Some("#0000ff")),
            (json!(-16_776_961), Some("#ff0000")),
            (json!(0x8040_20ff_u32), Some("#804020")),
            (json!([1, 2, 3]), Some("#010203")),
            (json!([1, 2, 3, 255]), Some("#010203")),
            (json!([1, 2]), None),
            (json!([1, 2, 256]), None),
            (json!(1u64 << 40), None),
            (json!(-1i64 << 40), None),
            (json!(1.5), None),
            (json!("ff00"), None),
            (json!("ÿÿ0"), None),
            (json!("reddish"), None),
            (json!({}), None),
        ] {
            assert_eq!(colour(&written).as_deref(), want, "{written}");
        }
    }

    #[test]
    fn partial_recipes_say_what_they_say() {
        let mut warnings = Vec::new();
        let omero = json!({"channels": [
            {"active": 0, "lut": "viridis.lut", "family": "polynomial", "coefficient": 0.5},
            {"inverted": true, "window": {"start": 1, "end": 2}},
            {"color": "00FF00", "inverted": true, "family": "logarithmic", "window": {"min": 0, "max": 9}},
        ]});
        let made = recipes(&omero, 4, &mut warnings);
        assert_eq!((made[0].visible, made[0].colormap.as_deref()), (Some(false), Some("viridis")));
        assert_eq!(made[0].gamma, Some(0.5));
        assert_eq!((made[1].colormap.as_deref(), made[1].limits), (Some("gray_r"), Some([1.0, 2.0])));
        assert_eq!((made[2].colormap.as_deref(), made[2].range), (Some("#00ff00"), Some([0.0, 9.0])));
        assert_eq!(made[3], Recipe::default());
        // Three described of four, a colour inverted, a family, a window without start and end.
        assert_eq!(warnings.len(), 4, "{warnings:?}");
    }

    #[test]
    fn nothing_and_nonsense_are_empty_recipes() {
        for omero in [json!(null), json!({}), json!({"channels": null}), json!({"name": "x"})] {
            let mut warnings = Vec::new();
            assert_eq!(recipes(&omero, 2, &mut warnings), [Recipe::default(), Recipe::default()], "{omero}");
            assert!(warnings.is_empty(), "{omero}: {warnings:?}");
        }
        for omero in [json!({"channels": {}}), json!({"channels": []}), json!({"channels": [1, "two"]})] {
            let mut warnings = Vec::new();
            assert_eq!(recipes(&omero, 2, &mut warnings).len(), 2);
            assert_eq!(warnings.is_empty(), omero["channels"].as_array().is_some_and(|l| l.len() == 2));
        }
    }

    #[test]
    fn the_grey_model_shows_one_channel_in_grey() {
        let omero = json!({"rdefs": {"model": "greyscale"}, "channels": [
            {"color": "FF0000", "active": false}, {"color": "00FF00"}, {"color": "0000FF", "active": true},
        ]});
        let made = recipes(&omero, 3, &mut Vec::new());
        assert!(made.iter().all(|r| r.colormap.as_deref() == Some("gray")));
        assert_eq!(
            made.iter().map(|r| r.visible).collect::<Vec<_>>(),
            [Some(false), Some(true), Some(false)]
        );
    }

    #[test]
    fn the_index_begins_where_the_settings_say() {
        let axis = |label: &str| SceneAxis { label: label.into(), kind: AxisKind::Other, unit: None };
        let omero = json!({"rdefs": {"defaultZ": 7, "defaultT": -1}});
        assert_eq!(start(&omero, &[axis("t"), axis("Z"), axis("y")]), [None, Some(7), None]);
        assert_eq!(start(&Value::Null, &[axis("z")]), [None]);
    }
}
