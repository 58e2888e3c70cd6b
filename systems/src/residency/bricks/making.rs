//! The plan of a view that shows a volume, in the making.

use super::{
    super::{
        ahead,
        plan::{BrickJob, Plan, Upload},
        pools::{Claim, Pools},
        standing::Standing,
        wanted::{Chunks, Wanted},
    },
    grid::Block,
    layer::Layer,
    pools::Class,
    select::{Selection, select},
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, ViewState},
    clock::NextWake,
    dataset::SourceId,
    ids::ViewId,
    notice::Residency,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// Finer bricks whose chunks are looked at in one plan: more than are uploaded before the next.
const LOOKED_AT: usize = 1024;

/// Bricks that there are to be shown: by image, channel and displayed axes.
pub(in super::super) type Needs = BTreeMap<(SourceId, u64, Vec<usize>), (Class, u64)>;

/// A plan in the making.
pub(in super::super) struct Volume<'a> {
    pub view: ViewId,
    state: &'a ViewState,
    plan: Mut<'a, Plan>,
    residency: Mut<'a, Residency>,
    layers: Vec<Layer<'a>>,
    selection: Selection,
    /// By layer, of its coarsest level and of what is finer.
    standing: Vec<[Standing; 2]>,
    /// By chosen brick: it is on the GPU, or needs not be.
    resident: Vec<bool>,
    /// Places of chosen bricks that can be uploaded.
    here: Vec<usize>,
    retry_at: Option<Instant>,
    too_large: Option<SourceId>,
}

impl<'a> Volume<'a> {
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
        let layers = Layer::all(state);
        let standing = layers.iter().map(|_| Default::default()).collect();
        let selection = Selection::default();
        let (resident, here) = (Vec::new(), Vec::new());
        Self {
            view,
            state,
            plan,
            residency,
            layers,
            selection,
            standing,
            resident,
            here,
            retry_at: None,
            too_large: None,
        }
    }

    /// Adds all bricks of the view's layers, shown or hidden, so that pools stay as they are when one is hidden.
    pub fn needs(&self, needs: &mut Needs) {
        let displayed = self.state.displayed();
        let &[z, y, x] = displayed else { return };
        for layer in self.state.layers.iter() {
            let Some(image) = self.state.dataset.images.get(layer.layer.image) else { continue };
            let blocks = (0..image.levels.len())
                .filter_map(|l| Block::along(self.state, image, layer.layer.channel, l, [z, y, x]));
            let bricks = blocks.fold(0, |sum: u64, block| {
                sum.saturating_add(block.bricks().into_iter().fold(1, u64::saturating_mul))
            });
            // Where there are other times (or whatever else is stepped through) the one before stays, too.
            let is_stepped = (0..self.state.axes.len())
                .any(|a| !displayed.contains(&a) && self.state.dataset.extent(a) > 1);
            let bricks = bricks.saturating_mul(1 + u64::from(is_stepped));
            needs.insert(
                (image.source, layer.layer.channel, displayed.to_vec()),
                (Class::of(image.dtype), bricks),
            );
        }
    }

    /// Chooses bricks, where the pools are shared by so many views.
    pub fn select(&mut self, pools: &Pools, views: usize) {
        let room = Class::ALL.map(|class| pools.bricks.slots(class) as u64 / views.max(1) as u64);
        self.selection = select(&self.layers, room, |key| pools.bricks.known(key));
        self.plan.volume = self.selection.by_level(&self.layers);
        self.resident = vec![false; self.selection.bricks.len()];
    }

    /// Bytes of a chunk of each level that is asked for.
    pub fn chunk_sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.plan.volume.iter().flat_map(|chosen| {
            let layer = self.layers.iter().find(|layer| layer.index == chosen.layer);
            chosen.levels.iter().filter_map(move |level| {
                layer?.blocks.iter().find(|block| block.number == level.level).map(Block::chunk_bytes)
            })
        })
    }

    /// The coarsest level of every layer: without it there is no picture, unless it must be made.
    pub fn coarsest(&mut self, pools: &mut Pools, list: &mut Wanted) {
        self.stand(0, self.selection.coarsest, usize::MAX, pools, list);
    }

    /// What refines it.
    pub fn targets(&mut self, pools: &mut Pools, list: &mut Wanted) {
        self.stand(self.selection.coarsest, self.selection.bricks.len(), LOOKED_AT, pools, list);
    }

    /// Looks at chosen bricks; what is not here is wanted, of `most` bricks.
    fn stand(&mut self, from: usize, to: usize, mut most: usize, pools: &mut Pools, list: &mut Wanted) {
        for n in from..to {
            let brick = self.selection.bricks[n];
            let (layer, at) = (&self.layers[usize::from(brick.layer)], brick.at);
            let standing =
                &mut self.standing[usize::from(brick.layer)][usize::from(n >= self.selection.coarsest)];
            if brick.is_uniform {
                standing.resident += 1;
                self.resident[n] = true;
                continue;
            }
            let block = &layer.blocks[usize::from(brick.block)];
            match pools.bricks.claim(layer.class(), layer.key(usize::from(brick.block), at)) {
                Claim::Full => {
                    standing.withheld = standing.withheld.saturating_add(1);
                    continue;
                }
                Claim::Resident(slot) => {
                    // It is shown as it is until it was cut anew.
                    self.resident[n] = true;
                    if !slot.missing || !list.mend(block, at, &slot, pools.plan()) {
                        standing.resident += 1;
                        standing.missing += u32::from(slot.missing);
                        continue;
                    }
                }
                Claim::Room => {}
            }
            if most == 0 || list.is_long() {
                standing.waiting += 1;
                continue;
            }
            most -= 1;
            match list.need(block, at) {
                Chunks::Here => {
                    let job = BrickJob { layer: layer.index, level: block.number, at };
                    standing.uploads.push(Upload::Brick(job));
                    self.here.push(n);
                }
                Chunks::Coming => standing.waiting += 1,
                Chunks::Making => {
                    standing.waiting += 1;
                    standing.making += 1;
                }
                Chunks::TooLarge => {
                    standing.withheld = standing.withheld.saturating_add(1);
                    self.too_large = Some(layer.image.source);
                }
            }
        }
        self.retry_at = [self.retry_at, list.retry_at.take()].into_iter().flatten().min();
    }

    /// What the picture cannot do without, what follows, and whether it can be drawn.
    pub fn decide(&mut self) -> Residency {
        let in_progress: Vec<bool> = (self.layers.iter().zip(&self.standing))
            .map(|(layer, [base, finer])| {
                let is_made = layer.blocks.last().is_some_and(|block| block.level().is_virtual());
                let rest = if finer.wanted() > 0 { finer } else { base };
                is_made && base.loading() == 0 && rest.is_half_there()
            })
            .collect();
        self.plan.ready = (self.standing.iter().zip(&in_progress))
            .all(|([base, _], in_progress)| base.is_available() || *in_progress);
        let (mut essential, mut rest) = (Vec::new(), Vec::new());
        for &n in &self.here {
            let brick = &self.selection.bricks[n];
            let layer = usize::from(brick.layer);
            let level = self.layers[layer].blocks[usize::from(brick.block)].number;
            let job = BrickJob { layer: self.layers[layer].index, level, at: brick.at };
            let is_essential = n < self.selection.coarsest || in_progress[layer];
            if is_essential { &mut essential } else { &mut rest }.push(Upload::Brick(job));
        }
        self.plan.essential = essential.len();
        essential.append(&mut rest);
        self.plan.uploads = essential;
        let mut seen = Residency { waiting: !self.plan.ready, levels: self.drawn(), ..Residency::default() };
        for standing in self.standing.iter().flatten() {
            seen.resident += standing.resident;
            seen.missing += standing.missing;
            seen.withheld = seen.withheld.saturating_add(standing.withheld);
            seen.wanted += standing.wanted();
        }
        for withheld in self.selection.withheld {
            seen.withheld = seen.withheld.saturating_add(u32::try_from(withheld).unwrap_or(u32::MAX));
        }
        seen
    }

    /// The finest and the coarsest level of the reference layer that the picture is made of.
    fn drawn(&self) -> Option<[u16; 2]> {
        let is_reference = |layer: &Layer| layer.state.layer.image == 0;
        let number = self.layers.iter().position(is_reference)?;
        let mut levels: Option<[u16; 2]> = None;
        for (n, brick) in self.selection.bricks.iter().enumerate() {
            if usize::from(brick.layer) != number || (self.resident[n] && !brick.is_drawn) {
                continue;
            }
            let mut shown = n;
            while !self.resident[shown] && self.selection.bricks[shown].parent as usize != shown {
                shown = self.selection.bricks[shown].parent as usize;
            }
            if self.resident[shown] {
                let block = usize::from(self.selection.bricks[shown].block);
                let level = self.layers[number].blocks[block].number as u16;
                levels = Some(levels.map_or([level; 2], |[a, b]| [a.min(level), b.max(level)]));
            }
        }
        levels
    }

    /// Once everything that is seen is there: the same bricks at the places that may be seen next.
    pub fn read_ahead(&self, seen: &Residency, list: &mut Wanted) {
        if seen.resident != seen.wanted {
            return;
        }
        for (axis, way) in self.plan.heading.steps(self.state) {
            for brick in &self.selection.bricks {
                let layer = &self.layers[usize::from(brick.layer)];
                let Some(next) = ahead::next(&layer.blocks[usize::from(brick.block)], axis, way) else {
                    continue;
                };
                if !next.chunks(brick.at).all(|key| list.ahead(&next, key)) {
                    return;
                }
            }
        }
    }

    pub fn finish(mut self, seen: Residency, told: &mut BTreeSet<SourceId>, wake: &mut NextWake) {
        self.plan.retry_at = self.retry_at;
        self.retry_at.into_iter().for_each(|at| wake.at(at));
        self.residency.set_if_neq(seen);
        if let Some(source) = self.too_large
            && told.insert(source)
        {
            tracing::warn!(
                image = self.state.dataset.name,
                "a brick's chunks do not fit the budget of host memory: it is not drawn; give more with --host-cache"
            );
        }
    }
}
