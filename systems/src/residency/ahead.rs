//! What is read before it is asked for: the next step, the next time point, the step back.

use super::{
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
        let shown = state.plane_axes();
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

/// Rows and columns of the chunks behind a window of tiles: each is looked at once, however many tiles lie in
/// it.
fn chunks(plane: &Plane, tiles: Window) -> Window {
    if tiles.count() == 0 {
        return tiles;
    }
    let (first, last) = (plane.chunk_range(tiles.from), plane.chunk_range(tiles.to.map(|t| t - 1)));
    Window { from: first.map(|side| side[0]), to: last.map(|side| side[1]) }
}
