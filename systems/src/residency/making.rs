//! One view's plan in the making: its coarsest levels, its target levels, what it may need next.

use super::{
    ahead,
    plan::{LayerPlan, Plan, TileJob, Upload},
    pools::{Claim, Pools, WIDTHS, pool_of},
    slab::{MOST_PLANES, Slab},
    standing::Standing,
    tiles::{Plane, Window},
    wanted::{Chunks, Wanted},
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    chunk::ChunkKey,
    clock::NextWake,
    dataset::{Multiscale, SourceId},
    ids::ViewId,
    layer::LayerKind,
    notice::Residency,
    places,
};
use std::{collections::BTreeSet, time::Instant};

/// A layer that a view shows.
struct Shown<'a> {
    /// Place in `ViewState::layers`.
    index: usize,
    image: &'a Multiscale,
    /// The target level and the coarsest, with what the view sees of them.
    target: (usize, Window),
    coarsest: (usize, Window),
    /// How the coarsest level stands, and the target where it is another.
    base: Standing,
    top: Option<Standing>,
}

impl Shown<'_> {
    /// Whether the coarsest level must be made.
    fn has_virtual_base(&self) -> bool {
        self.image.levels[self.coarsest.0].is_virtual()
    }

    fn has_target(&self) -> bool {
        self.target.0 != self.coarsest.0
    }
}

/// A plan in the making.
pub(super) struct Making<'a> {
    pub view: ViewId,
    state: &'a ViewState,
    plan: Mut<'a, Plan>,
    residency: Mut<'a, Residency>,
    shown: Vec<Shown<'a>>,
    seen: Residency,
    retry_at: Option<Instant>,
    too_large: Option<SourceId>,
}

impl<'a> Making<'a> {
    pub fn of(
        view: ViewId,
        applied: &'a Applied,
        mut plan: Mut<'a, Plan>,
        residency: Mut<'a, Residency>,
    ) -> Self {
        let state = &*applied.state;
        plan.heading.note(state);
        plan.stale = false;
        plan.ready = true;
        plan.revision = applied.revision;
        plan.layers.clear();
        plan.volume.clear();
        plan.uploads.clear();
        let mut shown = Vec::new();
        for (index, layer) in state.layers.iter().enumerate() {
            let Some((image, target)) = target(state, layer) else { continue };
            let coarsest = image.levels.len() - 1;
            let mut levels = Vec::new();
            for level in target..=coarsest {
                if let Some(slab) = Slab::of(state, layer, image, level) {
                    let window = window(state, layer, slab.any());
                    if window.count() > 0 {
                        levels.push((level, window));
                    }
                }
            }
            let (Some(&target), Some(&coarsest)) = (levels.first(), levels.last()) else { continue };
            plan.layers.push(LayerPlan { layer: index, levels });
            shown.push(Shown { index, image, target, coarsest, base: Standing::default(), top: None });
        }
        let seen = Residency::default();
        Self { view, state, plan, residency, shown, seen, retry_at: None, too_large: None }
    }

    /// Bytes of a chunk of each level that is asked for.
    pub fn chunk_sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.shown.iter().flat_map(|s| {
            [s.target.0, s.coarsest.0]
                .map(|l| s.image.levels[l].chunk_voxels().saturating_mul(s.image.dtype.size() as u64))
        })
    }

    /// The coarsest level of every layer: without it there is no picture, unless it must be made.
    pub fn coarsest(&mut self, virtual_ones: bool, pools: &mut Pools, list: &mut Wanted) {
        for n in 0..self.shown.len() {
            // One that is shown itself stands in the place of a target level.
            let late = self.shown[n].has_virtual_base() && self.shown[n].has_target();
            if late == virtual_ones && (late || !self.shown[n].has_virtual_base()) {
                self.base(n, pools, list);
            }
        }
        self.note_retry(list);
    }

    fn base(&mut self, n: usize, pools: &mut Pools, list: &mut Wanted) {
        let Shown { index, image, coarsest: (level, window), .. } = self.shown[n];
        // Where not even that fits, its middle is shown.
        let slots = pools.slots(image.dtype.size()) as u64;
        let planes = self.planes(index, image, level);
        let fitting = window.at_most((slots / planes).max(1));
        if fitting != window
            && let Some(last) = self.plan.layers[n].levels.last_mut()
        {
            last.1 = fitting;
        }
        let mut standing = self.stand(index, image, level, fitting, u64::MAX, pools, list);
        let over = (window.count() - fitting.count()).saturating_mul(planes);
        standing.withheld = standing.withheld.saturating_add(over.min(u64::from(u32::MAX)) as u32);
        if standing.too_large {
            self.too_large = Some(image.source);
        }
        self.shown[n].base = standing;
    }

    /// Adds up the tiles of what is given out by shares and after it, by pool.
    pub fn demand(&self, demand: &mut [u64; WIDTHS.len()]) {
        for s in &self.shown {
            let mut add = |(level, window): (usize, Window)| {
                demand[pool_of(s.image.dtype.size())] +=
                    window.count().saturating_mul(self.planes(s.index, s.image, level));
            };
            if s.has_target() {
                add(s.target);
            }
            if s.has_virtual_base() {
                add(s.coarsest);
            }
        }
    }

    /// The target levels; `share` says how many tiles of so many a layer may have.
    pub fn targets(&mut self, pools: &mut Pools, list: &mut Wanted, share: &impl Fn(usize, u64) -> u64) {
        for n in 0..self.shown.len() {
            let Shown { index, image, target: (level, window), .. } = self.shown[n];
            if self.shown[n].has_target() {
                let tiles = window.count().saturating_mul(self.planes(index, image, level));
                let share = share(image.dtype.size(), tiles);
                let standing = self.stand(index, image, level, window, share, pools, list);
                self.shown[n].top = Some(standing);
            } else if self.shown[n].has_virtual_base() {
                self.base(n, pools, list);
            }
        }
        self.note_retry(list);
    }

    /// What the picture cannot do without, what follows, and whether it can be drawn.
    pub fn decide(&mut self) {
        let mut refinements = Vec::new();
        for mut s in std::mem::take(&mut self.shown) {
            let is_in_progress = s.has_virtual_base()
                && s.base.loading() == 0
                && s.top.as_ref().unwrap_or(&s.base).is_half_there();
            count(&mut self.seen, s.top.as_ref().unwrap_or(&s.base));
            if s.top.is_some() {
                self.seen.withheld = self.seen.withheld.saturating_add(s.base.withheld);
            }
            let is_whole = s.top.as_ref().is_some_and(|t| t.is_available() && t.withheld == 0);
            let base = std::mem::take(&mut s.base.uploads);
            let top = s.top.as_mut().map(|t| std::mem::take(&mut t.uploads)).unwrap_or_default();
            if s.base.is_available() {
                self.plan.uploads.extend(base);
                refinements.extend(top);
            } else if is_whole || is_in_progress {
                self.plan.uploads.extend(top);
                let rest = if is_in_progress { &mut self.plan.uploads } else { &mut refinements };
                rest.extend(base);
            } else {
                self.plan.ready = false;
                refinements.extend(base);
                refinements.extend(top);
            }
            self.shown.push(s);
        }
        self.plan.essential = self.plan.uploads.len();
        self.plan.uploads.extend(refinements);
        self.seen.waiting = !self.plan.ready;
    }

    /// Once everything that is seen is there, or on its way to the GPU: what may be seen next.
    pub fn read_ahead(&self, list: &mut Wanted) {
        if self.seen.resident != self.seen.wanted {
            return;
        }
        for step in self.plan.heading.steps(self.state) {
            for s in &self.shown {
                let layer = &self.state.layers[s.index];
                if !ahead::read(self.state, layer, s.image, s.target.0, step, list) {
                    return;
                }
            }
        }
        for s in &self.shown {
            if !ahead::read_volume(self.state, &self.state.layers[s.index], s.image, list) {
                return;
            }
        }
    }

    pub fn finish(mut self, told: &mut BTreeSet<SourceId>, wake: &mut NextWake) {
        self.plan.retry_at = self.retry_at;
        self.retry_at.into_iter().for_each(|at| wake.at(at));
        self.residency.set_if_neq(self.seen);
        if let Some(source) = self.too_large
            && told.insert(source)
        {
            tracing::warn!(
                image = self.state.dataset.name,
                "a tile's chunks do not fit the budget of host memory: drawn as missing; give more with --host-cache"
            );
        }
    }

    /// Planes of a layer at a level: a thick slice has several.
    fn planes(&self, index: usize, image: &Multiscale, level: usize) -> u64 {
        Slab::of(self.state, &self.state.layers[index], image, level)
            .map_or(1, |slab| slab.count().min(MOST_PLANES))
    }

    fn note_retry(&mut self, list: &mut Wanted) {
        let first = [self.retry_at, list.retry_at.take()].into_iter().flatten().min();
        self.retry_at = first;
    }

    /// Looks at every tile of a level that the view sees, centre first; what is not here is wanted. At most
    /// `share` tiles that no other layer has claimed.
    #[expect(clippy::too_many_arguments, reason = "one place that reads everything about a tile")]
    fn stand(
        &self,
        index: usize,
        image: &Multiscale,
        level: usize,
        window: Window,
        mut share: u64,
        pools: &mut Pools,
        list: &mut Wanted,
    ) -> Standing {
        let mut standing = Standing::default();
        let layer = &self.state.layers[index];
        let width = image.dtype.size();
        let Some(slab) = Slab::of(self.state, layer, image, level) else { return standing };
        let planes: Vec<Plane> = slab.planes().collect();
        for at in centre_first(window) {
            // Planes of one chunk have all their chunks in common.
            let mut asked: Option<(ChunkKey, Chunks)> = None;
            for (plane, number) in planes.iter().zip(0..) {
                let key = plane.key(at);
                if !pools.is_claimed(width, &key) {
                    if share == 0 {
                        standing.withheld += 1;
                        continue;
                    }
                    share -= 1;
                }
                match pools.claim(width, key) {
                    Claim::Full => {
                        standing.withheld += 1;
                        continue;
                    }
                    Claim::Resident(slot) if !slot.missing || !list.mend(plane, at, &slot, pools.plan()) => {
                        standing.resident += 1;
                        standing.missing += u32::from(slot.missing);
                        continue;
                    }
                    Claim::Resident(_) | Claim::Room => {}
                }
                let [rows, cols] = plane.chunk_range(at);
                let first = plane.chunk_key(rows[0], cols[0]);
                let chunks = match asked {
                    Some((same, chunks)) if same == first => chunks,
                    _ => list.need(plane, at),
                };
                asked = Some((first, chunks));
                match chunks {
                    Chunks::Here => {
                        let job = TileJob { layer: index, level, plane: number, at };
                        standing.uploads.push(Upload::Tile(job));
                    }
                    Chunks::Coming => standing.waiting += 1,
                    Chunks::Making => {
                        standing.waiting += 1;
                        standing.making += 1;
                    }
                    Chunks::TooLarge => {
                        standing.withheld += 1;
                        standing.too_large = true;
                    }
                }
            }
        }
        standing
    }
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

/// The tiles of a plane that the picture needs: those it sees, and of outlines those it looks beyond its edges.
pub(super) fn window(state: &ViewState, layer: &LayerState, plane: &Plane) -> Window {
    let beyond = if layer.layer.kind == LayerKind::Labels { layer.controls.contour } else { 0 };
    plane.window_around(&state.rect(), beyond)
}

fn count(seen: &mut Residency, standing: &Standing) {
    seen.resident += standing.resident;
    seen.missing += standing.missing;
    seen.withheld = seen.withheld.saturating_add(standing.withheld);
    seen.wanted += standing.wanted();
}

/// The tiles of a window, those in its middle first.
pub(super) fn centre_first(window: Window) -> Vec<[u64; 2]> {
    let centre = [0, 1].map(|s| window.from[s] as i64 + window.to[s] as i64 - 1);
    let mut tiles: Vec<[u64; 2]> = window.tiles().collect();
    tiles.sort_by_key(|at| (0..2).map(|s| (2 * at[s] as i64 - centre[s]).pow(2)).sum::<i64>());
    tiles
}
