//! Budgets: what there is room for is given out so that it comes to rest, and never more than there is.

use super::rig::{Rig, T, brain, go, pan, set_zoom, slide, step};
use lucida_components::{
    applied::Applied,
    chunk::{Arrivals, ChunkData, ChunkFault, ChunkKey, ChunkValues, Want, Wants},
    dataset::{Dataset, Multiscale},
    ids::{StreamId, ViewId},
    intent::Change,
    lod::Budgets,
    notice::Residency,
};
use lucida_systems::{
    pace::Pace,
    residency::{
        cache::ChunkCache,
        plan::Plan,
        pools::{Pools, stride},
        tiles::Plane,
    },
};
use std::{collections::HashMap, sync::Arc};

/// A world whose readers and whose GPU are played by hand.
struct Scarce {
    rig: Rig,
    budgets: Budgets,
    /// How often each chunk was read.
    reads: HashMap<ChunkKey, u32>,
    /// The most bytes of chunks at any moment.
    host_peak: u64,
}

/// What a turn did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Did {
    reads: usize,
    uploads: usize,
}

impl Did {
    const NOTHING: Self = Self { reads: 0, uploads: 0 };
}

impl Scarce {
    /// Pools of so many tiles of two-byte values, and so many bytes of host memory.
    fn new(dataset: Arc<Dataset>, tiles: u64, host_bytes: u64) -> Self {
        let budgets = Budgets { host_bytes, pool_bytes: stride(2) * tiles, ..Budgets::default() };
        let mut rig = Rig::empty();
        rig.app.insert_resource(budgets).insert_resource(Pools::new(&budgets));
        let world = rig.world();
        for mut pace in world.query::<&mut Pace>().iter_mut(world) {
            pace.always = true;
        }
        rig.ask(Change::Dataset(dataset));
        Self { rig, budgets, reads: HashMap::new(), host_peak: 0 }
    }

    /// Another view of the same, watched.
    fn another(&mut self) -> ViewId {
        let view = self.rig.second_view();
        let entity = self.rig.entity(view);
        let world = self.rig.world();
        world.entity_mut(entity).insert(Plan::default());
        let mut streams = world.query::<(bevy_ecs::entity::Entity, &StreamId)>();
        let stream = streams.iter(world).find(|(_, s)| **s == StreamId(1)).unwrap().0;
        world.entity_mut(stream).insert(Pace { always: true, ..Pace::default() });
        view
    }

    /// A turn, in which up to `readers` chunks are read and everything that can be is uploaded.
    fn turn(&mut self, readers: usize) -> Did {
        self.rig.turn();
        let mut did = Did::default();
        let budgets = *self.rig.world().resource::<Budgets>();
        // As the pool of readers does it: the most urgent, while there is room.
        let wants: Vec<Want> = self.rig.world().resource::<Wants>().list.clone();
        let mut transit = 0;
        for want in wants.iter().take(readers) {
            if transit > 0 && transit + want.bytes > budgets.transit_bytes() {
                break;
            }
            transit += want.bytes;
            did.reads += 1;
            *self.reads.entry(want.key).or_default() += 1;
            let values = ChunkValues::Dense(vec![1; want.bytes as usize].into());
            let dtype = self.rig.state().dataset.images[0].dtype;
            let chunk = Ok(ChunkData { dtype, values, missing: false });
            self.rig.world().resource_mut::<Arrivals>().0.push((want.key, Some(chunk)));
        }
        let cached = self.rig.world().resource::<ChunkCache>().bytes();
        self.host_peak = self.host_peak.max(cached + transit);
        did.uploads = self.upload();
        did
    }

    /// What the renderer does with plans.
    fn upload(&mut self) -> usize {
        let world = self.rig.world();
        let mut plans = Vec::new();
        for (applied, mut plan) in world.query::<(&Applied, &mut Plan)>().iter_mut(world) {
            plans.push((applied.state.clone(), std::mem::take(&mut plan.uploads)));
            plan.essential = 0;
        }
        let mut uploads = 0;
        for (n, (state, jobs)) in plans.into_iter().enumerate() {
            for job in jobs.iter().filter_map(|job| job.tile()) {
                let image = &state.dataset.images[0];
                let channel = state.layers[job.layer].layer.channel;
                let plane = Plane::of(&state, image, channel, job.level).unwrap();
                for key in plane.chunks(job.at) {
                    assert!(world.resource::<ChunkCache>().contains(&key), "planned with what was not there");
                }
                let slot = world.resource_mut::<Pools>().insert(image.dtype.size(), plane.key(job.at), false);
                assert!(slot.is_some(), "planned what has no room");
                uploads += 1;
            }
            if !jobs.is_empty() {
                let mut query = world.query::<&mut Plan>();
                let mut plan = query.iter_mut(world).nth(n).unwrap();
                plan.stale = true;
                plan.stamp += 1;
            }
        }
        uploads
    }

    /// Turns until nothing is done any more: how much was, in all.
    fn settle(&mut self) -> Did {
        let mut all = Did::default();
        let mut quiet = 0;
        for _ in 0..20_000 {
            let did = self.turn(4);
            all = Did { reads: all.reads + did.reads, uploads: all.uploads + did.uploads };
            quiet = if did == Did::NOTHING { quiet + 1 } else { 0 };
            if quiet == 5 {
                self.check();
                return all;
            }
        }
        panic!("it does not come to rest: {all:?}");
    }

    fn check(&mut self) {
        let (budgets, peak) = (self.budgets, self.host_peak);
        assert!(peak <= budgets.host_bytes, "{peak} of {} bytes on the host", budgets.host_bytes);
        let pools = self.rig.world().resource::<Pools>();
        for width in [1, 2, 4] {
            assert!(pools.used(width) as u64 * stride(width) <= budgets.pool_bytes);
        }
    }

    fn residency(&mut self, view: ViewId) -> Residency {
        let entity = self.rig.entity(view);
        *self.rig.world().get::<Residency>(entity).unwrap()
    }
}

/// Chunks of the brain have 8 × 128 × 128 two-byte values.
const CHUNK: u64 = 8 * 128 * 128 * 2;

#[test]
fn with_room_for_everything_each_chunk_is_read_once_and_each_tile_uploaded_once() {
    let mut scarce = Scarce::new(brain(), 2000, 1 << 30);
    let did = scarce.settle();
    // Level 1 of 1024 × 2048 and level 3 of 256 × 512, two channels; tiles are aligned with chunks, and
    // their borders ask for no more.
    let tiles = 2 * (8 * 16 + 2 * 4);
    assert_eq!((did.uploads, did.reads), (tiles, tiles));
    assert!(scarce.reads.values().all(|n| *n == 1));
    let seen = scarce.residency(ViewId::MAIN);
    assert_eq!((seen.resident, seen.wanted, seen.withheld, seen.waiting), (256, 256, 0, false));
}

#[test]
fn a_host_that_holds_a_few_chunks_still_shows_everything_once() {
    // A tile needs up to nine chunks with its border: 2.4 MB; the cache has 3.1 of these 4.2 MB.
    let mut scarce = Scarce::new(brain(), 2000, 16 * CHUNK);
    let did = scarce.settle();
    assert_eq!(did.uploads, 2 * (8 * 16 + 2 * 4));
    let seen = scarce.residency(ViewId::MAIN);
    assert_eq!((seen.resident, seen.wanted, seen.withheld), (256, 256, 0));
    // Neighbours share chunks that did not stay; but nothing is read again and again.
    assert!(scarce.reads.values().all(|n| *n <= 9), "{:?}", scarce.reads.values().max());
    for _ in 0..10 {
        assert_eq!(scarce.turn(4), Did::NOTHING);
    }
}

#[test]
fn two_views_that_want_more_than_fits_come_to_rest() {
    // One view's target has 256 tiles. Both together have no room, wherever they look.
    let mut scarce = Scarce::new(brain(), 350, 1 << 28);
    let other = scarce.another();
    scarce.settle();
    scarce.rig.ask_of(other, go("z", 3));
    scarce.settle();
    let (a, b) = (scarce.residency(ViewId::MAIN), scarce.residency(other));
    assert!(a.withheld > 0 && b.withheld > 0, "each has its part: {a:?} {b:?}");
    assert!(!a.waiting && !b.waiting, "and a picture");
    assert_eq!((a.resident, b.resident), (a.wanted, b.wanted));
    for _ in 0..20 {
        // A turn for another reason, in which plans are made again.
        let world = scarce.rig.world();
        world.query::<&mut Plan>().iter_mut(world).for_each(|mut p| p.stale = true);
        assert_eq!(scarce.turn(4), Did::NOTHING, "nothing moves, nothing is done");
    }
    // One moves a little: it costs what came into view, not the other's tiles.
    scarce.rig.ask_of(other, pan(-3.0, 0.0));
    let did = scarce.settle();
    assert!(did.uploads < 60, "{did:?}");
}

#[test]
fn an_image_without_a_pyramid_that_does_not_fit_shows_its_middle_and_says_so() {
    let mut big = (*brain()).clone();
    big.images[0].levels.truncate(1);
    let mut scarce = Scarce::new(Arc::new(big), 100, 1 << 28);
    scarce.settle();
    let seen = scarce.residency(ViewId::MAIN);
    assert!(!seen.waiting, "there is a picture");
    assert!(seen.wanted > 0 && seen.wanted <= 100 && seen.resident == seen.wanted, "{seen:?}");
    assert_eq!(seen.wanted + seen.withheld, 2 * 16 * 32);
    assert!(scarce.rig.state().lod.downgraded);
}

#[test]
fn many_layers_keep_within_the_budgets() {
    let mut many = (*brain()).clone();
    let one = many.layers[0].clone();
    many.images[0].levels.iter_mut().for_each(|l| l.shape[1] = 50);
    many.layers =
        (0..50).map(|channel| lucida_components::dataset::LayerSource { channel, ..one.clone() }).collect();
    let mut scarce = Scarce::new(Arc::new(many), 600, 48 << 20);
    scarce.settle();
    let seen = scarce.residency(ViewId::MAIN);
    assert!(!seen.waiting && seen.withheld == 0 && seen.resident == seen.wanted, "{seen:?}");
    assert!(scarce.rig.state().lod.downgraded, "50 layers of level 1 have no room");
}

#[test]
fn levels_whose_chunks_do_not_fit_the_host_are_not_chosen() {
    // Level 1, which the view would have, comes in slabs of 64 MB.
    let mut slabs = (*brain()).clone();
    for level in &mut slabs.images[0].levels[..2] {
        level.chunk = vec![1, 1, 16, 1024, 2048];
    }
    let mut scarce = Scarce::new(Arc::new(slabs), 2000, 128 << 20);
    scarce.settle();
    let lod = scarce.rig.state().lod;
    assert_eq!((lod.level, lod.downgraded), (2, true));
    let seen = scarce.residency(ViewId::MAIN);
    assert!(!seen.waiting && seen.withheld == 0 && seen.resident == seen.wanted, "{seen:?}");
}

#[test]
fn chunks_larger_than_the_budget_are_never_read_and_the_picture_goes_on() {
    let mut huge = (*brain()).clone();
    huge.images[0].levels.iter_mut().for_each(|l| l.chunk = vec![1, 1, 32, 2048, 4096]);
    let mut scarce = Scarce::new(Arc::new(huge), 2000, 128 << 20);
    let did = scarce.settle();
    assert_eq!(did, Did::NOTHING);
    let seen = scarce.residency(ViewId::MAIN);
    assert!(!seen.waiting && seen.wanted == 0 && seen.withheld > 0, "{seen:?}");
    assert!(scarce.rig.state().lod.downgraded);
}

#[test]
fn a_chunk_that_failed_is_not_asked_for_in_the_next_turns() {
    let mut scarce = Scarce::new(slide(), 100, 1 << 24);
    scarce.rig.turn();
    let wants = scarce.rig.world().resource::<Wants>().list.clone();
    assert!(!wants.is_empty());
    for want in wants {
        let fault = ChunkFault { level: 0, number: want.key.number, reason: "broken".into() };
        scarce.rig.world().resource_mut::<Arrivals>().0.push((want.key, Some(Err(fault))));
    }
    let did = scarce.settle();
    assert_eq!(did.reads, 0);
    assert!(!scarce.residency(ViewId::MAIN).waiting);
}

/// The places, on the axes t and z, of the chunks that are wanted.
fn wanted_places(scarce: &mut Scarce) -> Vec<(u64, u64)> {
    let state = scarce.rig.state();
    let image: &Multiscale = &state.dataset.images[0];
    let wants = scarce.rig.world().resource::<Wants>();
    let place = |w: &Want| {
        let at = image.levels[usize::from(w.key.level)].chunk_at(w.key.number);
        (at[0], at[2])
    };
    let mut places: Vec<_> = wants.list.iter().map(place).collect();
    places.dedup();
    places
}

#[test]
fn the_next_step_is_read_ahead_then_the_next_time_point_then_the_step_back() {
    let mut flat = (*brain()).clone();
    // A chunk for every plane; at level 1 there are 16.
    flat.images[0].levels.iter_mut().for_each(|l| l.chunk[2] = 1);
    let mut scarce = Scarce::new(Arc::new(flat), 2000, 1 << 30);
    scarce.rig.ask(go("z", 16));
    scarce.settle();
    // Closer, so that a plane's chunks are few.
    scarce.rig.ask(set_zoom(1.0));
    scarce.settle();
    scarce.rig.ask(go("z", 24));
    let here = scarce.rig.state().index.value[1] as u64 / 2;
    let seen = loop {
        let places = wanted_places(&mut scarce);
        let seen = scarce.residency(ViewId::MAIN);
        if seen.resident == seen.wanted && !seen.waiting {
            break places;
        }
        // The coarsest level has its own places.
        let level = scarce.rig.level();
        let wants = scarce.rig.world().resource::<Wants>().list.clone();
        let fine: Vec<_> = wants.iter().filter(|w| usize::from(w.key.level) == level).collect();
        assert!(fine.is_empty() || places.last() == Some(&(0, here)), "first what is seen: {places:?}");
        scarce.turn(3);
    };
    assert_eq!(seen, [(0, here + 1), (1, here), (0, here - 1)]);
    // Cancelled as soon as it is stale.
    scarce.rig.ask(go("t", 3));
    let stale = wanted_places(&mut scarce);
    assert!(stale.iter().all(|(t, _)| *t == 3), "{stale:?}");
    scarce.settle();
    let ahead: Vec<_> = scarce.reads.keys().copied().collect();
    let state = scarce.rig.state();
    let times: Vec<u64> = ahead
        .iter()
        .map(|k| state.dataset.images[0].levels[usize::from(k.level)].chunk_at(k.number)[T])
        .collect();
    assert!(times.contains(&4), "on in time");
    assert!(scarce.reads.values().all(|n| *n == 1), "nothing was read twice");
}

#[test]
fn nothing_is_read_ahead_of_a_view_that_did_not_move() {
    let mut scarce = Scarce::new(brain(), 2000, 1 << 30);
    let did = scarce.settle();
    assert_eq!(did.reads, did.uploads, "what is seen and nothing else");
}

#[test]
fn reading_ahead_keeps_to_the_budget_and_does_not_put_itself_out() {
    // The cache has room for the plane seen, not for three.
    let mut flat = (*brain()).clone();
    flat.images[0].levels.iter_mut().for_each(|l| l.chunk = vec![1, 1, 1, 128, 128]);
    let mut scarce = Scarce::new(Arc::new(flat), 2000, 300 * 128 * 128 * 2);
    scarce.settle();
    for _ in 0..6 {
        scarce.rig.ask(step("z", 1));
        scarce.settle();
        for _ in 0..5 {
            let world = scarce.rig.world();
            world.query::<&mut Plan>().iter_mut(world).for_each(|mut p| p.stale = true);
            assert_eq!(scarce.turn(4), Did::NOTHING, "no storm at rest");
        }
    }
}
