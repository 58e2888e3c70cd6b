//! What views showed before an attempt, to be gone back to.

use super::{level::LevelClock, rollback};
use bevy_ecs::prelude::*;
use lucida_components::{applied::Applied, ids::ViewId};

/// The applied state of some views, and when their level last switched.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint(Vec<(Entity, Option<Applied>, LevelClock)>);

impl Checkpoint {
    /// Of these views, as they are now.
    pub(super) fn of(world: &World, views: &[(ViewId, Entity)]) -> Self {
        let clock = |e| world.get::<LevelClock>(e).copied().unwrap_or_default();
        Self(views.iter().map(|&(_, e)| (e, world.get::<Applied>(e).cloned(), clock(e))).collect())
    }

    /// Puts applied and requested blocks of the views, and the scene, back.
    pub(super) fn restore(&self, world: &mut World) {
        for (entity, applied, clock) in &self.0 {
            let mut view = world.entity_mut(*entity);
            view.insert(*clock);
            match applied {
                Some(applied) => view.insert(applied.clone()),
                None => view.remove::<Applied>(),
            };
            rollback::rollback(world, *entity);
        }
    }
}
