//! Another image, or a snapshot of this one: every requested block is written anew.

use super::{no_view, settle, view::too_few};
use bevy_ecs::prelude::*;
use lucida_components::{
    axes::{Axes, AxisKind},
    camera::{Camera, CameraDelta, CameraQueue},
    clip::Clip,
    controls::{Controls, Interpolation, Projection},
    dataset::{Dataset, LayerSource, Scene},
    fault::Rejection,
    ids::{LayerId, ViewId},
    index::Index,
    intent::{Change, Intent},
    labels::{COLORMAP, MOST_CONTOUR},
    layer::{Layer, LayerKind},
    lod::Lod,
    ops::{OpKind, Ops, Report},
    restore::RestoreCache,
    snapshot::Snapshot,
    view::View,
};
use std::sync::Arc;

/// A snapshot's poses and ways back, for the next transaction of a view: it takes them as they are, instead of
/// treating a difference in mode as a toggle.
#[derive(Component, Debug, Clone)]
pub struct Restoring {
    /// The poses.
    pub camera: Camera,
    /// The ways back.
    pub restore: RestoreCache,
}

/// The requested blocks of a view.
type Blocks<'a> =
    (&'a ViewId, &'a mut View, &'a mut Axes, &'a mut Index, &'a mut Lod, &'a mut Clip, &'a mut CameraQueue);

/// Answers [`Change::Dataset`] (bootstrap is the first of them) and [`Change::Restore`]. Exclusive, because
/// layers are spawned for the reducers that follow in the same turn.
pub fn reduce(world: &mut World, mut reader: Local<bevy_ecs::message::MessageCursor<Intent>>) {
    let intents: Vec<Intent> = reader
        .read(world.resource::<Messages<Intent>>())
        .filter(|i| matches!(i.change, Change::Dataset(_) | Change::Restore(_)))
        .cloned()
        .collect();
    for intent in intents {
        let outcome = match &intent.change {
            Change::Dataset(dataset) => {
                open(world, dataset);
                Ok(Report::None)
            }
            Change::Restore(snapshot) => restore(world, &intent, snapshot),
            _ => continue,
        };
        settle(&mut world.resource_mut::<Ops>(), &intent, OpKind::Dataset, outcome);
    }
}

/// Requests an image: home pose, middle plane, automatic level, its own layers.
fn open(world: &mut World, dataset: &Arc<Dataset>) {
    world.resource_mut::<Scene>().dataset = Some(dataset.clone());
    spawn_layers(
        world,
        dataset.layers.iter().enumerate().map(|(i, l)| {
            let layer = Layer {
                name: l.name.clone(),
                image: l.image,
                channel: l.channel,
                order: i as u32,
                kind: l.kind,
            };
            (LayerId(i as u32), layer, home_controls(l))
        }),
    );
    let mut views = world.query::<Blocks>();
    for (_, mut view, mut axes, mut index, mut lod, mut clip, mut queue) in views.iter_mut(world) {
        *view = View::default();
        *axes = axes_of(dataset);
        *index = Index::at(middle(dataset));
        *lod = Lod::default();
        *clip = Clip { ranges: vec![None; dataset.axes.len()], planes: Vec::new() };
        queue.0 = vec![CameraDelta::Reset];
    }
    // Poses of the image before mean nothing here.
    let restoring: Vec<Entity> = world.query_filtered::<Entity, With<Restoring>>().iter(world).collect();
    for view in restoring {
        world.entity_mut(view).remove::<Restoring>();
    }
}

/// What the image gives a layer to start with; labels are drawn in one way only.
fn home_controls(source: &LayerSource) -> Controls {
    let given = source.controls.clone();
    match source.kind {
        LayerKind::Image => given,
        LayerKind::Labels => Controls {
            interpolation: Interpolation::Nearest,
            colormap: COLORMAP.into(),
            projection: Projection::None,
            contour: given.contour.min(MOST_CONTOUR),
            ..given
        },
    }
}

/// Requests what a snapshot holds. The image must be the one that is open.
fn restore(world: &mut World, intent: &Intent, s: &Snapshot) -> Result<Report, Rejection> {
    if s.version != Snapshot::VERSION {
        return Err(Rejection::unsupported(format!(
            "snapshot version {} is not {}",
            s.version,
            Snapshot::VERSION
        )));
    }
    match s.view.ndisplay {
        2 | 3 => {}
        n => return Err(Rejection::invalid(format!("the snapshot's ndisplay is {n}; it can be 2 or 3"))),
    }
    let open = world.resource::<Scene>().dataset.clone();
    if open.as_ref().is_none_or(|d| d.locator != s.dataset) {
        return Err(Rejection::error(format!("the snapshot is of {:?}; open that first", s.dataset)));
    }
    let mut views = world.query::<(&ViewId, &Axes)>();
    let Some((_, axes)) = views.iter(world).find(|(id, _)| **id == intent.view) else {
        return Err(no_view(intent));
    };
    if axes.labels != s.axes.labels || !s.axes.order_is_permutation() {
        return Err(Rejection::error("the snapshot has other axes than the image"));
    }
    if axes.len() < usize::from(s.view.ndisplay) {
        return Err(too_few(axes, s.view.ndisplay));
    }
    let mut views = world.query::<Blocks>();
    for (id, mut view, mut axes, mut index, mut lod, mut clip, _) in views.iter_mut(world) {
        if *id != intent.view {
            continue;
        }
        view.set_if_neq(s.view);
        axes.set_if_neq(s.axes.clone());
        index.set_if_neq(s.index.clone());
        lod.set_if_neq(s.lod);
        clip.set_if_neq(s.clip.clone());
    }
    let views: Vec<Entity> = world
        .query::<(Entity, &ViewId, &View)>()
        .iter(world)
        .filter(|(_, id, _)| **id == intent.view)
        .map(|(e, ..)| e)
        .collect();
    for view in views {
        world.entity_mut(view).insert((s.canvas, Restoring { camera: s.camera, restore: s.restore.clone() }));
    }
    let mut layers = world.query::<(&LayerId, &mut Controls)>();
    for (id, mut controls) in layers.iter_mut(world) {
        if let Some((_, saved)) = s.layers.iter().find(|(l, _)| l == id) {
            controls.set_if_neq(saved.clone());
        }
    }
    Ok(Report::None)
}

/// Replaces the layer entities.
pub(crate) fn spawn_layers(world: &mut World, layers: impl Iterator<Item = (LayerId, Layer, Controls)>) {
    let old: Vec<Entity> = world.query_filtered::<Entity, With<Layer>>().iter(world).collect();
    for entity in old {
        world.despawn(entity);
    }
    for bundle in layers {
        world.spawn(bundle);
    }
}

fn axes_of(dataset: &Dataset) -> Axes {
    Axes {
        labels: dataset.axes.iter().map(|a| a.label.clone()).collect(),
        kinds: dataset.axes.iter().map(|a| a.kind).collect(),
        units: dataset.axes.iter().map(|a| a.unit.clone()).collect(),
        order: home_order(dataset),
    }
}

/// Array order, but z, y, x last, so that a plane is one of y and x however the array is stored.
fn home_order(dataset: &Dataset) -> Vec<usize> {
    let mut order: Vec<usize> = (0..dataset.axes.len()).collect();
    order.sort_by_key(|&a| match dataset.axes[a].label.to_ascii_lowercase().as_str() {
        "z" => 1,
        "y" => 2,
        "x" => 3,
        _ => 0,
    });
    order
}

/// Where the data says; else the middle of the spatial axes that are not displayed, the beginning of all others.
fn middle(dataset: &Dataset) -> Vec<i64> {
    let order = home_order(dataset);
    let shown = &order[order.len().saturating_sub(2)..];
    (0..order.len())
        .map(|a| {
            if let Some(start) = dataset.start.get(a).copied().flatten() {
                return start.min(dataset.extent(a).saturating_sub(1)) as i64;
            }
            let hidden_space = !shown.contains(&a) && dataset.axes[a].kind == AxisKind::Space;
            if hidden_space { dataset.extent(a) as i64 / 2 } else { 0 }
        })
        .collect()
}
