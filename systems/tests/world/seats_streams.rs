//! Whoever looks at a view of its own watches a stream of its own, and nobody else notices.

use super::{
    rig::{ALL_FEATURES, Rig, pan, zoom},
    seats::{close, create, created, follow, looks_at, sound, watch},
};
use lucida_components::{
    applied::ViewState,
    fit::Fit,
    ids::{SessionId, StreamId, ViewId},
    intent::{Change, SessionEvent},
    session::{Newcomer, Watch},
    stream::{Canvas, Stream},
};
use lucida_systems::{
    ingest::WantsKeyframe,
    render::job::{Handover, Job},
};

const WIDE: Canvas = Canvas { width: 1280, height: 720 };
const TALL: Canvas = Canvas { width: 400, height: 600 };

fn watcher(rig: &mut Rig, canvas: Canvas) -> SessionId {
    let session = rig.join_as(Newcomer { canvas: Some(canvas), ..Newcomer::new(ALL_FEATURES) });
    rig.event(SessionEvent::Watching { session });
    rig.turn();
    rig.turn();
    calm(rig, session);
    session
}

/// Its first keyframe came.
fn calm(rig: &mut Rig, session: SessionId) {
    let entity = rig.session_entity(session).unwrap();
    let mut session = rig.world().entity_mut(entity);
    session.remove::<WantsKeyframe>();
    session.get_mut::<Watch>().unwrap().needs_keyframe = false;
}

fn wants_keyframe(rig: &mut Rig, session: SessionId) -> bool {
    let entity = rig.session_entity(session).unwrap();
    rig.world().get::<WantsKeyframe>(entity).is_some()
}

/// The stream that a session watches, and of which view.
fn stream(rig: &mut Rig, session: SessionId) -> (StreamId, ViewId, Canvas) {
    let entity = rig.session_entity(session).unwrap();
    let id = rig.world().get::<Watch>(entity).unwrap().stream;
    let mut streams = rig.world().query::<(&StreamId, &ViewId, &Stream)>();
    let (_, view, stream) = streams.iter(rig.app.world()).find(|(s, ..)| **s == id).unwrap();
    (id, *view, stream.canvas)
}

/// What a session's picture shows.
fn seen(rig: &mut Rig, session: SessionId, canvas: Canvas) -> ViewState {
    let view = looks_at(rig, session);
    let state = rig.applied_of(view).unwrap().state;
    Fit::of(state.canvas, canvas).state(&state).into_owned()
}

fn closed(rig: &mut Rig) -> Vec<StreamId> {
    let handover = rig.world().resource::<Handover>();
    handover.0.iter().filter_map(|job| if let Job::Close(id) = job { Some(*id) } else { None }).collect()
}

#[test]
fn a_view_of_ones_own_is_a_stream_of_its_own_with_the_same_picture() {
    for canvas in [WIDE, TALL] {
        let mut rig = Rig::new();
        let (leads, own) = (watcher(&mut rig, WIDE), watcher(&mut rig, canvas));
        rig.ask_all([zoom(0.5), pan(40.0, 10.0)]);
        let (shared, _, _) = stream(&mut rig, leads);
        let before = [seen(&mut rig, leads, WIDE), seen(&mut rig, own, canvas)];

        let view = created(&mut rig, own);
        rig.turn();
        let (id, of, size) = stream(&mut rig, own);
        assert_eq!((of, size), (view, canvas));
        assert_ne!(id, shared);
        assert!(wants_keyframe(&mut rig, own) || canvas == TALL, "another stream begins with a keyframe");
        assert_eq!(stream(&mut rig, leads), (shared, ViewId::MAIN, WIDE));
        assert!(!wants_keyframe(&mut rig, leads), "nobody else notices");
        let after = [seen(&mut rig, leads, WIDE), seen(&mut rig, own, canvas)];
        assert_eq!(after, before);
        assert_eq!(rig.applied_of(view).unwrap().state.canvas, canvas, "it leads its view");

        // Each goes its own way.
        rig.answer(own, pan(100.0, 0.0));
        assert_eq!(seen(&mut rig, leads, WIDE), before[0]);
        assert_ne!(seen(&mut rig, own, canvas).camera, before[1].camera);
        rig.answer(own, watch(ViewId::MAIN));
        assert_eq!(seen(&mut rig, own, canvas), before[1], "and comes back");
        assert_eq!(stream(&mut rig, own).1, ViewId::MAIN);
        assert_eq!(stream(&mut rig, own).0 == shared, canvas == WIDE, "shared where it is equal");
        sound(&mut rig);
    }
}

#[test]
fn those_who_look_at_the_same_view_of_ones_own_share_its_stream() {
    let mut rig = Rig::new();
    let [own, guest, follower] = [(); 3].map(|()| watcher(&mut rig, WIDE));
    rig.answer(follower, follow(own));
    let view = created(&mut rig, own);
    rig.answer(guest, watch(view));
    let watched = [own, guest, follower].map(|s| stream(&mut rig, s));
    assert!(watched.iter().all(|w| *w == watched[0]), "{watched:?}");
    assert_eq!(watched[0].1, view);
    sound(&mut rig);
}

#[test]
fn the_stream_of_a_view_that_is_closed_ends() {
    let mut rig = Rig::new();
    let (stays, own) = (watcher(&mut rig, WIDE), watcher(&mut rig, WIDE));
    let view = created(&mut rig, own);
    rig.turn();
    let (id, ..) = stream(&mut rig, own);
    let shared = stream(&mut rig, stays);
    calm(&mut rig, own);
    rig.answer(stays, close(view));
    rig.turn();
    assert_eq!([own, stays].map(|s| stream(&mut rig, s)), [shared; 2]);
    assert!(wants_keyframe(&mut rig, own) && !wants_keyframe(&mut rig, stays));
    rig.wait(2_000);
    rig.turn();
    rig.wait(2_000);
    rig.turn();
    assert_eq!(closed(&mut rig), [id], "its encoder too");
    let mut streams = rig.world().query::<(&StreamId, &ViewId)>();
    assert!(streams.iter(rig.app.world()).all(|(_, of)| *of != view));
    sound(&mut rig);
}

#[test]
fn a_view_that_never_began_has_no_stream() {
    use lucida_components::fault::Step;
    use lucida_systems::txn::inject::{Failure, Injection};
    let mut rig = Rig::new();
    let (leads, own) = (watcher(&mut rig, WIDE), watcher(&mut rig, TALL));
    let before = [leads, own].map(|s| stream(&mut rig, s));
    rig.world().insert_resource(Injection { step: Step::Level, failure: Failure::Panic, times: 1 });
    assert!(rig.answer(own, create()).0.outcome.is_err());
    rig.turn();
    assert_eq!([leads, own].map(|s| stream(&mut rig, s)), before);
    assert!(![leads, own].map(|s| wants_keyframe(&mut rig, s)).contains(&true));
    sound(&mut rig);
}

#[test]
fn a_viewer_that_leads_resizes_its_own_picture_and_nobody_elses() {
    use lucida_components::session::Role;
    let mut rig = Rig::new();
    let newcomer = Newcomer {
        role: Role::Viewer,
        most: Role::Viewer,
        canvas: Some(WIDE),
        ..Newcomer::new(ALL_FEATURES)
    };
    let viewer = rig.join_as(newcomer);
    rig.event(SessionEvent::Watching { session: viewer });
    rig.turn();
    let boss = watcher(&mut rig, WIDE);
    rig.ask_all([zoom(0.5), pan(40.0, 10.0)]);
    let before = seen(&mut rig, boss, WIDE);
    assert!(rig.answer(viewer, Change::Canvas(TALL)).0.outcome.is_ok());
    rig.turn();
    assert_eq!(stream(&mut rig, viewer).2, TALL);
    assert_eq!(stream(&mut rig, boss).2, WIDE);
    let after = seen(&mut rig, boss, WIDE);
    assert_eq!(after.camera.plane.center, before.camera.plane.center);
    sound(&mut rig);
}
