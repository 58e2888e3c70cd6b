//! Level and policy.

use super::{no_view, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    dataset::Scene,
    ids::ViewId,
    intent::{Change, Intent},
    lod::{Lod, LodPolicy},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Level`] (clamped, and locked from then on) and [`Change::Policy`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(&ViewId, &mut Lod)>,
) {
    for intent in intents.read() {
        if !matches!(intent.change, Change::Level(_) | Change::Policy(_)) {
            continue;
        }
        let view = views.iter_mut().find(|(id, _)| **id == intent.view);
        let image = scene.dataset.as_deref().and_then(|d| d.reference());
        let outcome = match (view, image, &intent.change) {
            (None, ..) => Err(no_view(intent)),
            (_, None, _) => Err(nothing_open()),
            (Some((_, mut lod)), Some(image), Change::Level(level)) => {
                let level = (*level).clamp(0, image.levels.len() as i64 - 1) as usize;
                lod.set_if_neq(Lod { level, policy: LodPolicy::Locked, downgraded: false });
                Ok(Report::Level)
            }
            (Some((_, mut lod)), Some(_), Change::Policy(policy)) => {
                let next = Lod { policy: *policy, ..*lod };
                lod.set_if_neq(next);
                Ok(Report::Policy)
            }
            _ => continue,
        };
        settle(&mut ops, intent, OpKind::Policy, outcome);
    }
}
