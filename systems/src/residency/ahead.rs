//! What is read before it is asked for: the next step, the next time point, the step back.

use super::{making::centre_first, tiles::Plane, wanted::Wanted};
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
    let Some(mut plane) = Plane::of(state, image, layer.layer.channel, level) else { return true };
    let next = plane.fixed[dim] as i64 + way;
    if plane.dims.contains(&dim) || next < 0 || next >= plane.level().shape[dim] as i64 {
        return true;
    }
    plane.fixed[dim] = next as u64;
    centre_first(plane.window(&state.rect())).into_iter().all(|at| wanted.ahead(&plane, at))
}
