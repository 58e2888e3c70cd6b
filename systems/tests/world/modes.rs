//! Bootstrap, and 2D → 3D → 2D.

use super::rig::{
    ALL_FEATURES, Rig, T, X, Y, Z, brain, go, is_applied, set, set_zoom, step, topics, value, zoom,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    camera::{CameraDelta, CameraParts},
    ids::{LayerId, StreamId, ViewId},
    intent::Change,
    lod::{Budgets, LodPolicy, LodRules},
    notice::{NoticeBody, Topic},
    ops::OpKind,
    restore::RestoreCache,
    session::Features,
    snapshot::Snapshot,
    stream::{Canvas, StreamConfig},
    value::Value,
    view::Mode,
};
use lucida_systems::txn::{camera::home_plane, turntable::home};

/// Whether the level changes with the mode depends on more than the mode.
const TOLD: Features = Features { level: false, ..ALL_FEATURES };

fn config() -> StreamConfig {
    StreamConfig {
        canvas: Canvas::default(),
        codec: "avc1.42C01F".into(),
        avcc: vec![1, 2, 3],
        encoder: "by hand",
    }
}

/// Says that the main stream's encoder has made its first keyframe.
fn configure(rig: &mut Rig) {
    let world = rig.world();
    let mut streams = world.query::<(Entity, &StreamId)>();
    let stream = streams.iter(world).find(|(_, s)| **s == StreamId::MAIN).unwrap().0;
    world.entity_mut(stream).insert(config());
}

#[test]
fn bootstrap_writes_each_block_once_and_then_tells_in_order() {
    let mut rig = Rig::empty();
    let session = rig.join(ALL_FEATURES);
    configure(&mut rig);
    rig.turn();
    assert!(rig.read(session).notices.is_empty(), "there is nothing to tell yet");

    let dataset = brain();
    let op = rig.ask(Change::Dataset(dataset.clone()));
    assert!(is_applied(&op) && op.kind == OpKind::Dataset);
    assert_eq!(rig.revision(), 1);
    let state = rig.state();
    assert_eq!(*state.dataset, *dataset);
    assert_eq!(state.axes.labels, ["t", "z", "y", "x"]);
    assert_eq!(state.displayed(), [Y, X]);
    assert_eq!(state.camera.plane, home_plane(&state));
    assert_eq!((state.lod.level, state.lod.policy, state.lod.downgraded), (1, LodPolicy::Auto, false));
    assert_eq!(state.layers.iter().map(|l| l.id).collect::<Vec<_>>(), [LayerId(0), LayerId(1)]);
    assert_eq!(state.clip.ranges, vec![None; 4]);
    assert_eq!(rig.metrics().level_switches, 0, "the first level is no switch");

    let told = rig.read(session).notices;
    let baseline = [
        Topic::Scene,
        Topic::View,
        Topic::Dims,
        Topic::Layer(LayerId(0)),
        Topic::Layer(LayerId(1)),
        Topic::Camera,
        Topic::Stream,
        Topic::Residency,
    ];
    assert_eq!(topics(&told), baseline);
    for notice in &told {
        assert_eq!(notice.cause, None);
        if let NoticeBody::Applied(applied) = &notice.body {
            assert_eq!(applied.revision, 1);
        }
    }
    rig.turn();
    assert!(rig.read(session).is_empty(), "each once");
}

#[test]
fn a_session_that_comes_later_is_told_the_same() {
    let mut rig = Rig::new();
    configure(&mut rig);
    rig.ask(go("z", 3));
    let session = rig.join_unread(ALL_FEATURES);
    rig.turn();
    assert_eq!(rig.due(), Some(0), "the baseline is due at once");
    rig.turn();
    let told = rig.read(session).notices;
    assert_eq!(topics(&told)[..3], [Topic::Scene, Topic::View, Topic::Dims]);
    assert_eq!(topics(&told)[5..7], [Topic::Camera, Topic::Stream]);
    let NoticeBody::Scene { applied, .. } = &told[0].body else { panic!("{told:?}") };
    assert_eq!(applied.state.index.value[Z], 3);
}

/// Whether the main stream has the encoder's settings that it began with.
fn stream_is_as_it_was(rig: &mut Rig) -> bool {
    let world = rig.world();
    let mut streams = world.query::<(&StreamId, &StreamConfig)>();
    streams.iter(world).any(|(s, c)| *s == StreamId::MAIN && *c == config())
}

#[test]
fn there_and_back_is_the_same_picture() {
    for (rules, locked) in
        [(LodRules::default(), false), (LodRules::NAPARI_CUDA, false), (LodRules::default(), true)]
    {
        let mut rig = Rig::new();
        rig.app.insert_resource(rules);
        // Room for any level of the volume, so that a lock is kept.
        rig.app.insert_resource(Budgets { brick_bytes: 1 << 40, ..Budgets::default() });
        configure(&mut rig);
        let session = rig.join(TOLD);
        rig.ask_all([go("z", 5), go("t", 1), go("y", 700), set_zoom(0.02)]);
        rig.wait(1000);
        if locked {
            rig.ask(Change::Level(2));
        }
        rig.turn();
        rig.read(session);
        let plane = rig.state();
        assert_eq!(plane.view.mode(), Mode::Plane);

        let (ack, told) = rig.answer(session, Change::Ndisplay(3));
        assert_eq!(value(&ack).0, Value::Int(3));
        assert_eq!(rig.ops().closed.back().unwrap().kind, OpKind::ViewToggle, "one op");
        assert_eq!(topics(&told), [Topic::Dims, Topic::Camera, Topic::View]);
        assert!(stream_is_as_it_was(&mut rig));
        rig.turn();
        assert!(rig.read(session).is_empty(), "and nothing follows");
        let volume = rig.state();
        assert_eq!((volume.view.mode(), volume.displayed()), (Mode::Volume, &[Z, Y, X][..]));
        assert_eq!(volume.index.value[T], 1);

        // While in the volume: other places, another time, another pose, another level.
        rig.ask_all([
            go("z", 30),
            go("y", 3),
            go("t", 4),
            Change::Camera(CameraDelta::Orbit { azimuth: 50.0, elevation: 10.0 }),
            zoom(0.5),
            Change::Level(3),
        ]);
        rig.turn();
        rig.read(session);

        let closed = rig.ops().closed.len();
        let (_, told) = rig.answer(session, Change::Ndisplay(2));
        assert_eq!(rig.ops().closed.len(), closed + 1);
        assert_eq!(topics(&told), [Topic::Dims, Topic::Camera, Topic::View]);
        assert!(stream_is_as_it_was(&mut rig));
        let back = rig.state();
        assert_eq!(back.camera.plane, plane.camera.plane, "{rules:?}");
        assert_eq!(back.lod, plane.lod, "{rules:?}");
        assert_eq!(back.axes, plane.axes);
        let place = |axis: usize| (back.index.value[axis], plane.index.value[axis]);
        for axis in [Z, Y, X] {
            assert_eq!(place(axis).0, place(axis).1, "axis {axis}");
        }
        assert_eq!(place(T), (4, 1), "time does not jump back");

        // And once more into the volume: as it was left, at the time that it is now.
        let left = rig.state().restore.volume.clone().unwrap();
        rig.ask(step("t", -1));
        rig.ask(Change::Ndisplay(3));
        let again = rig.state();
        assert_eq!(again.camera.volume, left.pose);
        assert_eq!((again.lod.level, again.lod.policy), (3, LodPolicy::Locked));
        assert_eq!(again.index.value[T], 3);
    }
}

#[test]
fn a_volume_that_was_never_seen_is_fitted() {
    let mut rig = Rig::new();
    rig.ask(Change::Ndisplay(3));
    let volume = rig.state().camera.volume;
    // The middle of 2048 × 1024 × 64 world units, whose first voxel's centre is 0.
    assert_eq!(volume.center, [1023.75, 511.75, 31.0]);
    assert_eq!((volume.angles, volume.fov), ([30.0, 30.0, 0.0], 60.0));
    let state = rig.state();
    assert_eq!(volume, home(&state, volume));
}

#[test]
fn the_place_that_is_asked_for_with_the_toggle_wins() {
    let mut rig = Rig::new();
    rig.ask_all([go("z", 5)]);
    rig.ask(Change::Ndisplay(3));
    rig.ask(go("z", 9));
    rig.ask_all([Change::Ndisplay(2), go("z", 21)]);
    assert_eq!(rig.state().index.value[Z], 21);
}

#[test]
fn a_pose_of_another_plane_is_not_brought_back() {
    let mut rig = Rig::new();
    rig.ask(set(CameraParts {
        center: Some(vec![1500.0, 900.0]),
        zoom: Some(2.0),
        ..CameraParts::default()
    }));
    rig.ask(Change::Ndisplay(3));
    rig.ask(Change::Order(vec![T, X, Y, Z]));
    rig.ask(Change::Ndisplay(2));
    let state = rig.state();
    assert_eq!(state.plane_axes(), [Y, Z]);
    assert_eq!(state.camera.plane, home_plane(&state));
}

#[test]
fn a_pose_of_another_volume_is_not_brought_back() {
    let mut rig = Rig::new();
    rig.ask(Change::Ndisplay(3));
    rig.ask(zoom(0.1));
    rig.ask(Change::Ndisplay(2));
    rig.ask(Change::Order(vec![T, Y, X, Z]));
    rig.ask(Change::Ndisplay(3));
    let turned = rig.state().camera.volume;
    // x is the last of the displayed axes, here z.
    assert_eq!(turned.center, [31.0, 1023.75, 511.75]);

    // The order of the axes that are not displayed is no other volume.
    rig.ask(zoom(0.1));
    let left = rig.state().camera.volume;
    rig.ask(Change::Ndisplay(2));
    rig.ask(Change::Order(vec![T, Y, X, Z]));
    rig.ask(Change::Ndisplay(3));
    assert_eq!(rig.state().camera.volume, left);
}

#[test]
fn a_toggle_to_the_same_mode_is_nothing() {
    let mut rig = Rig::new();
    rig.unchanged_by(|r| r.ask_all([Change::Ndisplay(3), Change::Ndisplay(2)]));
    assert_eq!(rig.state().restore, RestoreCache::default());
}

#[test]
fn another_image_forgets_the_ways_back() {
    let mut rig = Rig::new();
    rig.ask(Change::Ndisplay(3));
    rig.ask(Change::Ndisplay(2));
    assert!(rig.state().restore.plane.is_some() && rig.state().restore.volume.is_some());
    rig.ask(Change::Dataset(brain()));
    assert_eq!(rig.state().restore, RestoreCache::default());
}

#[test]
fn three_toggles_in_one_turn_are_one() {
    let mut rig = Rig::new();
    rig.ask_all([go("z", 5), set_zoom(0.7)]);
    let (plane, revision) = (rig.state(), rig.revision());
    let session = rig.join(TOLD);
    for n in [3, 2, 3] {
        rig.send(session, Change::Ndisplay(n));
    }
    let ops = rig.closed_by_turn();
    assert_eq!(ops.len(), 3);
    assert!(ops.iter().all(is_applied));
    assert_eq!((rig.revision(), rig.state().view.mode()), (revision + 1, Mode::Volume));
    let outbox = rig.read(session);
    assert_eq!(outbox.acks.len(), 3);
    assert_eq!(topics(&outbox.notices), [Topic::Dims, Topic::Camera, Topic::View]);
    rig.ask_all([Change::Ndisplay(2), Change::Ndisplay(3), Change::Ndisplay(2)]);
    let back = rig.state();
    assert_eq!((&back.index, back.camera.plane, back.lod), (&plane.index, plane.camera.plane, plane.lod));
}

#[test]
fn a_level_that_is_locked_is_back_after_the_volume() {
    let mut rig = Rig::new();
    rig.ask(Change::Level(0));
    rig.ask_all([Change::Ndisplay(3)]);
    let volume = rig.state().lod;
    assert_eq!(
        (volume.policy, volume.downgraded),
        (LodPolicy::Locked, true),
        "the whole of level 0 is too much"
    );
    rig.ask_all([Change::Policy(LodPolicy::Auto)]);
    let auto = rig.state().lod;
    assert!(auto.bias > 0, "{auto:?}");
    rig.ask(Change::Ndisplay(2));
    let plane = rig.state().lod;
    assert_eq!((plane.level, plane.policy, plane.downgraded, plane.bias), (0, LodPolicy::Locked, false, 0));
    rig.ask(Change::Ndisplay(3));
    assert_eq!(rig.state().lod, auto, "and that of the volume after the plane");
}

#[test]
fn a_snapshot_brings_a_volume_back() {
    let mut rig = Rig::new();
    rig.ask_all([go("z", 5), set_zoom(0.7)]);
    rig.ask(Change::Ndisplay(3));
    rig.ask_all([
        Change::Camera(CameraDelta::Orbit { azimuth: 50.1, elevation: -10.7 }),
        Change::Camera(CameraDelta::Pan { dx: 33.0, dy: -5.5 }),
        zoom(0.3),
        go("t", 2),
        super::rig::crop("z", Some([4.0, 60.0])),
    ]);
    let taken = rig.applied_of(ViewId::MAIN).unwrap();
    let snapshot = Snapshot::of(ViewId::MAIN, &taken);
    // A client may bring it back, from the plane and from the volume.
    let session = rig.join(ALL_FEATURES);
    for elsewhere in [vec![Change::Ndisplay(2), go("z", 1)], vec![zoom(9.0), go("t", 0), Change::Level(3)]] {
        for change in elsewhere {
            rig.ask(change);
        }
        assert_ne!(*rig.state(), *taken.state);
        let (ack, _) = rig.answer(session, Change::Restore(Box::new(snapshot.clone())));
        assert!(ack.outcome.is_ok(), "{ack:?}");
        assert_eq!(*rig.state(), *taken.state);
    }
    // With it come the ways back.
    rig.ask(Change::Ndisplay(2));
    assert_eq!((rig.state().camera.plane.zoom, rig.state().index.value[Z]), (0.7, 5));
}
