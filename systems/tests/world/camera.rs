//! What a hand does to the plane.

use super::rig::{ALL_FEATURES, Rig, pan, set, set_zoom, topics, value, zoom};
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts, Rect},
    intent::Change,
    notice::{NoticeBody, Topic},
    stream::Canvas,
    value::Value,
};
use lucida_systems::txn::camera::home_plane;

/// The world point under a canvas pixel.
fn under(state: &ViewState, [px, py]: [f64; 2]) -> [f64; 2] {
    let rect = state.rect();
    let (w, h) = (f64::from(state.canvas.width), f64::from(state.canvas.height));
    [rect.left + rect.width * px / w, rect.bottom + rect.height * py / h]
}

fn near(a: [f64; 2], b: [f64; 2]) {
    for (a, b) in a.into_iter().zip(b) {
        assert!((a - b).abs() < 1e-9 * a.abs().max(1.0), "{a} is not {b}");
    }
}

fn zoom_at(factor: f64, anchor: [f64; 2]) -> Change {
    Change::Camera(CameraDelta::Zoom { factor, anchor })
}

#[test]
fn zoom_keeps_the_world_point_under_the_anchor() {
    for anchor in [[0.0, 0.0], [640.0, 360.0], [1280.0, 0.0], [100.0, 700.0], [-50.0, 2000.0]] {
        for factor in [0.5, 1.1, 1.0 / 1.1, 8.0] {
            let mut rig = Rig::new();
            let before = rig.state();
            rig.ask(zoom_at(factor, anchor));
            let after = rig.state();
            near(under(&after, anchor), under(&before, anchor));
            let ratio = before.camera.plane.zoom / after.camera.plane.zoom;
            assert!((ratio - factor).abs() < 1e-12, "more than 1 shows more: {ratio}");
        }
    }
}

#[test]
fn the_content_follows_the_pointer() {
    let mut rig = Rig::new();
    rig.ask(set_zoom(2.0));
    let before = rig.state();
    rig.ask(pan(100.0, 40.0));
    let after = rig.state();
    // What was under the pointer when it was pressed is under it where it is released.
    near(under(&after, [300.0, 240.0]), under(&before, [200.0, 200.0]));
    assert_eq!(after.camera.plane.center[0], before.camera.plane.center[0] - 50.0);
    assert_eq!(after.camera.plane.center[1], before.camera.plane.center[1] - 20.0, "y grows downward");
}

#[test]
fn reset_shows_all_of_the_plane() {
    let mut rig = Rig::new();
    rig.ask_all([zoom_at(0.1, [3.0, 4.0]), pan(9999.0, -33.0)]);
    rig.ask(Change::Camera(CameraDelta::Reset));
    let state = rig.state();
    assert_eq!(state.camera.plane, home_plane(&state));
    // Voxel edges: half a voxel before the first centre. x fills the canvas, y is letterboxed.
    let rect = state.rect();
    near([rect.left, rect.width], [-0.25, 2048.0]);
    near([rect.bottom + rect.height / 2.0, rect.height], [511.75, 1152.0]);
}

#[test]
fn the_reason_of_a_reset_is_told_back() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.ask(pan(99.0, 0.0));
    rig.read(session);
    let (ack, notices) = rig.answer(session, Change::Reset("home key".into()));
    let state = rig.state();
    assert_eq!(state.camera.plane, home_plane(&state));
    let reason = |words: &str| Value::Map(vec![("reason", Value::Text(words.into()))]);
    assert_eq!(value(&ack).0, reason("home key"));
    let echo = notices.iter().find_map(|notice| match &notice.body {
        NoticeBody::Camera { echo, .. } => echo.clone(),
        _ => None,
    });
    assert_eq!(echo, Some(("reset", reason("home key"))));
    rig.ask(pan(99.0, 0.0));
    assert_eq!(value(&rig.answer(session, Change::Camera(CameraDelta::Reset)).0).0, reason("state.update"));
}

#[test]
fn set_takes_centre_zoom_and_rectangle() {
    let mut rig = Rig::new();
    let parts = CameraParts::default;
    rig.ask(set(CameraParts { center: Some(vec![10.0, 20.0]), ..parts() }));
    assert_eq!((rig.state().camera.plane.center, rig.state().camera.plane.zoom), ([10.0, 20.0], 0.625));
    rig.ask(set(CameraParts { zoom: Some(3.0), ..parts() }));
    assert_eq!((rig.state().camera.plane.center, rig.state().camera.plane.zoom), ([10.0, 20.0], 3.0));

    let rect = Rect { left: 100.0, bottom: 200.0, width: 640.0, height: 36.0 };
    rig.ask(set(CameraParts { rect: Some(rect), ..parts() }));
    let state = rig.state();
    assert_eq!(state.camera.plane.center, [420.0, 218.0]);
    assert_eq!(state.camera.plane.zoom, 2.0, "all of it is seen, the aspect is kept");
    assert_eq!((state.rect().left, state.rect().width), (100.0, 640.0));

    rig.ask(set(CameraParts { center: Some(vec![1.0, 2.0]), zoom: Some(5.0), rect: Some(rect), ..parts() }));
    assert_eq!((rig.state().camera.plane.center, rig.state().camera.plane.zoom), ([1.0, 2.0], 5.0));
}

#[test]
fn parts_of_a_volume_leave_the_plane_alone() {
    let mut rig = Rig::new();
    let plane = rig.state().camera.plane;
    rig.ask(set(CameraParts {
        center: Some(vec![1.0, 2.0, 3.0]),
        angles: Some([270.0, 120.0, 5.0]),
        distance: Some(7.0),
        fov: Some(0.0),
        ..CameraParts::default()
    }));
    let camera = rig.state().camera;
    assert_eq!(camera.plane, plane);
    assert_eq!(camera.volume.center, [1.0, 2.0, 3.0]);
    assert_eq!(camera.volume.angles, [-90.0, 90.0, 5.0], "azimuth wraps, elevation stops at the pole");
    assert_eq!((camera.volume.distance, camera.volume.fov), (7.0, 0.0));
}

#[test]
fn a_volume_zooms_pans_and_turns() {
    let mut rig = Rig::new();
    rig.ask(Change::Ndisplay(3));
    let before = rig.state().camera;
    rig.ask(zoom(2.0));
    assert_eq!(rig.state().camera.volume.distance, 2.0 * before.volume.distance);
    rig.ask(Change::Camera(CameraDelta::Orbit { azimuth: 160.0, elevation: -200.0 }));
    assert_eq!(rig.state().camera.volume.angles, [-170.0, -90.0, 0.0]);
    rig.ask(pan(10.0, 0.0));
    let now = rig.state().camera;
    assert_ne!(now.volume.center, before.volume.center);
    assert_eq!(now.plane, before.plane, "the plane's pose waits");
    // A drag by half the canvas moves the centre by the half of what is seen at its distance.
    let moved = (0..3).map(|i| (now.volume.center[i] - before.volume.center[i]).powi(2)).sum::<f64>().sqrt();
    let seen = 2.0 * now.volume.distance * 30_f64.to_radians().tan();
    assert!((moved - seen * 10.0 / 720.0).abs() < 1e-9 * seen, "{moved}");
}

#[test]
fn a_plane_does_not_turn() {
    let mut rig = Rig::new();
    let orbit = Change::Camera(CameraDelta::Orbit { azimuth: 10.0, elevation: 10.0 });
    rig.unchanged_by(|r| r.ask(orbit));
}

#[test]
fn many_deltas_apply_in_order_and_make_one_notice() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let mut alone = Rig::new();
    let deltas = [zoom_at(0.5, [10.0, 10.0]), pan(30.0, 5.0), zoom_at(3.0, [1000.0, 2.0]), pan(-7.0, 1.0)];
    for delta in &deltas {
        rig.send(session, delta.clone());
        alone.ask(delta.clone());
    }
    let revision = rig.revision();
    rig.turn();
    assert_eq!(rig.state().camera, alone.state().camera);
    assert_eq!(rig.revision(), revision + 1);
    let outbox = rig.read(session);
    assert_eq!(outbox.acks.len(), 4);
    assert_eq!(topics(&outbox.notices).iter().filter(|t| **t == Topic::Camera).count(), 1);

    // Another order is another place.
    let mut turned = Rig::new();
    turned.ask_all(deltas.into_iter().rev());
    assert_ne!(turned.state().camera.plane.center, alone.state().camera.plane.center);
}

#[test]
fn a_new_canvas_refits_a_view_at_home_and_keeps_one_that_moved() {
    let canvas = |width, height| Change::Canvas(Canvas { width, height });
    let mut rig = Rig::new();
    rig.ask(canvas(640, 640));
    let state = rig.state();
    assert_eq!(state.camera.plane, home_plane(&state));
    assert_eq!(state.camera.plane.zoom, 640.0 / 2048.0);
    rig.ask(canvas(1280, 720));
    assert_eq!(rig.state().camera.plane.zoom, 0.625, "and back");

    rig.ask(pan(1.0, 0.0));
    let moved = rig.state().camera.plane;
    rig.ask(canvas(640, 640));
    assert_eq!(rig.state().camera.plane, moved);
    assert_eq!(rig.state().rect().width, 640.0 / moved.zoom, "the rectangle follows the canvas");
}

#[test]
fn the_queue_is_empty_after_its_turn() {
    let mut rig = Rig::new();
    rig.ask_all([pan(1.0, 1.0), zoom(2.0)]);
    assert_eq!(rig.requested(lucida_components::ids::ViewId::MAIN).queue.0, []);
    rig.unchanged_by(Rig::turn);
}
