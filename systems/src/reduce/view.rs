//! 2D ↔ 3D.

use super::{no_view, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    dataset::Scene,
    fault::Rejection,
    ids::ViewId,
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
    view::View,
};

/// Answers [`Change::Ndisplay`]. The ledger is complete in 3D, but a client is refused until volumes are drawn.
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(&ViewId, &mut View)>,
) {
    for intent in intents.read() {
        let Change::Ndisplay(n) = intent.change else { continue };
        let outcome = match views.iter_mut().find(|(id, _)| **id == intent.view) {
            None => Err(no_view(intent)),
            Some(_) if !(2..=3).contains(&n) => {
                Err(Rejection::invalid(format!("ndisplay is {n}; it can be 2 or 3")))
            }
            Some(_) if n == 3 && intent.origin.is_some() => Err(volumes_not_drawn()),
            Some(_) if scene.dataset.is_none() => Err(nothing_open()),
            Some((_, mut view)) => {
                view.set_if_neq(View { ndisplay: n });
                Ok(Report::Ndisplay)
            }
        };
        settle(&mut ops, intent, OpKind::ViewToggle, outcome);
    }
}

/// The refusal of a client's request for 3D.
pub(super) fn volumes_not_drawn() -> Rejection {
    Rejection::unsupported("this version draws planes only; volumes are not drawn yet")
}
