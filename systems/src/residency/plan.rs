//! Each view's plan: which tiles or bricks its layers need, which can be uploaded now, which chunks are still
//! wanted.
//!
//! The residency contract: a picture may be drawn when every visible layer has all tiles of its coarsest
//! level, or all of its target level, with failed parts marked missing. Then it refines, centre first.
//!
//! A coarsest level that must first be made is not waited for: once it is known that it is not there yet, a
//! picture may be drawn with half of the target's tiles, of which those that must be made do not count. The
//! rest is background until it comes.
//!
//! In a volume bricks stand for tiles, and the target is not one level but what is wanted at each place.

use super::{
    ahead::Heading,
    bricks::{
        chosen::BrickLayer,
        making::{Needs, Volume},
        pools::Class,
    },
    cache::ChunkCache,
    making::Making,
    pools::{Pools, WIDTHS, pool_of},
    tiles::Window,
    wanted::Wanted,
};
use crate::{pace::Pace, streams::extent::Extent, thumbnails::work::Work};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    chunk::Wants,
    clock::{Clock, NextWake},
    dataset::SourceId,
    ids::{StreamId, ViewId},
    lod::Budgets,
    notice::Residency,
    session::Watch,
    view::Mode,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

/// The plan of one view.
#[derive(Component, Debug, Default)]
pub struct Plan {
    /// Something arrived or was uploaded since it was made.
    pub stale: bool,
    /// The revision it was made for.
    pub revision: u64,
    /// Visible layers with something to show, bottom first.
    pub layers: Vec<LayerPlan>,
    /// What a volume's layers draw from, bottom first; empty while a plane is shown.
    pub volume: Vec<BrickLayer>,
    /// Tiles and bricks whose chunks are at hand, most urgent first.
    pub uploads: Vec<Upload>,
    /// How many of `uploads` a picture cannot do without.
    pub essential: usize,
    /// When the revision that it is made for first came.
    pub moved: Option<Instant>,
    /// Whether a picture can be drawn once the essential tiles are uploaded.
    pub ready: bool,
    /// When a chunk that failed, of a tile that the view sees, is to be tried again.
    pub retry_at: Option<Instant>,
    /// Grows with every tile uploaded for this view: the picture differs.
    pub stamp: u64,
    /// The way the view moves: what is read ahead.
    pub(super) heading: Heading,
}

impl Plan {
    /// The GPU holds no tiles any more: everything is to be planned and uploaded again.
    pub fn forget(&mut self) {
        self.stale = true;
        self.uploads.clear();
        self.essential = 0;
        self.ready = false;
        self.stamp += 1;
    }
}

/// What one layer draws from.
#[derive(Debug, Clone)]
pub struct LayerPlan {
    /// Place in `ViewState::layers`.
    pub layer: usize,
    /// Levels with the tiles the view sees, target first, coarsest last.
    pub levels: Vec<(usize, Window)>,
}

/// Something to be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Of a plane.
    Tile(TileJob),
    /// Of a volume.
    Brick(BrickJob),
}

impl Upload {
    /// The tile, if it is one.
    pub fn tile(self) -> Option<TileJob> {
        match self {
            Self::Tile(job) => Some(job),
            Self::Brick(_) => None,
        }
    }

    /// The brick, if it is one.
    pub fn brick(self) -> Option<BrickJob> {
        match self {
            Self::Brick(job) => Some(job),
            Self::Tile(_) => None,
        }
    }
}

/// One brick to be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrickJob {
    /// Place in `ViewState::layers`.
    pub layer: usize,
    /// Level.
    pub level: usize,
    /// Brick along z, y, x.
    pub at: [u32; 3],
}

/// One tile to be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileJob {
    /// Place in `ViewState::layers`.
    pub layer: usize,
    /// Level.
    pub level: usize,
    /// Plane of the thick slice; 0 where there is one.
    pub plane: u64,
    /// Tile row and column.
    pub at: [u64; 2],
}

/// Makes the plans of the views that are watched, and the one list of wanted chunks.
///
/// What fits is given out in an order that depends on what views show and not on what happens to be there:
/// first the stored coarsest level of every layer of every view, then the target levels, each layer its part
/// where not all fit, then coarsest levels that must be made. So what is given stays given while nothing
/// moves, and nothing is uploaded or read in turns.
#[expect(clippy::too_many_arguments, reason = "reads what views show, writes what is to come")]
pub fn plan(
    mut views: Query<(&ViewId, &Applied, &Extent, &mut Plan, &mut Residency)>,
    streams: Query<(&StreamId, &ViewId, &Pace)>,
    watches: Query<&Watch>,
    mut thumbnails: Query<(&Applied, &mut Work)>,
    mut pools: ResMut<Pools>,
    mut cache: ResMut<ChunkCache>,
    budgets: Res<Budgets>,
    mut wants: ResMut<Wants>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut told: Local<BTreeSet<SourceId>>,
) {
    cache.faults.date(pools.plan());
    let watched = |view: ViewId| {
        streams
            .iter()
            .any(|(id, v, pace)| *v == view && (pace.always || watches.iter().any(|w| w.stream == *id)))
    };
    let due = views.iter().any(|(view, applied, _, plan, _)| {
        let retry = plan.retry_at.is_some_and(|at| at <= clock.now);
        watched(*view)
            && (plan.stale || retry || plan.revision != applied.revision || !plan.uploads.is_empty())
    });
    let asks = thumbnails.iter_mut().fold(false, |asks, (_, mut work)| std::mem::take(&mut work.asks) | asks);
    if !due && !asks {
        for (view, _, _, plan, _) in &views {
            plan.retry_at.filter(|_| watched(*view)).into_iter().for_each(|at| wake.at(at));
        }
        return;
    }
    // The list of wants is one for all views: where one plan is remade, all are.
    pools.begin();
    let (mut planes, mut volumes) = (Vec::new(), Vec::new());
    // What all streams of a view show together, as sharp as the sharpest.
    let sights: BTreeMap<ViewId, Applied> = views
        .iter()
        .filter(|(view, ..)| watched(**view))
        .map(|(view, applied, extent, ..)| (*view, sight(applied, extent)))
        .collect();
    for (view, _, _, mut plan, residency) in &mut views {
        let Some(applied) = sights.get(view) else { continue };
        if plan.revision != applied.revision {
            plan.moved = Some(clock.now);
        }
        match applied.state.view.mode() {
            Mode::Plane => planes.push(Making::of(*view, applied, plan, residency)),
            Mode::Volume => volumes.push(Volume::of(*view, applied, plan, residency)),
        }
    }
    planes.sort_by_key(|m| m.view);
    volumes.sort_by_key(|v| v.view);
    share_out(&volumes, &mut pools);
    let sharing = volumes.len();
    for view in &mut volumes {
        view.select(&pools, sharing);
    }
    let usable = |bytes: &u64| budgets.cache_bytes(*bytes) >= *bytes;
    let sizes =
        planes.iter().flat_map(Making::chunk_sizes).chain(volumes.iter().flat_map(Volume::chunk_sizes));
    cache.largest = sizes.filter(usable).max().unwrap_or(0);
    let capacity = budgets.cache_bytes(cache.largest);
    cache.shrink(capacity);
    let mut list = Wanted::new(&mut cache, capacity, clock.now);
    for view in &mut planes {
        view.coarsest(false, &mut pools, &mut list);
    }
    for view in &mut volumes {
        view.coarsest(&mut pools, &mut list);
    }
    let mut demand = [0; WIDTHS.len()];
    for view in &planes {
        view.demand(&mut demand);
    }
    let left = WIDTHS.map(|w| pools.left(w) as u64);
    for view in &mut planes {
        view.targets(&mut pools, &mut list, &|width, tiles| {
            let (left, demand) = (left[pool_of(width)], demand[pool_of(width)]);
            if demand <= left {
                tiles
            } else {
                (u128::from(tiles) * u128::from(left) / u128::from(demand)) as u64
            }
        });
    }
    for view in &mut volumes {
        view.targets(&mut pools, &mut list);
    }
    for view in &mut planes {
        view.coarsest(true, &mut pools, &mut list);
        view.decide();
    }
    let volumes: Vec<_> = volumes.into_iter().map(|mut view| (view.decide(), view)).collect();
    list.begin_ahead();
    for view in &planes {
        view.read_ahead(&mut list);
    }
    for (seen, view) in &volumes {
        view.read_ahead(seen, &mut list);
    }
    list.begin_last();
    for (applied, work) in &thumbnails {
        work.read(&applied.state, &mut list);
    }
    let wanted = list.finish();
    for view in planes {
        view.finish(&mut told, &mut wake);
    }
    for (seen, view) in volumes {
        view.finish(seen, &mut told, &mut wake);
    }
    if wants.list != wanted {
        wants.list = wanted;
        wants.changed = true;
    }
}

/// A view's state on the canvas that shows what all its streams show.
fn sight(applied: &Applied, extent: &Extent) -> Applied {
    match extent.fit(applied.state.canvas).state(&applied.state) {
        Cow::Borrowed(_) => applied.clone(),
        Cow::Owned(state) => Applied { revision: applied.revision, state: Arc::new(state) },
    }
}

/// Gives brick pools their slots, where volumes are shown; where there is none they stay as they are.
fn share_out(volumes: &[Volume], pools: &mut Pools) {
    if volumes.is_empty() {
        return;
    }
    let mut needs = Needs::new();
    for view in volumes {
        view.needs(&mut needs);
    }
    let mut bricks = [0_u64; Class::ALL.len()];
    for (class, count) in needs.into_values() {
        bricks[class as usize] = bricks[class as usize].saturating_add(count);
    }
    pools.bricks.share_out(bricks);
}
