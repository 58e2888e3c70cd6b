//! Volumes within their budgets: what is planned, read and uploaded, whatever happens to the data and the GPU.

use super::rig::{Rig, brain, go, layer};
use lucida_components::{
    applied::{Applied, ViewState},
    camera::{CameraDelta, CameraParts},
    chunk::{Arrivals, ChunkData, ChunkFault, ChunkKey, ChunkValues, Want, Wants},
    controls::ControlChange,
    dataset::{Dataset, LayerSource, Level, LevelKind, Multiscale, SourceId},
    dtype::{Dtype, StoredType},
    ids::{StreamId, ViewId},
    intent::Change,
    lod::{Budgets, LodPolicy},
    notice::Residency,
};
use lucida_systems::{
    pace::Pace,
    residency::{
        bricks::{
            cut::Cutter,
            grid::{Block, BrickKey},
            pools::Class,
        },
        cache::ChunkCache,
        plan::{Plan, Upload},
        pools::Pools,
        tiles::Plane,
    },
    txn::level::LevelClock,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// A pyramid of `side`³ voxels of 1 in chunks of 64³; `layers` channels.
fn cube(side: u64, levels: u32, layers: usize) -> Arc<Dataset> {
    let mut dataset = (*brain()).clone();
    dataset.images[0].levels = (0..levels)
        .map(|l| {
            let scale = f64::from(1_u32 << l);
            Level {
                path: l.to_string(),
                shape: vec![5, 2, side >> l, side >> l, side >> l],
                chunk: vec![1, 1, 64, 64, 64],
                scale: vec![1.0, 1.0, scale, scale, scale],
                translation: vec![0.0, 0.0, (scale - 1.0) / 2.0, (scale - 1.0) / 2.0, (scale - 1.0) / 2.0],
                kind: LevelKind::Stored,
            }
        })
        .collect();
    dataset.layers.truncate(layers);
    Arc::new(dataset)
}

/// The cube, and the same in bytes above it.
fn two_classes(side: u64) -> Arc<Dataset> {
    let mut dataset = (*cube(side, 3, 1)).clone();
    let above = (*cube(side, 3, 1)).clone();
    dataset.images.extend(above.images.into_iter().map(|image| Multiscale {
        source: SourceId(image.source.0 + 1000),
        stored: StoredType::U8,
        dtype: Dtype::U8,
        ..image
    }));
    dataset.layers.extend(above.layers.into_iter().map(|layer| LayerSource { image: 1, ..layer }));
    Arc::new(dataset)
}

/// A world that shows a volume, whose readers and whose GPU are played by hand.
struct Volume {
    rig: Rig,
    budgets: Budgets,
    /// What a chunk holds: noise where nothing else is said.
    chunk: Box<dyn Fn(&ChunkKey, &Multiscale) -> Result<ChunkData, ChunkFault>>,
    reads: HashMap<ChunkKey, u32>,
    cutter: Cutter,
    host_peak: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Did {
    reads: usize,
    uploads: usize,
}

#[expect(clippy::unnecessary_wraps, reason = "as the pool brings it")]
fn noise(key: &ChunkKey, image: &Multiscale) -> Result<ChunkData, ChunkFault> {
    let bytes = image.levels[usize::from(key.level)].chunk_voxels() as usize * image.dtype.size();
    let values: Vec<u8> = (0..bytes).map(|n| (n * 31 % 251) as u8 / 8).collect();
    Ok(ChunkData { dtype: image.dtype, values: ChunkValues::Dense(values.into()), missing: false })
}

#[expect(clippy::unnecessary_wraps, reason = "as the pool brings it")]
fn even(image: &Multiscale, value: u8) -> Result<ChunkData, ChunkFault> {
    Ok(ChunkData { dtype: image.dtype, values: ChunkValues::Uniform([value, 0, 0, 0]), missing: false })
}

fn pose(parts: CameraParts) -> Change {
    Change::Camera(CameraDelta::Set(parts))
}

impl Volume {
    /// Brick pools of so many bricks of two-byte values, by which the level is chosen.
    fn new(dataset: Arc<Dataset>, bricks: u64) -> Self {
        Self::with(dataset, bricks, bricks)
    }

    /// The same where the level is chosen as if there were room for everything: not all that is wanted fits.
    fn crowded(dataset: Arc<Dataset>, bricks: u64) -> Self {
        Self::with(dataset, bricks, 1 << 30)
    }

    fn with(dataset: Arc<Dataset>, bricks: u64, levels_for: u64) -> Self {
        let budgets = Budgets {
            host_bytes: 512 << 20,
            brick_bytes: Class::Short.brick_bytes() * bricks,
            ..Budgets::default()
        };
        let expected = Budgets { brick_bytes: Class::Short.brick_bytes() * levels_for, ..budgets };
        let mut rig = Rig::empty();
        rig.app.insert_resource(expected).insert_resource(Pools::new(&budgets));
        let world = rig.world();
        world.query::<&mut Pace>().iter_mut(world).for_each(|mut pace| pace.always = true);
        rig.ask(Change::Dataset(dataset));
        rig.ask(Change::Ndisplay(3));
        rig.ask(Change::Camera(CameraDelta::Reset));
        Self {
            rig,
            budgets,
            chunk: Box::new(noise),
            reads: HashMap::new(),
            cutter: Cutter::default(),
            host_peak: 0,
        }
    }

    fn turn(&mut self, readers: usize) -> Did {
        self.rig.turn();
        let state = self.rig.state();
        let wants: Vec<Want> = self.rig.world().resource::<Wants>().list.clone();
        assert!(wants.len() <= 4096, "the list is bounded: {}", wants.len());
        let mut did = Did::default();
        let mut transit = 0;
        for want in wants.iter().take(readers) {
            if transit > 0 && transit + want.bytes > self.budgets.transit_bytes() {
                break;
            }
            transit += want.bytes;
            did.reads += 1;
            *self.reads.entry(want.key).or_default() += 1;
            let image = state.dataset.images.iter().find(|i| i.source == want.key.source).unwrap();
            let chunk = (self.chunk)(&want.key, image);
            self.rig.world().resource_mut::<Arrivals>().0.push((want.key, Some(chunk)));
        }
        let cached = self.rig.world().resource::<ChunkCache>().bytes();
        self.host_peak = self.host_peak.max(cached + transit);
        did.uploads = self.upload(usize::MAX);
        did
    }

    /// What the renderer does with the plan, for at most so many bricks.
    fn upload(&mut self, most: usize) -> usize {
        let state = self.rig.state();
        let jobs: Vec<Upload> = self.plan(|plan| plan.uploads.iter().take(most).copied().collect());
        for job in &jobs {
            let job = job.brick().expect("a volume has bricks");
            let layer = &state.layers[job.layer];
            let image = &state.dataset.images[layer.layer.image];
            let block = Block::of(&state, image, layer.layer.channel, job.level).unwrap();
            let world = self.rig.world();
            let cache = world.resource::<ChunkCache>();
            let chunk = |key: &ChunkKey| Some(cache.peek(key).expect("planned with what was not there"));
            let cut = self.cutter.cut(&block, job.at, chunk);
            let class = Class::of(image.dtype);
            let mut pools = world.resource_mut::<Pools>();
            let slot = pools.bricks.insert(class, block.key(job.at), cut.range, cut.missing);
            assert!(slot.is_some(), "planned what has no room");
        }
        if !jobs.is_empty() {
            self.plan(|plan| {
                plan.stale = true;
                plan.stamp += 1;
                plan.uploads.drain(..jobs.len());
                plan.essential = plan.essential.saturating_sub(jobs.len());
            });
        }
        jobs.len()
    }

    fn plan<R>(&mut self, read: impl FnOnce(&mut Plan) -> R) -> R {
        let entity = self.rig.entity(ViewId::MAIN);
        read(&mut self.rig.world().get_mut::<Plan>(entity).unwrap())
    }

    fn settle(&mut self) -> Did {
        let mut all = Did::default();
        let mut quiet = 0;
        for _ in 0..20_000 {
            let did = self.turn(16);
            all = Did { reads: all.reads + did.reads, uploads: all.uploads + did.uploads };
            self.check();
            quiet = if did == Did::default() { quiet + 1 } else { 0 };
            if quiet == 3 {
                return all;
            }
        }
        panic!("it does not come to rest: {all:?}");
    }

    fn residency(&mut self) -> Residency {
        let entity = self.rig.entity(ViewId::MAIN);
        *self.rig.world().get::<Residency>(entity).unwrap()
    }

    /// The chosen bricks, with the levels they are of.
    fn chosen(&mut self) -> Vec<(Class, BrickKey)> {
        let state = self.rig.state();
        let volume = self.plan(|plan| plan.volume.clone());
        let mut keys = Vec::new();
        for chosen in volume {
            let layer = &state.layers[chosen.layer];
            let image = &state.dataset.images[layer.layer.image];
            for level in chosen.levels {
                let block = Block::of(&state, image, layer.layer.channel, level.level).unwrap();
                keys.extend(level.bricks.iter().map(|at| (Class::of(image.dtype), block.key(*at))));
            }
        }
        keys
    }

    fn is_resident(&mut self, class: Class, key: &BrickKey) -> bool {
        self.rig.world().resource::<Pools>().bricks.peek(class, key).is_some()
    }

    /// The bytes of all brick pools, and that the coarsest bricks, once they are there, stay.
    fn check(&mut self) {
        let (budgets, peak) = (self.budgets, self.host_peak);
        assert!(peak <= budgets.host_bytes, "{peak} of {} bytes on the host", budgets.host_bytes);
        let bytes = self.pool_bytes();
        assert!(bytes <= budgets.brick_bytes, "{bytes} of {}", budgets.brick_bytes);
    }

    fn pool_bytes(&mut self) -> u64 {
        let pools = &self.rig.world().resource::<Pools>().bricks;
        let slots = |class: Class| pools.layout(class).iter().map(|n| u64::from(*n)).product::<u64>();
        let used = |class: &Class| pools.slots(*class) > 0;
        Class::ALL.into_iter().filter(used).map(|class| slots(class) * class.brick_bytes()).sum()
    }

    fn ready(&mut self) -> bool {
        self.plan(|plan| plan.ready)
    }
}

#[test]
fn a_volume_comes_coarse_first_and_then_all_of_it() {
    let mut volume = Volume::new(cube(512, 4, 1), 10_000);
    volume.rig.turn();
    assert!(!volume.ready() && volume.residency().waiting);
    let wants = volume.rig.world().resource::<Wants>().list.clone();
    assert_eq!(wants[0].key.level, 3, "the coarsest level first");
    volume.turn(1);
    volume.rig.turn();
    assert!(volume.ready(), "with its one chunk there is a picture");
    assert_eq!(volume.plan(|plan| plan.essential), 1);
    volume.upload(1);
    volume.rig.turn();
    assert_eq!(volume.residency().levels, Some([3, 3]));
    volume.settle();
    let seen = volume.residency();
    assert_eq!((seen.resident, seen.withheld, seen.missing), (seen.wanted, 0, 0));
    // 512 voxels on 720 rows, seen aslant.
    assert_eq!(seen.levels, Some([0, 0]));
    assert!(volume.reads.values().all(|n| *n == 1), "nothing was read twice");
    // Nothing is done while nothing moves.
    for _ in 0..3 {
        volume.plan(|plan| plan.stale = true);
        assert_eq!(volume.turn(16), Did::default());
    }
}

#[test]
fn a_pool_is_as_large_as_what_there_is_to_show_and_stays() {
    let mut volume = Volume::new(cube(128, 2, 1), 10_000);
    volume.settle();
    // 3³ bricks and one; as many again for another time; a texture is a box.
    let bytes = volume.pool_bytes();
    assert!((56..=80).contains(&(bytes / Class::Short.brick_bytes())), "{bytes}");
    volume.rig.ask(layer(0, ControlChange::Visible(false)));
    volume.rig.turn();
    volume.rig.ask(layer(0, ControlChange::Visible(true)));
    assert_eq!(volume.settle(), Did::default(), "hidden and shown again");
    volume.rig.ask(Change::Ndisplay(2));
    volume.rig.turn();
    volume.rig.ask(Change::Ndisplay(3));
    volume.rig.turn();
    let seen = volume.residency();
    assert_eq!((seen.resident, seen.waiting), (seen.wanted, false), "there and back");
}

#[test]
fn a_flight_keeps_the_budget_and_the_coarsest_level_and_converges() {
    let mut volume = Volume::new(cube(2048, 6, 1), 300);
    let seen = flight(&mut volume);
    assert!(seen.withheld == 0 && seen.wanted > 100, "it was made coarser until it fitted: {seen:?}");
    let lod = volume.rig.state().lod;
    assert!(lod.downgraded && lod.bias > 0, "and that is told: {lod:?}");
}

#[test]
fn a_flight_where_not_everything_fits_does_so_too() {
    let seen = flight(&mut Volume::crowded(cube(2048, 6, 1), 300));
    assert!(seen.withheld > 0 && seen.wanted > 250, "{seen:?}");
}

/// Flies through a volume; what is seen at its end.
fn flight(volume: &mut Volume) -> Residency {
    volume.settle();
    let coarsest: Vec<_> = volume.chosen().into_iter().filter(|(_, key)| key.level == 5).collect();
    assert!(!coarsest.is_empty());
    for step in 0..30 {
        let at = f64::from(step);
        volume.rig.ask(pose(CameraParts {
            center: Some(vec![600.0 + 30.0 * at, 1000.0, 1400.0 - 20.0 * at]),
            angles: Some([12.0 * at, 40.0 - 3.0 * at, 0.0]),
            distance: Some(900.0 - 20.0 * at),
            ..CameraParts::default()
        }));
        volume.turn(8);
        volume.check();
        volume.rig.turn();
        assert!(volume.ready(), "never without a picture");
        for (class, key) in &coarsest {
            assert!(volume.is_resident(*class, key), "the coarsest level stays");
        }
    }
    volume.settle();
    let seen = volume.residency();
    assert_eq!(seen.resident, seen.wanted);
    for (class, key) in volume.chosen() {
        assert!(volume.is_resident(class, &key), "{key:?}");
    }
    seen
}

#[test]
fn evicting_everything_brings_it_back_out_of_the_cache() {
    let mut volume = Volume::new(cube(256, 3, 2), 1000);
    volume.settle();
    let before = volume.residency();
    volume.reads.clear();
    let budgets = volume.budgets;
    volume.rig.app.insert_resource(Pools::new(&budgets));
    volume.plan(Plan::forget);
    let did = volume.settle();
    assert_eq!(volume.residency(), before);
    assert_eq!((did.reads, did.uploads), (0, before.wanted as usize));
}

#[test]
fn starved_it_stays_with_what_it_has_and_says_so() {
    let mut volume = Volume::new(cube(512, 4, 1), 10_000);
    volume.turn(1);
    for _ in 0..20 {
        volume.turn(0);
    }
    let seen = volume.residency();
    assert!(volume.ready() && seen.resident < seen.wanted && !seen.waiting);
    assert_eq!(seen.levels, Some([3, 3]));
    volume.settle();
    assert_eq!(volume.residency().levels, Some([0, 0]));
}

#[test]
fn missing_chunks_are_shown_as_missing_and_mended_when_they_come() {
    let mut volume = Volume::new(cube(256, 3, 1), 1000);
    volume.chunk = Box::new(|key, image| match key.number % 3 {
        0 => Err(ChunkFault { level: key.level, number: key.number, reason: "cut off".into() }),
        _ => noise(key, image),
    });
    volume.settle();
    let seen = volume.residency();
    assert!(volume.ready() && seen.missing > 0 && seen.resident == seen.wanted, "{seen:?}");
    volume.chunk = Box::new(noise);
    volume.rig.wait(1000);
    let did = volume.settle();
    assert!(did.reads > 0 && did.uploads >= seen.missing as usize);
    assert_eq!(volume.residency(), Residency { missing: 0, ..seen });
}

#[test]
fn what_is_missing_is_not_taken_for_black() {
    let mut volume = Volume::new(cube(256, 3, 1), 1000);
    // Zeros stand for what is missing, and all of it lies under the contrast limits.
    volume.chunk = Box::new(|key, image| match key.number % 2 {
        0 => Err(ChunkFault { level: key.level, number: key.number, reason: "cut off".into() }),
        _ => even(image, 7),
    });
    volume.settle();
    let seen = volume.residency();
    assert!(seen.missing > 50, "{seen:?}");
    volume.chunk = Box::new(|_, image| even(image, 7));
    volume.rig.wait(1000);
    volume.settle();
    assert_eq!(volume.residency(), Residency { missing: 0, ..seen });
}

#[test]
fn what_looks_the_same_everywhere_takes_no_room_until_the_contrast_says_otherwise() {
    let mut volume = Volume::crowded(cube(256, 3, 1), 40);
    // Black under the contrast limits, 100 to 4000.
    volume.chunk = Box::new(|key, image| match key.number % 2 {
        0 => even(image, 7),
        _ => even(image, 8),
    });
    volume.settle();
    let seen = volume.residency();
    assert_eq!((seen.resident, seen.withheld), (seen.wanted, 0), "all of it, in a pool of 40 bricks");
    assert!(seen.wanted > 100, "{seen:?}");
    volume.rig.ask(layer(0, ControlChange::ContrastLimits([0.0, 10.0])));
    volume.rig.turn();
    assert!(volume.ready(), "the coarsest level is there whatever the contrast");
    volume.settle();
    let seen = volume.residency();
    assert!(seen.withheld > 0 && seen.resident == seen.wanted, "{seen:?}");
}

#[test]
fn two_classes_share_the_bytes_and_both_are_shown() {
    for mut volume in [Volume::crowded(two_classes(512), 100), Volume::new(two_classes(512), 100)] {
        volume.settle();
        two_classes_are_shown(&mut volume);
        let (lod, withheld) = (volume.rig.state().lod, volume.residency().withheld);
        assert_eq!(lod.bias == 0, withheld > 0, "made coarser, or not all of it: {lod:?} {withheld}");
    }
}

fn two_classes_are_shown(volume: &mut Volume) {
    let slots = |v: &mut Volume, class| v.rig.world().resource::<Pools>().bricks.slots(class);
    let (short, byte) = (slots(volume, Class::Short), slots(volume, Class::Byte));
    assert!(short.abs_diff(byte) < 20 && short > 40, "as many bricks: {short} and {byte}");
    let layers: HashSet<u16> = volume.chosen().iter().map(|(_, key)| key.source.0 as u16).collect();
    assert_eq!(layers.len(), 2);
    let seen = volume.residency();
    assert_eq!(seen.resident, seen.wanted);
}

#[test]
fn a_budget_that_was_halved_is_kept() {
    let mut volume = Volume::new(cube(512, 4, 1), 400);
    volume.settle();
    let (wanted, lod) = (volume.residency().wanted, volume.rig.state().lod);
    volume.budgets.brick_bytes /= 2;
    let budgets = volume.budgets;
    let give_less = |volume: &mut Volume| {
        volume.rig.app.insert_resource(Pools::new(&budgets));
        volume.plan(Plan::forget);
    };
    // The level is still that of before.
    give_less(&mut volume);
    volume.settle();
    let seen = volume.residency();
    assert_eq!(volume.rig.state().lod, lod);
    assert!(seen.withheld > 0 && seen.wanted < wanted && seen.wanted > wanted / 3, "{seen:?} after {wanted}");
    assert_eq!(seen.resident, seen.wanted);
    // It is chosen again, as when a device with less memory comes.
    give_less(&mut volume);
    volume.rig.app.insert_resource(budgets);
    let entity = volume.rig.entity(ViewId::MAIN);
    volume.rig.world().get_mut::<LevelClock>(entity).unwrap().recheck = true;
    volume.settle();
    let (seen, less) = (volume.residency(), volume.rig.state().lod);
    assert!(less.downgraded && less.bias > lod.bias, "{less:?} after {lod:?}");
    assert_eq!((seen.resident, seen.withheld), (seen.wanted, 0), "so all of it fits: {seen:?}");
}

#[test]
fn the_next_time_is_read_ahead_while_stepping_and_orbiting() {
    let mut volume = Volume::new(cube(128, 2, 1), 1000);
    volume.rig.ask(go("t", 1));
    volume.settle();
    for step in 2..4 {
        volume.rig.ask(go("t", step));
        volume.rig.turn();
        assert!(volume.ready(), "its chunks are there");
        volume.rig.ask(Change::Camera(CameraDelta::Orbit { azimuth: 5.0, elevation: 1.0 }));
        volume.settle();
    }
    assert!(volume.reads.values().all(|n| *n == 1), "nothing was read twice");
}

#[test]
fn the_volume_behind_a_plane_is_read_ahead() {
    let mut volume = Volume::new(cube(512, 4, 1), 1000);
    volume.rig.ask(Change::Ndisplay(2));
    // Bricks and tiles have different jobs; here only chunks matter.
    for _ in 0..100 {
        volume.rig.turn();
        let state = volume.rig.state();
        let wants: Vec<Want> = volume.rig.world().resource::<Wants>().list.clone();
        for want in wants {
            let chunk = noise(&want.key, &state.dataset.images[0]);
            volume.rig.world().resource_mut::<Arrivals>().0.push((want.key, Some(chunk)));
        }
        upload_tiles(&mut volume.rig);
    }
    volume.rig.ask(Change::Ndisplay(3));
    assert!(
        volume.ready() && volume.plan(|plan| plan.essential) > 0,
        "the picture is there in the same turn"
    );
}

/// Puts a plane's tiles into the pools.
fn upload_tiles(rig: &mut Rig) {
    let world = rig.world();
    let mut plans = world.query::<(&Applied, &mut Plan)>();
    let (applied, mut plan) = plans.single_mut(world).unwrap();
    let (state, jobs) = (applied.state.clone(), std::mem::take(&mut plan.uploads));
    plan.stale = true;
    for job in jobs.into_iter().filter_map(Upload::tile) {
        let layer = &state.layers[job.layer];
        let image = &state.dataset.images[layer.layer.image];
        let plane = Plane::of(&state, image, layer.layer.channel, job.level);
        world.resource_mut::<Pools>().insert(2, plane.unwrap().key(job.at), false).unwrap();
    }
}

#[test]
fn coarser_levels_that_are_being_made_are_not_waited_for() {
    let mut dataset = (*cube(128, 3, 1)).clone();
    dataset.images[0].levels[1..].iter_mut().for_each(|level| level.kind = LevelKind::Virtual);
    let mut volume = Volume::new(Arc::new(dataset), 1000);
    volume.rig.ask(Change::Policy(LodPolicy::Locked));
    volume.rig.turn();
    let wants: Vec<ChunkKey> = volume.rig.world().resource::<Wants>().list.iter().map(|w| w.key).collect();
    let bring = |volume: &mut Volume, of: &dyn Fn(&ChunkKey) -> bool, chunk: bool| {
        let image = volume.rig.state().dataset.images[0].clone();
        let arrivals =
            wants.iter().filter(|key| of(key)).map(|key| (*key, chunk.then(|| noise(key, &image))));
        volume.rig.world().resource_mut::<Arrivals>().0.extend(arrivals.collect::<Vec<_>>());
        volume.rig.turn();
    };
    bring(&mut volume, &|key| key.level > 0, false);
    assert!(!volume.ready(), "nothing is there");
    bring(&mut volume, &|key| key.level == 0, true);
    assert!(volume.ready());
    let wanted = volume.residency().wanted as usize;
    assert_eq!(volume.plan(|plan| plan.essential), wanted - 2, "all but the two that are being made");
    volume.upload(usize::MAX);
    volume.rig.turn();
    assert_eq!(volume.residency().levels, Some([0, 0]));
}

/// Another view of the same, watched: a volume like the first.
fn another(volume: &mut Volume) -> ViewId {
    let view = volume.rig.second_view();
    let entity = volume.rig.entity(view);
    let world = volume.rig.world();
    world.entity_mut(entity).insert(Plan::default());
    let mut streams = world.query::<(bevy_ecs::entity::Entity, &StreamId)>();
    let stream = streams.iter(world).find(|(_, s)| **s == StreamId(1)).unwrap().0;
    world.entity_mut(stream).insert(Pace { always: true, ..Pace::default() });
    view
}

/// Uploads of all views, as the renderer does them, until nothing is done.
fn settle_all(volume: &mut Volume) {
    let mut quiet = 0;
    for _ in 0..2000 {
        volume.rig.turn();
        let state = volume.rig.state();
        let wants: Vec<Want> = volume.rig.world().resource::<Wants>().list.clone();
        let mut did = wants.len();
        for want in wants {
            let chunk = noise(&want.key, &state.dataset.images[0]);
            volume.rig.world().resource_mut::<Arrivals>().0.push((want.key, Some(chunk)));
        }
        let world = volume.rig.world();
        let mut plans = world.query::<(&Applied, &mut Plan)>();
        let jobs: Vec<(Arc<ViewState>, Vec<Upload>)> = plans
            .iter_mut(world)
            .map(|(applied, mut plan)| {
                plan.stale |= !plan.uploads.is_empty();
                (applied.state.clone(), std::mem::take(&mut plan.uploads))
            })
            .collect();
        for (state, jobs) in jobs {
            did += jobs.len();
            for job in jobs {
                let image = &state.dataset.images[0];
                let mut pools = world.resource_mut::<Pools>();
                match job {
                    Upload::Tile(job) => {
                        let plane = Plane::of(&state, image, 0, job.level).unwrap();
                        pools.insert(2, plane.key(job.at), false).expect("planned what has no room");
                    }
                    Upload::Brick(job) => {
                        let key = Block::of(&state, image, 0, job.level).unwrap().key(job.at);
                        let slot = pools.bricks.insert(Class::Short, key, [0.0, 9000.0], false);
                        slot.expect("planned what has no room");
                    }
                }
            }
        }
        quiet = if did == 0 { quiet + 1 } else { 0 };
        if quiet == 3 {
            return;
        }
    }
    panic!("it does not come to rest");
}

#[test]
fn planes_and_volumes_are_planned_beside_each_other() {
    let mut volume = Volume::crowded(cube(512, 4, 1), 200);
    let other = another(&mut volume);
    settle_all(&mut volume);
    let seen = |volume: &mut Volume, view| {
        let entity = volume.rig.entity(view);
        *volume.rig.world().get::<Residency>(entity).unwrap()
    };
    let [one, two] = [ViewId::MAIN, other].map(|view| seen(&mut volume, view));
    assert!(one.wanted <= 110 && two.wanted <= 110, "each its part: {one:?} {two:?}");
    assert!(one.resident == one.wanted && two.resident == two.wanted);
    volume.rig.ask_of(other, Change::Ndisplay(2));
    settle_all(&mut volume);
    let [one, two] = [ViewId::MAIN, other].map(|view| seen(&mut volume, view));
    assert!(one.wanted > 150 && one.levels.is_some() && one.resident == one.wanted, "all of it: {one:?}");
    assert!(two.wanted > 0 && two.levels.is_none() && two.resident == two.wanted, "a plane: {two:?}");
}
