//! Bricks that look the same everywhere: they are drawn from what is known of them and need no memory.

use lucida_components::{applied::LayerState, controls::Rendering, layer::LayerKind};

/// What every sample of a brick whose values lie in `range` (smallest, largest) is to a layer as it is drawn now:
/// its place between the contrast limits, 0 to 1, or NaN where the brick holds no number. `None` where samples
/// differ and that matters: a surface has nothing in a brick that lies below its threshold.
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
    let [lo, hi] = layer.controls.contrast_limits;
    let place = |v: f32| ((f64::from(v) - lo) / (hi - lo)).clamp(0.0, 1.0);
    let is_uniform = match layer.controls.rendering {
        // No surface lies in it.
        Rendering::Iso => f64::from(most) < layer.controls.iso_threshold,
        _ => place(least) == place(most),
    };
    is_uniform.then(|| place(least) as f32)
}
