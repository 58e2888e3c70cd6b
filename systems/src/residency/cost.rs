//! What showing a level of a plane would cost, against the budgets. (Of a volume: `bricks::detail::estimate`.)

use super::{
    cache::OVERHEAD,
    pools,
    slab::{MOST_PLANES, Slab},
    tiles::{Plane, Window},
};
use lucida_components::{
    applied::{LayerState, ViewState},
    camera::PlanePose,
    dataset::Multiscale,
    lod::Budgets,
    places,
};

/// Of a pool, the part that one view's target level may fill: the rest is for coarse tiles and the next step.
const SHARE: f64 = 0.75;

/// Whether the tiles that `pose` sees at `level` (of the reference image) fit the pools, and each tile's
/// chunks the host's memory.
pub fn fits(state: &ViewState, pose: &PlanePose, level: usize, budgets: &Budgets) -> bool {
    let mut bytes = [0.0_f64; pools::WIDTHS.len()];
    let mut host = 0.0;
    for layer in state.layers.iter().filter(|l| l.controls.visible) {
        let Some(image) = state.dataset.images.get(layer.layer.image) else { continue };
        let own = places::resolve_level(&state.dataset, image, level, state.plane_axes());
        let size = image.dtype.size();
        let Some(slab) = Slab::of(state, layer, image, own) else { continue };
        if slab.count() > MOST_PLANES || !chunks_fit(slab.any(), budgets) {
            return false;
        }
        let window = slab.any().window(&pose.rect(state.canvas));
        let mut tiles = (window.count() * slab.count()) as f64;
        if slab.count() > 1 {
            // As many planes of the coarsest level are drawn first, and chunks may be thicker than they.
            tiles += base_tiles(state, layer, image, pose, own);
            host += chunk_bytes(&slab, window);
        }
        bytes[pools::pool_of(size)] += tiles * pools::stride(size) as f64;
    }
    bytes.iter().all(|b| *b <= budgets.pool_bytes as f64 * SHARE)
        && host <= budgets.cache_bytes(0) as f64 * SHARE
}

/// Tiles of a thick slice at the coarsest level, where that is another than `level`.
fn base_tiles(
    state: &ViewState,
    layer: &LayerState,
    image: &Multiscale,
    pose: &PlanePose,
    level: usize,
) -> f64 {
    let coarsest = image.levels.len() - 1;
    if level == coarsest {
        return 0.0;
    }
    Slab::of(state, layer, image, coarsest).map_or(0.0, |slab| {
        (slab.any().window(&pose.rect(state.canvas)).count() * slab.count().min(MOST_PLANES)) as f64
    })
}

/// Bytes of the chunks that a thick slice is cut from.
fn chunk_bytes(slab: &Slab, window: Window) -> f64 {
    if window.count() == 0 {
        return 0.0;
    }
    let (plane, level) = (slab.any(), slab.any().level());
    let first = plane.chunk_range(window.from);
    let last = plane.chunk_range(window.to.map(|t| t - 1));
    let mut chunks: f64 = [0, 1].map(|s| (last[s][1] - first[s][0]) as f64).iter().product();
    for span in slab.spans() {
        let size = level.chunk[span.dim];
        chunks *= ((span.from + span.count - 1) / size - span.from / size + 1) as f64;
    }
    chunks * level.chunk_voxels() as f64 * plane.image.dtype.size() as f64
}

/// Whether the host's memory has room for the chunks of any tile of a plane.
fn chunks_fit(plane: &Plane, budgets: &Budgets) -> bool {
    let chunk = plane.chunk_bytes();
    let all = (chunk.saturating_add(OVERHEAD)).saturating_mul(plane.most_chunks());
    all <= budgets.cache_bytes(chunk)
}
