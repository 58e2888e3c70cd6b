//! Views and who looks at them, from turn to turn. What sessions ask about them is answered by
//! [`crate::reduce::seats`].

pub mod keep;

use bevy_ecs::prelude::*;
use lucida_components::{
    ids::{SessionId, ViewId},
    seats::ViewName,
};
use std::time::{Duration, Instant};

/// A view at which nobody looks is closed after this long: as long as a client takes to come back.
pub const UNWATCHED: Duration = Duration::from_mins(1);

/// A view that begins in this turn as another one; nobody sees it before its transaction was committed.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newborn {
    /// The op that asks for it.
    pub op: u64,
    /// Who looks at it then.
    pub session: SessionId,
}

/// Since when nobody has looked at a view.
#[derive(Component, Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Unwatched(pub Option<Instant>);

/// The last number that was given to a view. None is given twice.
#[derive(Resource, Debug, Default, Clone, Copy)]
pub struct LastView(pub u32);

/// The views that sessions may name: main first, then by number.
pub fn views(world: &mut World) -> Vec<ViewId> {
    let mut views = world.query_filtered::<&ViewId, (With<ViewName>, Without<Newborn>)>();
    let mut views: Vec<ViewId> = views.iter(world).copied().collect();
    views.sort_unstable();
    views
}
