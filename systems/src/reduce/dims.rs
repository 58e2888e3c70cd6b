//! Index, margins and order. The transaction clamps; here only names and shapes are checked.

use super::{no_axis, no_view, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    axes::Axes,
    dataset::{Dataset, Scene},
    fault::Rejection,
    ids::ViewId,
    index::Index,
    intent::{Change, Grid, Intent},
    ops::{OpKind, Ops, Report},
    places,
};

/// Answers [`Change::Index`], [`Change::Step`], [`Change::Margins`], [`Change::WholeIndex`], [`Change::Order`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(&ViewId, &mut Axes, &mut Index, Option<&Applied>)>,
) {
    for intent in intents.read() {
        if !matches!(
            intent.change,
            Change::Index { .. }
                | Change::Step { .. }
                | Change::Margins { .. }
                | Change::WholeIndex(_)
                | Change::Order(_)
        ) {
            continue;
        }
        let outcome = match (views.iter_mut().find(|(id, ..)| **id == intent.view), &scene.dataset) {
            (None, _) => Err(no_view(intent)),
            (_, None) => Err(nothing_open()),
            (Some((_, mut axes, mut index, applied)), Some(dataset)) => {
                let level = applied.map_or(0, |a| a.state.lod.level);
                change(&intent.change, dataset, level, &mut axes, &mut index)
            }
        };
        settle(&mut ops, intent, OpKind::Dims, outcome);
    }
}

/// Writes the requested index or order.
fn change(
    change: &Change,
    dataset: &Dataset,
    level: usize,
    axes: &mut Mut<Axes>,
    index: &mut Mut<Index>,
) -> Result<Report, Rejection> {
    let resolve = |name: &str| axes.resolve(name).ok_or_else(|| no_axis(axes, name));
    match change {
        Change::Index { axis, value, grid } => {
            let a = resolve(axis)?;
            let (value, report) = match grid {
                Grid::Level => (places::level_to_scene(dataset, level, a, *value), Report::LevelIndex(a)),
                Grid::Scene => (*value, Report::SceneIndex(a)),
            };
            set(index, a, value.clamp(0, dataset.extent(a) as i64 - 1));
            Ok(report)
        }
        Change::Step { axis, delta } => {
            let a = resolve(axis)?;
            let here = index.value.get(a).copied().unwrap_or(0);
            let at = places::scene_to_level(dataset, level, a, here);
            // A step that moves nowhere at this level keeps the exact place.
            let to = at.saturating_add(*delta).clamp(0, places::level_extent(dataset, level, a) as i64 - 1);
            if to != at {
                set(index, a, places::level_to_scene(dataset, level, a, to));
            }
            Ok(Report::LevelIndex(a))
        }
        Change::Margins { axis, margins } => {
            let a = resolve(axis)?;
            check_margins(margins)?;
            if index.margins.get(a).is_some_and(|m| m != margins) {
                index.margins[a] = *margins;
            }
            Ok(Report::Margins(a))
        }
        Change::WholeIndex(whole) => {
            whole.margins.iter().try_for_each(check_margins)?;
            let mut next = whole.clone();
            next.value.resize(axes.len(), 0);
            next.margins.resize(axes.len(), [0.0; 2]);
            index.set_if_neq(next);
            Ok(Report::None)
        }
        Change::Order(order) => {
            let next = Axes { order: order.clone(), ..(**axes).clone() };
            if !next.order_is_permutation() {
                return Err(Rejection::invalid(format!(
                    "order {order:?} must hold each of 0..{} once",
                    axes.len()
                )));
            }
            axes.set_if_neq(next);
            Ok(Report::Order)
        }
        _ => Ok(Report::None),
    }
}

/// Margins that can be drawn; a NaN would also make a state differ from itself.
fn check_margins(margins: &[f64; 2]) -> Result<(), Rejection> {
    if margins.iter().all(|m| m.is_finite() && *m >= 0.0) {
        return Ok(());
    }
    Err(Rejection::invalid("margins are two numbers, 0 or more"))
}

fn set(index: &mut Mut<Index>, axis: usize, value: i64) {
    if index.value.get(axis).is_some_and(|v| *v != value) {
        index.value[axis] = value;
    }
}
