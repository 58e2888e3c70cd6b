//! What a transaction edits.

use super::level::LevelClock;
use crate::{
    reduce::{dataset::Restoring, stream::Adopting},
    streams::extent::Extent,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    axes::Axes,
    camera::{Camera, CameraDelta, CameraQueue},
    clip::Clip,
    clock::Clock,
    controls::Controls,
    dataset::Scene,
    fault::FaultReason,
    ids::{LayerId, ViewId},
    index::Index,
    layer::Layer,
    lod::{Budgets, Lod, LodRules},
    stream::Canvas,
    view::View,
};
use std::{sync::Arc, time::Instant};

/// The requested blocks of one view together, being made fit to be applied.
#[must_use = "a draft that is not committed changes nothing"]
#[derive(Debug)]
pub struct Draft {
    /// The view's entity.
    pub entity: Entity,
    /// The view.
    pub view: ViewId,
    /// What is applied now.
    pub before: Option<Arc<ViewState>>,
    /// What is to be applied; complete after the camera step.
    pub next: ViewState,
    /// Camera deltas to be applied, oldest first.
    pub deltas: Vec<CameraDelta>,
    /// A snapshot's poses and ways back, where one is being restored.
    pub restoring: Option<Restoring>,
    /// The canvas is that of another session now: what that sees stays.
    pub adopting: bool,
    /// What is seen of the view on all its streams.
    pub extent: Extent,
    /// The pose that the deltas lead to: made by the level step, which needs its zoom, written by the camera step.
    pub pose: Option<Camera>,
    /// Whether the level policy chose anew.
    pub policy_chose: bool,
    /// How levels are chosen.
    pub rules: LodRules,
    /// What they may cost.
    pub budgets: Budgets,
    /// When the level last switched.
    pub clock: LevelClock,
    /// The time of this turn.
    pub now: Instant,
    /// Time spent in the level step, microseconds.
    pub level_micros: f64,
}

impl Draft {
    /// Gathers the requested blocks of a view; `None` where no dataset was ever requested.
    pub fn of(world: &mut World, entity: Entity) -> Option<Self> {
        let mut layers: Vec<LayerState> = world
            .query::<(&LayerId, &Layer, &Controls)>()
            .iter(world)
            .map(|(id, layer, controls)| LayerState {
                id: *id,
                layer: layer.clone(),
                controls: controls.clone(),
            })
            .collect();
        layers.sort_by_key(|l| (l.layer.order, l.id));

        let dataset = world.resource::<Scene>().dataset.clone()?;
        let view = *world.get::<ViewId>(entity)?;
        let before = world.get::<Applied>(entity).map(|a| a.state.clone());
        let camera = before.as_ref().map_or_else(Camera::default, |b| b.camera);
        let restore = before.as_ref().map(|b| b.restore.clone()).unwrap_or_default();
        // Equal layers keep their allocation, so that comparing states stays cheap.
        let layers = match &before {
            Some(b) if *b.layers == *layers => b.layers.clone(),
            _ => layers.into(),
        };
        let next = ViewState {
            dataset,
            view: *world.get::<View>(entity)?,
            axes: world.get::<Axes>(entity)?.clone(),
            index: world.get::<Index>(entity)?.clone(),
            lod: *world.get::<Lod>(entity)?,
            camera,
            restore,
            clip: world.get::<Clip>(entity)?.clone(),
            canvas: *world.get::<Canvas>(entity)?,
            layers,
        };
        Some(Self {
            entity,
            view,
            before,
            next,
            deltas: world.get::<CameraQueue>(entity)?.0.clone(),
            restoring: world.get::<Restoring>(entity).cloned(),
            adopting: world.get::<Adopting>(entity).is_some(),
            extent: *world.get::<Extent>(entity)?,
            pose: None,
            policy_chose: false,
            rules: *world.resource::<LodRules>(),
            budgets: *world.resource::<Budgets>(),
            clock: *world.get::<LevelClock>(entity)?,
            now: world.resource::<Clock>().now,
            level_micros: 0.0,
        })
    }

    /// Whether the dataset is another one than is applied (also at bootstrap). A view that begins as another one
    /// shows no new dataset.
    pub fn is_new_dataset(&self) -> bool {
        self.before.as_ref().map_or(self.restoring.is_none(), |b| *b.dataset != *self.next.dataset)
    }

    /// The reference image, which every drawable dataset has.
    pub fn reference(&self) -> Result<&lucida_components::dataset::Multiscale, FaultReason> {
        self.next.dataset.reference().ok_or(FaultReason::NoDataset)
    }
}
