//! What showing a level would cost, against the budgets.

use super::{cache::OVERHEAD, pools, tiles::Plane};
use lucida_components::{applied::ViewState, camera::Camera, lod::Budgets, places, view::Mode};

/// Of a pool, the part that one view's target level may fill: the rest is for coarse tiles and the next step.
const SHARE: f64 = 0.75;

/// Whether the tiles that `camera` sees at `level` (of the reference image) fit the pools, and each tile's
/// chunks the host's memory.
pub fn fits(state: &ViewState, camera: &Camera, level: usize, budgets: &Budgets) -> bool {
    let mut bytes = [0.0_f64; pools::WIDTHS.len()];
    for layer in state.layers.iter().filter(|l| l.controls.visible) {
        let Some(image) = state.dataset.images.get(layer.layer.image) else { continue };
        let own = places::resolve_level(&state.dataset, image, level, state.plane_axes());
        let size = image.dtype.size();
        let cost = match state.view.mode() {
            Mode::Plane => Plane::of(state, image, layer.layer.channel, own).map_or(0.0, |plane| {
                if !chunks_fit(&plane, budgets) {
                    return f64::INFINITY;
                }
                let tiles = plane.window(&camera.plane.rect(state.canvas)).count();
                tiles as f64 * pools::stride(size) as f64
            }),
            Mode::Volume => {
                let shown = state.axes.displayed(3).iter().filter_map(|&a| image.dim_of(a));
                shown.map(|d| image.levels[own].shape[d] as f64).product::<f64>() * size as f64
            }
        };
        bytes[pools::pool_of(size)] += cost;
    }
    bytes.iter().all(|b| *b <= budgets.pool_bytes as f64 * SHARE)
}

/// Whether the host's memory has room for the chunks of any tile of a plane.
fn chunks_fit(plane: &Plane, budgets: &Budgets) -> bool {
    let chunk = plane.chunk_bytes();
    let all = (chunk.saturating_add(OVERHEAD)).saturating_mul(plane.most_chunks());
    all <= budgets.cache_bytes(chunk)
}
