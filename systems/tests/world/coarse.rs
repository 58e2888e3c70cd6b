//! What may be shown of an image whose coarser levels must first be made.

use super::rig::{Rig, brain, go, set_zoom};
use lucida_components::{
    chunk::{Arrivals, ChunkData, ChunkFault, ChunkKey, ChunkValues, Wants},
    dataset::{Dataset, LevelKind},
    dtype::Dtype,
    ids::ViewId,
    intent::Change,
    lod::Budgets,
    notice::Residency,
};
use lucida_systems::{
    pace::Pace,
    render::plane::{colours::Colours, params},
    residency::{
        plan::{Plan, Upload},
        pools::Pools,
        tiles::{Plane, TileKey},
    },
};
use std::sync::Arc;

/// The brain in chunks of one plane, of which the levels from `first` on are virtual. Home shows all of level 1.
fn image(first: usize) -> Arc<Dataset> {
    let mut dataset = (*brain()).clone();
    dataset.images[0].levels[first..].iter_mut().for_each(|level| level.kind = LevelKind::Virtual);
    dataset.images[0].levels.iter_mut().for_each(|level| level.chunk[2] = 1);
    dataset.layers.truncate(1);
    Arc::new(dataset)
}

/// A world that plans as if a device were there.
fn showing(dataset: Arc<Dataset>) -> Rig {
    let mut rig = Rig::empty();
    rig.app.insert_resource(Pools::new(&Budgets::default()));
    let world = rig.world();
    for mut pace in world.query::<&mut Pace>().iter_mut(world) {
        pace.always = true;
    }
    rig.ask(Change::Dataset(dataset));
    rig
}

fn wants(rig: &mut Rig) -> Vec<ChunkKey> {
    rig.world().resource::<Wants>().list.iter().map(|want| want.key).collect()
}

fn chunk() -> ChunkData {
    ChunkData { dtype: Dtype::U16, values: ChunkValues::Uniform([9; 4]), missing: false }
}

/// Brings these, and lets a turn run.
fn bring(rig: &mut Rig, keys: &[ChunkKey], what: Option<Result<ChunkData, ChunkFault>>) {
    let arrivals = keys.iter().map(|key| (*key, what.clone()));
    rig.world().resource_mut::<Arrivals>().0.extend(arrivals);
    rig.turn();
}

/// Does what drawing does with a plan: puts its tiles into the pools.
fn upload(rig: &mut Rig) {
    let state = rig.state();
    let entity = rig.entity(ViewId::MAIN);
    let mut plan = rig.world().get_mut::<Plan>(entity).unwrap();
    let jobs = std::mem::take(&mut plan.uploads);
    plan.stale = true;
    for job in jobs.into_iter().filter_map(Upload::tile) {
        let layer = &state.layers[job.layer].layer;
        let plane = Plane::of(&state, &state.dataset.images[layer.image], layer.channel, job.level).unwrap();
        let key: TileKey = plane.key(job.at);
        rig.world().resource_mut::<Pools>().insert(2, key, false).unwrap();
    }
    rig.turn();
}

fn residency(rig: &mut Rig) -> Residency {
    let entity = rig.entity(ViewId::MAIN);
    *rig.world().get::<Residency>(entity).unwrap()
}

fn ready(rig: &mut Rig) -> bool {
    let entity = rig.entity(ViewId::MAIN);
    rig.world().get::<Plan>(entity).unwrap().ready
}

/// Uploads of the plan: how many a picture cannot do without, and all.
fn uploads(rig: &mut Rig) -> (usize, usize) {
    let entity = rig.entity(ViewId::MAIN);
    let plan = rig.world().get::<Plan>(entity).unwrap();
    (plan.essential, plan.uploads.len())
}

/// Tiles that a picture would show now.
fn drawn(rig: &mut Rig) -> usize {
    let state = rig.state();
    let entity = rig.entity(ViewId::MAIN);
    let world = rig.world();
    let params = params::gather(
        &state,
        world.get::<Plan>(entity).unwrap(),
        world.resource::<Pools>(),
        &mut Colours::default(),
        false,
    );
    params.table.iter().filter(|slot| **slot != 0).count()
}

fn of_level(keys: &[ChunkKey], level: u16) -> Vec<ChunkKey> {
    keys.iter().filter(|key| key.level == level).copied().collect()
}

#[test]
fn what_must_be_made_is_not_waited_for_once_that_is_known() {
    let mut rig = showing(image(1));
    assert_eq!(rig.level(), 1);
    let wanted = wants(&mut rig);
    assert!(!ready(&mut rig) && residency(&mut rig).waiting, "it may still be there");
    let (last, others) = wanted.split_last().unwrap();
    bring(&mut rig, others, None);
    assert!(!ready(&mut rig), "one has not been answered");
    bring(&mut rig, &[*last], None);
    let now = residency(&mut rig);
    assert!(ready(&mut rig) && !now.waiting);
    assert_eq!((now.resident, now.wanted), (0, 16 * 8), "all of it is told as loading");
    assert_eq!(drawn(&mut rig), 0);
    assert_eq!(wants(&mut rig), wanted, "and all of it is still wanted");
}

#[test]
fn the_target_is_wanted_before_the_coarsest_level_and_its_centre_first() {
    let mut rig = showing(image(1));
    let wanted = wants(&mut rig);
    let levels: Vec<u16> = wanted.iter().map(|key| key.level).collect();
    assert_eq!(levels[0], 1);
    assert!(levels.is_sorted() && levels.contains(&3), "{levels:?}");
    // 8 × 16 chunks of the plane; the centre is where four meet, and a tile has a border of its neighbours.
    let level = &rig.state().dataset.images[0].levels[1];
    let first = level.chunk_at(wanted[0].number);
    assert!((2..=4).contains(&first[3]) && (6..=8).contains(&first[4]), "{first:?}");

    // A stored coarsest level comes first, as it is waited for.
    let mut rig = showing(image(4));
    let levels: Vec<u16> = wants(&mut rig).iter().map(|key| key.level).collect();
    assert_eq!((levels[0], levels.last()), (3, Some(&1)));
}

#[test]
fn the_picture_grows_as_tiles_come() {
    let mut rig = showing(image(1));
    let wanted = wants(&mut rig);
    bring(&mut rig, &wanted, None);
    let mut before = 0;
    // Every tile needs the chunks around it for its border.
    for some in of_level(&wanted, 1).chunks(32) {
        bring(&mut rig, some, Some(Ok(chunk())));
        assert!(ready(&mut rig));
        let (essential, all) = uploads(&mut rig);
        assert_eq!(essential, all, "what is there is drawn in the next picture");
        upload(&mut rig);
        let now = drawn(&mut rig);
        assert!(now > before, "{now}");
        assert_eq!(residency(&mut rig).resident as usize, now);
        before = now;
    }
    assert_eq!(before, 128);
    assert_eq!(of_level(&wants(&mut rig), 3), of_level(&wanted, 3), "the coarsest level is made behind it");
    // Its arrival changes nothing of the picture.
    bring(&mut rig, &of_level(&wanted, 3), Some(Ok(chunk())));
    assert!(ready(&mut rig));
    assert_eq!(drawn(&mut rig), 128);
}

#[test]
fn another_plane_shows_nothing_of_the_one_before() {
    let mut rig = showing(image(1));
    rig.ask(go("z", 4));
    let first = wants(&mut rig);
    bring(&mut rig, &first, Some(Ok(chunk())));
    upload(&mut rig);
    assert_eq!(drawn(&mut rig), 128, "complete");
    rig.ask(go("z", 24));
    assert_eq!(drawn(&mut rig), 0);
    assert!(!ready(&mut rig), "the last picture stands until it is known what is there");
    let second = wants(&mut rig);
    assert!(second.iter().all(|key| !first.contains(key)));
    bring(&mut rig, &second, None);
    assert!(ready(&mut rig));
    assert_eq!((drawn(&mut rig), residency(&mut rig).resident), (0, 0));
    let centre: Vec<ChunkKey> = second[..16].to_vec();
    bring(&mut rig, &centre, Some(Ok(chunk())));
    upload(&mut rig);
    let some = drawn(&mut rig);
    assert!((1..=16).contains(&some), "{some}");
    // And back: the tiles of the first plane are still there.
    rig.ask(go("z", 4));
    assert!(ready(&mut rig));
    assert_eq!(drawn(&mut rig), 128);
}

#[test]
fn a_coarsest_level_that_was_made_before_is_waited_for_and_drawn() {
    let mut rig = showing(image(1));
    let wanted = wants(&mut rig);
    bring(&mut rig, &of_level(&wanted, 1), None);
    assert!(!ready(&mut rig), "the coarsest level has not answered");
    bring(&mut rig, &of_level(&wanted, 3), Some(Ok(chunk())));
    assert!(ready(&mut rig));
    let (essential, _) = uploads(&mut rig);
    assert_eq!(essential, 4 * 2);
    upload(&mut rig);
    assert_eq!(drawn(&mut rig), 8, "it fills the picture");
}

#[test]
fn stored_tiles_over_a_level_that_must_be_made_are_shown_when_half_are_there() {
    let mut rig = showing(image(1));
    rig.ask(set_zoom(2.0));
    assert_eq!(rig.level(), 0);
    let wanted = wants(&mut rig);
    let stored = of_level(&wanted, 0);
    bring(&mut rig, &of_level(&wanted, 3), None);
    assert!(!ready(&mut rig), "nothing is there");
    let mut brought = 0;
    let count = stored.len();
    for key in stored {
        bring(&mut rig, &[key], Some(Ok(chunk())));
        brought += 1;
        if ready(&mut rig) {
            break;
        }
    }
    let (essential, _) = uploads(&mut rig);
    let wanted = residency(&mut rig).wanted as usize;
    assert!(
        brought < count && essential >= wanted / 2 && essential < wanted,
        "{brought}, {essential} of {wanted}"
    );
}

#[test]
fn a_made_chunk_that_failed_counts_as_there() {
    let mut rig = showing(image(1));
    let wanted = wants(&mut rig);
    bring(&mut rig, &wanted, None);
    let fault = ChunkFault { level: 1, number: 0, reason: "no".into() };
    bring(&mut rig, &of_level(&wanted, 1), Some(Err(fault)));
    assert_eq!(uploads(&mut rig).0, 128);
    assert!(of_level(&wants(&mut rig), 1).is_empty());
}

#[test]
fn an_image_with_stored_levels_is_waited_for_as_ever() {
    let mut rig = showing(image(4));
    let wanted = wants(&mut rig);
    bring(&mut rig, &of_level(&wanted, 1)[1..], Some(Ok(chunk())));
    assert!(!ready(&mut rig));
    bring(&mut rig, &of_level(&wanted, 3)[1..], Some(Ok(chunk())));
    assert!(!ready(&mut rig), "neither is complete");
    bring(&mut rig, &of_level(&wanted, 3)[..1], Some(Ok(chunk())));
    assert!(ready(&mut rig));
}
