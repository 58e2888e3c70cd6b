//! The crop box and the free clip planes.

use super::{no_axis, no_view, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    axes::Axes,
    clip::{Clip, ClipParts, ClipPlane},
    dataset::Scene,
    fault::Rejection,
    ids::ViewId,
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Clip`]: all parts or none.
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(&ViewId, &Axes, &mut Clip)>,
) {
    for intent in intents.read() {
        let Change::Clip(parts) = &intent.change else { continue };
        let outcome = match views.iter_mut().find(|(id, ..)| **id == intent.view) {
            None => Err(no_view(intent)),
            Some(_) if scene.dataset.is_none() => Err(nothing_open()),
            Some((_, axes, mut clip)) => changed(&clip, axes, parts).map(|next| {
                clip.set_if_neq(next);
                Report::Clip
            }),
        };
        settle(&mut ops, intent, OpKind::Clip, outcome);
    }
}

/// The block with the parts in place.
fn changed(clip: &Clip, axes: &Axes, parts: &ClipParts) -> Result<Clip, Rejection> {
    let mut next = clip.clone();
    next.ranges.resize(axes.len(), None);
    for (name, range) in &parts.ranges {
        let axis = axes.resolve(name).ok_or_else(|| no_axis(axes, name))?;
        let label = &axes.labels[axis];
        if let Some([from, to]) = range {
            if !(from.is_finite() && to.is_finite()) {
                return Err(Rejection::invalid(format!("the clip range of {label} is two finite numbers")));
            }
            if from >= to {
                return Err(Rejection::invalid(format!(
                    "the clip range of {label} is inside out: it begins at {from} and ends at {to}"
                )));
            }
        }
        next.ranges[axis] = *range;
    }
    if let Some(planes) = &parts.planes {
        if planes.len() > Clip::MOST_PLANES {
            let (most, got) = (Clip::MOST_PLANES, planes.len());
            return Err(Rejection::invalid(format!("at most {most} clip planes, not {got}")));
        }
        if !planes.iter().all(ClipPlane::is_valid) {
            return Err(Rejection::invalid(
                "a clip plane has a position and a normal of three finite numbers, the normal not zero",
            ));
        }
        next.planes.clone_from(planes);
    }
    Ok(next)
}
