//! A view of one's own.

use super::{Answer, look, of_view, session};
use crate::{
    reduce::dataset::Restoring,
    seats::{LastView, Newborn},
    spawn,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, ViewState},
    camera::CameraQueue,
    dataset::Scene,
    fault::Rejection,
    fit::Fit,
    ids::{SessionId, ViewId},
    restore::{Place, RestoreCache},
    seats::{MOST_VIEWS, ViewName, tidy_name},
    stream::Canvas,
};
use std::sync::Arc;

/// A view that begins as the one its owner looks at. While no image is open there is nothing to begin as.
pub(super) fn create(
    world: &mut World,
    asks: SessionId,
    op: u64,
    name: Option<&str>,
) -> Result<Answer, Rejection> {
    let owner = session(world, asks)?;
    let name = match name {
        Some(name) => tidy_name(name)?,
        None => owner.name,
    };
    if world.resource::<Scene>().dataset.is_none() {
        let (view, _) = spawn(world, ViewName { name, owner: Some(asks) }, owner.canvas)?;
        look(world, asks, view, None)?;
        return Ok(Answer::Done(of_view(view)));
    }
    let state = applied(world, owner.view)
        .ok_or_else(|| Rejection::error(format!("{} shows nothing yet; try again", owner.view)))?;
    let canvas = owner.canvas.unwrap_or(state.canvas);
    // Where this is a retry, the view is there already.
    let (view, entity) = match newborn(world, op) {
        Some(found) => found,
        None => spawn(world, ViewName { name, owner: Some(asks) }, Some(canvas))?,
    };
    begin_as(&mut world.entity_mut(entity), &state, canvas);
    world.entity_mut(entity).insert(Newborn { op, session: asks });
    Ok(Answer::Begins(view))
}

/// Spawns a view of the next number, if there may be one more.
fn spawn(world: &mut World, name: ViewName, canvas: Option<Canvas>) -> Result<(ViewId, Entity), Rejection> {
    if world.query::<&ViewName>().iter(world).count() >= MOST_VIEWS {
        return Err(Rejection::error(format!("there are {MOST_VIEWS} views already; close one first")));
    }
    let mut last = world.resource_mut::<LastView>();
    last.0 = last.0.checked_add(1).ok_or_else(|| Rejection::error("views have run out of numbers"))?;
    let view = ViewId(last.0);
    let entity = spawn::view(world, view, name);
    if let Some(canvas) = canvas {
        world.entity_mut(entity).insert(canvas);
    }
    Ok((view, entity))
}

/// The view that an op brought.
fn newborn(world: &mut World, op: u64) -> Option<(ViewId, Entity)> {
    let mut views = world.query::<(&ViewId, Entity, &Newborn)>();
    views.iter(world).find(|(.., n)| n.op == op).map(|(view, entity, _)| (*view, entity))
}

fn applied(world: &mut World, view: ViewId) -> Option<Arc<ViewState>> {
    let mut views = world.query::<(&ViewId, &Applied)>();
    views.iter(world).find(|(id, _)| **id == view).map(|(_, applied)| applied.state.clone())
}

/// Requests what another view shows, as it is seen on this canvas.
fn begin_as(view: &mut EntityWorldMut, state: &ViewState, canvas: Canvas) {
    let fit = Fit::of(state.canvas, canvas);
    let RestoreCache { plane, volume } = state.restore.clone();
    let restore = RestoreCache {
        plane: plane.map(|p| Place { pose: fit.plane(p.pose), ..p }),
        volume: volume.map(|p| Place { pose: fit.volume(p.pose), ..p }),
    };
    view.insert((
        state.view,
        state.axes.clone(),
        state.index.clone(),
        state.lod,
        state.clip.clone(),
        canvas,
        CameraQueue::default(),
        Restoring { camera: fit.camera(&state.camera), restore },
    ));
}
