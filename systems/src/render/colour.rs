//! The colour that a value has, in f64: for the shaders' twins, and for thumbnails.

use lucida_components::{
    colormap::Colormap, controls::Controls, dataset::LayerSource, labels::hashed_colour,
};

/// Of an image's value, a finite one: through contrast limits, gamma and colormap.
pub(crate) fn of_value(controls: &Controls, colormap: &Colormap, value: f64) -> [f64; 3] {
    let [lo, hi] = controls.contrast_limits;
    colormap.eval(((value - lo) / (hi - lo)).clamp(0.0, 1.0).powf(controls.gamma))
}

/// Of an object, RGBA: the one that the image gives it, else a hashed one.
pub(crate) fn of_label(source: Option<&LayerSource>, id: u32) -> [f64; 4] {
    source.and_then(|s| s.labels.as_ref()?.colours.get(&id)).map_or_else(
        || {
            let [r, g, b] = hashed_colour(id);
            [r, g, b, 1.0]
        },
        |rgba| rgba.map(|c| f64::from(c) / 255.0),
    )
}

/// Whether an object is drawn. 0 is the background.
pub(crate) fn is_shown(controls: &Controls, id: u32) -> bool {
    id != 0 && (!controls.show_selected_label || id == controls.selected_label)
}
