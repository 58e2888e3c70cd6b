//! The crop box and the free planes.

use super::rig::{ALL_FEATURES, Rig, T, X, Y, Z, crop, cut, pyramid, set, topics, value};
use lucida_components::{
    camera::CameraParts,
    clip::{Clip, ClipParts, ClipPlane},
    fault::{FaultReason, RejectCode},
    ids::ViewId,
    intent::Change,
    metrics::Metrics,
    notice::Topic,
    ops::OpKind,
    snapshot::Snapshot,
    stream::Canvas,
    value::Value,
};
use lucida_systems::txn::commit::check;

fn plane(normal: [f64; 3]) -> ClipPlane {
    ClipPlane { position: [100.0, 50.0, 3.0], normal }
}

/// Shows the volume of the brain to a client that has read all of it.
fn volume() -> (Rig, lucida_components::ids::SessionId) {
    let mut rig = Rig::new();
    rig.ask(Change::Ndisplay(3));
    let session = rig.join(ALL_FEATURES);
    (rig, session)
}

#[test]
fn ranges_and_planes_are_set_told_and_taken_back() {
    let (mut rig, session) = volume();
    let (ack, told) = rig.answer(session, crop("Z", Some([-1.5, 20.0])));
    let ranges = |z: Value| Value::List(vec![Value::None, z, Value::None, Value::None]);
    let block = |z: Value| Value::Map(vec![("ranges", ranges(z)), ("planes", Value::List(Vec::new()))]);
    assert_eq!(value(&ack), (block(Value::Floats(vec![-1.5, 20.0])), 1));
    assert_eq!(topics(&told).iter().filter(|t| **t == Topic::View).count(), 1);
    assert!(!topics(&told).contains(&Topic::Camera), "{told:?}");
    let applied = rig.state();
    assert_eq!(applied.clip.ranges, [None, Some([-1.5, 20.0]), None, None]);
    assert_eq!(rig.requested(ViewId::MAIN).clip, applied.clip);
    assert_eq!(rig.metrics().ops_applied[Metrics::kind_slot(OpKind::Clip)], 1);

    // The same again costs nothing.
    let (again, told) = rig.unchanged_by(|r| r.answer(session, crop("1", Some([-1.5, 20.0]))));
    assert_eq!((value(&again), told.len()), (value(&ack), 0));

    let normal = [0.0, 1.0, -2.0];
    let (ack, _) = rig.answer(session, cut(vec![plane(normal)]));
    let Value::Map(entries) = value(&ack).0 else { panic!("{ack:?}") };
    let told = Value::Map(vec![
        ("position", Value::Floats(vec![100.0, 50.0, 3.0])),
        ("normal", Value::Floats(normal.to_vec())),
    ]);
    assert_eq!(entries[1], ("planes", Value::List(vec![told])));
    assert_eq!(rig.state().clip.ranges[Z], Some([-1.5, 20.0]), "parts leave the others");

    rig.ask(crop("z", None));
    rig.ask(cut(Vec::new()));
    assert_eq!(rig.state().clip, Clip { ranges: vec![None; 4], planes: Vec::new() });
}

#[test]
fn several_parts_are_set_together_or_not_at_all() {
    let (mut rig, _) = volume();
    let parts = |last: (&str, Option<[f64; 2]>)| {
        Change::Clip(ClipParts {
            ranges: vec![
                ("y".into(), Some([1.0, 2.0])),
                ("x".into(), Some([3.0, 4.0])),
                (last.0.into(), last.1),
            ],
            planes: Some(vec![plane([1.0, 0.0, 0.0]); 6]),
        })
    };
    for bad in [("q", None), ("t", Some([5.0, 5.0]))] {
        rig.unchanged_by(|r| r.refused(parts(bad)));
    }
    assert_eq!(rig.requested(ViewId::MAIN).clip, Clip { ranges: vec![None; 4], planes: Vec::new() });
    rig.ask(parts(("t", Some([0.0, 3.0]))));
    let clip = rig.state().clip.clone();
    assert_eq!(
        (clip.ranges[T], clip.ranges[Y], clip.ranges[X]),
        (Some([0.0, 3.0]), Some([1.0, 2.0]), Some([3.0, 4.0]))
    );
    assert_eq!(clip.planes.len(), 6);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_sentence() {
    let (mut rig, _) = volume();
    let nan = f64::NAN;
    let ranges = [
        ([3.0, 1.0], "the clip range of z is inside out: it begins at 3 and ends at 1"),
        ([2.0, 2.0], "the clip range of z is inside out: it begins at 2 and ends at 2"),
        ([nan, 1.0], "the clip range of z is two finite numbers"),
        ([0.0, f64::INFINITY], "the clip range of z is two finite numbers"),
    ];
    for (range, sentence) in ranges {
        let why = rig.unchanged_by(|r| r.refused(crop("z", Some(range))));
        assert_eq!((why.code, why.message.as_str()), (RejectCode::Invalid, sentence));
    }
    let why = rig.unchanged_by(|r| r.refused(crop("w", None)));
    assert!(why.message.contains("t, z, y, x"), "{why}");
    let planes = [
        vec![plane([0.0, 0.0, 1.0]); 7],
        vec![plane([0.0; 3])],
        vec![plane([1.0, nan, 0.0])],
        vec![ClipPlane { position: [f64::INFINITY, 0.0, 0.0], normal: [1.0, 0.0, 0.0] }],
    ];
    for planes in planes {
        let why = rig.unchanged_by(|r| r.refused(cut(planes)));
        assert_eq!(why.code, RejectCode::Invalid);
        assert!(why.message.contains("clip plane"), "{why}");
    }
    assert_eq!(rig.metrics().faults, 0);
    let op = rig.unchanged_by(|r| r.ask_of(ViewId(9), crop("z", None)));
    assert!(format!("{:?}", op.state).contains("view 9"), "{op:?}");
    assert!(Rig::empty().refused(crop("z", None)).message.contains("open"));
}

#[test]
fn commit_refuses_a_block_that_cannot_be_cut_along() {
    let state = volume().0.state();
    let spoil: [fn(&mut Clip); 6] = [
        |c| c.ranges[Z] = Some([1.0, 1.0]),
        |c| c.ranges[Z] = Some([f64::NEG_INFINITY, 1.0]),
        |c| c.ranges[X] = Some([f64::NAN, 1.0]),
        |c| c.planes = vec![plane([0.0; 3])],
        |c| c.planes = vec![plane([f64::NAN; 3])],
        |c| c.planes = vec![plane([1.0; 3]); 7],
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut bad = (*state).clone();
        spoil(&mut bad.clip);
        assert!(matches!(check(&bad), Err(FaultReason::ClipInvalid(_))), "number {number}");
        // The way in past the reducer.
        let mut rig = volume().0;
        let mut snapshot = Snapshot::of(ViewId::MAIN, &rig.applied_of(ViewId::MAIN).unwrap());
        spoil(&mut snapshot.clip);
        let why = rig.unchanged_by(|r| r.refused(Change::Restore(Box::new(snapshot))));
        assert!(why.message.contains("clip"), "{why}");
    }
}

#[test]
fn what_is_cropped_away_is_not_the_nearest_point() {
    let mut rig = Rig::showing(pyramid([512; 3], [1.0; 3], 4));
    let canvas = Canvas { width: 16, height: 16 };
    rig.ask_all([Change::Ndisplay(3), Change::Canvas(canvas)]);
    // Along y, 44 units before the box, where a pixel is as large as 3 voxels.
    let parts = CameraParts { angles: Some([0.0; 3]), distance: Some(300.0), ..CameraParts::default() };
    rig.ask(set(parts));
    assert_eq!(rig.level(), 1);
    rig.ask(crop("y", Some([100.0, 511.0])));
    assert_eq!(rig.level(), 3, "what is left begins where it is 10");
    rig.ask(crop("y", Some([5000.0, 6000.0])));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (3, false), "nothing is left");
    rig.ask(crop("y", None));
    assert_eq!(rig.level(), 1);
}

#[test]
fn planes_of_other_axes_are_forgotten_ranges_are_not() {
    let (mut rig, _) = volume();
    rig.ask_all([crop("z", Some([1.0, 9.0])), cut(vec![plane([1.0, 0.0, 0.0])])]);
    rig.ask(Change::Order(vec![T, Z, X, Y]));
    let clip = rig.state().clip.clone();
    assert_eq!((clip.ranges[Z], clip.planes.len()), (Some([1.0, 9.0]), 0));
    // Those that come with the axes are meant for them.
    rig.ask_all([Change::Order(vec![T, Z, Y, X]), cut(vec![plane([0.0, 1.0, 0.0])])]);
    assert_eq!(rig.state().clip.planes.len(), 1);
    // Another image begins whole.
    rig.ask(Change::Dataset(super::rig::brain()));
    assert_eq!(rig.state().clip, Clip { ranges: vec![None; 4], planes: Vec::new() });
}

#[test]
fn a_toggle_keeps_the_box() {
    let (mut rig, _) = volume();
    rig.ask_all([crop("x", Some([10.0, 90.0])), cut(vec![plane([1.0, 0.0, 0.0])])]);
    let clip = rig.state().clip.clone();
    rig.ask(Change::Ndisplay(2));
    rig.ask(Change::Ndisplay(3));
    assert_eq!(rig.state().clip, clip);
}
