//! Views of one's own: they begin as what was seen, go their own way, and end.

use super::rig::{
    ALL_FEATURES, Rig, Z, brain, crop, go, is_applied, layer, pan, slide, to_infinity, topics, value, zoom,
};
use lucida_components::{
    applied::{Applied, ViewState},
    camera::CameraDelta,
    controls::ControlChange,
    dataset::Scene,
    fault::{RejectCode, Step},
    fit::Fit,
    ids::{SessionId, StreamId, ViewId},
    intent::{Change, SessionEvent},
    notice::{NoticeBody, Topic},
    ops::{OpKind, OpState},
    outbox::Outbox,
    seats::{MOST_VIEWS, SeatChange, ViewName},
    session::{Newcomer, Session, Watch},
    stream::{Canvas, Orientation, Stream},
    value::Value,
};
use lucida_systems::{
    ingest::{WantsKeyframe, turns::MOST_WAITING},
    seats::{Newborn, views},
    txn::inject::{Failure, Injection},
};

pub fn create() -> Change {
    Change::Seat(SeatChange::Create { name: None })
}

pub fn watch(view: ViewId) -> Change {
    Change::Seat(SeatChange::Watch(view))
}

pub fn follow(session: SessionId) -> Change {
    Change::Seat(SeatChange::Follow(Some(session)))
}

pub fn close(view: ViewId) -> Change {
    Change::Seat(SeatChange::Close(view))
}

/// A session as it is.
pub fn seat(rig: &mut Rig, session: SessionId) -> Session {
    let entity = rig.session_entity(session).unwrap();
    rig.world().get::<Session>(entity).unwrap().clone()
}

pub fn looks_at(rig: &mut Rig, session: SessionId) -> ViewId {
    seat(rig, session).view
}

/// The answer that names a view.
pub fn of_view(view: ViewId) -> Value {
    Value::Map(vec![("view", Value::Text(view.to_string()))])
}

pub fn ok() -> Value {
    Value::Map(vec![("ok", Value::Bool(true))])
}

/// A session makes a view of its own.
pub fn created(rig: &mut Rig, session: SessionId) -> ViewId {
    let (ack, _) = rig.answer(session, create());
    let view = looks_at(rig, session);
    assert_eq!(value(&ack).0, of_view(view));
    assert_ne!(view, ViewId::MAIN);
    view
}

/// A session asks and is refused: why.
pub fn refusal(rig: &mut Rig, session: SessionId, change: Change) -> (RejectCode, String) {
    let why = rig.answer(session, change).0.outcome.unwrap_err();
    (why.code, why.message)
}

fn state(rig: &mut Rig, view: ViewId) -> ViewState {
    (*rig.applied_of(view).unwrap().state).clone()
}

fn name_of(rig: &mut Rig, view: ViewId) -> ViewName {
    let entity = rig.entity(view);
    rig.world().get::<ViewName>(entity).unwrap().clone()
}

/// What must be true of seats after every turn.
pub fn sound(rig: &mut Rig) {
    let world = rig.world();
    let there = views(world);
    assert_eq!(there[0], ViewId::MAIN, "main is always there");
    assert!(there.windows(2).all(|w| w[0] < w[1]), "no view twice: {there:?}");
    assert!(there.len() <= MOST_VIEWS);
    assert_eq!(world.query::<&Newborn>().iter(world).count(), 0);
    let sessions: Vec<(SessionId, Session)> =
        world.query::<(&SessionId, &Session)>().iter(world).map(|(id, s)| (*id, s.clone())).collect();
    let of = |id: SessionId| sessions.iter().find(|(s, _)| *s == id).map(|(_, s)| s);
    for (id, session) in &sessions {
        assert!(there.contains(&session.view), "{id} looks at {}", session.view);
        assert!(session.role <= session.most);
        let (mut link, mut links) = (session, 0);
        while let Some(leader) = link.follows {
            link = of(leader).expect("who is followed is here");
            assert_eq!(link.view, session.view, "{id} looks at what {leader} looks at");
            links += 1;
            assert!(links <= sessions.len(), "{id} follows in a circle");
        }
    }
    let canvases: Vec<(ViewId, Canvas)> = world
        .query::<(&ViewId, &Canvas, Option<&Applied>)>()
        .iter(world)
        .map(|(view, canvas, applied)| (*view, applied.map_or(*canvas, |a| a.state.canvas)))
        .collect();
    let watched: Vec<(Session, StreamId)> =
        world.query::<(&Session, &Watch)>().iter(world).map(|(s, w)| (s.clone(), w.stream)).collect();
    for (session, id) in watched {
        let of_view = canvases.iter().find(|(view, _)| *view == session.view).unwrap().1;
        let (canvas, orientation) = (session.canvas.unwrap_or(of_view), session.orientation);
        let mut streams = world.query::<(&StreamId, &ViewId, &Stream)>();
        let (_, view, stream) = streams.iter(world).find(|(s, ..)| **s == id).expect("it is there");
        assert_eq!((*view, *stream), (session.view, Stream { canvas, orientation }), "what it looks at");
    }
    for name in world.query::<&ViewName>().iter(world) {
        assert!(name.owner.is_none_or(|owner| of(owner).is_some()), "{name:?} belongs to somebody who left");
    }
}

#[test]
fn a_view_begins_as_what_its_owner_saw() {
    let changes = [
        go("z", 5),
        zoom(0.5),
        pan(30.0, -20.0),
        crop("x", Some([100.0, 900.0])),
        Change::Ndisplay(3),
        Change::Camera(CameraDelta::Orbit { azimuth: 40.0, elevation: -10.0 }),
        Change::Ndisplay(2),
        Change::Level(1),
    ];
    for volume in [false, true] {
        let mut rig = Rig::new();
        let session = rig.join(ALL_FEATURES);
        for change in changes.clone() {
            assert!(is_applied(&rig.ask(change)));
        }
        rig.ask(Change::Ndisplay(if volume { 3 } else { 2 }));
        rig.read(session);
        let revision = rig.revision();
        let seen = state(&mut rig, ViewId::MAIN);
        let (ack, told) = rig.answer(session, create());
        let view = ViewId(1);
        assert_eq!(value(&ack).0, of_view(view));
        assert_eq!(looks_at(&mut rig, session), view);
        assert_eq!(state(&mut rig, view), seen, "volume {volume}");
        assert_eq!(state(&mut rig, ViewId::MAIN), seen, "the other stays");
        assert_eq!(rig.revision(), revision + 1);
        // It sees the same; only that it is another view is news.
        assert_eq!(topics(&told), [Topic::View, Topic::Residency, Topic::Seats]);
        assert!(told.iter().all(|n| n.view == view && n.cause.is_none()));

        // Its ways back are its own, and the same.
        for n in [5 - seen.view.ndisplay, seen.view.ndisplay] {
            rig.ask(Change::Ndisplay(n));
            rig.ask_of(view, Change::Ndisplay(n));
            assert_eq!(state(&mut rig, view), state(&mut rig, ViewId::MAIN));
        }
        sound(&mut rig);
    }
}

#[test]
fn on_a_canvas_of_its_own_it_sees_the_same_too() {
    for (width, height) in [(640, 360), (400, 400), (1920, 800)] {
        for n in [2, 3] {
            let canvas = Canvas { width, height };
            let mut rig = Rig::new();
            let session = rig.join_as(Newcomer { canvas: Some(canvas), ..Newcomer::new(ALL_FEATURES) });
            rig.ask_all([Change::Ndisplay(3), zoom(0.7)]);
            rig.ask(Change::Ndisplay(2));
            rig.ask_all([zoom(0.25), pan(11.0, 7.0)]);
            rig.ask(Change::Ndisplay(n));
            let main = state(&mut rig, ViewId::MAIN);
            let view = created(&mut rig, session);
            let fit = Fit::of(main.canvas, canvas);
            let own = state(&mut rig, view);
            assert_eq!((own.canvas, own.camera), (canvas, fit.camera(&main.camera)));
            assert_eq!((&own.index, &own.layers, own.view), (&main.index, &main.layers, main.view));
            let (plane, volume) = (own.restore.plane.unwrap(), own.restore.volume.unwrap());
            assert_eq!(plane.pose, fit.plane(main.restore.plane.unwrap().pose));
            assert_eq!(volume.pose, fit.volume(main.restore.volume.unwrap().pose));
        }
    }
}

#[test]
fn views_move_apart_and_share_their_layers() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, own);
    rig.read(other);
    let main = state(&mut rig, ViewId::MAIN);

    let (ack, told) = rig.answer(own, go("z", 3));
    assert_eq!(value(&ack).0, Value::Int(3));
    assert_eq!(topics(&told), [Topic::Dims, Topic::View]);
    rig.answer(own, zoom(0.5));
    assert_eq!(state(&mut rig, ViewId::MAIN), main);
    assert!(rig.read(other).is_empty(), "what others do elsewhere is no news");
    assert_eq!(state(&mut rig, view).index.value[Z], 3);

    rig.answer(other, go("z", 9));
    assert_eq!(state(&mut rig, view).index.value[Z], 3);
    rig.read(own);

    let (_, told) = rig.answer(other, layer(1, ControlChange::Opacity(0.25)));
    assert!(topics(&told).contains(&Topic::Layer(lucida_components::ids::LayerId(1))));
    for v in [ViewId::MAIN, view] {
        assert_eq!(state(&mut rig, v).layers[1].controls.opacity, 0.25);
    }
    let told = topics(&rig.read(own).notices);
    assert!(told.contains(&Topic::Layer(lucida_components::ids::LayerId(1))), "{told:?}");
}

#[test]
fn what_views_share_is_counted_once_and_what_they_do_not_by_each() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    created(&mut rig, own);
    let mut version = |session, change| value(&rig.answer(session, change).0).1;
    let opacity = |value| layer(1, ControlChange::Opacity(value));
    assert_eq!(version(other, opacity(0.5)), 1);
    assert_eq!(version(own, opacity(0.5)), 1, "equal in every view");
    assert_eq!(version(own, opacity(0.25)), 2);
    assert_eq!(version(other, Change::Volume(ControlChange::Gamma(2.0))), 1);
    assert_eq!(version(own, Change::Volume(ControlChange::Gamma(3.0))), 2);
    assert_eq!([version(other, go("z", 3)), version(other, go("z", 4)), version(own, go("z", 7))], [1, 2, 1]);
}

#[test]
fn another_image_reaches_every_view() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, own);
    rig.answer(own, zoom(0.5));
    rig.read(other);
    let image = slide();
    rig.answer(other, Change::Dataset(image.clone()));
    for v in [ViewId::MAIN, view] {
        assert_eq!(state(&mut rig, v).dataset, image);
    }
    assert_eq!(state(&mut rig, view).camera, state(&mut rig, ViewId::MAIN).camera, "home");
    assert_eq!(rig.read(own).notices[0].topic, Topic::Scene);
}

#[test]
fn a_view_and_another_image_in_one_turn_are_both_there() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    rig.ask_all([zoom(0.3), Change::Ndisplay(3)]);
    rig.ask(Change::Ndisplay(2));
    rig.send(own, create());
    rig.send(other, Change::Dataset(brain()));
    rig.turn();
    assert!(rig.read(own).acks[0].outcome.is_ok() && rig.read(other).acks[0].outcome.is_ok());
    let view = looks_at(&mut rig, own);
    assert_eq!(state(&mut rig, view), state(&mut rig, ViewId::MAIN), "both at home");
    sound(&mut rig);
}

#[test]
fn without_an_image_there_can_be_views_too() {
    let mut rig = Rig::empty();
    let canvas = Canvas { width: 640, height: 360 };
    let session = rig.join_as(Newcomer { canvas: Some(canvas), ..Newcomer::new(ALL_FEATURES) });
    let view = created(&mut rig, session);
    assert!(rig.applied_of(view).is_none());
    assert_eq!(rig.metrics().faults, 0);
    assert!(is_applied(&rig.ask(Change::Dataset(brain()))));
    assert_eq!(state(&mut rig, view).canvas, canvas);
    rig.turn();
    assert_eq!(rig.read(session).notices[0].topic, Topic::Scene);
    assert!(value(&rig.answer(session, go("z", 2)).0).0 == Value::Int(2));
    sound(&mut rig);
}

#[test]
fn a_bootstrap_that_fails_leaves_every_view_empty() {
    let mut rig = Rig::empty();
    let session = rig.join(ALL_FEATURES);
    let view = created(&mut rig, session);
    for (step, failure) in [(Step::Begin, Failure::Error), (Step::Commit, Failure::Panic)] {
        rig.world().insert_resource(Injection { step, failure, times: 1 });
        rig.refused(Change::Dataset(brain()));
        assert!(rig.applied_of(view).is_none() && rig.applied_of(ViewId::MAIN).is_none());
        assert!(rig.world().resource::<Scene>().dataset.is_none());
    }
    assert!(is_applied(&rig.ask(Change::Dataset(brain()))));
    assert!(rig.applied_of(view).is_some());
}

#[test]
fn names_and_owners() {
    let mut rig = Rig::new();
    let ada = rig.join_as(Newcomer { name: Some("  Ada ".into()), ..Newcomer::new(ALL_FEATURES) });
    let odd = rig.join_as(Newcomer { name: Some("a\u{7}b".into()), ..Newcomer::new(ALL_FEATURES) });
    assert_eq!(seat(&mut rig, ada).name, "Ada");
    assert_eq!(seat(&mut rig, odd).name, odd.to_string(), "it can be told");
    let view = created(&mut rig, ada);
    assert_eq!(name_of(&mut rig, view), ViewName { name: "Ada".into(), owner: Some(ada) });
    let named = Change::Seat(SeatChange::Create { name: Some(" left half ".into()) });
    rig.answer(odd, named);
    let second = looks_at(&mut rig, odd);
    assert_eq!(name_of(&mut rig, second), ViewName { name: "left half".into(), owner: Some(odd) });

    let longest = "ä".repeat(64);
    for good in ["x", " y ", "Ebene 3 – links", &longest] {
        let (rename, call) = (SeatChange::Rename { view, name: good.into() }, SeatChange::Name(good.into()));
        assert_eq!(value(&rig.answer(odd, Change::Seat(rename)).0).0, of_view(view), "anybody may");
        assert_eq!(value(&rig.answer(odd, Change::Seat(call)).0).0, ok());
        let name = name_of(&mut rig, view);
        assert_eq!((name.name.as_str(), name.owner), (good.trim(), Some(ada)));
        assert_eq!(seat(&mut rig, odd).name, good.trim());
    }
    let too_long = "ä".repeat(65);
    let views = views(rig.world());
    for bad in ["", "   ", "\t", "two\nlines", "nul\0", &too_long] {
        for change in [
            SeatChange::Create { name: Some(bad.into()) },
            SeatChange::Rename { view, name: bad.into() },
            SeatChange::Name(bad.into()),
        ] {
            let (code, why) = refusal(&mut rig, odd, Change::Seat(change));
            assert_eq!(code, RejectCode::Invalid);
            assert!(why.contains("1 to 64"), "{why}");
        }
    }
    assert_eq!(lucida_systems::seats::views(rig.world()), views);
    assert_eq!(name_of(&mut rig, view).name, longest);

    let main = Change::Seat(SeatChange::Rename { view: ViewId::MAIN, name: "all".into() });
    assert_eq!(value(&rig.answer(ada, main).0).0, of_view(ViewId::MAIN));
    assert_eq!(name_of(&mut rig, ViewId::MAIN), ViewName { name: "all".into(), owner: None });
}

#[test]
fn what_names_no_view_or_session_is_refused_with_what_there_is() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let view = created(&mut rig, session);
    let gone = ViewId(9);
    for change in [
        SeatChange::Watch(gone),
        SeatChange::Close(gone),
        SeatChange::Rename { view: gone, name: "x".into() },
    ] {
        let (code, why) = refusal(&mut rig, session, Change::Seat(change));
        assert_eq!(
            (code, why.as_str()),
            (RejectCode::Invalid, "view-9 does not exist; there are main, view-1")
        );
    }
    assert_eq!(looks_at(&mut rig, session), view);
    // One that is told nothing is nobody.
    let silent = rig.join_later(Newcomer { hears: false, ..Newcomer::new(ALL_FEATURES) });
    for nobody in [SessionId(99), silent] {
        let (code, why) = refusal(&mut rig, session, follow(nobody));
        assert_eq!((code, why), (RejectCode::Invalid, format!("{nobody} is not here")));
    }
    // The server itself sits nowhere.
    assert_eq!(rig.refused(create()).code, RejectCode::Invalid);
}

#[test]
fn there_are_as_many_views_as_there_may_be() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    for n in 1..MOST_VIEWS as u32 {
        assert_eq!(created(&mut rig, session), ViewId(n));
    }
    let (code, why) = refusal(&mut rig, session, create());
    assert_eq!(code, RejectCode::Error);
    assert!(why.contains("128") && why.contains("close one"), "{why}");
    sound(&mut rig);
    rig.answer(session, close(ViewId(7)));
    assert_eq!(created(&mut rig, session), ViewId(128), "no number is given twice");
}

#[test]
fn a_view_that_is_closed_leaves_its_watchers_at_the_main_one() {
    let mut rig = Rig::new();
    let (own, guest, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, own);
    rig.answer(own, go("z", 3));
    assert_eq!(value(&rig.answer(guest, watch(view)).0).0, of_view(view));
    rig.answer(own, layer(0, ControlChange::Gamma(2.0)));
    rig.read(own);
    rig.read(guest);
    let (ack, _) = rig.answer(other, close(view));
    assert_eq!(value(&ack).0, ok());
    assert_eq!([own, guest].map(|s| looks_at(&mut rig, s)), [ViewId::MAIN; 2]);
    let told = rig.read(guest).notices;
    assert!(topics(&told).contains(&Topic::Dims), "another place: {told:?}");
    assert!(told.iter().all(|n| n.view == ViewId::MAIN && n.cause.is_none()));
    assert_eq!(value(&rig.answer(own, go("z", 4)).0).0, Value::Int(4));
    assert_eq!(rig.state().index.value[Z], 4);
    sound(&mut rig);

    let (code, why) = refusal(&mut rig, own, close(ViewId::MAIN));
    assert_eq!(code, RejectCode::Invalid);
    assert!(why.contains("always"), "{why}");
    let (code, _) = refusal(&mut rig, own, close(view));
    assert_eq!(code, RejectCode::Invalid, "closing twice");
}

#[test]
fn what_is_asked_of_a_view_that_closes_in_the_same_turn_is_refused() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, own);
    rig.send(own, go("z", 3));
    rig.send(other, close(view));
    rig.turn();
    let why = rig.read(own).acks[0].outcome.clone().unwrap_err();
    assert!(why.message.contains("does not exist"), "{why}");
    assert!(rig.read(other).acks[0].outcome.is_ok());
    sound(&mut rig);
}

#[test]
fn looking_at_another_view_tells_the_difference() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, own);
    rig.answer(own, go("z", 3));
    rig.answer(own, zoom(0.5));
    rig.read(other);
    rig.turn();
    // Somebody moves the view in the same turn: that alone is not what the newcomer sees change.
    rig.send(own, zoom(0.9));
    let (_, told) = rig.answer(other, watch(view));
    for topic in [Topic::Dims, Topic::Camera, Topic::View] {
        let notice = told.iter().find(|n| n.topic == topic).unwrap();
        assert_eq!((notice.view, &notice.cause), (view, &None), "{topic:?}");
    }
    let NoticeBody::Camera { applied, echo: None } =
        &told.iter().find(|n| n.topic == Topic::Camera).unwrap().body
    else {
        panic!("{told:?}")
    };
    assert_eq!(*applied.state, state(&mut rig, view));
    // And once more: nothing changes.
    rig.read(own);
    let (_, told) = rig.answer(other, watch(view));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn who_follows_looks_at_what_is_looked_at() {
    let mut rig = Rig::new();
    let [a, b, c] = [(); 3].map(|()| rig.join(ALL_FEATURES));
    assert_eq!(value(&rig.answer(a, follow(b)).0).0, of_view(ViewId::MAIN));
    rig.answer(b, follow(c));
    let view = created(&mut rig, c);
    assert_eq!([a, b].map(|s| looks_at(&mut rig, s)), [view; 2], "the whole chain, in the same turn");
    let told = rig.read(a).notices;
    assert!(topics(&told).contains(&Topic::View), "{told:?}");
    sound(&mut rig);

    // A follower that looks elsewhere follows nobody.
    rig.answer(b, watch(ViewId::MAIN));
    assert_eq!((looks_at(&mut rig, a), looks_at(&mut rig, b)), (ViewId::MAIN, ViewId::MAIN));
    assert_eq!((seat(&mut rig, a).follows, seat(&mut rig, b).follows), (Some(b), None));

    // One that stops stays where it is.
    rig.answer(a, follow(c));
    let (ack, _) = rig.answer(a, Change::Seat(SeatChange::Follow(None)));
    assert_eq!(value(&ack).0, of_view(view));
    rig.answer(c, watch(ViewId::MAIN));
    assert_eq!(looks_at(&mut rig, a), view);

    // Nor does one that makes a view of its own.
    rig.answer(a, follow(c));
    let own = created(&mut rig, a);
    assert_eq!(seat(&mut rig, a).follows, None);
    assert_ne!(own, view);
    let (code, why) = refusal(&mut rig, a, follow(a));
    assert_eq!(code, RejectCode::Invalid);
    assert!(why.contains("itself"), "{why}");
    sound(&mut rig);
}

#[test]
fn following_ones_follower_turns_it_round() {
    let mut rig = Rig::new();
    let [a, b, c] = [(); 3].map(|()| rig.join(ALL_FEATURES));
    // a → b → c, then c → a: b, who follows c, stops.
    rig.answer(a, follow(b));
    rig.answer(b, follow(c));
    let view = created(&mut rig, b);
    assert_eq!(seat(&mut rig, b).follows, None);
    rig.answer(b, follow(c));
    rig.answer(c, watch(view));
    rig.answer(c, follow(a));
    assert_eq!([a, b, c].map(|s| seat(&mut rig, s).follows), [Some(b), None, Some(a)]);
    assert_eq!([a, b, c].map(|s| looks_at(&mut rig, s)), [view; 3]);
    sound(&mut rig);
}

#[test]
fn who_leaves_is_followed_by_nobody_and_owns_nothing() {
    let mut rig = Rig::new();
    let [a, b, c] = [(); 3].map(|()| rig.join(ALL_FEATURES));
    let view = created(&mut rig, c);
    rig.answer(b, follow(c));
    rig.answer(a, follow(b));
    rig.event(SessionEvent::Left { session: c });
    rig.turn();
    assert_eq!([a, b].map(|s| looks_at(&mut rig, s)), [view; 2], "they stay");
    assert_eq!([a, b].map(|s| seat(&mut rig, s).follows), [Some(b), None]);
    assert_eq!(name_of(&mut rig, view).owner, None);
    sound(&mut rig);
}

#[test]
fn a_newcomer_to_a_view_that_is_gone_looks_at_the_main_one() {
    let mut rig = Rig::new();
    let first = rig.join(ALL_FEATURES);
    let view = created(&mut rig, first);
    let to = |view| Newcomer { view, ..Newcomer::new(ALL_FEATURES) };
    let (here, gone) = (rig.join_as(to(view)), rig.join_as(to(ViewId(55))));
    assert_eq!([here, gone].map(|s| looks_at(&mut rig, s)), [view, ViewId::MAIN]);
    sound(&mut rig);
}

#[test]
fn a_view_whose_first_transaction_fails_was_never_there() {
    for step in Step::ALL {
        for failure in [Failure::Error, Failure::Panic] {
            let mut rig = Rig::new();
            let [own, leader, other] = [(); 3].map(|()| rig.join(ALL_FEATURES));
            rig.answer(own, follow(leader));
            for session in [own, leader, other] {
                rig.read(session);
            }
            let (scene, before) = (rig.requested(ViewId::MAIN), rig.metrics());
            rig.world().insert_resource(Injection { step, failure, times: 1 });
            let entities = count_entities(&mut rig);
            let (ack, told) = rig.unchanged_by(|r| r.answer(own, create()));
            let why = ack.outcome.unwrap_err();
            assert_eq!(why.code, RejectCode::Error);
            assert!(why.message.contains(&step.to_string()), "{why}");
            assert!(told.is_empty() && rig.read(other).is_empty(), "{step}: {told:?}");
            assert_eq!(rig.requested(ViewId::MAIN), scene, "the image stays");
            assert_eq!(count_entities(&mut rig), entities);
            assert_eq!((looks_at(&mut rig, own), seat(&mut rig, own).follows), (ViewId::MAIN, Some(leader)));
            assert_eq!(rig.metrics().faults, before.faults + 1);
            sound(&mut rig);
            created(&mut rig, own);
        }
    }
}

#[test]
fn a_view_that_fails_beside_a_change_of_the_scene_fails_alone() {
    // The first fault ends the turn's common attempt, the second the view's own; a third would be the layer's.
    for step in Step::ALL {
        for (times, view_fails, layer_fails) in [(1, false, false), (2, true, false), (3, true, true)] {
            let mut rig = Rig::new();
            let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
            rig.read(own);
            rig.world().insert_resource(Injection { step, failure: Failure::Panic, times });
            let entities = count_entities(&mut rig);
            rig.send(other, layer(1, ControlChange::Opacity(0.5)));
            rig.send(own, create());
            rig.turn();
            let made = rig.read(own).acks[0].outcome.clone();
            let changed = rig.read(other).acks[0].outcome.clone();
            assert_eq!((made.is_err(), changed.is_err()), (view_fails, layer_fails), "{step} {times}");
            assert_eq!(count_entities(&mut rig), entities + usize::from(!view_fails));
            let opacity = if layer_fails { 1.0 } else { 0.5 };
            assert_eq!(rig.state().layers[1].controls.opacity, opacity);
            if !view_fails {
                let view = looks_at(&mut rig, own);
                assert_eq!(state(&mut rig, view), state(&mut rig, ViewId::MAIN));
            }
            sound(&mut rig);
            assert!(value(&rig.answer(other, layer(1, ControlChange::Gamma(2.0))).0).1 > 0);
        }
    }
}

#[test]
fn another_views_fault_does_not_touch_it() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    rig.send(own, create());
    rig.send(other, to_infinity());
    rig.send(other, go("z", 3));
    rig.turn();
    assert!(rig.read(own).acks[0].outcome.is_ok());
    let outcomes: Vec<bool> = rig.read(other).acks.iter().map(|a| a.outcome.is_ok()).collect();
    assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 1);
    assert_eq!(views(rig.world()), [ViewId::MAIN, ViewId(1)], "one view, though its turn was tried twice");
    sound(&mut rig);
}

pub fn count_entities(rig: &mut Rig) -> usize {
    let world = rig.world();
    world.query::<bevy_ecs::entity::Entity>().iter(world).count()
}

#[test]
fn what_is_asked_after_a_change_of_seat_is_about_the_new_one() {
    let mut rig = Rig::new();
    let (own, other) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    rig.read(own);
    // Before it, it, after it: as if each answer had been waited for.
    let asked = [go("z", 3), create(), go("z", 5), watch(ViewId::MAIN), go("t", 1)]
        .map(|change| rig.send(own, change));
    rig.send(other, go("t", 4));
    let mut answered = Vec::new();
    for expected in [1, 1, 2, 1] {
        rig.turn();
        let acks: Outbox = rig.read(own);
        assert_eq!(acks.acks.len(), expected);
        assert!(acks.acks.iter().all(|a| a.outcome.is_ok()), "{acks:?}");
        answered.extend(acks.acks.into_iter().map(|a| a.intent));
        if answered.len() == 1 {
            assert_eq!(rig.read(other).acks.len(), 1, "others wait for nothing");
        }
        let due = if answered.len() < asked.len() { Some(0) } else { Some(60_000) };
        assert_eq!(rig.due(), due);
    }
    assert_eq!(answered.len(), 5);
    assert!(asked.iter().all(|i| answered.contains(i)));
    let (own, main) = (state(&mut rig, ViewId(1)), state(&mut rig, ViewId::MAIN));
    assert_eq!((own.index.value[Z], main.index.value[Z]), (5, 3));
    assert_eq!((own.index.value[0], main.index.value[0]), (4, 1));
}

#[test]
fn what_waits_behind_a_change_of_seat_is_bounded() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.send(session, watch(ViewId::MAIN));
    for n in 0..MOST_WAITING as i64 + 5 {
        rig.send(session, go("z", n % 32));
    }
    rig.turn();
    let acks = rig.read(session).acks;
    assert_eq!(acks.iter().filter(|a| a.outcome.is_err()).count(), 5);
    assert_eq!(acks.len(), 6);
    rig.turn();
    assert_eq!(rig.read(session).acks.len(), MOST_WAITING);

    // One that leaves meanwhile leaves nothing.
    rig.send(session, watch(ViewId::MAIN));
    rig.send(session, go("z", 1));
    rig.turn();
    rig.event(SessionEvent::Left { session });
    rig.unchanged_by(Rig::turn);
    assert_eq!(rig.due(), None);
}

#[test]
fn a_change_of_seat_moves_no_revision_and_runs_no_transaction() {
    let mut rig = Rig::new();
    let (a, b) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, a);
    let transactions = rig.metrics().txn_micros.count();
    for change in [watch(ViewId::MAIN), follow(b), watch(view), Change::Seat(SeatChange::Name("x".into()))] {
        rig.send(a, change);
        let ops = rig.unchanged_by(Rig::closed_by_turn);
        assert_eq!(ops.len(), 1);
        assert_eq!((ops[0].kind, &ops[0].state), (OpKind::Seat, &OpState::Applied { revision: 2 }));
    }
    assert_eq!(rig.metrics().txn_micros.count(), transactions);
}

#[test]
fn a_keyframe_for_one_without_pictures_is_for_all_who_watch_its_own() {
    let mut rig = Rig::new();
    let like = |canvas, orientation| Newcomer { canvas, orientation, ..Newcomer::new(ALL_FEATURES) };
    let (big, up) = (Canvas { width: 1920, height: 1080 }, Orientation::BottomUp);
    let asks = rig.join_as(like(Some(big), up));
    let streams = [
        Stream { canvas: big, orientation: up },
        Stream { canvas: big, orientation: Orientation::TopDown },
        Stream { canvas: Canvas::default(), orientation: up },
    ];
    let mut watchers = Vec::new();
    for (n, stream) in streams.into_iter().enumerate() {
        let id = StreamId(10 + n as u32);
        rig.world().spawn((id, ViewId::MAIN, stream));
        let watcher = rig.join_as(like(Some(stream.canvas), stream.orientation));
        let entity = rig.session_entity(watcher).unwrap();
        rig.world().entity_mut(entity).insert(Watch { needs_keyframe: false, ..Watch::joined(id, 1) });
        watchers.push(entity);
    }
    rig.event(SessionEvent::KeyframeRequested { session: asks });
    rig.turn();
    let wants: Vec<bool> =
        watchers.iter().map(|e| rig.app.world().get::<WantsKeyframe>(*e).is_some()).collect();
    assert_eq!(wants, [true, false, false]);
    // In a view of its own nobody watches.
    rig.world().entity_mut(watchers[0]).remove::<WantsKeyframe>();
    created(&mut rig, asks);
    rig.event(SessionEvent::KeyframeRequested { session: asks });
    rig.turn();
    assert!(watchers.iter().all(|e| rig.app.world().get::<WantsKeyframe>(*e).is_none()));
}
