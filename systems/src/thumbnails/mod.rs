//! Small pictures of layers, for sessions that want them.
//!
//! They are made on the CPU from chunks that are in the host's cache, a few in a turn, each layer's a few times a
//! second. What is not there is asked for after everything else; a layer of which less than half is there has none.

mod picture;
pub mod work;

use crate::residency::cache::ChunkCache;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    clock::{Clock, NextWake},
    dataset::SourceId,
    ids::ViewId,
    session::Session,
    thumbnail::Thumbnails,
};
use work::Work;

/// Values read in one turn, over all views: no thumbnail is begun after so many. A fraction of a millisecond.
pub const READS: usize = 1 << 16;

/// The image that thumbnails are of.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of(Option<SourceId>);

/// Before clients are told of another image, the thumbnails of the one before it go.
pub fn forget(mut views: Query<(&Applied, &mut Of, &mut Work, &mut Thumbnails)>) {
    for (applied, mut of, mut work, mut thumbnails) in &mut views {
        let now = Of(applied.state.dataset.reference().map(|image| image.source));
        if of.set_if_neq(now) {
            *work = Work::default();
            thumbnails.0.clear();
        }
    }
}

/// A view, and its thumbnails where there are some.
type Small<'a> = (Entity, &'a ViewId, &'a Applied, Option<(&'a mut Work, &'a mut Thumbnails)>);

/// Makes the thumbnails of views that sessions with that feature look at; of others there are none.
pub fn make(
    mut commands: Commands,
    mut views: Query<Small>,
    sessions: Query<&Session>,
    cache: Res<ChunkCache>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
) {
    let mut left = READS;
    for (entity, id, applied, work) in &mut views {
        let is_wanted = sessions.iter().any(|s| s.hears && s.features.thumbnails && s.view == *id);
        match work {
            Some((mut work, mut thumbnails)) if is_wanted => {
                work.look(applied, &cache);
                work.draw(&applied.state, &cache, &clock, &mut wake, &mut left, &mut thumbnails);
            }
            None if is_wanted => {
                let of = Of(applied.state.dataset.reference().map(|image| image.source));
                commands.entity(entity).insert((of, Work::default(), Thumbnails::default()));
                wake.at(clock.now);
            }
            Some(_) => {
                commands.entity(entity).remove::<(Of, Work, Thumbnails)>();
            }
            None => {}
        }
    }
}
