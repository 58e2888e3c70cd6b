//! A step that fails or panics: what was applied stays, the sender alone is told, the world goes on.

use super::rig::{
    ALL_FEATURES, Rig, T, Z, brain, go, hollow, is_applied, is_rejected, layer, pan, set_zoom, slide,
    to_infinity, topics, value, zoom,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    axes::Axes,
    camera::{CameraDelta, CameraQueue},
    controls::{ControlChange, Controls},
    fault::{RejectCode, Step},
    ids::ViewId,
    intent::Change,
    lod::{Budgets, Lod},
    metrics::Metrics,
    notice::Topic,
    ops::{OpKind, OpState},
    snapshot::Snapshot,
    stream::Canvas,
    value::Value,
};
use lucida_systems::{
    residency::pools,
    txn::inject::{Failure, Injection},
};
use std::sync::Arc;

fn inject(rig: &mut Rig, step: Step, failure: Failure, times: u32) {
    rig.world().insert_resource(Injection { step, failure, times });
}

fn spent(rig: &mut Rig) -> bool {
    rig.world().resource::<Injection>().times == 0
}

/// Every way a transaction can be made to end early.
fn every_failure() -> impl Iterator<Item = (Step, Failure)> {
    Step::ALL.into_iter().flat_map(|s| [(s, Failure::Error), (s, Failure::Panic)])
}

fn canvas(width: u32, height: u32) -> Change {
    Change::Canvas(Canvas { width, height })
}

#[test]
fn a_fault_in_any_step_changes_nothing_and_tells_the_sender_alone() {
    let changes = [
        go("z", 3),
        zoom(0.25),
        Change::Level(3),
        Change::Ndisplay(2),
        layer(1, ControlChange::Opacity(0.5)),
        canvas(640, 480),
        Change::Dataset(slide()),
    ];
    for (step, failure) in every_failure() {
        for change in &changes {
            let mut rig = Rig::new();
            let (sender, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
            rig.second_view();
            rig.turn();
            rig.read(sender);
            rig.read(other);
            let requested = rig.requested(ViewId::MAIN);
            let beside = rig.applied_of(ViewId(1)).unwrap();
            let before = rig.metrics();

            inject(&mut rig, step, failure, 1);
            let (ack, told) = rig.unchanged_by(|r| r.answer(sender, change.clone()));
            assert!(spent(&mut rig), "{step} was reached");
            let why = ack.outcome.unwrap_err();
            assert_eq!(why.code, RejectCode::Error, "{step} {failure:?} {change:?}");
            assert!(why.message.contains(&step.to_string()), "{why} names {step}");
            assert!(told.is_empty(), "{told:?}");
            assert!(rig.read(other).is_empty(), "others notice nothing");
            assert_eq!(rig.requested(ViewId::MAIN), requested, "{step} {failure:?} {change:?}");
            let now = rig.applied_of(ViewId(1)).unwrap();
            assert_eq!(now.state, beside.state, "the other view, {step} {failure:?} {change:?}");

            let after = rig.metrics();
            assert_eq!(after.faults, before.faults + 1);
            let sum = |m: &Metrics| m.ops_rejected.iter().sum::<u64>();
            assert_eq!(sum(&after), sum(&before) + 1);

            // The same again, with nothing in its way.
            let (ack, _) = rig.answer(sender, change.clone());
            assert!(ack.outcome.is_ok(), "{step} {failure:?} {change:?}");
            assert_eq!(rig.metrics().faults, after.faults);
        }
    }
}

#[test]
fn a_panic_says_where() {
    for step in Step::ALL {
        let mut rig = Rig::new();
        inject(&mut rig, step, Failure::Panic, 1);
        let why = rig.refused(go("z", 3));
        assert!(why.message.contains(&format!("{step}: the step panicked")), "{why}");
    }
}

#[test]
fn of_several_ops_only_the_bad_one_is_rejected() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let good =
        [go("z", 3), pan(10.0, 0.0), go("t", 4), layer(0, ControlChange::Gamma(2.0)), Change::Level(2)];
    let good: Vec<_> = good.into_iter().map(|c| rig.send(session, c)).collect();
    let bad = rig.send(session, to_infinity());
    let late = rig.send(session, canvas(640, 480));
    let centre = rig.state().camera.plane.center;
    rig.turn();

    let outbox = rig.read(session);
    assert_eq!(outbox.acks.len(), 7);
    for ack in &outbox.acks {
        assert_eq!(ack.outcome.is_err(), ack.intent == bad, "{ack:?}");
    }
    assert!(good.iter().chain([&late]).all(|i| outbox.acks.iter().any(|a| a.intent == *i)));
    let refusal = outbox.acks.iter().find(|a| a.intent == bad).unwrap().outcome.clone().unwrap_err();
    assert!(refusal.message.contains("pose"), "{refusal}");

    let state = rig.state();
    assert_eq!((state.index.value[Z], state.index.value[T]), (3, 4));
    assert_eq!(state.layers[0].controls.gamma, 2.0);
    assert_eq!(state.lod.level, 2);
    assert_eq!(state.canvas, Canvas { width: 640, height: 480 });
    assert!(state.camera.plane.center[0] < centre[0], "the pan took effect");
    let told = topics(&outbox.notices);
    for topic in [Topic::Dims, Topic::Camera, Topic::View] {
        assert_eq!(told.iter().filter(|t| **t == topic).count(), 1, "{told:?}");
    }
}

#[test]
fn deltas_around_a_bad_one_are_applied_once_each() {
    let mut rig = Rig::new();
    let mut twin = Rig::new();
    let ops = rig.ask_all([zoom(0.5), pan(64.0, -32.0), to_infinity(), zoom(2.5), pan(1.0, 1.0)]);
    assert_eq!(ops.iter().filter(|o| is_rejected(o)).count(), 1);
    twin.ask_all([zoom(0.5), pan(64.0, -32.0), zoom(2.5), pan(1.0, 1.0)]);
    assert_eq!(rig.state().camera, twin.state().camera);
}

#[test]
fn ops_of_a_turn_whose_fault_was_passing_are_all_applied() {
    for (step, failure) in every_failure() {
        let mut rig = Rig::new();
        inject(&mut rig, step, failure, 1);
        let ops = rig.ask_all([go("z", 3), go("t", 2), pan(5.0, 5.0)]);
        assert!(ops.iter().all(is_applied), "{step} {failure:?}: {ops:?}");
        assert_eq!(ops.len(), 3);
        assert_eq!(&rig.state().index.value[..2], &[2, 3]);
    }
}

#[test]
fn each_is_tried_alone_and_fails_alone() {
    // Once for the turn, once for the first of the two that are retried.
    let mut rig = Rig::new();
    inject(&mut rig, Step::Commit, Failure::Panic, 2);
    let ops = rig.ask_all([go("z", 3), go("t", 2)]);
    assert_eq!(ops.iter().map(is_rejected).collect::<Vec<_>>(), [true, false]);
    assert_eq!(&rig.state().index.value[..2], &[2, 16]);
}

#[test]
fn a_policy_op_of_an_abandoned_attempt_vanishes() {
    for (step, failure) in every_failure() {
        let mut rig = Rig::new();
        let before = rig.metrics();
        inject(&mut rig, step, failure, 1);
        // Zooms by which the policy would choose another level.
        let ops = rig.ask_all([zoom(4.0)]);
        assert_eq!(ops.len(), 1, "{ops:?}");
        assert_eq!(ops[0].kind, OpKind::Camera);
        assert_eq!(rig.metrics().level_switches, before.level_switches);

        let ops = rig.ask_all([zoom(4.0)]);
        let kinds: Vec<_> = ops.iter().map(|o| (o.kind, o.origin.is_none(), is_applied(o))).collect();
        assert_eq!(kinds, [(OpKind::Camera, true, true), (OpKind::Policy, true, true)]);
        assert!(ops[1].seq > ops[0].seq);
        assert_eq!(rig.metrics().level_switches, before.level_switches + 1);
    }
}

#[test]
fn a_level_chosen_for_one_op_stays_when_the_next_one_is_bad() {
    let mut rig = Rig::new();
    let ops = rig.ask_all([zoom(4.0), to_infinity()]);
    let applied: Vec<_> = ops.iter().filter(|o| is_applied(o)).map(|o| o.kind).collect();
    assert_eq!(applied, [OpKind::Camera, OpKind::Policy]);
    assert_eq!(rig.level(), 3);
}

#[test]
fn a_scene_wide_op_that_one_view_cannot_take_is_taken_back_in_every_view() {
    // Requested by hand, because no reducer would: each ends the second view's transaction at its step.
    let poisons: [(Step, fn(&mut EntityWorldMut)); 4] = [
        (Step::Begin, |v| v.get_mut::<Axes>().unwrap().labels.truncate(1)),
        (Step::Dims, |v| v.get_mut::<Axes>().unwrap().order = vec![0, 0, 0, 0]),
        (Step::Level, |v| v.get_mut::<Lod>().unwrap().level = 99),
        (Step::Camera, |v| {
            let delta = CameraDelta::Zoom { factor: 1e-320, anchor: [0.0; 2] };
            v.get_mut::<CameraQueue>().unwrap().0.push(delta);
        }),
    ];
    for (step, poison) in poisons {
        let mut rig = Rig::new();
        let (second, session) = (rig.second_view(), rig.join(ALL_FEATURES));
        let before = [ViewId::MAIN, second].map(|v| rig.applied_of(v).unwrap().state);
        let entity = rig.entity(second);
        poison(&mut rig.world().entity_mut(entity));

        let (ack, told) = rig.answer(session, layer(1, ControlChange::Opacity(0.5)));
        let why = ack.outcome.unwrap_err();
        assert!(why.message.contains(&step.to_string()), "{why}");
        assert!(told.is_empty(), "{step}: what was taken back is not told: {told:?}");
        for (view, state) in [ViewId::MAIN, second].into_iter().zip(before) {
            assert_eq!(rig.applied_of(view).unwrap().state, state, "{step} {view:?}");
        }
        let (ack, _) = rig.answer(session, layer(1, ControlChange::Opacity(0.5)));
        assert!(ack.outcome.is_ok(), "{step}");
        for view in [ViewId::MAIN, second] {
            assert_eq!(rig.applied_of(view).unwrap().state.layers[1].controls.opacity, 0.5);
        }
    }
}

#[test]
fn what_a_view_chose_for_an_op_that_another_cannot_take_vanishes() {
    // With layer 0 hidden the main view can afford level 1; the second view can apply nothing any more.
    let policy_ops = |changes: &[Change]| {
        let mut rig = Rig::empty();
        rig.app.insert_resource(Budgets {
            pool_bytes: pools::stride(2) * 128 * 4 / 3 + 4,
            ..Budgets::default()
        });
        rig.ask(Change::Dataset(brain()));
        let second = rig.second_view();
        let entity = rig.entity(second);
        let mut broken = rig.applied_of(second).unwrap();
        let mut state = (*broken.state).clone();
        state.lod.level = 99;
        broken.state = Arc::new(state);
        rig.world().entity_mut(entity).insert(broken);
        rig.world().get_mut::<Lod>(entity).unwrap().level = 99;

        let (level, switched) = (rig.level(), rig.requested(ViewId::MAIN).clock);
        rig.wait(500);
        let ops = rig.ask_all(changes.to_vec());
        assert_eq!((rig.level(), rig.requested(ViewId::MAIN).clock), (level, switched));
        assert!(is_rejected(&ops[ops.len() - 1]) && ops[ops.len() - 1].kind == OpKind::Layer);
        assert!(ops[..ops.len() - 1].iter().all(is_applied));
        ops.iter().filter(|o| o.kind == OpKind::Policy).count()
    };
    let hide = layer(0, ControlChange::Visible(false));
    assert_eq!(policy_ops(std::slice::from_ref(&hide)), 0, "alone");
    assert_eq!(policy_ops(&[go("z", 3), hide]), 0, "tried again beside a good one");
}

#[test]
fn what_only_commit_can_see_is_rejected_by_commit() {
    // A zoom that is a number > 0, but shows an infinite rectangle.
    let mut rig = Rig::new();
    let why = rig.unchanged_by(|r| r.refused(set_zoom(1e-320)));
    assert!(why.message.contains("commit"), "{why}");

    // A control that no reducer would write.
    let world = rig.world();
    let mut layers = world.query::<&mut Controls>();
    layers.iter_mut(world).for_each(|mut c| c.gamma = -1.0);
    let why = rig.unchanged_by(|r| r.refused(go("z", 3)));
    assert!(why.message.contains("commit") && why.message.contains("gamma"), "{why}");
    assert!(is_applied(&rig.ask(go("z", 3))), "it was put back");
}

#[test]
fn a_bootstrap_that_fails_leaves_nothing() {
    for (step, failure) in every_failure() {
        let mut rig = Rig::empty();
        let session = rig.join(ALL_FEATURES);
        let requested = rig.requested(ViewId::MAIN);
        inject(&mut rig, step, failure, 1);
        let (ack, told) = rig.answer(session, Change::Dataset(brain()));
        assert_eq!(ack.outcome.unwrap_err().code, RejectCode::Error, "{step} {failure:?}");
        assert!(told.is_empty());
        assert!(rig.applied_of(ViewId::MAIN).is_none());
        assert_eq!(rig.revision(), 0);
        assert_eq!(rig.requested(ViewId::MAIN), requested);
        assert_eq!(rig.metrics().faults, 1, "one fault, not one for each view that has nothing to follow");

        assert!(is_applied(&rig.ask(Change::Dataset(brain()))));
        rig.turn();
        assert_eq!(rig.read(session).notices[0].topic, Topic::Scene);
    }
}

#[test]
fn an_image_that_cannot_be_shown_is_rejected_and_the_old_one_stays() {
    let mut rig = Rig::empty();
    let why = rig.refused(Change::Dataset(hollow()));
    assert!(why.message.contains("dataset"), "{why}");
    assert!(rig.applied_of(ViewId::MAIN).is_none());

    let mut rig = Rig::new();
    let requested = rig.requested(ViewId::MAIN);
    rig.unchanged_by(|r| r.refused(Change::Dataset(hollow())));
    assert_eq!(rig.requested(ViewId::MAIN), requested);
    let session = rig.join(ALL_FEATURES);
    assert_eq!(value(&rig.answer(session, go("z", 2)).0).0, Value::Int(2));
}

#[test]
fn too_few_axes_for_a_volume_is_rejected() {
    let mut rig = Rig::showing(slide());
    let why = rig.unchanged_by(|r| r.refused(Change::Ndisplay(3)));
    assert_eq!(why.message, "ndisplay 3 needs 3 axes, and this image has 2: y, x");
    let mut volume = Snapshot::of(ViewId::MAIN, &rig.applied_of(ViewId::MAIN).unwrap());
    volume.view.ndisplay = 3;
    let why = rig.unchanged_by(|r| r.refused(Change::Restore(Box::new(volume))));
    assert!(why.message.contains("needs 3 axes"), "{why}");
    assert_eq!(rig.requested(ViewId::MAIN).view.ndisplay, 2);
}

#[test]
fn another_views_fault_is_its_own() {
    let mut rig = Rig::new();
    let second = rig.second_view();
    rig.queue(ViewId::MAIN, go("z", 1));
    rig.queue(second, to_infinity());
    rig.queue(second, go("z", 2));
    let ops = rig.closed_by_turn();
    let state_of = |seq: usize| ops.iter().filter(|o| o.view.0 as usize == seq).collect::<Vec<_>>();
    assert!(state_of(0).iter().all(|o| is_applied(o)));
    assert_eq!(state_of(1).iter().filter(|o| is_rejected(o)).count(), 1);
    assert_eq!(rig.state().index.value[Z], 1);
    assert_eq!(rig.applied_of(second).unwrap().state.index.value[Z], 2);
}

#[test]
fn the_world_goes_on_after_many_faults() {
    let mut rig = Rig::new();
    for _ in 0..50 {
        assert!(is_rejected(&rig.ask(to_infinity())));
    }
    assert_eq!(rig.metrics().faults, 50);
    assert!(is_applied(&rig.ask(set_zoom(1.0))));
    assert_eq!(rig.state().camera.plane.zoom, 1.0);
    let applied = rig.ops().closed.iter().filter(|o| matches!(o.state, OpState::Applied { .. })).count();
    assert!(applied >= 2);
}
