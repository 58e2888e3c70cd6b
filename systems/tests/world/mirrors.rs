//! What clients hear: answers to the sender alone, notices of what was applied, merged while they wait.

use super::rig::{
    ALL_FEATURES, BASE, Rig, Z, brain, go, layer, pan, set_zoom, step, to_infinity, topics, value, zoom,
};
use lucida_components::{
    controls::{ControlChange, ControlKey},
    ids::{LayerId, SessionId, ViewId},
    intent::Change,
    metrics::Metrics,
    notice::{Notice, NoticeBody, Residency, Topic},
    ops::{OpKind, Ops},
    outbox::Outbox,
    session::Features,
    value::Value,
};
use lucida_systems::mirror::acks::NotReading;
use std::collections::BTreeSet;

fn opacity(number: u32, value: f64) -> Change {
    layer(number, ControlChange::Opacity(value))
}

fn notice(outbox: &Outbox, topic: Topic) -> &Notice {
    outbox.notices.iter().find(|n| n.topic == topic).unwrap()
}

fn changed(notice: &Notice) -> BTreeSet<ControlKey> {
    match &notice.body {
        NoticeBody::Layer { changed, .. } => changed.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_go_to_the_sender_alone_notices_to_all() {
    let mut rig = Rig::new();
    let sessions = [(); 3].map(|()| rig.join(ALL_FEATURES));
    // Each has heard who came after it.
    for session in sessions {
        rig.read(session);
    }
    let intent = rig.send(sessions[1], go("z", 4));
    rig.turn();
    for session in sessions {
        let outbox = rig.read(session);
        let acks: Vec<_> = outbox.acks.iter().map(|a| a.intent.clone()).collect();
        assert_eq!(acks, if session == sessions[1] { vec![intent.clone()] } else { vec![] });
        assert_eq!(topics(&outbox.notices), [Topic::Dims, Topic::View]);
    }
}

#[test]
fn the_answer_is_there_in_the_turn_of_the_notice() {
    // The outbox keeps them apart and is drained answers first: both are there after the same turn.
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.send(session, go("z", 4));
    rig.turn();
    let outbox = rig.read(session);
    assert!(!outbox.acks.is_empty() && !outbox.notices.is_empty());
}

#[test]
fn every_intent_of_a_turn_is_answered_in_it() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let asked: Vec<_> = [go("z", 1), go("z", 2), go("q", 1), zoom(2.0), opacity(9, 0.0), to_infinity()]
        .into_iter()
        .map(|c| rig.send(session, c))
        .collect();
    rig.turn();
    let acks = rig.read(session).acks;
    assert_eq!(acks.len(), asked.len());
    let refused: Vec<bool> =
        asked.iter().map(|i| acks.iter().find(|a| a.intent == *i).unwrap().outcome.is_err()).collect();
    assert_eq!(refused, [false, false, true, false, true, true]);
}

#[test]
fn notices_of_one_topic_merge_while_they_wait() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let merged = rig.metrics().notices_merged;
    rig.ask(go("z", 1));
    rig.ask(pan(3.0, 0.0));
    rig.ask(opacity(1, 0.5));
    rig.ask(layer(1, ControlChange::Gamma(2.0)));
    rig.ask(go("z", 2));
    let outbox = rig.read(session);
    // In the order in which their topics first changed.
    assert_eq!(topics(&outbox.notices), [Topic::Dims, Topic::View, Topic::Camera, Topic::Layer(LayerId(1))]);
    let NoticeBody::Applied(newest) = &notice(&outbox, Topic::Dims).body else { panic!() };
    assert_eq!(newest.state.index.value[Z], 2, "the newest state is told");
    let layer = notice(&outbox, Topic::Layer(LayerId(1)));
    assert_eq!(changed(layer), BTreeSet::from([ControlKey::Opacity, ControlKey::Gamma]));
    assert_eq!(rig.metrics().notices_merged, merged + 6, "View four times, Layer and Dims once");
}

#[test]
fn an_outbox_that_is_not_read_is_bounded_by_its_topics() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    for n in 0..200 {
        rig.ask(go("z", n % 32));
        rig.ask(pan(1.0, 0.0));
        rig.ask(opacity((n % 2) as u32, 0.001 * n as f64));
    }
    assert_eq!(rig.read(session).notices.len(), 5);
}

#[test]
fn a_cause_is_named_where_exactly_one_intent_was_it() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let one = rig.send(session, pan(5.0, 0.0));
    let dim = rig.send(session, opacity(0, 0.5));
    rig.send(session, go("z", 1));
    rig.turn();
    let outbox = rig.read(session);
    assert_eq!(notice(&outbox, Topic::Camera).cause, Some(one));
    assert_eq!(notice(&outbox, Topic::Layer(LayerId(0))).cause, Some(dim));

    // Two in one turn.
    rig.send(session, pan(5.0, 0.0));
    rig.send(session, pan(5.0, 0.0));
    rig.turn();
    assert_eq!(notice(&rig.read(session), Topic::Camera).cause, None);

    // Two in two turns, unread between.
    rig.send(session, pan(5.0, 0.0));
    rig.turn();
    rig.send(session, pan(5.0, 0.0));
    rig.turn();
    assert_eq!(notice(&rig.read(session), Topic::Camera).cause, None);

    // One of a session, one of the server.
    rig.send(session, pan(5.0, 0.0));
    rig.ask(pan(1.0, 1.0));
    assert_eq!(notice(&rig.read(session), Topic::Camera).cause, None);

    // One applied, one refused.
    let one = rig.send(session, pan(5.0, 0.0));
    rig.send(session, pan(f64::NAN, 0.0));
    rig.send(session, to_infinity());
    rig.turn();
    assert_eq!(notice(&rig.read(session), Topic::Camera).cause, Some(one));

    // Another's: the cause is the same for everyone who is told.
    let other = rig.join(ALL_FEATURES);
    let one = rig.send(other, opacity(0, 0.7));
    rig.turn();
    assert_eq!(notice(&rig.read(session), Topic::Layer(LayerId(0))).cause, Some(one));
}

#[test]
fn features_decide_what_is_told() {
    let mut rig = Rig::new();
    let cases = [
        (ALL_FEATURES, vec![Topic::Dims, Topic::Layer(LayerId(0)), Topic::Camera, Topic::View]),
        (BASE, vec![Topic::Dims, Topic::Layer(LayerId(0)), Topic::Camera]),
        (Features { dims: false, ..BASE }, vec![Topic::Layer(LayerId(0)), Topic::Camera]),
        (Features { camera: false, ..BASE }, vec![Topic::Dims, Topic::Layer(LayerId(0))]),
        (Features::default(), vec![Topic::Layer(LayerId(0))]),
    ];
    let sessions: Vec<_> = cases.iter().map(|(features, _)| rig.join_unread(*features)).collect();
    rig.turn();
    rig.turn();
    for (session, (features, _)) in sessions.iter().zip(&cases) {
        let told = topics(&rig.read(*session).notices);
        assert_eq!(told[0], Topic::Scene);
        assert_eq!(told.contains(&Topic::View), features.view, "{features:?}");
        assert_eq!(told.contains(&Topic::Residency), features.view, "{features:?}");
        assert_eq!(told.contains(&Topic::Dims), features.dims, "{features:?}");
        assert_eq!(told.contains(&Topic::Camera), features.camera, "{features:?}");
        assert!(told.contains(&Topic::Layer(LayerId(1))));
    }
    rig.ask_all([go("z", 2), pan(1.0, 0.0), opacity(0, 0.5)]);
    for (session, (_, want)) in sessions.into_iter().zip(cases) {
        assert_eq!(topics(&rig.read(session).notices), want);
    }
}

#[test]
fn versions_count_the_changes_of_a_property() {
    let mut rig = Rig::new();
    let (a, b) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let version = |rig: &mut Rig, session, change| value(&rig.answer(session, change).0).1;
    assert_eq!(version(&mut rig, a, go("z", 1)), 1);
    assert_eq!(version(&mut rig, a, go("z", 2)), 2);
    assert_eq!(version(&mut rig, b, go("z", 2)), 2, "equal: it is the property's, not the session's");
    assert_eq!(version(&mut rig, b, go("z", 3)), 3);
    assert_eq!(version(&mut rig, b, go("t", 3)), 1, "another axis");
    assert_eq!(version(&mut rig, a, opacity(0, 0.5)), 1);
    assert_eq!(version(&mut rig, a, opacity(1, 0.5)), 1, "another layer");
    assert_eq!(version(&mut rig, a, layer(0, ControlChange::Gamma(3.0))), 1, "another control");
    assert_eq!(version(&mut rig, a, opacity(0, 0.6)), 2);
    assert_eq!(version(&mut rig, a, opacity(0, 60.0)), 3);
    assert_eq!(version(&mut rig, a, opacity(0, 70.0)), 3, "clamped to the same");
    assert_eq!(version(&mut rig, a, pan(0.0, 0.0)), 1);
    assert_eq!(version(&mut rig, a, pan(0.0, 0.0)), 2, "commands are counted");
    let refused = rig.answer(a, opacity(0, f64::NAN)).0;
    assert!(refused.outcome.is_err());
    assert_eq!(version(&mut rig, a, opacity(0, 0.1)), 4, "a refusal does not count");
}

#[test]
fn answers_report_what_was_applied() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.ask(Change::Level(1));
    let cases = [
        (step("z", 99), Value::Int(15)),
        (go("z", 99), Value::Int(31)),
        (Change::Level(77), Value::Int(3)),
        (Change::Order(vec![1, 0, 2, 3]), Value::Floats(vec![1.0, 0.0, 2.0, 3.0])),
        (Change::Margins { axis: "t".into(), margins: [1.0, 0.5] }, Value::Floats(vec![1.0, 0.5])),
        (pan(3.0, 4.0), Value::Map(vec![("dx_px", Value::Float(3.0)), ("dy_px", Value::Float(4.0))])),
        (set_zoom(2.0), Value::Map(vec![("zoom", Value::Float(2.0))])),
        (Change::Ndisplay(2), Value::Int(2)),
        (Change::Dataset(brain()), Value::None),
    ];
    for (change, want) in cases {
        assert_eq!(value(&rig.answer(session, change.clone()).0).0, want, "{change:?}");
    }
}

#[test]
fn another_image_is_a_new_baseline() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.ask(go("z", 1));
    rig.ask(Change::Dataset(brain()));
    let told = topics(&rig.read(session).notices);
    assert_eq!(told[..3], [Topic::Scene, Topic::View, Topic::Dims], "it supersedes what waited");
    assert_eq!(told.iter().filter(|t| **t == Topic::Dims).count(), 1);
    assert!(told.contains(&Topic::Residency), "what is loading is told of the new image: {told:?}");
}

#[test]
fn loading_is_told_at_its_ends_at_once_and_between_them_now_and_then() {
    let mut rig = Rig::new();
    let (session, plain) = (rig.join(ALL_FEATURES), rig.join(BASE));
    let view = rig.entity(ViewId::MAIN);
    let seen = |rig: &mut Rig, wait, resident| {
        rig.wait(wait);
        let now =
            Residency { resident, wanted: 10, levels: None, missing: 0, withheld: 0, waiting: resident < 2 };
        rig.world().entity_mut(view).insert(now);
        rig.turn();
        assert!(rig.read(plain).is_empty());
        rig.read(session).notices.iter().any(|n| n.topic == Topic::Residency)
    };
    assert!(seen(&mut rig, 0, 0), "it begins");
    assert!(!seen(&mut rig, 10, 1));
    assert!(!seen(&mut rig, 10, 5));
    assert_eq!(rig.due(), Some(80));
    assert!(seen(&mut rig, 80, 5));
    assert!(!seen(&mut rig, 200, 5), "nothing new");
    assert!(seen(&mut rig, 0, 10), "it ends");
    assert!(!seen(&mut rig, 1000, 10));
}

fn is_marked(rig: &mut Rig, session: SessionId) -> bool {
    let entity = rig.session_entity(session).unwrap();
    rig.world().get::<NotReading>(entity).is_some()
}

#[test]
fn a_session_that_never_reads_its_answers_is_marked() {
    let mut rig = Rig::new();
    let (deaf, other) = (rig.join(BASE), rig.join(BASE));
    for n in 0..Outbox::MAX_ACKS {
        rig.send(deaf, go("z", (n % 3) as i64));
        if n % 1024 == 1023 {
            rig.turn();
        }
    }
    assert!(!is_marked(&mut rig, deaf));
    rig.send(deaf, go("z", 0));
    rig.turn();
    assert!(is_marked(&mut rig, deaf) && !is_marked(&mut rig, other));
    assert_eq!(rig.read(deaf).acks.len(), Outbox::MAX_ACKS + 1, "none is dropped");
}

#[test]
fn closed_ops_are_remembered_but_not_for_ever() {
    let mut rig = Rig::new();
    for n in 0..Ops::MEMORY as i64 {
        rig.ask_all([go("z", n % 32), pan(1.0, 0.0)]);
    }
    let ops = rig.ops();
    assert_eq!(ops.closed.len(), Ops::MEMORY);
    assert!(ops.closed.iter().all(|o| o.intent.is_none()));
    let seqs: Vec<u64> = ops.closed.iter().map(|o| o.seq).collect();
    assert_eq!(*seqs.last().unwrap(), ops.last_seq);
    assert!(seqs.iter().max() == seqs.last());
}

#[test]
fn everything_is_counted() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let before = rig.metrics();
    rig.send(session, go("z", 1));
    rig.send(session, go("q", 1));
    rig.send(session, to_infinity());
    rig.send(session, zoom(16.0));
    rig.turn();
    let after = rig.metrics();
    let of = |m: &Metrics, kind| {
        (m.ops_applied[Metrics::kind_slot(kind)], m.ops_rejected[Metrics::kind_slot(kind)])
    };
    let moved = |kind| {
        let ((a, b), (c, d)) = (of(&before, kind), of(&after, kind));
        (c - a, d - b)
    };
    assert_eq!(moved(OpKind::Dims), (1, 1));
    assert_eq!(moved(OpKind::Camera), (1, 1));
    assert_eq!(moved(OpKind::Policy), (1, 0));
    assert_eq!(moved(OpKind::Layer), (0, 0));
    assert_eq!(after.acks - before.acks, 4);
    assert_eq!(after.notices - before.notices, 4, "dims, camera, view, level");
    assert_eq!(after.level_switches - before.level_switches, 1);
    // The turn, then each of the three that reached the transaction alone; two of these four runs failed.
    assert_eq!(after.faults - before.faults, 2);
    assert_eq!(after.txn_micros.count() - before.txn_micros.count(), 4);
    assert_eq!(after.level_micros.count() - before.level_micros.count(), 2);
    assert_eq!(after.turns - before.turns, 1);
    assert_eq!(after.sessions, 1);
}
