//! Level and policy.

use super::{no_view, nothing_open, settle};
use crate::{
    residency::bricks::detail::estimate::{self, Sight},
    txn::volume_level::{finest_that_fits, locked},
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, ViewState},
    dataset::Scene,
    fault::Rejection,
    ids::ViewId,
    intent::{Change, Intent},
    lod::{Budgets, Lod, LodPolicy},
    ops::{OpKind, Ops, Report},
    view::{Mode, View},
};

/// Answers [`Change::Level`] (clamped, and locked from then on) and [`Change::Policy`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    budgets: Res<Budgets>,
    mut views: Query<(&ViewId, &View, &mut Lod, Option<&Applied>)>,
) {
    for intent in intents.read() {
        if !matches!(intent.change, Change::Level(_) | Change::Policy(_)) {
            continue;
        }
        let view = views.iter_mut().find(|(id, ..)| **id == intent.view);
        let image = scene.dataset.as_deref().and_then(|d| d.reference());
        let outcome = match (view, image) {
            (None, _) => Err(no_view(intent)),
            (_, None) => Err(nothing_open()),
            (Some((_, view, mut lod, applied)), Some(image)) => {
                // The volume that is shown, where it is one.
                let shown = applied.map(|a| &*a.state).filter(|s| {
                    let same_image = scene.dataset.as_ref().is_some_and(|d| **d == *s.dataset);
                    same_image && s.view.mode() == Mode::Volume && view.mode() == Mode::Volume
                });
                let (next, report) = match intent.change {
                    Change::Level(level) => {
                        let level = level.clamp(0, image.levels.len() as i64 - 1) as usize;
                        (locked(level), Report::Level)
                    }
                    Change::Policy(policy) if policy == lod.policy => (*lod, Report::Policy),
                    // The nearest point's level, from now on everywhere.
                    Change::Policy(LodPolicy::Locked) if shown.is_some() => {
                        (locked(lod.level), Report::Policy)
                    }
                    Change::Policy(policy) => (Lod { policy, ..*lod }, Report::Policy),
                    _ => continue,
                };
                let asked_for = next.policy == LodPolicy::Locked && next != *lod;
                let affordable = match shown.filter(|_| asked_for) {
                    Some(state) => check(state, next.level, &budgets),
                    None => Ok(()),
                };
                affordable.map(|()| {
                    lod.set_if_neq(next);
                    report
                })
            }
        };
        settle(&mut ops, intent, OpKind::Policy, outcome);
    }
}

/// Refuses a level that does not fit the budget for bricks everywhere, as the volume is seen now.
fn check(state: &ViewState, level: usize, budgets: &Budgets) -> Result<(), Rejection> {
    let sight = Sight::of(state, &state.camera.volume);
    let limit = estimate::limit(budgets);
    let bytes = sight.bytes(locked(level));
    if bytes <= limit {
        return Ok(());
    }
    let levels = state.dataset.reference().map_or(0, |r| r.levels.len());
    let way_out = match finest_that_fits(&sight, level + 1..levels, limit) {
        Some(level) => format!("the finest level that fits is {level}"),
        None => "no level fits".to_owned(),
    };
    Err(Rejection::error(format!(
        "level {level} of all that is seen would take about {} MiB, and there are {} MiB for it; {way_out}",
        mebibytes(bytes).ceil(),
        mebibytes(limit).floor()
    )))
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
