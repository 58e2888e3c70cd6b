//! Third step: the level that is asked for, or that the policy chooses, within the budgets.

use super::{Txn, camera::pose_after, draft::Draft, guarded, inject, volume_level};
use crate::residency::cost;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{LayerState, ViewState},
    camera::PlanePose,
    controls::Projection,
    dataset::Multiscale,
    fault::{FaultReason, Step},
    lod::{Lod, LodPolicy, LodRules},
    view::Mode,
};
use std::time::{Duration, Instant};

/// When a view's level last switched, for rules with a cooldown.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LevelClock {
    /// The last switch.
    pub switched: Option<Instant>,
    /// A switch was held back by the cooldown until then.
    pub due: Option<Instant>,
    /// `due` has come: the view is to be looked at although nobody asked.
    pub recheck: bool,
}

/// The step as a system.
pub fn step() -> impl FnMut(ResMut<Txn>, Option<ResMut<inject::Injection>>) {
    guarded(Step::Level, level)
}

fn level(draft: &mut Draft) -> Result<(), FaultReason> {
    let started = Instant::now();
    let recheck = std::mem::take(&mut draft.clock.recheck);
    let pose = pose_after(draft);
    draft.pose = Some(pose);

    let asked = draft.next.lod;
    let levels = draft.reference()?.levels.len();
    if asked.level >= levels {
        return Err(FaultReason::NoSuchLevel { level: asked.level, levels });
    }
    let moved = recheck || has_moved(draft, &pose.plane);
    // Every stream of the view is to be sharp.
    let canvas = draft.next.canvas;
    let sight = draft.extent.fit(canvas);
    draft.next.canvas = sight.to();
    let seen = sight.camera(&pose);
    let chosen = match draft.next.view.mode() {
        Mode::Plane => plane(draft, &seen.plane, moved),
        Mode::Volume => {
            draft.clock.due = None;
            volume_level::choose(draft, &seen.volume)
        }
    };
    draft.next.canvas = canvas;
    let chosen = chosen?;
    draft.next.lod = chosen;

    let before = draft.before.as_ref().map(|b| (b.lod.level, b.view));
    if before.map(|(level, _)| level) != Some(chosen.level) {
        draft.clock.switched = Some(draft.now);
        // The level that a mode comes with is part of the toggle.
        let same_mode = before.is_some_and(|(_, view)| view == draft.next.view);
        draft.policy_chose = same_mode && asked.policy == LodPolicy::Auto && !draft.is_new_dataset();
    }
    draft.level_micros = started.elapsed().as_secs_f64() * 1e6;
    Ok(())
}

/// The level of a plane that is seen by this pose.
fn plane(draft: &mut Draft, pose: &PlanePose, moved: bool) -> Result<Lod, FaultReason> {
    let asked = draft.next.lod;
    let levels = draft.reference()?.levels.len();
    // `None`: the level stays, and with it the mark that a budget had made it coarser.
    let decided = match asked.policy {
        _ if draft.restoring.is_some() => {
            draft.clock.due = None;
            None
        }
        LodPolicy::Locked => None,
        LodPolicy::Auto => automatic(draft, pose, moved)?,
    };
    let wanted = decided.unwrap_or(asked.level);
    let affordable = loop {
        let found = (wanted..levels).find(|&l| cost::fits(&draft.next, pose, l, &draft.budgets));
        // A thick slice that fits at no level becomes thinner. Who asked for it is told what it became.
        if found.is_some() || !thinner(&mut draft.next) {
            break found;
        }
    };
    let chosen = affordable.unwrap_or(levels - 1);
    // Also where not even the coarsest fits: parts of it are not drawn.
    let downgraded = chosen != wanted || affordable.is_none() || (decided.is_none() && asked.downgraded);
    Ok(Lod { level: chosen, policy: asked.policy, downgraded, bias: 0 })
}

/// Halves the margins where a layer that is shown projects them; whether there was something to halve.
fn thinner(next: &mut ViewState) -> bool {
    let projects = |l: &LayerState| l.controls.visible && l.controls.projection != Projection::None;
    let plane = next.plane_axes();
    if !next.layers.iter().any(projects) {
        return false;
    }
    let mut halved = false;
    for (_, margins) in next.index.margins.iter_mut().enumerate().filter(|(a, _)| !plane.contains(a)) {
        for margin in margins.iter_mut().filter(|m| **m > 0.0) {
            *margin = if *margin < 2.0 { 0.0 } else { (*margin / 2.0).floor() };
            halved = true;
        }
    }
    halved
}

/// What the policy wants for a plane pose; `None` where it leaves the level as it is.
fn automatic(draft: &mut Draft, pose: &PlanePose, moved: bool) -> Result<Option<usize>, FaultReason> {
    let reference = draft.reference()?;
    let over = oversampling(reference, draft.next.plane_axes(), pose.zoom);
    let fresh = draft.is_new_dataset();
    let current = draft.next.lod.level.min(over.len() - 1);
    match draft.rules {
        LodRules::Sharp { hysteresis } => {
            // Where a budget made the level coarser, the margin counts from what was wanted: from the finest
            // on, so that the same pose wants the same again.
            let from = if draft.next.lod.downgraded { 0 } else { current };
            Ok(Some(sharp(&over, if fresh { None } else { Some(from) }, hysteresis)))
        }
        LodRules::NapariCuda { fine, coarse, cooldown_millis } => {
            if fresh {
                return Ok(Some(settled(&over, fine, coarse)));
            }
            if !moved {
                return Ok(None);
            }
            let want = stepwise(&over, current, zoom_direction(draft), fine, coarse);
            let ready = draft.clock.switched.map(|s| s + Duration::from_millis(cooldown_millis));
            if want != current && ready.is_some_and(|r| draft.now < r) {
                draft.clock.due = ready;
                return Ok(None);
            }
            draft.clock.due = None;
            Ok(Some(want))
        }
    }
}

/// Whether there is a reason to decide anew: one decision is one level, so without a reason the level would
/// go on by one with every other op. A mode that is come back to keeps the level it was left with.
fn has_moved(draft: &Draft, pose: &PlanePose) -> bool {
    let (Some(before), next) = (&draft.before, &draft.next) else { return true };
    before.camera.plane != *pose
        || before.canvas != next.canvas
        || before.plane_axes() != next.plane_axes()
        || (before.view == next.view && before.lod.policy != next.lod.policy)
}

/// Data pixels per screen pixel of each level: the smaller of the two plane axes' counts, so that no axis
/// is drawn with fewer.
pub fn oversampling(image: &Multiscale, plane: [usize; 2], zoom: f64) -> Vec<f64> {
    image
        .levels
        .iter()
        .map(|level| {
            let coarsest = plane.iter().filter_map(|&a| image.dim_of(a)).map(|d| level.scale[d]);
            let size = coarsest.fold(f64::MIN_POSITIVE, f64::max);
            1.0 / (zoom * size)
        })
        .collect()
}

/// The coarsest level with at least one data pixel per screen pixel; a coarser one than `current` only
/// with the margin.
pub fn sharp(over: &[f64], current: Option<usize>, hysteresis: f64) -> usize {
    // A tenth of a percent forgives rounding of poses that were made to fit exactly.
    const EXACT: f64 = 0.999;
    (0..over.len())
        .rev()
        .find(|&l| {
            let coarser = current.is_some_and(|c| l > c);
            over[l] >= if coarser { 1.0 + hysteresis } else { EXACT }
        })
        .unwrap_or(0)
}

/// Which way the newest zoom of this turn went: finer (−1), coarser (+1) or neither.
fn zoom_direction(draft: &Draft) -> i32 {
    draft
        .deltas
        .iter()
        .rev()
        .find_map(|d| match d {
            lucida_components::camera::CameraDelta::Zoom { factor, .. } if *factor < 1.0 - 1e-3 => Some(-1),
            lucida_components::camera::CameraDelta::Zoom { factor, .. } if *factor > 1.0 + 1e-3 => Some(1),
            _ => None,
        })
        .unwrap_or(0)
}

/// napari-cuda's selector, one decision. `over` counts data pixels per screen pixel.
pub fn stepwise(over: &[f64], current: usize, direction: i32, fine: f64, coarse: f64) -> usize {
    let last = over.len() - 1;
    let want = match direction {
        d if d < 0 && current > 0 => current - 1,
        d if d > 0 && current < last => current + 1,
        _ if current > 0 && over[current - 1] <= fine => current - 1,
        _ if current < last && over[current] > coarse => current + 1,
        _ => current,
    };
    let coarse = if direction > 0 { coarse.min(1.20) } else { coarse };
    let held = (want < current && over[want] > fine) || (want > current && over[current] <= coarse);
    if held { current } else { want }
}

/// Its level at bootstrap: the decision repeated until it settles.
fn settled(over: &[f64], fine: f64, coarse: f64) -> usize {
    let mut level = over.len() - 1;
    for _ in 0..over.len() + 2 {
        let next = stepwise(over, level, 0, fine, coarse);
        if next == level {
            break;
        }
        level = next;
    }
    level
}
