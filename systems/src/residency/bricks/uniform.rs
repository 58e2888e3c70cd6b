//! Bricks that look the same everywhere: they are drawn from what is known of them and need no memory.

use lucida_components::{applied::LayerState, controls::Rendering, layer::LayerKind};

/// What every sample of a brick whose values lie in `range` (smallest, largest) is to a layer as it is drawn now:
/// its place between the contrast limits, 0 to 1, or NaN where the brick holds no number. `None` where samples
/// differ, or where more than that place is drawn.
///
/// For labels only background is uniform: 0.
pub fn uniform(range: [f32; 2], layer: &LayerState) -> Option<f32> {
    let [least, most] = range;
    if least > most {
        return Some(f32::NAN);
    }
    if layer.layer.kind == LayerKind::Labels {
        return (most == 0.0).then_some(0.0);
    }
    let [lo, hi] = layer.controls.contrast_limits.map(|v| v as f32);
    let place = |v: f32| ((v - lo) / (hi - lo)).clamp(0.0, 1.0);
    // The surface's threshold knows no contrast limits.
    if layer.controls.rendering == Rendering::Iso {
        return (least == most).then(|| place(least));
    }
    (least == most || most <= lo || least >= hi).then(|| place(least))
}
