//! Each view's plan: which tiles its layers need, which can be uploaded now, which chunks are still wanted.
//!
//! The residency contract: a picture may be drawn when every visible layer has all tiles of its coarsest
//! level, or all of its target level, with failed parts marked missing. Then it refines, centre first.
//!
//! A coarsest level that must first be made is not waited for: once it is known that it is not there yet, a
//! picture may be drawn with half of the target's tiles, of which those that must be made do not count. The
//! rest is background until it comes.

use super::{
    cache::ChunkCache,
    pools::Pools,
    tiles::{Plane, Window},
};
use crate::pace::Pace;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    chunk::{ChunkKey, Priority, Wants},
    dataset::Multiscale,
    ids::{StreamId, ViewId},
    notice::Residency,
    places,
    session::Watch,
};
use std::collections::HashSet;

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
pub fn plan(
    mut views: Query<(&ViewId, &Applied, &mut Plan, &mut Residency)>,
    streams: Query<(&StreamId, &ViewId, &Pace)>,
    watches: Query<&Watch>,
    mut pools: ResMut<Pools>,
    mut cache: ResMut<ChunkCache>,
    mut wants: ResMut<Wants>,
) {
    let watched = |view: ViewId| {
        streams
            .iter()
            .any(|(id, v, pace)| *v == view && (pace.always || watches.iter().any(|w| w.stream == *id)))
    };
    let due = views.iter().any(|(view, applied, plan, _)| {
        watched(*view) && (plan.stale || plan.revision != applied.revision || !plan.uploads.is_empty())
    });
    if !due {
        return;
    }
    // The list of wants is one for all views: where one plan is remade, all are.
    pools.begin();
    let mut list = Wanted::default();
    for (view, applied, mut plan, mut residency) in &mut views {
        if watched(*view) {
            let seen = make(&mut plan, applied, &mut pools, &cache, &mut list);
            residency.set_if_neq(seen);
        }
    }
    cache.forget_making(|key| list.seen.contains(key));
    if wants.list != list.chunks {
        wants.list = list.chunks;
        wants.changed = true;
    }
}

/// Wanted chunks in order of urgency, each once.
#[derive(Default)]
struct Wanted {
    chunks: Vec<(ChunkKey, Priority)>,
    seen: HashSet<ChunkKey>,
}

impl Wanted {
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
    /// Of those, tiles whose absent chunks are all being made.
    making: u32,
}

impl Standing {
    fn is_available(&self) -> bool {
        self.waiting == 0
    }

    /// Tiles that will soon be here, or known to be in the making.
    fn loading(&self) -> u32 {
        self.waiting - self.making
    }

    /// Whether, of what does not have to be made first, at least half is here.
    fn is_half_there(&self) -> bool {
        self.resident + self.uploads.len() as u32 >= self.loading()
    }
}

/// A layer that is shown, and its finest and coarsest level in view.
struct Shown<'a> {
    index: usize,
    image: &'a Multiscale,
    first: usize,
    last: usize,
}

impl Shown<'_> {
    fn has_stored_base(&self) -> bool {
        !self.image.levels[self.last].is_virtual()
    }
}

fn make(
    plan: &mut Plan,
    applied: &Applied,
    pools: &mut Pools,
    cache: &ChunkCache,
    list: &mut Wanted,
) -> Residency {
    let state = &*applied.state;
    note_heading(plan, state);
    plan.stale = false;
    plan.revision = applied.revision;
    plan.layers.clear();
    plan.uploads.clear();

    let mut shown = Vec::new();
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
        shown.push(Shown { index, image, first, last });
        plan.layers.push(LayerPlan { layer: index, levels });
    }
    // Wanted in this order: coarsest levels that are stored, targets, coarsest levels that must be made.
    let mut look = |s: &Shown, level| stand(state, s.index, s.image, level, pools, cache, list);
    let mut bases: Vec<_> = shown.iter().map(|s| s.has_stored_base().then(|| look(s, s.last))).collect();
    let mut tops: Vec<_> = shown
        .iter()
        .map(|s| (s.first != s.last || !s.has_stored_base()).then(|| look(s, s.first)))
        .collect();
    for (s, (base, top)) in shown.iter().zip(bases.iter_mut().zip(&mut tops)) {
        if base.is_none() {
            *base = if s.first == s.last { top.take() } else { Some(look(s, s.last)) };
        }
    }
    let mut seen = Residency::default();
    let (mut coarse, mut refinements) = (Vec::new(), Vec::new());
    plan.ready = true;
    for (s, (base, top)) in shown.iter().zip(bases.into_iter().flatten().zip(tops)) {
        count(&mut seen, top.as_ref().unwrap_or(&base));
        let top_is_available = top.as_ref().is_some_and(Standing::is_available);
        let is_in_progress =
            !s.has_stored_base() && base.loading() == 0 && top.as_ref().unwrap_or(&base).is_half_there();
        if base.is_available() {
            coarse.extend(base.uploads);
            refinements.extend(top.into_iter().flat_map(|t| t.uploads));
        } else if top_is_available {
            coarse.extend(top.into_iter().flat_map(|t| t.uploads));
        } else if is_in_progress {
            coarse.extend(top.into_iter().flat_map(|t| t.uploads));
            coarse.extend(base.uploads);
        } else {
            plan.ready = false;
            refinements.extend(top.into_iter().flat_map(|t| t.uploads));
        }
    }
    plan.essential = coarse.len();
    plan.uploads = coarse;
    plan.uploads.extend(refinements);
    seen.waiting = !plan.ready;
    if seen.resident == seen.wanted {
        for s in &shown {
            read_ahead(state, &state.layers[s.index], s.image, s.first, plan.heading, cache, list);
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
fn stand(
    state: &ViewState,
    index: usize,
    image: &Multiscale,
    level: usize,
    pools: &mut Pools,
    cache: &ChunkCache,
    list: &mut Wanted,
) -> Standing {
    let mut standing = Standing::default();
    let channel = state.layers[index].layer.channel;
    let Some(plane) = Plane::of(state, image, channel, level) else { return standing };
    for at in centre_first(plane.window(&state.rect())) {
        if let Some(slot) = pools.touch(image.dtype.size(), &plane.key(at)) {
            standing.resident += 1;
            standing.missing += u32::from(slot.missing);
            continue;
        }
        let (mut here, mut making) = (true, true);
        for key in plane.chunks(at) {
            if !cache.contains(&key) {
                here = false;
                making &= cache.is_making(&key);
                list.push(key);
            }
        }
        if here {
            standing.uploads.push(TileJob { layer: index, level, at });
        } else {
            standing.waiting += 1;
            standing.making += u32::from(making);
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
