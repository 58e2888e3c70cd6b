//! What holds whatever is asked, in whatever order.

use super::rig::{
    ALL_FEATURES, Rig, brain, crop, cut, go, is_rejected, layer, pan, set, set_zoom, step, to_infinity, zoom,
};
use lucida_components::{
    applied::{Applied, ViewState},
    camera::{CameraDelta, CameraParts, Rect},
    clip::ClipPlane,
    controls::{Blending, ControlChange, Depiction, Interpolation, Projection},
    ids::ViewId,
    index::Index,
    intent::{Change, Grid},
    lod::{Budgets, LodPolicy, LodRules},
    ops::OpState,
    rays::Rays,
    snapshot::Snapshot,
    stream::Canvas,
};
use lucida_systems::txn::commit::check;
use proptest::{collection::vec, prelude::*};
use std::{collections::HashSet, sync::Arc};

/// Numbers that hands and hostile clients send.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -2000.0..2000.0,
        2 => prop::sample::select(vec![0.0, 1.0, -1.0, 0.5, 2.0]),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300, -1e300, 1e-300, 1e-320]),
    ]
}

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![6 => -40_i64..4200, 1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0])]
}

fn axis() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["t", "z", "y", "x", "0", "3", "Z", "q", ""]).prop_map(str::to_owned)
}

fn factor() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 0.2..5.0, 1 => number()]
}

fn camera() -> impl Strategy<Value = Change> {
    let parts = (
        prop::option::of(vec(number(), 1..4)),
        prop::option::of(number()),
        prop::option::weighted(0.2, (number(), number(), number(), number())),
        prop::option::weighted(0.2, [number(), number(), number()]),
        prop::option::weighted(0.2, number()),
        prop::option::weighted(0.2, number()),
    )
        .prop_map(|(center, zoom, rect, angles, distance, fov)| {
            let rect = rect.map(|(left, bottom, width, height)| Rect { left, bottom, width, height });
            set(CameraParts { center, zoom, rect, angles, distance, fov })
        });
    prop_oneof![
        3 => (factor(), [number(), number()])
            .prop_map(|(factor, anchor)| Change::Camera(CameraDelta::Zoom { factor, anchor })),
        2 => factor().prop_map(zoom),
        2 => (number(), number()).prop_map(|(dx, dy)| pan(dx, dy)),
        1 => (number(), number())
            .prop_map(|(azimuth, elevation)| Change::Camera(CameraDelta::Orbit { azimuth, elevation })),
        1 => Just(Change::Camera(CameraDelta::Reset)),
        2 => parts,
        2 => (0.001..10.0).prop_map(set_zoom),
        1 => Just(to_infinity()),
    ]
}

fn control() -> impl Strategy<Value = ControlChange> {
    prop_oneof![
        any::<bool>().prop_map(ControlChange::Visible),
        number().prop_map(ControlChange::Opacity),
        prop::sample::select(Blending::ALL.to_vec()).prop_map(ControlChange::Blending),
        prop::sample::select(Interpolation::ALL.to_vec()).prop_map(ControlChange::Interpolation),
        prop::sample::select(vec!["magma", "gray", "#00ff7f", "none such"])
            .prop_map(|n| ControlChange::Colormap(n.into())),
        number().prop_map(ControlChange::Gamma),
        [number(), number()].prop_map(ControlChange::ContrastLimits),
        number().prop_map(ControlChange::SampleStep),
        number().prop_map(ControlChange::PlaneThickness),
        prop::option::of([number(), number(), number()]).prop_map(ControlChange::PlanePosition),
        [number(), number(), number()].prop_map(ControlChange::PlaneNormal),
        prop::sample::select(Depiction::ALL.to_vec()).prop_map(ControlChange::Depiction),
        prop::sample::select(Projection::ALL.to_vec()).prop_map(ControlChange::Projection),
    ]
}

fn clip() -> impl Strategy<Value = Change> {
    let plane = ([number(), number(), number()], [number(), number(), number()])
        .prop_map(|(position, normal)| ClipPlane { position, normal });
    prop_oneof![
        (axis(), prop::option::of([number(), number()])).prop_map(|(a, range)| crop(&a, range)),
        vec(plane, 0..3).prop_map(cut),
    ]
}

/// What a hand does to a volume: numbers that pass the door, however large.
fn turn_of_volume() -> impl Strategy<Value = Change> {
    let finite = || number().prop_filter("finite", |v| v.is_finite());
    let positive = || finite().prop_map(|v| v.abs().max(1e-320));
    let fov = prop_oneof![Just(0.0), 0.1..179.999, Just(0.1), Just(179.999_999)];
    let parts = (
        prop::option::of([finite(), finite(), finite()]),
        prop::option::of(positive()),
        prop::option::of([finite(), finite(), finite()]),
        fov,
    )
        .prop_map(|(center, distance, angles, fov)| {
            let center = center.map(|c| c.to_vec());
            set(CameraParts { center, distance, angles, fov: Some(fov), ..CameraParts::default() })
        });
    prop_oneof![
        2 => (finite(), finite()).prop_map(|(dx, dy)| pan(dx, dy)),
        2 => positive().prop_map(zoom),
        2 => (0.2..5.0).prop_map(zoom),
        2 => (finite(), finite())
            .prop_map(|(azimuth, elevation)| Change::Camera(CameraDelta::Orbit { azimuth, elevation })),
        1 => Just(Change::Camera(CameraDelta::Reset)),
        2 => parts,
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let dims = prop_oneof![
        (axis(), whole()).prop_map(|(a, v)| go(&a, v)),
        (axis(), whole()).prop_map(|(axis, value)| Change::Index { axis, value, grid: Grid::Level }),
        (axis(), -3_i64..4).prop_map(|(a, d)| step(&a, d)),
        (axis(), [number(), number()]).prop_map(|(axis, margins)| Change::Margins { axis, margins }),
        (vec(whole(), 0..6), vec([number(), number()], 0..6))
            .prop_map(|(value, margins)| Change::WholeIndex(Index { value, margins })),
        Just((0..4).collect::<Vec<usize>>()).prop_shuffle().prop_map(Change::Order),
        vec(0_usize..5, 0..6).prop_map(Change::Order),
    ];
    prop_oneof![
        6 => dims,
        6 => camera(),
        2 => clip(),
        3 => ((0_u32..3), control()).prop_map(|(n, c)| layer(n, c)),
        1 => control().prop_map(Change::Volume),
        2 => whole().prop_map(Change::Level),
        2 => prop::sample::select(vec![LodPolicy::Auto, LodPolicy::Locked]).prop_map(Change::Policy),
        2 => (1_u8..5).prop_map(Change::Ndisplay),
        1 => (0_u32..5000, 0_u32..5000).prop_map(|(width, height)| Change::Canvas(Canvas { width, height })),
    ]
}

/// Turns of a few changes each; the second number says how much time passes before.
fn turns(most: usize) -> impl Strategy<Value = Vec<(Vec<Change>, u64)>> {
    vec((vec(change(), 1..4), 0_u64..400), 1..most)
}

fn world() -> impl Strategy<Value = (LodRules, u64, u64)> {
    let rules = prop::sample::select(vec![LodRules::default(), LodRules::NAPARI_CUDA]);
    // From next to nothing to plenty.
    let bytes = || prop::sample::select(vec![1_u64 << 12, 3 << 20, 20 << 20, 1 << 30]);
    (rules, bytes(), bytes())
}

fn rig_of((rules, pool_bytes, brick_bytes): (LodRules, u64, u64)) -> Rig {
    let mut rig = Rig::empty();
    rig.app.insert_resource(rules);
    rig.app.insert_resource(Budgets { pool_bytes, brick_bytes, ..Budgets::default() });
    rig.ask(Change::Dataset(brain()));
    rig
}

fn run(rig: &mut Rig, turns: &[(Vec<Change>, u64)]) {
    for (changes, millis) in turns {
        rig.wait(*millis);
        rig.ask_all(changes.iter().cloned());
    }
}

fn applied(rig: &mut Rig) -> Applied {
    rig.applied_of(ViewId::MAIN).unwrap()
}

/// What the snapshot's reader gets: through text, as it is stored.
fn stored(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        max_shrink_time: 20_000,
        max_global_rejects: 65_536,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_turn_keeps_the_ledger(world in world(), turns in turns(12)) {
        let mut rig = rig_of(world);
        let session = rig.join(ALL_FEATURES);
        for (changes, millis) in turns {
            rig.wait(millis);
            let (before, revision) = (applied(&mut rig), rig.revision());
            // Every other one is the server's own, which may see a volume.
            let mut asked = HashSet::new();
            for (n, change) in changes.iter().cloned().enumerate() {
                if n % 2 == 0 {
                    asked.insert(rig.send(session, change));
                } else {
                    rig.queue(ViewId::MAIN, change);
                }
            }
            let ops = rig.closed_by_turn();
            let after = applied(&mut rig);

            prop_assert_eq!(check(&after.state), Ok(()));
            let outbox = rig.read(session);
            let answered: Vec<_> = outbox.acks.iter().map(|a| a.intent.clone()).collect();
            prop_assert_eq!(answered.len(), asked.len());
            prop_assert_eq!(answered.into_iter().collect::<HashSet<_>>(), asked);
            prop_assert!(ops.iter().all(|o| o.state != OpState::Open));
            prop_assert!(ops.len() >= changes.len());

            // The revision moves if the state did; it may pass through several where ops were retried.
            if before.state == after.state && !ops.iter().any(is_rejected) {
                prop_assert_eq!(rig.revision(), revision);
            }
            if before.state != after.state {
                prop_assert!(rig.revision() > revision);
                prop_assert_eq!(after.revision, rig.revision());
                prop_assert!(!outbox.notices.is_empty());
            }
            if rig.revision() == revision {
                prop_assert!(Arc::ptr_eq(&before.state, &after.state));
                prop_assert!(outbox.notices.is_empty());
            }

            // Requested is applied again.
            let requested = rig.requested(ViewId::MAIN);
            let state: &ViewState = &after.state;
            prop_assert_eq!(requested.view, state.view);
            prop_assert_eq!(&requested.axes, &state.axes);
            prop_assert_eq!(&requested.index, &state.index);
            prop_assert_eq!(requested.lod, state.lod);
            prop_assert_eq!(&requested.clip, &state.clip);
            prop_assert_eq!(requested.canvas, state.canvas);
            prop_assert!(requested.queue.0.is_empty());
            for ((id, _, controls), applied) in requested.layers.iter().zip(state.layers.iter()) {
                prop_assert_eq!((*id, controls), (applied.id, &applied.controls));
            }
        }
    }

    #[test]
    fn a_snapshot_brings_the_same_state_back(world in world(), first in turns(8), then in turns(8)) {
        let mut rig = rig_of(world);
        run(&mut rig, &first);
        let taken = applied(&mut rig);
        let snapshot = stored(&Snapshot::of(ViewId::MAIN, &taken));
        prop_assert_eq!(&snapshot, &Snapshot::of(ViewId::MAIN, &taken));

        run(&mut rig, &then);
        rig.wait(1000);
        let op = rig.ask(Change::Restore(Box::new(snapshot.clone())));
        prop_assert!(!is_rejected(&op), "{:?}", op);
        let back = applied(&mut rig);
        prop_assert_eq!(&*back.state, &*taken.state);
        prop_assert_eq!(Snapshot { revision: snapshot.revision, ..Snapshot::of(ViewId::MAIN, &back) }, snapshot.clone());

        // And it stays: bringing it back once more is an equal write.
        let revision = rig.revision();
        rig.ask(Change::Restore(Box::new(snapshot)));
        prop_assert_eq!(rig.revision(), revision);
    }

    #[test]
    fn asking_the_same_twice_is_asking_once(world in world(), turns in turns(6), again in change()) {
        // Commands move from where they are; everything else names a place.
        let relative = matches!(
            again,
            Change::Step { .. } | Change::Camera(CameraDelta::Zoom { .. } | CameraDelta::Pan { .. } | CameraDelta::Orbit { .. })
        );
        prop_assume!(!relative);
        let mut rig = rig_of(world);
        run(&mut rig, &turns);
        rig.wait(1000);
        let shown = rig.level();
        rig.ask(again.clone());
        // Whatever was held back by a pause comes now.
        for _ in 0..5 {
            rig.wait(1000);
            rig.turn();
        }
        // A place that counts on the level shown is another place on another level.
        let on_level = matches!(again, Change::Index { grid: Grid::Level, .. });
        prop_assume!(!on_level || rig.level() == shown);
        let before = applied(&mut rig);
        rig.ask(again);
        let after = applied(&mut rig);
        prop_assert_eq!(before.revision, after.revision);
    }

    #[test]
    fn nothing_that_passes_the_door_makes_a_pose_that_cannot_be_drawn(
        world in world(),
        turns in vec(vec(turn_of_volume(), 1..4), 1..10),
    ) {
        let mut rig = rig_of(world);
        rig.ask(Change::Ndisplay(3));
        for changes in turns {
            let ops = rig.ask_all(changes);
            prop_assert!(!ops.iter().any(is_rejected));
            let state = rig.state();
            prop_assert_eq!(check(&state), Ok(()));
            let pose = state.camera.volume;
            prop_assert!(pose.angles[0].abs() <= 180.0 && pose.angles[1].abs() <= 90.0, "{:?}", pose);
            let rays = Rays::of(&pose, state.canvas);
            prop_assert!(rays.pixel.is_finite() && rays.pixel > 0.0, "{:?}", rays);
            let bases = rays.right.into_iter().chain(rays.down).chain(rays.forward).chain(rays.center);
            prop_assert!(bases.into_iter().all(f64::is_finite), "{:?}", rays);
            prop_assert!(state.lod.level < 4);
        }
        prop_assert_eq!(rig.metrics().faults, 0);
    }

    #[test]
    fn the_plane_is_where_it_was_left(
        world in world(),
        plane in vec(prop_oneof![factor().prop_map(zoom), (number(), number()).prop_map(|(x, y)| pan(x, y))], 0..4),
        visits in vec(vec(turn_of_volume(), 0..4), 1..4),
    ) {
        let mut rig = rig_of(world);
        rig.ask_all([go("z", 7)]);
        rig.ask_all(plane);
        rig.wait(1000);
        rig.turn();
        let left = rig.state();
        for (n, visit) in visits.into_iter().enumerate() {
            // With the toggle and after it.
            let mut together = vec![Change::Ndisplay(3)];
            if n % 2 == 0 {
                together.extend(visit);
                rig.ask_all(together);
            } else {
                rig.ask_all(together);
                rig.ask_all(visit);
            }
            rig.ask(go("z", 20));
            let volume = rig.state();
            prop_assert_eq!(volume.camera.plane, left.camera.plane);
            rig.ask(Change::Ndisplay(2));
            let back = rig.state();
            prop_assert_eq!(back.camera.plane, left.camera.plane);
            prop_assert_eq!((&back.index, back.lod), (&left.index, left.lod));
            prop_assert_eq!(back.camera.volume, volume.camera.volume);
        }
    }
}
