//! Which level a volume wants where, what that costs, and what the budget makes of it.

use super::rig::{Rig, brain, crop, layer, pyramid, set, zoom};
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts},
    controls::{ControlChange, Depiction},
    dataset::Dataset,
    fault::RejectCode,
    ids::ViewId,
    intent::Change,
    lod::{Budgets, Lod, LodPolicy, sizes},
    places,
    rays::Rays,
};
use lucida_systems::residency::bricks::detail::{
    Detail,
    estimate::{Sight, limit},
};
use std::{sync::Arc, time::Instant};

fn volume_of(dataset: Arc<Dataset>, brick_bytes: u64) -> Rig {
    let mut rig = Rig::empty();
    rig.app.insert_resource(Budgets { brick_bytes, ..Budgets::default() });
    rig.ask(Change::Dataset(dataset));
    rig.ask(Change::Ndisplay(3));
    rig
}

const MIB: f64 = 1024.0 * 1024.0;

fn parts() -> CameraParts {
    CameraParts::default()
}

fn orbit(azimuth: f64, elevation: f64) -> Change {
    Change::Camera(CameraDelta::Orbit { azimuth, elevation })
}

fn estimate(state: &ViewState, lod: Lod) -> f64 {
    Sight::of(state, &state.camera.volume).bytes(lod)
}

fn biased(bias: u8) -> Lod {
    Lod { bias, ..Lod::default() }
}

fn locked(level: usize) -> Lod {
    Lod { level, policy: LodPolicy::Locked, ..Lod::default() }
}

/// The bytes of every brick that is seen and wanted, found by looking at points of each of them. One image layer.
fn counted(state: &ViewState, lod: Lod) -> f64 {
    let image = state.dataset.reference().unwrap();
    let detail = Detail::with(state, image, lod);
    let rays = Rays::of(&state.camera.volume, state.canvas);
    let half = [f64::from(state.canvas.width) / 2.0, f64::from(state.canvas.height) / 2.0];
    let mut bricks = 0_u64;
    for (number, level) in image.levels.iter().enumerate() {
        let count = |d: usize| (level.shape[d] - 1).div_ceil(63).max(1);
        let sides = |d: usize, n: u64| {
            let end = |v: u64| level.translation[d] + v.min(level.shape[d] - 1) as f64 * level.scale[d];
            [end(63 * n), end(63 * n + 63)]
        };
        for z in 0..count(0) {
            for y in 0..count(1) {
                for x in 0..count(2) {
                    let mut of = [sides(2, x), sides(1, y), sides(0, z)];
                    for (side, axis) in of.iter_mut().zip([2, 1, 0]) {
                        if let Some(Some([from, to])) = state.clip.ranges.get(axis) {
                            *side = [side[0].max(*from), side[1].min(*to)];
                        }
                    }
                    if of.iter().any(|[from, to]| from > to) {
                        continue;
                    }
                    let mut nearest = f64::INFINITY;
                    const STEPS: usize = 8;
                    for n in 0..(STEPS + 1).pow(3) {
                        let at = [n, n / (STEPS + 1), n / (STEPS + 1).pow(2)].map(|n| n % (STEPS + 1));
                        let point = std::array::from_fn(|i| {
                            of[i][0] + (of[i][1] - of[i][0]) * at[i] as f64 / STEPS as f64
                        });
                        let Some(seen) = rays.project(point) else { continue };
                        if seen[0].abs() <= half[0] && seen[1].abs() <= half[1] {
                            nearest = nearest.min(rays.pixel_at(rays.depth(point)));
                        }
                    }
                    if nearest < f64::INFINITY && detail.wanted(nearest) <= number {
                        bricks += 1;
                    }
                }
            }
        }
    }
    bricks as f64 * 64.0_f64.powi(3) * image.dtype.size() as f64
}

#[test]
fn the_coarsest_level_that_is_fine_enough_is_wanted() {
    let rig = &mut volume_of(pyramid([512; 3], [1.0; 3], 4), 1 << 40);
    let state = rig.state();
    let image = state.dataset.reference().unwrap();
    assert_eq!(sizes(image, state.displayed()), [0.0, 2.0, 4.0, 8.0]);
    let wanted = |lod: Lod, pixel: f64| Detail::with(&state, image, lod).wanted(pixel);
    for (pixel, level) in [(0.0, 0), (1.9, 0), (2.0, 1), (3.9, 1), (4.0, 2), (8.0, 3), (1e9, 3)] {
        assert_eq!(wanted(biased(0), pixel), level, "{pixel}");
        assert_eq!(wanted(biased(1), pixel / 2.0), level, "half the resolution: {pixel}");
        assert_eq!(wanted(biased(5), pixel / 32.0), level, "{pixel}");
        assert_eq!(wanted(locked(2), pixel), 2, "{pixel}");
    }
    assert_eq!(Detail::with(&state, image, locked(2)).finest, 2);
    assert_eq!(wanted(biased(0), f64::INFINITY), 3);
}

#[test]
fn the_estimate_is_what_counting_finds() {
    let mut rig = volume_of(pyramid([640; 3], [1.0; 3], 5), 1 << 40);
    let poses = [
        parts(),
        CameraParts { angles: Some([0.0; 3]), ..parts() },
        CameraParts { distance: Some(500.0), ..parts() },
        CameraParts { distance: Some(150.0), ..parts() },
        CameraParts { distance: Some(40.0), ..parts() },
        CameraParts { center: Some(vec![0.0, 0.0, 0.0]), distance: Some(300.0), ..parts() },
        CameraParts { fov: Some(0.0), ..parts() },
        CameraParts { fov: Some(0.0), distance: Some(60.0), ..parts() },
        CameraParts { fov: Some(100.0), distance: Some(100.0), ..parts() },
        CameraParts { distance: Some(5000.0), ..parts() },
    ];
    let home = rig.state().camera.volume;
    for pose in poses {
        rig.ask(set(CameraParts {
            center: Some(home.center.to_vec()),
            angles: Some(home.angles),
            distance: Some(home.distance),
            fov: Some(home.fov),
            ..parts()
        }));
        rig.ask(set(pose.clone()));
        let state = rig.state();
        for lod in [biased(0), biased(1), biased(2), biased(4), locked(0), locked(2)] {
            let (found, real) = (estimate(&state, lod), counted(&state, lod));
            // Of few bricks each counts, and which of them are cut is chance.
            let within = 0.75 * real - MIB..=1.8 * real + 30.0 * MIB;
            assert!(within.contains(&found), "{found} for {real}: {lod:?} {pose:?}");
        }
    }
}

/// The pixel at the nearest point of the volume that is seen, by looking at many of them.
fn nearest(state: &ViewState) -> f64 {
    let rays = Rays::of(&state.camera.volume, state.canvas);
    let half = [f64::from(state.canvas.width) / 2.0, f64::from(state.canvas.height) / 2.0];
    let mut sides = places::world_box(&state.dataset, state.axes.displayed(3));
    for (side, axis) in sides.iter_mut().zip(state.axes.displayed(3).iter().rev()) {
        if let Some(Some([from, to])) = state.clip.ranges.get(*axis) {
            *side = [side[0].max(*from), side[1].min(*to)];
        }
    }
    const STEPS: usize = 60;
    let mut nearest = f64::INFINITY;
    for n in 0..(STEPS + 1).pow(3) {
        let at = [n, n / (STEPS + 1), n / (STEPS + 1).pow(2)].map(|n| n % (STEPS + 1));
        let point =
            std::array::from_fn(|i| sides[i][0] + (sides[i][1] - sides[i][0]) * at[i] as f64 / STEPS as f64);
        if rays.project(point).is_some_and(|p| p[0].abs() <= half[0] && p[1].abs() <= half[1]) {
            nearest = nearest.min(rays.pixel_at(rays.depth(point)));
        }
    }
    nearest
}

#[test]
fn the_nearest_point_is_found_wherever_it_is() {
    let mut rig = volume_of(pyramid([640, 300, 500], [1.0, 2.0, 1.5], 5), 1 << 40);
    for pose in [
        parts(),
        CameraParts { angles: Some([0.0; 3]), ..parts() },
        CameraParts { angles: Some([130.0, -20.0, 15.0]), distance: Some(600.0), ..parts() },
        CameraParts { center: Some(vec![300.0, 300.0, 639.0]), distance: Some(50.0), ..parts() },
        CameraParts { fov: Some(0.0), ..parts() },
        CameraParts {
            center: Some(vec![375.0, 300.0, 320.0]),
            distance: Some(100.0),
            fov: Some(40.0),
            ..parts()
        },
    ] {
        rig.ask(set(pose.clone()));
        let state = rig.state();
        let found = Sight::of(&state, &state.camera.volume).nearest_pixel();
        let near = nearest(&state);
        // With the eye inside, the points looked at here are some way before it.
        let sound =
            found <= near * 1.001 && (found > near * 0.93 || near < state.camera.volume.distance * 1e-3);
        assert!(sound, "{found} for {near}: {pose:?}");
        let lod = state.lod;
        let detail = Detail::of(&state, state.dataset.reference().unwrap());
        assert_eq!((lod.level, lod.bias, lod.downgraded), (detail.wanted(found), 0, false));
    }
    rig.ask(set(CameraParts { center: Some(vec![1e6, 0.0, 0.0]), ..parts() }));
    assert_eq!(rig.level(), 4, "out of sight");
}

#[test]
fn the_volume_is_made_coarser_until_it_fits() {
    let mut last = (usize::MAX, u8::MAX);
    // 1 MiB has room for two bricks; the coarsest level is one.
    for (mib, downgraded) in [(1, true), (16, true), (64, true), (256, true), (1024, false), (1 << 20, false)]
    {
        let mut rig = volume_of(pyramid([1024; 3], [1.0; 3], 6), mib << 20);
        let state = rig.state();
        let lod = state.lod;
        assert_eq!((lod.policy, lod.downgraded), (LodPolicy::Auto, downgraded), "{mib} MiB: {lod:?}");
        assert_eq!(lod.bias > 0, downgraded);
        assert!(estimate(&state, lod) <= limit(&Budgets { brick_bytes: mib << 20, ..Budgets::default() }));
        if lod.bias > 0 {
            let finer = Lod { bias: lod.bias - 1, ..lod };
            assert!(estimate(&state, finer) > 0.7 * (mib << 20) as f64, "{mib} MiB: finer would have fitted");
        }
        assert!(lod.level <= last.0 && lod.bias <= last.1, "{mib} MiB: {lod:?} after {last:?}");
        last = (lod.level, lod.bias);
        assert_eq!(rig.metrics().level_downgrades, u64::from(downgraded));
    }
    assert_eq!(last, (0, 0));
}

#[test]
fn with_no_room_at_all_everything_is_as_coarse_as_it_gets() {
    let mut rig = volume_of(pyramid([1024; 3], [1.0; 3], 3), 1);
    let state = rig.state();
    assert!(state.lod.downgraded);
    let [all, coarsest] = [state.lod, locked(2)].map(|lod| estimate(&state, lod));
    assert!(all <= coarsest * 1.001, "{all} and {coarsest}");
    let detail = Detail::of(&state, state.dataset.reference().unwrap());
    let pixel = Rays::of(&state.camera.volume, state.canvas).pixel;
    assert_eq!(detail.wanted(pixel), 2);
}

#[test]
fn what_is_not_shown_costs_nothing() {
    let mut rig = volume_of(brain(), 64 << 20);
    let both = estimate(&rig.state(), biased(0));
    rig.ask(layer(0, ControlChange::Visible(false)));
    let one = estimate(&rig.state(), biased(0));
    assert!((both / one - 2.0).abs() < 1e-9, "channels cost the same each: {both} and {one}");
    rig.ask(layer(1, ControlChange::Visible(false)));
    assert_eq!(estimate(&rig.state(), biased(0)), 0.0);
    assert_eq!((rig.state().lod.bias, rig.state().lod.downgraded), (0, false));
}

#[test]
fn a_slab_costs_less_than_the_volume() {
    let mut rig = volume_of(pyramid([2048; 3], [1.0; 3], 6), 64 << 20);
    let (whole, bias) = (estimate(&rig.state(), locked(0)), rig.state().lod.bias);
    rig.ask(layer(0, ControlChange::Depiction(Depiction::Plane)));
    let slab = estimate(&rig.state(), locked(0));
    // One voxel thick: two bricks of 32, on average.
    assert!(slab < whole / 12.0 && slab > whole / 64.0, "{slab} of {whole}");
    assert!(rig.state().lod.bias < bias, "so it is sharper");
    // A normal may have any length.
    rig.ask(layer(0, ControlChange::PlaneNormal([0.0, 0.0, 1e-300])));
    assert_eq!(estimate(&rig.state(), locked(0)), slab);
    rig.ask(layer(0, ControlChange::PlanePosition(Some([0.0, 0.0, 1e5]))));
    let least = 64.0_f64.powi(3) * 2.0;
    assert_eq!(estimate(&rig.state(), locked(0)), least, "outside: a brick all the same");
}

#[test]
fn an_orbit_along_the_budget_does_not_flap() {
    // A flat box: seen from its edge and from above it costs differently.
    let mut rig = volume_of(pyramid([64, 4096, 4096], [1.0; 3], 7), 64 << 20);
    let at = |rig: &mut Rig, bias| estimate(&rig.state(), biased(bias));
    let bias = rig.state().lod.bias;
    // A budget in the middle between what two neighbouring views of the orbit need.
    let first = at(&mut rig, bias);
    rig.ask(orbit(0.0, 1.0));
    let second = at(&mut rig, bias);
    assert!(first != second && (first / second - 1.0).abs() < 0.1, "{first} {second}");
    rig.app.insert_resource(Budgets {
        brick_bytes: ((first + second) / 2.0 / 0.75) as u64,
        ..Budgets::default()
    });
    rig.ask(orbit(0.0, -1.0));
    let settled = rig.state().lod.bias;
    let switches = rig.metrics().level_downgrades;
    for _ in 0..50 {
        for turn in [1.0, -1.0] {
            rig.ask(orbit(0.0, turn));
            assert_eq!(rig.state().lod.bias, settled);
        }
    }
    assert_eq!(rig.metrics().level_downgrades, switches);
}

#[test]
fn what_fits_again_is_sharp_again() {
    let mut rig = volume_of(pyramid([1024; 3], [1.0; 3], 6), 64 << 20);
    let home = rig.state();
    assert!(home.lod.bias > 0);
    let crop_all = |rig: &mut Rig, range| {
        rig.ask_all(["z", "y", "x"].map(|axis| crop(axis, range)));
    };
    crop_all(&mut rig, Some([500.0, 600.0]));
    let cropped = rig.state().lod;
    assert!((cropped.bias, cropped.downgraded) == (0, false), "{cropped:?}");
    crop_all(&mut rig, None);
    assert_eq!(rig.state().lod, home.lod);
    rig.ask(zoom(50.0));
    assert_eq!(rig.state().lod.bias, 0, "far away little is seen of it");
    rig.ask(Change::Camera(CameraDelta::Reset));
    assert_eq!(rig.state().lod, home.lod);
}

#[test]
fn a_locked_level_that_does_not_fit_is_refused_with_numbers() {
    let mut rig = volume_of(pyramid([1024; 3], [1.0; 3], 6), 64 << 20);
    let session = rig.join(super::rig::ALL_FEATURES);
    let before = rig.state().lod;
    let (ack, told) = rig.unchanged_by(|r| r.answer(session, Change::Level(0)));
    let why = ack.outcome.unwrap_err();
    let needed = (estimate(&rig.state(), locked(0)) / MIB).ceil();
    assert_eq!(why.code, RejectCode::Error);
    let want = format!(
        "level 0 of all that is seen would take about {needed} MiB, and there are 48 MiB for it; the finest level that \
         fits is 3"
    );
    assert_eq!(why.message, want);
    assert!(told.is_empty() && rig.requested(ViewId::MAIN).lod == before);
    assert_eq!(rig.metrics().faults, 0, "refused at the door");

    rig.ask(Change::Level(3));
    assert_eq!(rig.state().lod, locked(3), "asked for, so not marked");
    assert_eq!(Detail::of(&rig.state(), rig.state().dataset.reference().unwrap()).finest, 3);
    rig.unchanged_by(|r| r.ask(Change::Level(3)));

    // Locking what is shown is asking for it everywhere.
    rig.ask(Change::Policy(LodPolicy::Auto));
    rig.ask(set(CameraParts { center: Some(vec![0.0, 512.0, 512.0]), distance: Some(900.0), ..parts() }));
    let shown = rig.state().lod;
    if estimate(&rig.state(), locked(shown.level)) > 48.0 * MIB {
        let why = rig.unchanged_by(|r| r.refused(Change::Policy(LodPolicy::Locked)));
        assert!(why.message.contains("MiB"), "{why}");
    }
    // A part of it fits.
    rig.ask(set(CameraParts { distance: Some(40.0), ..parts() }));
    rig.ask(Change::Level(2));
    assert_eq!(rig.state().lod, locked(2));
}

#[test]
fn where_no_level_fits_the_refusal_says_so() {
    let mut rig = volume_of(pyramid([1024; 3], [1.0; 3], 2), 1 << 20);
    let why = rig.unchanged_by(|r| r.refused(Change::Level(1)));
    assert!(why.message.ends_with("no level fits"), "{why}");
    let why = rig.unchanged_by(|r| r.refused(Change::Policy(LodPolicy::Locked)));
    assert!(why.message.ends_with("no level fits"), "{why}");
}

#[test]
fn a_lock_that_does_not_fit_becomes_coarser_where_nobody_asked_for_it() {
    // From the plane.
    let mut rig = Rig::empty();
    rig.app.insert_resource(Budgets { brick_bytes: 64 << 20, ..Budgets::default() });
    rig.ask(Change::Dataset(pyramid([1024; 3], [1.0; 3], 6)));
    rig.ask(Change::Level(0));
    let plane = rig.state().lod;
    rig.ask(Change::Ndisplay(3));
    let lod = rig.state().lod;
    assert_eq!((lod.level, lod.policy, lod.downgraded, lod.bias), (3, LodPolicy::Locked, true, 0));
    rig.unchanged_by(|r| r.ask(zoom(1.0)));
    rig.ask(Change::Ndisplay(2));
    assert_eq!(rig.state().lod, plane, "the plane has its own back");

    // By a move.
    let mut rig = volume_of(pyramid([1024; 3], [1.0; 3], 6), 64 << 20);
    rig.ask_all([set(CameraParts { distance: Some(40.0), ..parts() })]);
    rig.ask(Change::Level(2));
    assert_eq!(rig.state().lod, locked(2));
    let op = rig.ask(Change::Camera(CameraDelta::Reset));
    assert!(super::rig::is_applied(&op), "the camera goes where it was sent");
    assert_eq!((rig.level(), rig.state().lod.downgraded), (3, true));

    // With a toggle in the same turn it is the toggle that brings it.
    let mut rig = Rig::empty();
    rig.app.insert_resource(Budgets { brick_bytes: 64 << 20, ..Budgets::default() });
    rig.ask(Change::Dataset(pyramid([1024; 3], [1.0; 3], 6)));
    let ops = rig.ask_all([Change::Ndisplay(3), Change::Level(0)]);
    assert!(ops.iter().all(super::rig::is_applied), "{ops:?}");
    assert_eq!((rig.level(), rig.state().lod.downgraded), (3, true));
}

#[test]
fn it_takes_microseconds() {
    let mut rig = volume_of(brain(), 256 << 20);
    let state = rig.state();
    let started = Instant::now();
    let bytes: f64 = (0..100).map(|_| estimate(&state, biased(1))).sum();
    println!("an estimate takes {:.1} us", started.elapsed().as_secs_f64() * 1e4);
    assert!(bytes > 0.0);
    let before = rig.metrics();
    for _ in 0..100 {
        rig.ask(orbit(3.0, 0.1));
    }
    let spent = rig.metrics().level_micros.sum - before.level_micros.sum;
    println!("the level step of an orbit takes {:.1} us", spent / 100.0);
}
