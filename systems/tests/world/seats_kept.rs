//! Seats as time goes by: they are told, views that nobody looks at end, and nothing piles up.

use super::{
    rig::{ALL_FEATURES, BASE, Rig, go, slide, zoom},
    seats::{close, count_entities, create, created, follow, sound, watch},
};
use lucida_components::{
    ids::{SessionId, ViewId},
    intent::{Change, SessionEvent},
    notice::{NoticeBody, Topic},
    seats::{SeatChange, Seats, SessionSeat, ViewName, ViewSeat},
    session::{Features, Newcomer, Role, Session},
};
use lucida_systems::{mirror::versions::Versions, seats::views};
use proptest::{collection::vec, prelude::*};
use std::{collections::HashMap, sync::Arc};

/// What a session was told of seats since it was read last: at most one notice waits.
fn told(rig: &mut Rig, session: SessionId) -> Option<Arc<Seats>> {
    let notices = rig.read(session).notices;
    let mut seats = notices.iter().filter_map(|n| match &n.body {
        NoticeBody::Seats(seats) if n.topic == Topic::Seats => Some(seats.clone()),
        _ => None,
    });
    let first = seats.next();
    assert!(seats.next().is_none(), "one notice");
    first
}

fn view_seat(id: ViewId, name: &str, owner: Option<SessionId>) -> ViewSeat {
    ViewSeat { id, name: name.into(), owner }
}

fn session_seat(id: SessionId, name: &str, view: ViewId) -> SessionSeat {
    SessionSeat { id, name: name.into(), role: Role::Controller, view, follows: None }
}

/// The seats as they are.
fn seats_of(rig: &mut Rig) -> Seats {
    let world = rig.world();
    let mut views: Vec<ViewSeat> = world
        .query::<(&ViewId, &ViewName)>()
        .iter(world)
        .map(|(id, name)| view_seat(*id, &name.name, name.owner))
        .collect();
    views.sort_by_key(|v| v.id);
    let mut sessions: Vec<SessionSeat> = world
        .query::<(&SessionId, &Session)>()
        .iter(world)
        .map(|(id, s)| SessionSeat { role: s.role, follows: s.follows, ..session_seat(*id, &s.name, s.view) })
        .collect();
    sessions.sort_by_key(|s| s.id);
    Seats { views, sessions }
}

#[test]
fn seats_are_told_once_for_each_change() {
    let mut rig = Rig::new();
    let a = rig.join_unread(ALL_FEATURES);
    rig.turn();
    assert_eq!(told(&mut rig, a), None, "first what is shown");
    rig.turn();
    let mut outbox = rig.read(a);
    assert_eq!(outbox.notices.first().map(|n| n.topic), Some(Topic::Scene));
    let NoticeBody::Seats(seats) = &outbox.notices.pop().unwrap().body else { panic!() };
    let main = view_seat(ViewId::MAIN, "main", None);
    let first = session_seat(a, "session-1", ViewId::MAIN);
    assert_eq!(**seats, Seats { views: vec![main.clone()], sessions: vec![first.clone()] });

    // Several changes of one turn are one notice.
    let b = rig.join_as(Newcomer { name: Some("Ben".into()), ..Newcomer::new(BASE) });
    told(&mut rig, a);
    rig.send(b, Change::Seat(SeatChange::Name("Bea".into())));
    rig.send(a, create());
    rig.turn();
    let view = ViewId(1);
    let seats = told(&mut rig, a).unwrap();
    assert_eq!(seats.views, [main.clone(), view_seat(view, "session-1", Some(a))]);
    assert_eq!(seats.sessions, [session_seat(a, "session-1", view), session_seat(b, "Bea", ViewId::MAIN)]);
    assert_eq!(told(&mut rig, b), None, "who did not ask for it");

    for (change, who) in [(follow(a), b), (watch(ViewId::MAIN), a), (close(view), a)] {
        rig.answer(who, change.clone());
        let others = told(&mut rig, a);
        // The asker's own outbox was read with its answer.
        assert_eq!(others.is_some(), who != a, "{change:?}");
        rig.turn();
        assert_eq!(told(&mut rig, a), None);
    }
    rig.event(SessionEvent::Left { session: b });
    rig.turn();
    let seats = told(&mut rig, a).unwrap();
    assert_eq!(*seats, Seats { views: vec![main], sessions: vec![first] });
}

#[test]
fn what_stays_equal_is_not_told() {
    let mut rig = Rig::new();
    let (a, b) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    let view = created(&mut rig, b);
    for name in ["x", "y"] {
        rig.answer(b, Change::Seat(SeatChange::Rename { view, name: name.into() }));
        rig.answer(b, Change::Seat(SeatChange::Name(name.into())));
    }
    rig.answer(b, follow(a));
    told(&mut rig, a);
    for change in [
        Change::Seat(SeatChange::Rename { view, name: " y ".into() }),
        Change::Seat(SeatChange::Name("y".into())),
        Change::Seat(SeatChange::Role { session: None, role: Role::Controller }),
        follow(a),
        Change::Seat(SeatChange::Watch(ViewId(77))),
        go("z", 3),
        zoom(0.5),
    ] {
        rig.answer(b, change.clone());
        assert_eq!(told(&mut rig, a), None, "{change:?}");
    }
}

#[test]
fn who_is_told_nothing_is_not_told_of() {
    let mut rig = Rig::new();
    let a = rig.join(ALL_FEATURES);
    let silent = rig.join_later(Newcomer { hears: false, ..Newcomer::new(ALL_FEATURES) });
    rig.turn();
    rig.turn();
    assert_eq!(told(&mut rig, a), None);
    assert_eq!(told(&mut rig, silent), None);
    rig.event(SessionEvent::Left { session: silent });
    rig.turn();
    assert_eq!(told(&mut rig, a), None);
}

#[test]
fn seats_that_wait_survive_another_image() {
    let mut rig = Rig::new();
    let (a, b) = (rig.join(ALL_FEATURES), rig.join(BASE));
    told(&mut rig, a);
    rig.answer(b, Change::Seat(SeatChange::Name("Bea".into())));
    rig.ask(Change::Dataset(slide()));
    assert!(told(&mut rig, a).is_some_and(|s| s.sessions[1].name == "Bea"));
}

#[test]
fn a_view_that_nobody_looks_at_is_closed_after_a_minute_and_not_before() {
    let mut rig = Rig::new();
    // Small pictures take a turn of their own.
    let a = rig.join(Features { thumbnails: false, ..ALL_FEATURES });
    let first = created(&mut rig, a);
    assert_eq!(rig.due(), None, "it is looked at");
    rig.wait(600_000);
    rig.turn();
    assert_eq!(views(rig.world()).len(), 2);

    let second = created(&mut rig, a);
    assert_eq!(rig.due(), Some(60_000));
    rig.wait(59_999);
    rig.turn();
    assert_eq!((views(rig.world()).len(), rig.due()), (3, Some(1)));
    // Somebody looks at it in time: it starts anew.
    rig.answer(a, watch(first));
    assert_eq!(rig.due(), Some(60_000), "now the other one");
    rig.answer(a, watch(second));
    rig.wait(59_999);
    rig.turn();
    assert_eq!(views(rig.world()), [ViewId::MAIN, first, second]);
    rig.wait(1);
    rig.turn();
    assert_eq!(views(rig.world()), [ViewId::MAIN, second]);
    assert_eq!(rig.due(), None);
    assert_eq!(told(&mut rig, a).map(|s| s.views.len()), Some(2), "it is told");

    // Its owner leaves: the same. The main view stays whatever happens.
    rig.event(SessionEvent::Left { session: a });
    rig.turn();
    rig.wait(60_000);
    rig.turn();
    assert_eq!(views(rig.world()), [ViewId::MAIN]);
    rig.wait(600_000);
    rig.turn();
    assert_eq!((views(rig.world()).len(), rig.due()), (1, None));
    sound(&mut rig);
}

#[test]
fn nothing_is_left_of_who_came_and_went() {
    let mut rig = Rig::new();
    rig.turn();
    let entities = count_entities(&mut rig);
    for _ in 0..100 {
        let guests: Vec<SessionId> = (0..100).map(|_| rig.join_unread(BASE)).collect();
        rig.turn();
        for session in guests {
            rig.event(SessionEvent::Left { session });
        }
        rig.turn();
    }
    assert_eq!(count_entities(&mut rig), entities);
    assert_eq!(rig.metrics().sessions, 0);
}

#[test]
fn nothing_is_left_of_views_that_came_and_went() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let use_one = |rig: &mut Rig| {
        let view = created(rig, session);
        rig.answer(session, go("z", 3));
        rig.answer(session, close(view));
    };
    use_one(&mut rig);
    let (entities, versions) = (count_entities(&mut rig), rig.world().resource::<Versions>().len());
    for _ in 0..300 {
        use_one(&mut rig);
    }
    // One that is closed because nobody looks at it.
    created(&mut rig, session);
    rig.answer(session, go("z", 4));
    rig.answer(session, watch(ViewId::MAIN));
    rig.wait(60_000);
    rig.turn();
    assert_eq!(views(rig.world()).len(), 1);
    assert_eq!(count_entities(&mut rig), entities);
    assert_eq!(rig.world().resource::<Versions>().len(), versions);
}

/// What may happen. Numbers are taken by their remainder, so that most name something.
#[derive(Debug, Clone)]
enum Event {
    Join { role: Role, seats: bool },
    Leave(usize),
    Ask(usize, Ask),
    Wait(u64),
    Turn,
}

#[derive(Debug, Clone)]
enum Ask {
    Create,
    Watch(u32),
    Follow(Option<usize>),
    Close(u32),
    Rename(u32),
    Role(Option<usize>, Role),
    Step,
    Zoom,
    Dataset,
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Viewer, Role::Controller])
}

fn event() -> impl Strategy<Value = Event> {
    let ask = prop_oneof![
        4 => Just(Ask::Create),
        4 => (0_u32..8).prop_map(Ask::Watch),
        5 => prop::option::weighted(0.9, 0_usize..8).prop_map(Ask::Follow),
        2 => (0_u32..8).prop_map(Ask::Close),
        1 => (0_u32..8).prop_map(Ask::Rename),
        2 => (prop::option::of(0_usize..8), role()).prop_map(|(s, r)| Ask::Role(s, r)),
        2 => Just(Ask::Step),
        1 => Just(Ask::Zoom),
        1 => Just(Ask::Dataset),
    ];
    prop_oneof![
        3 => (role(), any::<bool>()).prop_map(|(role, seats)| Event::Join { role, seats }),
        1 => (0_usize..8).prop_map(Event::Leave),
        12 => ((0_usize..8), ask).prop_map(|(who, ask)| Event::Ask(who, ask)),
        1 => prop::sample::select(vec![1_u64, 30_000, 60_000]).prop_map(Event::Wait),
        6 => Just(Event::Turn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        max_shrink_time: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn seats_stay_sound_whatever_is_asked(events in vec(event(), 1..60), opened in any::<bool>()) {
        let mut rig = if opened { Rig::new() } else { Rig::empty() };
        // It hears everything, says nothing and stays.
        let listener = rig.join_unread(ALL_FEATURES);
        rig.turn();
        rig.turn();
        let mut known = told(&mut rig, listener);
        let mut here: Vec<SessionId> = vec![rig.join_unread(ALL_FEATURES)];
        let mut asked: HashMap<SessionId, usize> = HashMap::new();
        for event in events {
            let some = |n: usize| here.get(n % here.len().max(1)).copied();
            match event {
                Event::Join { role, seats } => {
                    let features = Features { seats, ..BASE };
                    here.push(rig.join_later(Newcomer { role, most: role, ..Newcomer::new(features) }));
                }
                Event::Leave(n) => if let Some(session) = some(n) {
                    here.retain(|s| *s != session);
                    rig.event(SessionEvent::Left { session });
                },
                Event::Ask(n, ask) => if let Some(session) = some(n) {
                    let seat = match ask {
                        Ask::Create => create(),
                        Ask::Watch(view) => watch(ViewId(view)),
                        Ask::Follow(whom) => Change::Seat(SeatChange::Follow(whom.and_then(some))),
                        Ask::Close(view) => close(ViewId(view)),
                        Ask::Rename(view) => Change::Seat(SeatChange::Rename { view: ViewId(view), name: "x".into() }),
                        Ask::Role(whom, role) => Change::Seat(SeatChange::Role { session: whom.and_then(some), role }),
                        Ask::Step => super::rig::step("z", 1),
                        Ask::Zoom => zoom(0.9),
                        Ask::Dataset => Change::Dataset(super::rig::brain()),
                    };
                    rig.send(session, seat);
                    *asked.entry(session).or_default() += 1;
                },
                Event::Wait(millis) => rig.wait(millis),
                Event::Turn => {
                    rig.turn();
                    sound(&mut rig);
                    known = told(&mut rig, listener).or(known);
                }
            }
        }
        // What waits is done in the end, and then nothing is due but the end of views.
        for _ in 0..64 {
            rig.turn();
            sound(&mut rig);
        }
        prop_assert!(rig.due().is_none_or(|ms| ms > 0));
        let known = told(&mut rig, listener).or(known);
        prop_assert_eq!(known.map(|seats| (*seats).clone()), Some(seats_of(&mut rig)), "what is told is so");
        for session in here {
            let answers = rig.read(session).acks.len();
            prop_assert_eq!(answers, asked.get(&session).copied().unwrap_or(0), "one answer each");
        }
    }
}
