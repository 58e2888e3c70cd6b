//! 2D ↔ 3D.

use super::{no_view, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    axes::Axes,
    dataset::Scene,
    fault::Rejection,
    ids::ViewId,
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
    view::View,
};

/// Answers [`Change::Ndisplay`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(&ViewId, &Axes, &mut View)>,
) {
    for intent in intents.read() {
        let Change::Ndisplay(n) = intent.change else { continue };
        let outcome = match views.iter_mut().find(|(id, ..)| **id == intent.view) {
            None => Err(no_view(intent)),
            Some(_) if !(2..=3).contains(&n) => {
                Err(Rejection::invalid(format!("ndisplay is {n}; it can be 2 or 3")))
            }
            Some(_) if scene.dataset.is_none() => Err(nothing_open()),
            Some((_, axes, _)) if axes.len() < usize::from(n) => Err(too_few(axes, n)),
            Some((.., mut view)) => {
                view.set_if_neq(View { ndisplay: n });
                Ok(Report::Ndisplay)
            }
        };
        settle(&mut ops, intent, OpKind::ViewToggle, outcome);
    }
}

/// The refusal of a mode that displays more axes than there are.
pub(super) fn too_few(axes: &Axes, ndisplay: u8) -> Rejection {
    let labels = axes.labels.join(", ");
    Rejection::invalid(format!(
        "ndisplay {ndisplay} needs {ndisplay} axes, and this image has {}: {labels}",
        axes.len()
    ))
}
