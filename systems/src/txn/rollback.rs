//! Requested blocks go back to what is applied.

use crate::reduce::{
    dataset::{Restoring, spawn_layers},
    stream::Adopting,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied, axes::Axes, camera::CameraQueue, clip::Clip, controls::Controls, dataset::Scene,
    ids::LayerId, index::Index, layer::Layer, lod::Lod, view::View,
};

/// Puts the requested blocks of a view and the scene back to the view's applied state; a view
/// that never had one is emptied.
pub fn rollback(world: &mut World, entity: Entity) {
    let applied = world.get::<Applied>(entity).map(|a| a.state.clone());
    world.entity_mut(entity).remove::<(Restoring, Adopting)>().insert(CameraQueue::default());
    let Some(state) = applied else {
        world.entity_mut(entity).insert((
            View::default(),
            Axes::default(),
            Index::default(),
            Lod::default(),
            Clip::default(),
        ));
        // What others show stays.
        if world.query::<&Applied>().iter(world).next().is_none() {
            world.resource_mut::<Scene>().dataset = None;
            spawn_layers(world, std::iter::empty());
        }
        return;
    };
    world.entity_mut(entity).insert((
        state.view,
        state.axes.clone(),
        state.index.clone(),
        state.lod,
        state.clip.clone(),
        state.canvas,
    ));
    world.resource_mut::<Scene>().dataset = Some(state.dataset.clone());

    let mut layers = world.query::<(&LayerId, &Layer, &mut Controls)>();
    let same = layers.iter(world).count() == state.layers.len()
        && layers.iter(world).all(|(id, layer, _)| state.layer(*id).is_some_and(|l| l.layer == *layer));
    if same {
        for (id, _, mut controls) in layers.iter_mut(world) {
            if let Some(l) = state.layer(*id) {
                controls.set_if_neq(l.controls.clone());
            }
        }
    } else {
        let layers: Vec<_> =
            state.layers.iter().map(|l| (l.id, l.layer.clone(), l.controls.clone())).collect();
        spawn_layers(world, layers.into_iter());
    }
}
