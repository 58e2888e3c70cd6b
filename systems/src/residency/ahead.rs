//! What is read before it is asked for: the next step, the next time point, the step back; the volume.

use super::{
    bricks::grid::Block,
    making::{centre_first, window},
    slab::Slab,
    tiles::{Plane, Window},
    wanted::Wanted,
};
use lucida_components::{
    applied::{LayerState, ViewState},
    axes::AxisKind,
    dataset::Multiscale,
};

/// The way a view moves.
#[derive(Debug, Default)]
pub(super) struct Heading {
    /// The axis that was last stepped, and which way.
    last: Option<(usize, i64)>,
    /// The index it was taken from.
    from: Vec<i64>,
}

impl Heading {
    /// Notes along which axis the view moved.
    pub fn note(&mut self, state: &ViewState) {
        let shown = state.displayed();
        let moved = state.index.value.iter().zip(&self.from).enumerate().find_map(|(axis, (now, then))| {
            (now != then && !shown.contains(&axis)).then(|| (axis, (now - then).signum()))
        });
        if moved.is_some() {
            self.last = moved;
        }
        if self.from != state.index.value {
            self.from.clone_from(&state.index.value);
        }
    }

    /// The steps that may come next, the likeliest first: on along the axis that moved, on in time, back.
    /// None for a view that did not move yet.
    pub fn steps(&self, state: &ViewState) -> Vec<(usize, i64)> {
        let Some((axis, way)) = self.last else { return Vec::new() };
        let time = state.axes.kinds.iter().position(|k| *k == AxisKind::Time).filter(|t| *t != axis);
        let mut steps = vec![(axis, way)];
        steps.extend(time.map(|t| (t, 1)));
        steps.push((axis, -way));
        steps
    }
}

/// Wants the chunks of a layer one step further along an axis, at the level that is shown. Returns false
/// where there is no more room.
pub(super) fn read(
    state: &ViewState,
    layer: &LayerState,
    image: &Multiscale,
    level: usize,
    (axis, way): (usize, i64),
    wanted: &mut Wanted,
) -> bool {
    let Some(dim) = image.dim_of(axis) else { return true };
    let Some(slab) = Slab::of(state, layer, image, level) else { return true };
    let Some(next) = slab.ahead(dim, way) else { return true };
    next.planes().all(|plane| {
        let chunks = chunks(&plane, window(state, layer, &plane));
        centre_first(chunks).into_iter().all(|[row, col]| wanted.ahead(&plane, plane.chunk_key(row, col)))
    })
}

/// Of the host's cache, the part that may hold a layer's volume while a plane is shown.
const VOLUME: u64 = 8;

/// Chunks of it at most: every plan looks at them.
const VOLUME_CHUNKS: u64 = 256;

/// Wants all of a layer's coarsest level while a plane is shown: with it a volume can be drawn at once. It must be
/// stored and small. Also for a view that did not move: a volume is one key away from any plane. Returns false
/// where there is no more room.
pub(super) fn read_volume(
    state: &ViewState,
    layer: &LayerState,
    image: &Multiscale,
    wanted: &mut Wanted,
) -> bool {
    let &[z, y, x] = state.axes.displayed(3) else { return true };
    let coarsest = image.levels.len() - 1;
    let Some(block) = Block::along(state, image, layer.layer.channel, coarsest, [z, y, x]) else {
        return true;
    };
    let chunks = block.all_chunks();
    let count = chunks.iter().fold(1, |n: u64, [from, to]| n.saturating_mul(to - from));
    let is_small =
        count <= VOLUME_CHUNKS && count.saturating_mul(block.chunk_bytes()) <= wanted.capacity() / VOLUME;
    if block.level().is_virtual() || block.dims.contains(&None) || !is_small {
        return true;
    }
    block.chunks_in(chunks).all(|key| wanted.ahead(&block, key))
}

/// The block one voxel further along an axis that is not displayed; `None` at the end of the level.
pub(super) fn next<'a>(block: &Block<'a>, axis: usize, way: i64) -> Option<Block<'a>> {
    let dim = block.image.dim_of(axis).filter(|d| !block.dims.contains(&Some(*d)))?;
    let place = block.fixed[dim].checked_add_signed(way).filter(|at| *at < block.level().shape[dim])?;
    let mut next = block.clone();
    next.fixed[dim] = place;
    Some(next)
}

/// Rows and columns of the chunks behind a window of tiles: each is looked at once, however many tiles lie in
/// it.
fn chunks(plane: &Plane, tiles: Window) -> Window {
    if tiles.count() == 0 {
        return tiles;
    }
    let (first, last) = (plane.chunk_range(tiles.from), plane.chunk_range(tiles.to.map(|t| t - 1)));
    Window { from: first.map(|side| side[0]), to: last.map(|side| side[1]) }
}
