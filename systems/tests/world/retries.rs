//! Chunks that cannot be read: drawn as missing, tried again with growing delays while they are seen.

use super::rig::{Rig, brain, go, slide};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    chunk::{Arrivals, ChunkData, ChunkFault, ChunkKey, ChunkValues, Wants},
    controls::ControlChange,
    dtype::Dtype,
    lod::Budgets,
    notice::Residency,
};
use lucida_systems::{
    pace::Pace,
    residency::{plan::Plan, pools::Pools, tiles::Plane},
};

/// A watched world with pools but without a GPU.
fn watched(mut rig: Rig) -> Rig {
    rig.app.insert_resource(Pools::new(&Budgets { pool_bytes: 64 << 20, ..Budgets::default() }));
    let world = rig.world();
    world.query::<&mut Pace>().iter_mut(world).for_each(|mut pace| pace.always = true);
    rig.turn();
    rig
}

fn wanted(rig: &mut Rig) -> Vec<ChunkKey> {
    rig.world().resource::<Wants>().list.iter().map(|want| want.key).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "as the pool brings it")]
fn good() -> Result<ChunkData, ChunkFault> {
    Ok(ChunkData { dtype: Dtype::U16, values: ChunkValues::Uniform([1, 0, 0, 0]), missing: false })
}

fn bad(key: ChunkKey) -> Result<ChunkData, ChunkFault> {
    Err(ChunkFault { level: key.level, number: key.number, reason: "cut off".into() })
}

/// A turn in which this arrives; then another, after the tiles that could be uploaded were.
fn arrive(rig: &mut Rig, chunks: impl IntoIterator<Item = (ChunkKey, Result<ChunkData, ChunkFault>)>) {
    rig.world()
        .resource_mut::<Arrivals>()
        .0
        .extend(chunks.into_iter().map(|(key, chunk)| (key, Some(chunk))));
    rig.turn();
    upload(rig);
    rig.turn();
}

/// Does with the plan's uploads what drawing does, but for the pixels.
fn upload(rig: &mut Rig) -> usize {
    let world = rig.world();
    let mut plans = world.query::<(&Applied, &mut Plan)>();
    let (applied, mut plan) = plans.single_mut(world).unwrap();
    let (state, jobs) = (applied.state.clone(), std::mem::take(&mut plan.uploads));
    plan.stale = true;
    for job in jobs.iter().filter_map(|job| job.tile()) {
        let layer = &state.layers[job.layer];
        let image = &state.dataset.images[layer.layer.image];
        let plane = Plane::of(&state, image, layer.layer.channel, job.level).unwrap();
        let cache = world.resource_mut::<lucida_systems::residency::cache::ChunkCache>();
        let cache = cache.into_inner();
        let missing = plane.chunks(job.at).any(|key| cache.get(&key).unwrap().is_err());
        let mut pools = world.resource_mut::<Pools>();
        pools.insert(2, plane.key(job.at), missing).unwrap();
    }
    jobs.len()
}

fn residency(rig: &mut Rig) -> Residency {
    let world = rig.world();
    *world.query::<&Residency>().single(world).unwrap()
}

/// The slide's one tile, whose second chunk failed.
fn half_missing() -> (Rig, ChunkKey) {
    let mut rig = watched(Rig::showing(slide()));
    let keys = wanted(&mut rig);
    assert_eq!(keys.len(), 2);
    arrive(&mut rig, [(keys[0], good()), (keys[1], bad(keys[1]))]);
    (rig, keys[1])
}

#[test]
fn a_chunk_that_fails_is_drawn_as_missing_and_tried_again_later_not_each_turn() {
    let (mut rig, key) = half_missing();
    assert_eq!(residency(&mut rig), Residency { resident: 1, wanted: 1, missing: 1, ..Residency::default() });
    let mut delays = Vec::new();
    for _ in 0..8 {
        for _ in 0..3 {
            rig.turn();
            assert_eq!(wanted(&mut rig), [], "not each turn");
        }
        let due = rig.due().unwrap() as u64;
        delays.push(due);
        rig.wait(due - 1);
        rig.turn();
        assert_eq!(wanted(&mut rig), [], "not before its time");
        rig.wait(1);
        rig.turn();
        assert_eq!(wanted(&mut rig), [key]);
        assert_eq!(rig.due(), None, "nothing to wake for while it is being read");
        arrive(&mut rig, [(key, bad(key))]);
    }
    assert_eq!(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    assert_eq!(rig.metrics().chunks_failed, 9);
}

#[test]
fn a_repaired_chunk_is_shown_without_any_intent() {
    let (mut rig, key) = half_missing();
    rig.wait(1000);
    rig.turn();
    rig.world().resource_mut::<Arrivals>().0.push((key, Some(good())));
    rig.turn();
    let used = rig.world().resource::<Pools>().used(2);
    assert_eq!(upload(&mut rig), 1, "the tile is cut anew");
    assert_eq!(rig.world().resource::<Pools>().used(2), used, "in its place");
    rig.turn();
    assert_eq!(residency(&mut rig), Residency { resident: 1, wanted: 1, ..Residency::default() });
    assert_eq!((wanted(&mut rig), upload(&mut rig)), (vec![], 0), "once");
    rig.turn();
    assert_eq!(rig.due(), None);
}

#[test]
fn the_repaired_part_of_a_tile_is_shown_while_another_part_still_fails() {
    let mut rig = watched(Rig::showing(slide()));
    let keys = wanted(&mut rig);
    arrive(&mut rig, [(keys[0], bad(keys[0])), (keys[1], bad(keys[1]))]);
    rig.wait(1000);
    rig.turn();
    assert_eq!(wanted(&mut rig), keys);
    rig.world().resource_mut::<Arrivals>().0.extend([(keys[0], Some(bad(keys[0]))), (keys[1], Some(good()))]);
    rig.turn();
    assert_eq!(upload(&mut rig), 1);
    rig.turn();
    assert_eq!(residency(&mut rig).missing, 1);
    assert_eq!(upload(&mut rig), 0, "not again and again");
    rig.turn();
    assert_eq!(rig.due(), Some(2000));
}

#[test]
fn what_is_no_longer_seen_is_not_tried_again() {
    let mut rig = watched(Rig::showing(brain()));
    rig.ask(lucida_components::intent::Change::Layer {
        layer: lucida_components::ids::LayerId(1),
        control: ControlChange::Visible(false),
    });
    let keys = wanted(&mut rig);
    let failed = keys[0];
    let rest = keys[1..].iter().map(|key| (*key, good()));
    arrive(&mut rig, rest.chain([(failed, bad(failed))]).collect::<Vec<_>>());
    assert_eq!(rig.due(), Some(1000));
    // Another time point.
    rig.ask(go("t", 3));
    rig.wait(1000);
    rig.turn();
    assert!(!wanted(&mut rig).contains(&failed));
    assert_eq!(rig.due(), None, "nothing to wake for");
    // Back again: it is due, so it is tried at once.
    rig.wait(200_000);
    rig.ask(go("t", 0));
    assert!(wanted(&mut rig).contains(&failed));
    arrive(&mut rig, [(failed, bad(failed))]);
    assert!(!wanted(&mut rig).contains(&failed));
    assert_eq!(rig.due(), Some(1000), "the long pause was no patience: its delay begins anew");
}

#[test]
fn nobody_watching_means_no_attempts() {
    let (mut rig, _) = half_missing();
    let world = rig.world();
    world.query::<&mut Pace>().iter_mut(world).for_each(|mut pace| pace.always = false);
    rig.turn();
    assert_eq!(rig.due(), None);
    rig.wait(5000);
    rig.turn();
    assert_eq!(wanted(&mut rig), []);
}
