//! The entities that are always there.

use bevy_ecs::prelude::*;
use lucida_components::{
    axes::Axes,
    camera::CameraQueue,
    clip::Clip,
    ids::{StreamId, ViewId},
    index::Index,
    lod::Lod,
    notice::Residency,
    seats::ViewName,
    stream::{Canvas, Stream},
    view::View,
};

/// Spawns the main view and its stream.
pub fn main_view(world: &mut World) {
    view(world, ViewId::MAIN, ViewName { name: ViewId::MAIN.to_string(), owner: None });
    stream(world, StreamId::MAIN, ViewId::MAIN, Stream::default());
}

/// Spawns a view at which nothing is shown yet.
pub fn view(world: &mut World, id: ViewId, name: ViewName) -> Entity {
    let view = world.spawn((
        id,
        name,
        View::default(),
        Canvas::default(),
        Axes::default(),
        Index::default(),
        Lod::default(),
        Clip::default(),
        CameraQueue::default(),
        Residency::default(),
        crate::streams::extent::Extent::default(),
        crate::txn::level::LevelClock::default(),
        crate::residency::plan::Plan::default(),
        crate::seats::Unwatched::default(),
    ));
    view.id()
}

/// Spawns a stream of a view.
pub fn stream(world: &mut World, id: StreamId, view: ViewId, stream: Stream) {
    world.spawn((
        id,
        view,
        stream,
        crate::render::pictures::Pictures::default(),
        crate::render::effort::Effort::default(),
        crate::render::answers::Answers::default(),
        crate::streams::Ended,
        crate::pace::Pace::default(),
    ));
}
