//! One view's plan in the making: its coarsest levels, its target levels, what it may need next.

use super::{
    ahead,
    plan::{LayerPlan, Plan, TileJob},
    pools::{Claim, Pools, WIDTHS, pool_of},
    tiles::{Plane, Window},
    wanted::{Chunks, Wanted},
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    dataset::{Multiscale, SourceId},
    ids::ViewId,
    notice::Residency,
    places,
};
use std::collections::BTreeSet;

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
    /// Tiles that there is no room for.
    withheld: u32,
    /// Of those, because a tile's chunks have no room in host memory.
    too_large: bool,
}

impl Standing {
    fn is_available(&self) -> bool {
        self.waiting == 0
    }
}

/// A layer that a view shows.
struct Shown<'a> {
    /// Place in `ViewState::layers`.
    index: usize,
    image: &'a Multiscale,
    /// The target level and the coarsest, with what the view sees of them.
    target: (usize, Window),
    coarsest: (usize, Window),
    /// The coarsest level is all there, or marked missing.
    base: bool,
}

/// A plan in the making.
pub(super) struct Making<'a> {
    pub view: ViewId,
    state: &'a ViewState,
    plan: Mut<'a, Plan>,
    residency: Mut<'a, Residency>,
    shown: Vec<Shown<'a>>,
    seen: Residency,
    refinements: Vec<TileJob>,
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
            let (Some(&target), Some(&coarsest)) = (levels.first(), levels.last()) else { continue };
            plan.layers.push(LayerPlan { layer: index, levels });
            shown.push(Shown { index, image, target, coarsest, base: false });
        }
        let (seen, refinements) = (Residency::default(), Vec::new());
        Self { view, state, plan, residency, shown, seen, refinements, too_large: None }
    }

    /// Bytes of a chunk of each level that is asked for.
    pub fn chunk_sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.shown.iter().flat_map(|s| {
            [s.target.0, s.coarsest.0]
                .map(|l| s.image.levels[l].chunk_voxels().saturating_mul(s.image.dtype.size() as u64))
        })
    }

    /// The coarsest level of every layer: without it there is no picture.
    pub fn coarsest(&mut self, pools: &mut Pools, list: &mut Wanted) {
        for n in 0..self.shown.len() {
            let Shown { index, image, target, coarsest: (level, window), .. } = self.shown[n];
            // Where not even that fits, its middle is shown.
            let slots = pools.slots(image.dtype.size()) as u64;
            let fitting = window.at_most(slots);
            if fitting != window
                && let Some(last) = self.plan.layers[n].levels.last_mut()
            {
                last.1 = fitting;
            }
            let mut standing = self.stand(index, image, level, fitting, u64::MAX, pools, list);
            standing.withheld += (window.count() - fitting.count()).min(u64::from(u32::MAX)) as u32;
            self.shown[n].base = standing.is_available();
            if target.0 == level {
                self.count(&standing);
                self.plan.ready &= standing.is_available();
            } else {
                self.seen.withheld += standing.withheld;
            }
            if standing.too_large {
                self.too_large = Some(image.source);
            }
            if standing.is_available() || target.0 == level {
                self.plan.uploads.extend(standing.uploads);
            } else {
                self.refinements.extend(standing.uploads);
            }
        }
    }

    /// Adds up the tiles of target levels, by pool.
    pub fn demand(&self, demand: &mut [u64; WIDTHS.len()]) {
        for s in self.shown.iter().filter(|s| s.target.0 != s.coarsest.0) {
            demand[pool_of(s.image.dtype.size())] += s.target.1.count();
        }
    }

    /// The target levels; `share` says how many tiles of so many a layer may have.
    pub fn targets(&mut self, pools: &mut Pools, list: &mut Wanted, share: &impl Fn(usize, u64) -> u64) {
        for n in 0..self.shown.len() {
            let Shown { index, image, target: (level, window), coarsest, base } = self.shown[n];
            if level == coarsest.0 {
                continue;
            }
            let share = share(image.dtype.size(), window.count());
            let standing = self.stand(index, image, level, window, share, pools, list);
            self.count(&standing);
            let whole = standing.is_available() && standing.withheld == 0;
            if !base && whole {
                self.plan.uploads.extend(standing.uploads);
            } else {
                self.plan.ready &= base;
                self.refinements.extend(standing.uploads);
            }
        }
        self.plan.essential = self.plan.uploads.len();
        let refinements = std::mem::take(&mut self.refinements);
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
    }

    pub fn finish(mut self, told: &mut BTreeSet<SourceId>) {
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

    fn count(&mut self, standing: &Standing) {
        let seen = &mut self.seen;
        seen.resident += standing.resident;
        seen.missing += standing.missing;
        seen.withheld += standing.withheld;
        seen.wanted += standing.resident + standing.waiting + standing.uploads.len() as u32;
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
        let Some(plane) = Plane::of(self.state, image, layer.layer.channel, level) else { return standing };
        for at in centre_first(window) {
            let key = plane.key(at);
            if !pools.is_claimed(width, &key) {
                if share == 0 {
                    standing.withheld += 1;
                    continue;
                }
                share -= 1;
            }
            match pools.claim(width, key) {
                Claim::Full => standing.withheld += 1,
                Claim::Resident(slot) => {
                    standing.resident += 1;
                    standing.missing += u32::from(slot.missing);
                }
                Claim::Room => match list.need(&plane, at) {
                    Chunks::Here => standing.uploads.push(TileJob { layer: index, level, at }),
                    Chunks::Coming => standing.waiting += 1,
                    Chunks::TooLarge => {
                        standing.withheld += 1;
                        standing.too_large = true;
                    }
                },
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

/// The tiles of a window, those in its middle first.
pub(super) fn centre_first(window: Window) -> Vec<[u64; 2]> {
    let centre = [0, 1].map(|s| window.from[s] as i64 + window.to[s] as i64 - 1);
    let mut tiles: Vec<[u64; 2]> = window.tiles().collect();
    tiles.sort_by_key(|at| (0..2).map(|s| (2 * at[s] as i64 - centre[s]).pow(2)).sum::<i64>());
    tiles
}
