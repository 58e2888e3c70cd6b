//! Who looks at what.

use crate::pace::Pace;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    ids::{SessionId, StreamId, ViewId},
    session::{Session, Watch},
    stream::{Canvas, Orientation, Stream},
};

/// What a stream shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub view: ViewId,
    pub canvas: Canvas,
    pub orientation: Orientation,
}

/// A session that watches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub entity: Entity,
    pub session: SessionId,
    /// The size of its picture, where it has said so.
    pub canvas: Option<Canvas>,
    /// What it is to watch.
    pub wants: Place,
}

/// The views and their canvases, by number: what is applied, or requested where nothing is.
pub(super) fn views(world: &mut World) -> Vec<(ViewId, Entity, Canvas)> {
    let mut views = world.query::<(&ViewId, Entity, &Canvas, Option<&Applied>)>();
    let mut views: Vec<_> = views
        .iter(world)
        .map(|(id, e, canvas, applied)| (*id, e, applied.map_or(*canvas, |a| a.state.canvas)))
        .collect();
    views.sort_unstable_by_key(|v| v.0);
    views
}

impl Place {
    /// What a stream shows.
    pub(crate) fn of_stream(view: ViewId, stream: &Stream) -> Self {
        Self { view, canvas: stream.canvas, orientation: stream.orientation }
    }

    /// What a session looks at: its view, on its own canvas or on that of the view.
    pub(crate) fn of(session: &Session, canvas: Canvas) -> Self {
        Self {
            view: session.view,
            canvas: session.canvas.unwrap_or(canvas),
            orientation: session.orientation,
        }
    }
}

/// The sessions that watch a view, oldest watcher first.
pub(super) fn watchers(world: &mut World, views: &[(ViewId, Entity, Canvas)]) -> Vec<Standing> {
    let mut sessions = world.query::<(Entity, &SessionId, &Session, &Watch)>();
    let mut watchers: Vec<(u64, Standing)> = sessions
        .iter(world)
        .filter_map(|(entity, id, session, watch)| {
            let (.., canvas) = views.iter().find(|(v, ..)| *v == session.view)?;
            let wants = Place::of(session, *canvas);
            Some((watch.since, Standing { entity, session: *id, canvas: session.canvas, wants }))
        })
        .collect();
    watchers.sort_unstable_by_key(|(since, _)| *since);
    watchers.into_iter().map(|(_, standing)| standing).collect()
}

/// What a stream shows, if it is there.
pub(super) fn place_of(world: &mut World, stream: StreamId) -> Option<Place> {
    let mut streams = world.query::<(&StreamId, &ViewId, &Stream)>();
    let (_, view, block) = streams.iter(world).find(|(id, ..)| **id == stream)?;
    Some(Place::of_stream(*view, block))
}

/// The stream that shows this.
pub(super) fn find(world: &mut World, place: Place) -> Option<StreamId> {
    let mut streams = world.query::<(&StreamId, &ViewId, &Stream, &Pace)>();
    let shows = |view: &ViewId, s: &Stream| Place::of_stream(*view, s) == place;
    streams.iter(world).find(|(_, view, s, pace)| !pace.always && shows(view, s)).map(|(id, ..)| *id)
}

/// Streams that are drawn although nobody watches, with the canvas of their view.
pub(super) fn stills(world: &mut World, views: &[(ViewId, Entity, Canvas)]) -> Vec<(Entity, Canvas)> {
    let mut streams = world.query_filtered::<(Entity, &ViewId, &Pace), With<Stream>>();
    streams
        .iter(world)
        .filter(|(.., pace)| pace.always)
        .filter_map(|(e, view, _)| Some((e, views.iter().find(|(v, ..)| v == view)?.2)))
        .collect()
}
