//! Who may do what.

use super::{
    rig::{ALL_FEATURES, Rig, crop, go, layer, slide, step, value, zoom},
    seats::{close, create, created, follow, looks_at, of_view, ok, refusal, seat, sound, watch},
};
use lucida_components::{
    controls::ControlChange,
    fault::RejectCode,
    ids::{LayerId, SessionId, ViewId},
    index::Index,
    intent::{Change, SessionEvent},
    lod::LodPolicy,
    notice::Topic,
    seats::SeatChange,
    session::{Newcomer, Role},
    snapshot::Snapshot,
    stream::Canvas,
};

fn viewer(rig: &mut Rig) -> SessionId {
    rig.join_as(Newcomer { role: Role::Viewer, most: Role::Viewer, ..Newcomer::new(ALL_FEATURES) })
}

fn role(session: Option<SessionId>, role: Role) -> Change {
    Change::Seat(SeatChange::Role { session, role })
}

/// One of each kind that changes something for somebody else.
fn every_change(rig: &mut Rig) -> Vec<Change> {
    let snapshot = Snapshot::of(ViewId::MAIN, &rig.applied_of(ViewId::MAIN).unwrap());
    vec![
        Change::Ndisplay(3),
        go("z", 3),
        step("z", 1),
        Change::Margins { axis: "z".into(), margins: [1.0, 1.0] },
        Change::WholeIndex(Index::at(vec![1, 2, 3, 4])),
        Change::Order(vec![1, 0, 2, 3]),
        Change::Level(0),
        Change::Policy(LodPolicy::Locked),
        zoom(0.5),
        crop("x", Some([1.0, 50.0])),
        layer(0, ControlChange::Opacity(0.5)),
        Change::AutoContrast { layer: LayerId(0), percentiles: [1.0, 99.0] },
        Change::Volume(ControlChange::Gamma(2.0)),
        Change::Dataset(slide()),
        Change::Restore(Box::new(snapshot)),
        create(),
        Change::Seat(SeatChange::Rename { view: ViewId::MAIN, name: "mine".into() }),
        close(ViewId(1)),
    ]
}

#[test]
fn a_viewer_changes_nothing() {
    let mut rig = Rig::new();
    let (boss, viewer) = (rig.join(ALL_FEATURES), viewer(&mut rig));
    created(&mut rig, boss);
    rig.answer(boss, watch(ViewId::MAIN));
    rig.read(viewer);
    for change in every_change(&mut rig) {
        let (ack, told) = rig.unchanged_by(|r| r.answer(viewer, change.clone()));
        let why = ack.outcome.unwrap_err();
        assert_eq!(why.code, RejectCode::Forbidden, "{change:?}");
        assert!(why.message.contains("ask a controller"), "{why} says the way out");
        assert!(told.is_empty(), "{change:?}");
        assert!(rig.read(boss).is_empty());
    }
    let (_, why) = refusal(&mut rig, viewer, zoom(2.0));
    assert!(why.contains("(camera)"), "{why}");
    assert_eq!(rig.metrics().faults, 0);
    sound(&mut rig);
}

#[test]
fn refusals_are_counted_and_answered_among_the_rest() {
    let mut rig = Rig::new();
    let (boss, viewer) = (rig.join(ALL_FEATURES), viewer(&mut rig));
    rig.read(boss);
    let asked = [go("z", 3), follow(boss)].map(|change| rig.send(viewer, change));
    let allowed = rig.send(boss, go("z", 5));
    let ops = rig.closed_by_turn();
    assert_eq!(ops.len(), 3);
    let outbox = rig.read(viewer);
    assert_eq!(outbox.acks.iter().map(|a| a.intent.clone()).collect::<Vec<_>>(), asked);
    assert!(outbox.acks[0].outcome.is_err() && outbox.acks[1].outcome.is_ok());
    let outbox = rig.read(boss);
    assert_eq!(outbox.acks[0].intent, allowed);
    assert!(outbox.acks[0].outcome.is_ok());
    let slot = lucida_components::metrics::Metrics::kind_slot(lucida_components::ops::OpKind::Dims);
    assert_eq!(rig.metrics().ops_rejected[slot], 1);
}

#[test]
fn a_viewer_looks_wherever_it_likes() {
    let mut rig = Rig::new();
    let (boss, viewer) = (rig.join(ALL_FEATURES), viewer(&mut rig));
    let view = created(&mut rig, boss);
    let (ack, told) = rig.answer(viewer, watch(view));
    assert_eq!(value(&ack).0, of_view(view));
    assert!(told.iter().any(|n| n.topic == Topic::View));
    assert_eq!(value(&rig.answer(viewer, watch(ViewId::MAIN)).0).0, of_view(ViewId::MAIN));
    assert_eq!(value(&rig.answer(viewer, follow(boss)).0).0, of_view(view));
    assert_eq!(looks_at(&mut rig, viewer), view);
    assert_eq!(value(&rig.answer(viewer, Change::Seat(SeatChange::Name("Vi".into()))).0).0, ok());
    assert_eq!(seat(&mut rig, viewer).name, "Vi");
    let (ack, _) = rig.answer(viewer, Change::Canvas(Canvas { width: 640, height: 360 }));
    assert!(ack.outcome.is_ok(), "{ack:?}");
    assert_eq!(value(&rig.answer(viewer, role(None, Role::Viewer)).0).0, ok());
    sound(&mut rig);
}

#[test]
fn nobody_asks_to_lead() {
    let mut rig = Rig::new();
    let (boss, viewer) = (rig.join(ALL_FEATURES), viewer(&mut rig));
    for session in [boss, viewer] {
        let lead = Change::Lead(Canvas { width: 640, height: 360 });
        let (code, _) = rig.unchanged_by(|r| refusal(r, session, lead));
        assert_eq!(code, RejectCode::Forbidden);
    }
}

#[test]
fn a_role_is_taken_up_to_the_key_one_came_with() {
    let mut rig = Rig::new();
    let (boss, viewer) = (rig.join(ALL_FEATURES), viewer(&mut rig));
    let (code, why) = refusal(&mut rig, viewer, role(None, Role::Controller));
    assert_eq!(code, RejectCode::Forbidden);
    assert!(why.contains("controller"), "{why}");
    let (code, _) = refusal(&mut rig, viewer, role(Some(viewer), Role::Controller));
    assert_eq!(code, RejectCode::Forbidden, "by its own number too");
    let (code, _) = refusal(&mut rig, viewer, role(Some(boss), Role::Viewer));
    assert_eq!(code, RejectCode::Forbidden, "others are not a viewer's business");

    // A controller steps back and comes again.
    rig.answer(boss, role(None, Role::Viewer));
    let (code, why) = refusal(&mut rig, boss, go("z", 3));
    assert_eq!(code, RejectCode::Forbidden);
    assert!(why.contains("take the role"), "{why}");
    let (code, _) = refusal(&mut rig, boss, role(Some(viewer), Role::Controller));
    assert_eq!(code, RejectCode::Forbidden, "while it is a viewer");
    rig.answer(boss, role(None, Role::Controller));
    assert!(rig.answer(boss, go("z", 3)).0.outcome.is_ok());
}

#[test]
fn a_controller_gives_roles_to_others() {
    let mut rig = Rig::new();
    let (boss, viewer) = (rig.join(ALL_FEATURES), viewer(&mut rig));
    assert_eq!(value(&rig.answer(boss, role(Some(viewer), Role::Controller)).0).0, ok());
    rig.read(viewer);
    assert!(rig.answer(viewer, go("z", 3)).0.outcome.is_ok());
    // It may step back and come again, as if it had come with that key.
    rig.answer(viewer, role(None, Role::Viewer));
    assert!(rig.answer(viewer, role(None, Role::Controller)).0.outcome.is_ok());
    rig.answer(boss, role(Some(viewer), Role::Viewer));
    rig.read(viewer);
    let (code, _) = refusal(&mut rig, viewer, go("z", 4));
    assert_eq!(code, RejectCode::Forbidden);
    let (code, why) = refusal(&mut rig, boss, role(Some(SessionId(99)), Role::Viewer));
    assert_eq!((code, why.as_str()), (RejectCode::Invalid, "session-99 is not here"));
    sound(&mut rig);
}

#[test]
fn a_new_role_counts_for_what_is_asked_after_it() {
    let mut rig = Rig::new();
    let boss = rig.join(ALL_FEATURES);
    rig.answer(boss, role(None, Role::Viewer));
    for change in [go("z", 1), role(None, Role::Controller), go("z", 2)] {
        rig.send(boss, change);
    }
    rig.turn();
    rig.turn();
    let outcomes: Vec<bool> = rig.read(boss).acks.iter().map(|a| a.outcome.is_ok()).collect();
    assert_eq!(outcomes, [false, true, true]);
}

#[test]
fn a_viewer_that_left_is_answered_nothing() {
    let mut rig = Rig::new();
    let viewer = viewer(&mut rig);
    rig.send(viewer, go("z", 3));
    rig.event(SessionEvent::Left { session: viewer });
    let rejected: u64 = rig.metrics().ops_rejected.iter().sum();
    rig.unchanged_by(Rig::turn);
    assert_eq!(rig.metrics().ops_rejected.iter().sum::<u64>(), rejected, "not even a refusal");
}
