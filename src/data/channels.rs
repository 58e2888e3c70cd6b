//! Layers: one per channel, with OMERO's recipe where there is one and measured contrast where not.

use super::{contrast, omero};
use lucida_components::{
    controls::{Blending, Controls},
    dataset::LayerSource,
    dtype::StoredType,
    layer::LayerKind,
};
use serde_json::Value;

/// Most channels of an image.
pub const MAX_CHANNELS: u64 = 1024;

/// Up to so many channels are all visible at first where the metadata says nothing; of more, a few are.
const MOST_SHOWN: u64 = 12;
const FEW_SHOWN: u64 = 4;

/// Colours of channels that name none, in turn.
const CYCLE: [&str; 6] = ["green", "magenta", "cyan", "yellow", "red", "blue"];

/// Makes the layers of an image of `channels` channels. `sample` reads finite and other values of a
/// channel to measure its contrast, and is told whether the channel is visible at first; it is called only
/// where the metadata gives no window.
pub fn layers(
    name: &str,
    channels: u64,
    stored: StoredType,
    omero: &Value,
    sample: &mut dyn FnMut(u64, bool) -> Vec<f32>,
    warnings: &mut Vec<String>,
) -> Vec<LayerSource> {
    let recipes = omero::recipes(omero, channels, warnings);
    let silent = recipes.iter().all(|r| r.visible.is_none());
    let shown = if silent && channels > MOST_SHOWN { FEW_SHOWN } else { channels };
    if shown < channels {
        warnings.push(format!("{channels} channels; the first {shown} are visible at first"));
    }
    (0..channels)
        .zip(recipes)
        .map(|(channel, recipe)| {
            let visible = recipe.visible.unwrap_or(channel < shown);
            let type_range = stored.range().filter(|_| stored.size() <= 2);
            let mut measured = || {
                let mut values = sample(channel, visible);
                let range = contrast::extremes(&values).filter(|r| r[0] < r[1]);
                (contrast::window(&mut values), range)
            };
            let (limits, range) = match (recipe.limits, recipe.range.or(type_range)) {
                (Some(limits), range) => (limits, range.unwrap_or(limits)),
                (None, _) if stored == StoredType::Bool => ([0.0, 1.0], [0.0, 1.0]),
                (None, range) => {
                    let (limits, extremes) = measured();
                    (limits, range.or(extremes).unwrap_or(limits))
                }
            };
            let one = channels == 1;
            let default_name = if one { name.to_owned() } else { format!("channel {channel}") };
            let default_colour = if one { "gray" } else { CYCLE[channel as usize % CYCLE.len()] };
            LayerSource {
                name: recipe.label.unwrap_or(default_name),
                image: 0,
                channel,
                controls: Controls {
                    visible,
                    gamma: recipe.gamma.unwrap_or(1.0),
                    blending: if one { Blending::Translucent } else { Blending::Additive },
                    colormap: recipe.colormap.unwrap_or_else(|| default_colour.to_owned()),
                    iso_threshold: f64::midpoint(limits[0], limits[1]),
                    contrast_limits: limits,
                    ..Controls::default()
                },
                range: [range[0].min(limits[0]), range[1].max(limits[1])],
                kind: LayerKind::Image,
                labels: None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn make(channels: u64, stored: StoredType, omero: &Value) -> (Vec<LayerSource>, Vec<String>) {
        let mut warnings = Vec::new();
        let mut sample = |c: u64, _| (0..=1000).map(|v| v as f32 + c as f32).collect();
        let layers = layers("image", channels, stored, omero, &mut sample, &mut warnings);
        (layers, warnings)
    }

    #[test]
    fn omero_names_colours_windows_and_visibility() {
        let omero = json!({"channels": [
            {"label": "DNA", "color": "0000FF", "active": false, "window": {"start": 3, "end": "40", "min": 0, "max": 100}},
            {"label": "", "color": "#ffffffff"},
        ]});
        let (layers, warnings) = make(2, StoredType::U16, &omero);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!((layers[0].name.as_str(), layers[0].controls.colormap.as_str()), ("DNA", "#0000ff"));
        assert_eq!((layers[0].controls.contrast_limits, layers[0].range), ([3.0, 40.0], [0.0, 100.0]));
        assert_eq!(layers.iter().map(|l| l.controls.iso_threshold).collect::<Vec<_>>(), [21.5, 501.0]);
        assert!(!layers[0].controls.visible && layers[1].controls.visible);
        assert_eq!((layers[1].name.as_str(), layers[1].controls.colormap.as_str()), ("channel 1", "gray"));
        assert_eq!((layers[1].controls.contrast_limits, layers[1].range), ([6.0, 996.0], [0.0, 65_535.0]));
        assert!(layers.iter().all(|l| l.controls.blending == Blending::Additive));
    }

    #[test]
    fn what_cannot_be_used_is_measured_or_taken_from_the_cycle_with_a_warning() {
        let omero = json!({"channels": [{"color": "red-ish", "window": {"start": 5, "end": 5}}]});
        let (layers, warnings) = make(2, StoredType::F32, &omero);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert_eq!(layers[0].controls.colormap, "green");
        assert_eq!(layers[1].controls.colormap, "magenta");
        assert_eq!((layers[0].controls.contrast_limits, layers[0].range), ([5.0, 995.0], [0.0, 1000.0]));
    }

    #[test]
    fn of_very_many_channels_a_few_are_visible_unless_the_metadata_says_which() {
        let (layers, warnings) = make(50, StoredType::U8, &Value::Null);
        assert_eq!(layers.iter().filter(|l| l.controls.visible).count(), 4);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let (layers, _) = make(12, StoredType::U8, &Value::Null);
        assert!(layers.iter().all(|l| l.controls.visible));
        let omero = json!({"channels": vec![json!({"active": true}); 50]});
        let (layers, warnings) = make(50, StoredType::U8, &omero);
        assert!(layers.iter().all(|l| l.controls.visible) && warnings.is_empty());
    }

    #[test]
    fn a_single_channel_is_grey_and_translucent() {
        let (layers, _) = make(1, StoredType::U8, &Value::Null);
        assert_eq!((layers[0].name.as_str(), layers[0].controls.colormap.as_str()), ("image", "gray"));
        assert_eq!(layers[0].controls.blending, Blending::Translucent);
        let (layers, _) = make(1, StoredType::Bool, &Value::Null);
        assert_eq!(layers[0].controls.contrast_limits, [0.0, 1.0]);
    }
}
