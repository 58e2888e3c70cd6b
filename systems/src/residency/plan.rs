//! Each view's plan: which tiles its layers need, which can be uploaded now, which chunks are still wanted.
//!
//! The residency contract: a picture may be drawn when every visible layer has all tiles of its coarsest
//! level, or all of its target level, with failed parts marked missing. Then it refines, centre first.

use super::{
    cache::ChunkCache,
    pools::{Pools, Slot},
    retry::Retries,
    tiles::{Plane, Window},
};
use crate::pace::Pace;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    chunk::{ChunkKey, Priority, Wants},
    clock::{Clock, NextWake},
    dataset::Multiscale,
    ids::{StreamId, ViewId},
    notice::Residency,
    places,
    session::Watch,
};
use std::{collections::HashSet, time::Instant};

/// Chunks that may be wanted ahead of need.
const PREFETCH: usize = 256;

/// The plan of one view.
#[derive(Component, Debug, Default)]
pub struct Plan {
    /// Something arrived or was uploaded since it was made.
    pub stale: bool,
    /// The revision it was made for.
    pub revision: u64,
    /// Visible layers with something to show, bottom first.
    pub layers: Vec<LayerPlan>,
    /// Tiles whose chunks are at hand, most urgent first.
    pub uploads: Vec<TileJob>,
    /// How many of `uploads` a picture cannot do without.
    pub essential: usize,
    /// Whether a picture can be drawn once the essential tiles are uploaded.
    pub ready: bool,
    /// When a chunk that failed, of a tile that the view sees, is to be tried again.
    pub retry_at: Option<Instant>,
    /// Grows with every tile uploaded for this view: the picture differs.
    pub stamp: u64,
    /// The axis that was last stepped, and which way: what is read ahead.
    heading: Option<(usize, i64)>,
    /// The index the heading was taken from.
    last_index: Vec<i64>,
}

/// What one layer draws from.
#[derive(Debug, Clone)]
pub struct LayerPlan {
    /// Place in `ViewState::layers`.
    pub layer: usize,
    /// Levels with the tiles the view sees, target first, coarsest last.
    pub levels: Vec<(usize, Window)>,
}

/// One tile to be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileJob {
    /// Place in `ViewState::layers`.
    pub layer: usize,
    /// Level.
    pub level: usize,
    /// Tile row and column.
    pub at: [u64; 2],
}

/// Makes the plans of the views that are watched, and the one list of wanted chunks.
#[expect(clippy::too_many_arguments, reason = "one list of wants is made of everything that is seen")]
pub fn plan(
    mut views: Query<(&ViewId, &Applied, &mut Plan, &mut Residency)>,
    streams: Query<(&StreamId, &ViewId, &Pace)>,
    watches: Query<&Watch>,
    mut pools: ResMut<Pools>,
    mut cache: ResMut<ChunkCache>,
    mut wants: ResMut<Wants>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
) {
    cache.faults.date(pools.plan());
    let watched = |view: ViewId| {
        streams
            .iter()
            .any(|(id, v, pace)| *v == view && (pace.always || watches.iter().any(|w| w.stream == *id)))
    };
    let due = views.iter().any(|(view, applied, plan, _)| {
        let retry = plan.retry_at.is_some_and(|at| at <= clock.now);
        watched(*view)
            && (plan.stale || retry || plan.revision != applied.revision || !plan.uploads.is_empty())
    });
    if !due {
        for (view, _, plan, _) in &views {
            plan.retry_at.filter(|_| watched(*view)).into_iter().for_each(|at| wake.at(at));
        }
        return;
    }
    // The list of wants is one for all views: where one plan is remade, all are.
    pools.begin();
    let mut list = Wanted::new(clock.now);
    for (view, applied, mut plan, mut residency) in &mut views {
        if watched(*view) {
            let seen = make(&mut plan, applied, &mut pools, &mut cache, &mut list);
            residency.set_if_neq(seen);
            plan.retry_at = list.retries.at.take();
            plan.retry_at.into_iter().for_each(|at| wake.at(at));
        }
    }
    for key in std::mem::take(&mut list.retries.again) {
        list.push(key);
    }
    if wants.list != list.chunks {
        wants.list = list.chunks;
        wants.changed = true;
    }
}

/// Wanted chunks in order of urgency, each once.
struct Wanted {
    chunks: Vec<(ChunkKey, Priority)>,
    seen: HashSet<ChunkKey>,
    retries: Retries,
}

impl Wanted {
    fn new(now: Instant) -> Self {
        Self { chunks: Vec::new(), seen: HashSet::new(), retries: Retries::new(now) }
    }

    fn push(&mut self, key: ChunkKey) {
        if self.seen.insert(key) {
            let priority = Priority(self.chunks.len() as u32);
            self.chunks.push((key, priority));
        }
    }
}

/// How the tiles of one level of one layer stand.
#[derive(Default)]
struct Standing {
    /// Tiles that can be uploaded now.
    uploads: Vec<TileJob>,
    /// Tiles on the GPU.
    resident: u32,
    /// Of those, with missing parts.
    missing: u32,
    /// Tiles whose chunks are not all here.
    waiting: u32,
}

impl Standing {
    fn is_available(&self) -> bool {
        self.waiting == 0
    }
}

fn make(
    plan: &mut Plan,
    applied: &Applied,
    pools: &mut Pools,
    cache: &mut ChunkCache,
    list: &mut Wanted,
) -> Residency {
    let state = &*applied.state;
    note_heading(plan, state);
    plan.stale = false;
    plan.revision = applied.revision;
    plan.layers.clear();
    plan.uploads.clear();

    let (mut coarse, mut fine) = (Vec::new(), Vec::new());
    let mut seen = Residency::default();
    plan.ready = true;
    let mut targets = Vec::new();
    for (index, layer) in state.layers.iter().enumerate() {
        let Some((image, target)) = target(state, layer) else { continue };
        let coarsest = image.levels.len() - 1;
        let mut levels = Vec::new();
        for level in target..=coarsest {
            if let Some(plane) = Plane::of(state, image, layer.layer.channel, level) {
                let window = plane.window(&state.rect());
                if window.count() > 0 {
                    levels.push((level, window));
                }
            }
        }
        let Some(&(first, _)) = levels.first() else { continue };
        let Some(&(last, _)) = levels.last() else { continue };
        let base = stand(state, layer, index, image, last, pools, cache, list);
        let top = if first == last { None } else { Some(first) };
        targets.push((index, image, first, top));
        if base.is_available() {
            coarse.extend(&base.uploads);
        }
        if top.is_none() {
            count(&mut seen, &base);
            plan.ready &= base.is_available();
        }
        plan.layers.push(LayerPlan { layer: index, levels });
        fine.push(base.is_available());
    }
    let mut refinements = Vec::new();
    for ((index, image, _, top), base_available) in targets.iter().zip(fine) {
        let Some(level) = *top else { continue };
        let layer = &state.layers[*index];
        let standing = stand(state, layer, *index, image, level, pools, cache, list);
        count(&mut seen, &standing);
        if base_available {
            refinements.extend(standing.uploads);
        } else if standing.is_available() {
            coarse.extend(standing.uploads);
        } else {
            plan.ready = false;
            refinements.extend(standing.uploads);
        }
    }
    plan.essential = coarse.len();
    plan.uploads = coarse;
    plan.uploads.extend(refinements);
    seen.waiting = !plan.ready;
    if seen.resident == seen.wanted {
        for (index, image, level, _) in &targets {
            read_ahead(state, &state.layers[*index], image, *level, plan.heading, cache, list);
        }
    }
    seen
}

/// The image and target level of a layer that is shown.
fn target<'a>(state: &'a ViewState, layer: &LayerState) -> Option<(&'a Multiscale, usize)> {
    if !layer.controls.visible || layer.controls.opacity == 0.0 {
        return None;
    }
    let image = state.dataset.images.get(layer.layer.image)?;
    let level = places::resolve_level(&state.dataset, image, state.lod.level, state.plane_axes());
    Some((image, level))
}

fn count(seen: &mut Residency, standing: &Standing) {
    seen.resident += standing.resident;
    seen.missing += standing.missing;
    seen.wanted += standing.resident + standing.waiting + standing.uploads.len() as u32;
}

/// Looks at every tile of a level that the view sees, centre first; what is not here is wanted.
#[expect(clippy::too_many_arguments, reason = "one place that reads everything about a tile")]
fn stand(
    state: &ViewState,
    layer: &LayerState,
    index: usize,
    image: &Multiscale,
    level: usize,
    pools: &mut Pools,
    cache: &mut ChunkCache,
    list: &mut Wanted,
) -> Standing {
    let mut standing = Standing::default();
    let Some(plane) = Plane::of(state, image, layer.layer.channel, level) else { return standing };
    for at in centre_first(plane.window(&state.rect())) {
        let slot = pools.touch(image.dtype.size(), &plane.key(at));
        let mut mended = |slot: &Slot| {
            slot.missing && list.retries.mend(&plane, at, slot, pools.plan(), &mut cache.faults)
        };
        if let Some(slot) = slot.filter(|slot| !mended(slot)) {
            standing.resident += 1;
            standing.missing += u32::from(slot.missing);
            continue;
        }
        let mut here = true;
        for key in plane.chunks(at) {
            if !cache.contains(&key) {
                here = false;
                list.push(key);
            }
        }
        if here {
            standing.uploads.push(TileJob { layer: index, level, at });
        } else {
            standing.waiting += 1;
        }
    }
    standing
}

fn centre_first(window: Window) -> Vec<[u64; 2]> {
    let centre = [0, 1].map(|s| window.from[s] as i64 + window.to[s] as i64 - 1);
    let mut tiles: Vec<[u64; 2]> = window.tiles().collect();
    tiles.sort_by_key(|at| (0..2).map(|s| (2 * at[s] as i64 - centre[s]).pow(2)).sum::<i64>());
    tiles
}

/// Notes along which axis the view moves.
fn note_heading(plan: &mut Plan, state: &ViewState) {
    let shown = state.plane_axes();
    let moved = state.index.value.iter().zip(&plan.last_index).enumerate().find_map(|(axis, (now, then))| {
        (now != then && !shown.contains(&axis)).then(|| (axis, (now - then).signum()))
    });
    if let Some(moved) = moved {
        plan.heading = Some(moved);
    }
    plan.last_index.clone_from(&state.index.value);
}

/// Wants the chunks of the next step in the direction of travel.
fn read_ahead(
    state: &ViewState,
    layer: &LayerState,
    image: &Multiscale,
    level: usize,
    heading: Option<(usize, i64)>,
    cache: &ChunkCache,
    list: &mut Wanted,
) {
    let Some((axis, direction)) = heading else { return };
    let Some(dim) = image.dim_of(axis) else { return };
    let Some(mut plane) = Plane::of(state, image, layer.layer.channel, level) else { return };
    let next = plane.fixed[dim] as i64 + direction;
    if plane.dims.contains(&dim) || next < 0 || next >= plane.level().shape[dim] as i64 {
        return;
    }
    plane.fixed[dim] = next as u64;
    for at in centre_first(plane.window(&state.rect())) {
        for key in plane.chunks(at) {
            if list.chunks.len() >= PREFETCH {
                return;
            }
            if !cache.contains(&key) {
                list.push(key);
            }
        }
    }
}
