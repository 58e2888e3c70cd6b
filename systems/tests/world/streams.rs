//! One view on canvases of several sizes: what is encoded, who leads, and that nobody's hand or window moves
//! another one's picture without being asked to.

use super::rig::{ALL_FEATURES, Rig, is_applied, pan, set, set_zoom, zoom};
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts},
    fit::Fit,
    ids::{SessionId, StreamId, ViewId},
    intent::{Change, SessionEvent},
    notice::{Notice, NoticeBody, Topic},
    rays::Rays,
    session::{Newcomer, Watch},
    stream::{Canvas, Orientation, Stream},
};
use lucida_systems::{
    render::job::{Handover, Job},
    streams::extent::Extent,
};

const HD: Canvas = Canvas { width: 1920, height: 1080 };
const TALL: Canvas = Canvas { width: 500, height: 900 };

/// A session that watches, and has said the size of its window where it has one.
fn watcher(rig: &mut Rig, canvas: Option<Canvas>) -> SessionId {
    let session = rig.join(ALL_FEATURES);
    rig.event(SessionEvent::Watching { session });
    rig.turn();
    if let Some(canvas) = canvas {
        resize(rig, session, canvas);
    }
    session
}

fn resize(rig: &mut Rig, session: SessionId, canvas: Canvas) {
    rig.send(session, Change::Canvas(canvas));
    rig.turn();
    rig.turn();
}

fn leave(rig: &mut Rig, session: SessionId) {
    rig.event(SessionEvent::Left { session });
    rig.turn();
    rig.turn();
}

/// What a session watches.
fn stream(rig: &mut Rig, session: SessionId) -> (StreamId, Stream) {
    let entity = rig.session_entity(session).unwrap();
    let id = rig.world().get::<Watch>(entity).unwrap().stream;
    let mut streams = rig.world().query::<(&StreamId, &Stream)>();
    let (_, stream) = streams.iter(rig.app.world()).find(|(s, _)| **s == id).unwrap();
    (id, *stream)
}

fn streams(rig: &mut Rig) -> usize {
    rig.world().query::<&Stream>().iter(rig.app.world()).count()
}

/// The state on a canvas: what its picture shows.
fn seen(rig: &mut Rig, canvas: Canvas) -> ViewState {
    let state = rig.state();
    Fit::of(state.canvas, canvas).state(&state).into_owned()
}

/// World coordinates at a place of a picture of a plane.
fn world_at(state: &ViewState, [x, y]: [f64; 2]) -> [f64; 2] {
    let rect = state.rect();
    let zoom = state.camera.plane.zoom;
    [rect.left + x / zoom, rect.bottom + y / zoom]
}

fn near(a: [f64; 2], b: [f64; 2]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs().max(1.0))
}

#[test]
fn who_looks_at_the_same_watches_the_same_stream() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    assert_eq!(rig.state().canvas, HD, "who comes first leads");
    let second = watcher(&mut rig, Some(HD));
    let third = watcher(&mut rig, None);
    let one = stream(&mut rig, first);
    assert_eq!((stream(&mut rig, second), stream(&mut rig, third)), (one, one));
    assert_eq!(streams(&mut rig), 1);

    let fourth = watcher(&mut rig, Some(TALL));
    assert_eq!(stream(&mut rig, fourth).1, Stream { canvas: TALL, ..one.1 });
    assert_eq!((streams(&mut rig), stream(&mut rig, first)), (2, one));
}

#[test]
fn rows_from_the_bottom_are_a_stream_of_their_own() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    let session = SessionId(900);
    let newcomer = Newcomer {
        canvas: Some(HD),
        orientation: Orientation::BottomUp,
        hears: false,
        ..Newcomer::new(ALL_FEATURES)
    };
    rig.event(SessionEvent::Joined { session, newcomer: Box::new(newcomer) });
    rig.event(SessionEvent::Watching { session });
    rig.turn();
    let (other, block) = stream(&mut rig, session);
    assert_ne!(other, stream(&mut rig, first).0);
    assert_eq!(block, Stream { canvas: HD, orientation: Orientation::BottomUp });
}

#[test]
fn joining_and_resizing_moves_nobody_elses_picture() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    rig.send(first, set_zoom(3.0));
    rig.turn();
    let (before, own) = (rig.state(), stream(&mut rig, first));
    let second = watcher(&mut rig, Some(TALL));
    resize(&mut rig, second, Canvas { width: 640, height: 360 });
    assert_eq!(rig.state().camera, before.camera);
    assert_eq!((rig.state().canvas, stream(&mut rig, first)), (HD, own));
    // And sees all that the first one sees.
    let (all, small) = (before.rect(), seen(&mut rig, Canvas { width: 640, height: 360 }).rect());
    assert!(near([small.left, small.bottom], [all.left, all.bottom]));
    assert!(near([small.width, small.height], [all.width, all.height]));
}

#[test]
fn a_window_that_nobody_shares_keeps_its_encoder_when_it_is_resized() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    let id = stream(&mut rig, first).0;
    for width in [1000, 800, 1400] {
        resize(&mut rig, first, Canvas { width, height: 700 });
        assert_eq!(stream(&mut rig, first).0, id);
        assert_eq!(rig.state().canvas, Canvas { width, height: 700 });
    }
    assert_eq!(streams(&mut rig), 1);
}

#[test]
fn who_leads_next_sees_no_jump() {
    for in_volume in [false, true] {
        let mut rig = Rig::new();
        let first = watcher(&mut rig, Some(HD));
        let second = watcher(&mut rig, Some(TALL));
        if in_volume {
            rig.ask(Change::Ndisplay(3));
            rig.ask(Change::Camera(CameraDelta::Orbit { azimuth: 10.0, elevation: 5.0 }));
        }
        rig.ask(zoom(0.3));
        rig.ask(pan(40.0, -30.0));
        let before = seen(&mut rig, TALL);
        leave(&mut rig, first);
        let after = rig.state();
        assert_eq!(after.canvas, TALL);
        let (a, b) = (after.camera, before.camera);
        if in_volume {
            let size = |state: &ViewState| Rays::of(&state.camera.volume, state.canvas).pixel;
            assert_eq!(a.volume.center, b.volume.center);
            assert!((size(&after) / size(&before) - 1.0).abs() < 1e-9, "as large as before");
            assert_eq!(a.volume.fov, 60.0, "and no other lens");
        } else {
            assert_eq!(a.plane, b.plane);
        }
        assert_eq!(stream(&mut rig, second).1.canvas, TALL);
        rig.turn();
        rig.unchanged_by(Rig::turn);
    }
}

#[test]
fn home_stays_home_for_who_leads_next() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    watcher(&mut rig, Some(TALL));
    leave(&mut rig, first);
    let left = rig.state().camera;
    rig.ask(Change::Camera(CameraDelta::Reset));
    assert_eq!(rig.state().camera, left);
}

#[test]
fn pixels_are_those_of_the_picture_one_has() {
    let mut rig = Rig::new();
    watcher(&mut rig, Some(HD));
    let second = watcher(&mut rig, Some(TALL));
    let anchor = [100.0, 700.0];
    let under = world_at(&seen(&mut rig, TALL), anchor);
    rig.send(second, Change::Camera(CameraDelta::Zoom { factor: 0.5, anchor }));
    rig.turn();
    assert!(near(world_at(&seen(&mut rig, TALL), anchor), under), "what is under the pointer stays there");

    let at = world_at(&seen(&mut rig, TALL), [250.0, 450.0]);
    rig.send(second, pan(60.0, -35.0));
    rig.turn();
    assert!(near(world_at(&seen(&mut rig, TALL), [310.0, 415.0]), at), "what is dragged follows the pointer");

    rig.send(second, set_zoom(7.0));
    rig.turn();
    assert!((seen(&mut rig, TALL).camera.plane.zoom - 7.0).abs() < 1e-12);
}

#[test]
fn an_eye_that_is_set_is_the_eye_that_is_seen() {
    let mut rig = Rig::new();
    watcher(&mut rig, Some(HD));
    let second = watcher(&mut rig, Some(TALL));
    rig.ask(Change::Ndisplay(3));
    for fov in [45.0, 0.0, 90.0] {
        let parts = CameraParts { fov: Some(fov), distance: Some(5000.0), ..CameraParts::default() };
        rig.send(second, set(parts));
        rig.turn();
        let pose = seen(&mut rig, TALL).camera.volume;
        assert!((pose.fov - fov).abs() < 1e-9 && (pose.distance - 5000.0).abs() < 1e-6, "{pose:?}");
        // Telling it again changes nothing.
        let parts = CameraParts { distance: Some(pose.distance), ..CameraParts::default() };
        rig.send(second, set(parts));
        rig.turn();
        let again = seen(&mut rig, TALL).camera.volume;
        assert!((again.distance - pose.distance).abs() < 1e-6 * pose.distance, "{again:?}");
    }
}

#[test]
fn the_sharpest_picture_decides_the_level() {
    let mut rig = Rig::new();
    let small = Canvas { width: 640, height: 360 };
    watcher(&mut rig, Some(small));
    let alone = rig.level();
    let second = watcher(&mut rig, Some(HD));
    rig.turn();
    assert!(rig.level() < alone, "{} of {alone}", rig.level());
    leave(&mut rig, second);
    rig.wait(3000);
    rig.turn();
    rig.turn();
    assert_eq!(rig.level(), alone);
    let entity = rig.entity(ViewId::MAIN);
    assert_eq!(rig.world().get::<Extent>(entity), Some(&Extent::default()));
}

#[test]
fn a_stream_that_nobody_watches_ends_soon_but_not_at_once() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    let second = watcher(&mut rig, Some(TALL));
    let (main, other) = (stream(&mut rig, first).0, stream(&mut rig, second).0);
    let closed = |rig: &mut Rig| -> Vec<StreamId> {
        let jobs = std::mem::take(&mut rig.world().resource_mut::<Handover>().0);
        jobs.iter().filter_map(|j| if let Job::Close(id) = j { Some(*id) } else { None }).collect()
    };
    leave(&mut rig, second);
    rig.wait(1000);
    rig.turn();
    assert_eq!((streams(&mut rig), closed(&mut rig)), (2, vec![]));
    // Comes back: the same stream, and its encoder.
    let second = watcher(&mut rig, Some(TALL));
    assert_eq!(stream(&mut rig, second).0, other);
    rig.wait(5000);
    rig.turn();
    assert_eq!(closed(&mut rig), []);

    leave(&mut rig, second);
    leave(&mut rig, first);
    rig.wait(2000);
    rig.turn();
    let mut ended = closed(&mut rig);
    ended.sort_unstable();
    assert_eq!(ended, [main, other]);
    assert_eq!(streams(&mut rig), 1, "the main one's entity stays");
    rig.wait(5000);
    rig.unchanged_by(Rig::turn);
    assert_eq!((closed(&mut rig), rig.due()), (vec![], None), "once, and then there is rest");

    let third = watcher(&mut rig, None);
    assert_eq!(stream(&mut rig, third).0, StreamId::MAIN);
}

#[test]
fn thousands_of_resizes_and_visits_leave_nothing_behind() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    for n in 0..2000_u32 {
        let visitor = watcher(&mut rig, Some(Canvas { width: 100 + 2 * (n % 300), height: 200 }));
        resize(&mut rig, visitor, Canvas { width: 300, height: 100 + 2 * (n % 77) });
        leave(&mut rig, visitor);
        rig.read(first);
        rig.wait(20);
    }
    rig.wait(2000);
    rig.turn();
    assert_eq!(streams(&mut rig), 1);
    let op = rig.ask(zoom(0.9));
    assert!(is_applied(&op));
}

#[test]
fn each_is_told_what_its_own_picture_shows() {
    let mut rig = Rig::new();
    let first = watcher(&mut rig, Some(HD));
    let second = watcher(&mut rig, Some(TALL));
    rig.turn();
    let newest = |rig: &mut Rig, session| {
        rig.read(session).notices.iter().rev().find_map(|n| match &n.body {
            NoticeBody::Applied(applied) if n.topic == Topic::View => Some(applied.clone()),
            _ => None,
        })
    };
    assert_eq!(newest(&mut rig, first).unwrap().state.canvas, HD);
    assert_eq!(newest(&mut rig, second).unwrap().state.canvas, TALL);
    resize(&mut rig, second, Canvas { width: 600, height: 600 });
    assert!(rig.read(first).notices.is_empty(), "another one's window is no news");
    let told = newest(&mut rig, second).unwrap();
    assert_eq!(*told.state, seen(&mut rig, Canvas { width: 600, height: 600 }));

    let (ack, notices) = rig.answer(second, zoom(0.5));
    assert!(ack.outcome.is_ok());
    let of_camera = |notices: &[Notice]| notices.iter().find(|n| n.topic == Topic::Camera).cloned();
    let NoticeBody::Camera { echo, .. } = of_camera(&notices).unwrap().body else { panic!() };
    assert_eq!(echo.unwrap().0, "zoom", "its own pixels");
    let NoticeBody::Camera { echo, .. } = of_camera(&rig.read(first).notices).unwrap().body else { panic!() };
    assert_eq!(echo, None, "somebody else's pixels say nothing here");
}
