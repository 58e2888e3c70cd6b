//! What a hand does to the volume.

use super::rig::{Rig, brain, pan, set, stack, zoom};
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts, VolumePose},
    dataset::Dataset,
    intent::Change,
    places,
    rays::Rays,
    stream::Canvas,
};
use lucida_systems::txn::{commit::check, turntable::home};
use std::sync::Arc;

fn canvas(width: u32, height: u32) -> Change {
    Change::Canvas(Canvas { width, height })
}

fn orbit(azimuth: f64, elevation: f64) -> Change {
    Change::Camera(CameraDelta::Orbit { azimuth, elevation })
}

fn reset() -> Change {
    Change::Camera(CameraDelta::Reset)
}

fn parts() -> CameraParts {
    CameraParts::default()
}

/// A world that shows the volume.
fn volume_of(dataset: Arc<Dataset>) -> Rig {
    let mut rig = Rig::showing(dataset);
    rig.ask(Change::Ndisplay(3));
    rig
}

fn pose(rig: &mut Rig) -> VolumePose {
    rig.state().camera.volume
}

/// Corners of the volume in pixels from the middle of the picture.
fn corners(state: &ViewState) -> Vec<Option<[f64; 2]>> {
    let rays = Rays::of(&state.camera.volume, state.canvas);
    let sides = places::world_box(&state.dataset, state.axes.displayed(3));
    (0..8).map(|n| rays.project(std::array::from_fn(|i| sides[i][n >> i & 1]))).collect()
}

/// How far the corners reach towards the edges of the canvas: 1 is an edge. Behind the eye is infinitely far.
fn reach(state: &ViewState) -> f64 {
    let half = [f64::from(state.canvas.width) / 2.0, f64::from(state.canvas.height) / 2.0];
    let of = |at: Option<[f64; 2]>| match at {
        Some([x, y]) => (x.abs() / half[0]).max(y.abs() / half[1]),
        None => f64::INFINITY,
    };
    corners(state).into_iter().map(of).fold(0.0, f64::max)
}

#[test]
fn home_shows_all_of_the_volume_and_not_much_else() {
    let shapes = [[64, 64, 64], [2000, 16, 16], [16, 2000, 16], [16, 16, 2000], [1, 512, 512], [1, 1, 1]];
    for shape in shapes {
        for (width, height) in [(1280, 720), (16, 16), (16, 2160), (3840, 16)] {
            for angles in [[30.0, 30.0, 0.0], [0.0, 0.0, 0.0], [-137.0, 90.0, 45.0], [90.0, -12.0, 180.0]] {
                for fov in [0.0, 1.0, 60.0, 120.0] {
                    let mut rig = volume_of(stack(shape, [2.0, 0.5, 0.5]));
                    rig.ask_all([
                        canvas(width, height),
                        set(CameraParts { angles: Some(angles), fov: Some(fov), ..parts() }),
                        reset(),
                    ]);
                    let state = rig.state();
                    let now = state.camera.volume;
                    assert_eq!((now.angles, now.fov), (angles, fov), "reset keeps how it is looked at");
                    let what = format!("{shape:?} on {width}x{height} at {angles:?}, fov {fov}");
                    let reach = reach(&state);
                    assert!(reach <= 1.0, "{what}: {reach}");
                    // The margin is one of distance: what lies before the centre grows by more on the way in.
                    let mut near = (*state).clone();
                    near.camera.volume.distance /= 1.01 * 1.0001;
                    assert!(self::reach(&near) >= 1.0, "{what}: nearer would have been enough");
                }
            }
        }
    }
}

#[test]
fn a_stack_deeper_than_high_is_seen_from_outside() {
    // Half its height over the tangent, as the older formula had it, is 20: inside the stack, which is 2000 deep.
    let mut rig = volume_of(stack([2000, 20, 20], [1.0; 3]));
    rig.ask_all([set(CameraParts { angles: Some([0.0, 90.0, 0.0]), ..parts() }), reset()]);
    assert!(pose(&mut rig).distance > 1000.0);
    assert!(reach(&rig.state()) <= 1.0);
}

#[test]
fn whatever_is_odd_gives_a_pose_that_can_be_drawn() {
    let spacings = [1e-12, 1e-300, 1.0, 1e12, 1e300];
    for (n, scale) in spacings.into_iter().enumerate() {
        for shape in [[1, 1, 1], [1, 4096, 1], [100, 1, 7]] {
            for mixed in [[scale; 3], [scale, 1.0, 1e-12], [1e12, scale, 1.0]] {
                for fov in [0.0, 0.1, 60.0, 179.9, 179.999_999_9] {
                    let mut rig = volume_of(stack(shape, mixed));
                    rig.ask_all([canvas(16, 16), set(CameraParts { fov: Some(fov), ..parts() }), reset()]);
                    let state = rig.state();
                    assert_eq!(state.camera.volume.fov, fov, "{n}");
                    assert_eq!(check(&state), Ok(()));
                    let rays = Rays::of(&state.camera.volume, state.canvas);
                    assert!(rays.pixel.is_finite() && rays.pixel > 0.0, "{mixed:?} {fov}: {rays:?}");
                    let seen = corners(&state).into_iter().flatten().flatten();
                    assert!(seen.into_iter().all(f64::is_finite), "{mixed:?} {fov}");
                }
            }
        }
    }
    // A narrow field of view needs a long way, and gets it; of a wide one all is seen from next to the box.
    for (fov, least) in [(0.1, 0.9), (179.9, 0.0)] {
        let mut rig = volume_of(stack([64; 3], [1e-12; 3]));
        rig.ask_all([set(CameraParts { fov: Some(fov), ..parts() }), reset()]);
        let reach = reach(&rig.state());
        assert!(reach <= 1.0 && reach > least, "{fov}: {reach}");
    }
}

#[test]
fn what_is_at_the_depth_of_the_centre_follows_the_pointer() {
    for (angles, fov) in
        [([30.0, 30.0, 0.0], 60.0), ([-100.0, -70.0, 35.0], 20.0), ([10.0, 90.0, -120.0], 0.0)]
    {
        let mut rig = volume_of(brain());
        rig.ask(set(CameraParts { angles: Some(angles), fov: Some(fov), ..parts() }));
        let before = pose(&mut rig);
        rig.ask(pan(40.0, -25.0));
        let after = pose(&mut rig);
        let state = rig.state();
        let [x, y] = Rays::of(&after, state.canvas).project(before.center).unwrap();
        assert!((x - 40.0).abs() < 1e-9 && (y + 25.0).abs() < 1e-9, "{angles:?}: {x}, {y}");
        assert_eq!(VolumePose { center: before.center, ..after }, before, "nothing but the centre moves");
    }
}

#[test]
fn zoom_changes_the_distance_within_bounds() {
    let mut rig = volume_of(brain());
    let home = pose(&mut rig);
    rig.ask(zoom(0.25));
    assert_eq!(pose(&mut rig), VolumePose { distance: home.distance * 0.25, ..home });
    rig.ask(zoom(1e-300));
    let closest = pose(&mut rig).distance;
    assert!(closest > 0.0 && closest < 0.5, "within a voxel: {closest}");
    rig.unchanged_by(|r| r.ask(zoom(0.5)));
    rig.ask_all([zoom(1e300), zoom(1e300)]);
    let farthest = pose(&mut rig).distance;
    assert!(farthest.is_finite() && farthest > 1000.0 * home.distance, "{farthest}");
    rig.unchanged_by(|r| r.ask(zoom(2.0)));
    assert_eq!(rig.metrics().faults, 0, "held, not refused");
}

#[test]
fn azimuth_wraps_and_elevation_stops_at_the_poles() {
    let mut rig = volume_of(brain());
    let turns = [
        ((160.0, 0.0), [-170.0, 30.0]),
        ((-10.0, 0.0), [180.0, 30.0]),
        ((360.0 * 5.0, 59.0), [180.0, 89.0]),
        ((0.0, 2.0), [180.0, 90.0]),
        ((90.0, -181.0), [-90.0, -90.0]),
        ((0.0, 1.0), [-90.0, -89.0]),
    ];
    for ((azimuth, elevation), want) in turns {
        rig.ask(orbit(azimuth, elevation));
        let [az, el, roll] = pose(&mut rig).angles;
        assert!((az - want[0]).abs() < 1e-9 && (el - want[1]).abs() < 1e-9, "{az}, {el}: {want:?}");
        assert_eq!(roll, 0.0);
    }
    rig.ask(set(CameraParts { angles: Some([540.0, 0.0, -270.0]), ..parts() }));
    assert_eq!(pose(&mut rig).angles, [180.0, 0.0, 90.0]);
}

#[test]
fn set_takes_each_part_alone_and_keeps_the_others() {
    let mut rig = volume_of(brain());
    let home = pose(&mut rig);
    rig.ask(set(CameraParts { center: Some(vec![1.0, 2.0, 3.0]), ..parts() }));
    let mut want = VolumePose { center: [1.0, 2.0, 3.0], ..home };
    assert_eq!(pose(&mut rig), want);
    rig.ask(set(CameraParts { distance: Some(70.0), ..parts() }));
    want.distance = 70.0;
    assert_eq!(pose(&mut rig), want);
    rig.ask(set(CameraParts { fov: Some(0.0), ..parts() }));
    want.fov = 0.0;
    assert_eq!(pose(&mut rig), want);
    rig.ask(set(CameraParts { angles: Some([1.0, 2.0, 3.0]), ..parts() }));
    want.angles = [1.0, 2.0, 3.0];
    assert_eq!(pose(&mut rig), want);

    // Parts of both poses in one command.
    let zoom = rig.state().camera.plane.zoom * 2.0;
    rig.ask(set(CameraParts { zoom: Some(zoom), distance: Some(71.0), ..parts() }));
    let camera = rig.state().camera;
    assert_eq!((camera.plane.zoom, camera.volume.distance), (zoom, 71.0));
}

#[test]
fn what_is_set_far_away_is_brought_within_reach() {
    let mut rig = volume_of(brain());
    rig.ask(set(CameraParts { center: Some(vec![1e300, -1e300, 0.0]), distance: Some(1e-300), ..parts() }));
    let state = rig.state();
    assert_eq!(check(&state), Ok(()));
    let now = state.camera.volume;
    assert!(now.center.iter().all(|c| c.abs() < 1e12) && now.distance > 1e-9, "{now:?}");
    rig.ask_all([reset()]);
    assert!(reach(&rig.state()) <= 1.0, "and home is home");
}

#[test]
fn a_volume_at_home_stays_at_home_when_its_canvas_changes() {
    let mut rig = volume_of(brain());
    rig.ask(canvas(640, 1280));
    let state = rig.state();
    assert_eq!(state.camera.volume, home(&state, state.camera.volume));
    assert!(reach(&state) <= 1.0);

    rig.ask(pan(1.0, 0.0));
    let moved = pose(&mut rig);
    rig.ask(canvas(1280, 720));
    assert_eq!(pose(&mut rig), moved, "one that moved stays where it is");
}

#[test]
fn the_mode_that_is_not_shown_stays_at_home_too() {
    let mut rig = volume_of(brain());
    rig.ask(canvas(700, 900));
    rig.ask(Change::Ndisplay(2));
    let state = rig.state();
    assert_eq!(state.camera.plane, lucida_systems::txn::camera::home_plane(&state));
    rig.ask(canvas(900, 300));
    rig.ask(Change::Ndisplay(3));
    let state = rig.state();
    assert_eq!(state.camera.volume, home(&state, state.camera.volume));

    // In one turn as well.
    rig.ask_all([Change::Ndisplay(2), canvas(320, 320)]);
    let state = rig.state();
    assert_eq!(state.camera.plane, lucida_systems::txn::camera::home_plane(&state));
}

#[test]
fn another_third_axis_is_another_volume() {
    let mut rig = volume_of(brain());
    rig.ask(zoom(0.1));
    // t instead of z; y and x are displayed as before.
    rig.ask(Change::Order(vec![1, 0, 2, 3]));
    let state = rig.state();
    assert_eq!(state.camera.volume, home(&state, state.camera.volume));
    assert_eq!(state.camera.volume.center[2], 2.0);
}
