//! Each reducer: what it takes, what it clamps, what it refuses, and that an equal write costs nothing.

use super::rig::{
    ALL_FEATURES, Rig, X, Y, Z, brain, crop, go, is_applied, labelled, layer, pan, set, set_zoom, step,
    value, zoom,
};
use lucida_components::{
    camera::{CameraDelta, CameraParts, Rect},
    controls::{
        Blending, ControlChange, ControlKey, Controls, Depiction, Interpolation, Projection, Rendering,
    },
    dataset::Scene,
    fault::RejectCode,
    ids::{LayerId, ViewId},
    index::Index,
    intent::{Change, Grid},
    lod::LodPolicy,
    ops::OpKind,
    snapshot::Snapshot,
    stream::Canvas,
    value::Value,
};
use lucida_systems::residency::plan::Plan;

fn canvas(width: u32, height: u32) -> Change {
    Change::Canvas(Canvas { width, height })
}

fn margins(axis: &str, margins: [f64; 2]) -> Change {
    Change::Margins { axis: axis.into(), margins }
}

/// A change of every kind that can be written twice.
fn writes() -> Vec<(Change, OpKind)> {
    vec![
        (Change::Ndisplay(2), OpKind::ViewToggle),
        (Change::Ndisplay(3), OpKind::ViewToggle),
        (go("z", 3), OpKind::Dims),
        (Change::Index { axis: "z".into(), value: 5, grid: Grid::Level }, OpKind::Dims),
        (step("t", 99), OpKind::Dims),
        (margins("z", [1.0, 2.0]), OpKind::Dims),
        (Change::Order(vec![1, 0, 2, 3]), OpKind::Dims),
        (Change::WholeIndex(Index::at(vec![1, 2])), OpKind::Dims),
        (Change::Level(2), OpKind::Policy),
        (Change::Policy(LodPolicy::Auto), OpKind::Policy),
        (set_zoom(0.3), OpKind::Camera),
        (Change::Camera(CameraDelta::Reset), OpKind::Camera),
        (crop("z", Some([3.0, 9.0])), OpKind::Clip),
        (layer(1, ControlChange::Opacity(0.25)), OpKind::Layer),
        (layer(0, ControlChange::Colormap("MAGMA".into())), OpKind::Layer),
        (Change::Volume(ControlChange::Gamma(0.7)), OpKind::Layer),
        (canvas(640, 480), OpKind::Stream),
    ]
}

#[test]
fn an_equal_write_is_applied_at_the_same_revision_and_costs_nothing() {
    for (change, kind) in writes() {
        let mut rig = Rig::new();
        let session = rig.join(ALL_FEATURES);
        let (first, _) = rig.answer(session, change.clone());
        let (revision, applied) = (rig.revision(), rig.applied_of(ViewId::MAIN).unwrap());
        let (notices, requested) = (rig.metrics().notices, rig.requested(ViewId::MAIN));
        let view = rig.entity(ViewId::MAIN);
        let plan = rig.world().get::<Plan>(view).map(|p| (p.stamp, p.revision, p.stale));

        let (second, told) = rig.answer(session, change.clone());
        assert_eq!(second.outcome.is_ok(), first.outcome.is_ok(), "{change:?}");
        if kind == OpKind::Camera {
            // Camera commands are counted, not compared.
            assert_eq!(value(&second).1, value(&first).1 + 1, "{change:?}");
        } else {
            assert_eq!(value(&second), value(&first), "{change:?}");
        }
        assert!(told.is_empty(), "{change:?} told {told:?}");
        assert_eq!(rig.metrics().notices, notices, "{change:?}");
        assert_eq!(rig.revision(), revision, "{change:?}");
        assert_eq!(rig.requested(ViewId::MAIN), requested, "{change:?}");
        let again = rig.applied_of(ViewId::MAIN).unwrap();
        assert!(std::sync::Arc::ptr_eq(&again.state, &applied.state), "{change:?} made a new state");
        let op = rig.ops().closed.back().unwrap().clone();
        assert_eq!(op.kind, kind, "{change:?}");
        assert_eq!(op.state, lucida_components::ops::OpState::Applied { revision });
        assert_eq!(rig.world().get::<Plan>(view).map(|p| (p.stamp, p.revision, p.stale)), plan);
    }
}

#[test]
fn a_first_write_moves_the_revision_by_one() {
    for (change, kind) in writes() {
        let mut rig = Rig::new();
        let before = (rig.revision(), rig.state());
        let ops = rig.ask_all([change.clone()]);
        assert!(ops.iter().all(is_applied) && ops[0].kind == kind, "{change:?}: {ops:?}");
        let moved = *before.1 != *rig.state();
        assert_eq!(rig.revision(), before.0 + u64::from(moved), "{change:?}");
        let equal_at_home = matches!(
            change,
            Change::Ndisplay(2) | Change::Camera(CameraDelta::Reset) | Change::Policy(LodPolicy::Auto)
        );
        assert_eq!(moved, !equal_at_home, "{change:?}");
    }
}

#[test]
fn before_an_image_is_open_everything_is_refused_with_the_reason() {
    for (change, _) in writes() {
        let mut rig = Rig::empty();
        let before = rig.requested(ViewId::MAIN);
        let why = rig.refused(change.clone());
        // A layer that does not exist is said to be one.
        let is_layer = matches!(change, Change::Layer { .. });
        assert!(is_layer || why.message.contains("open"), "{change:?}: {why}");
        assert_eq!(rig.requested(ViewId::MAIN), before, "{change:?}");
        assert!(rig.applied_of(ViewId::MAIN).is_none() && rig.revision() == 0);
    }
}

#[test]
fn an_unknown_view_is_refused() {
    let mut rig = Rig::new();
    for change in [Change::Ndisplay(2), go("z", 1), Change::Level(1), pan(1.0, 0.0)] {
        let op = rig.unchanged_by(|r| r.ask_of(ViewId(9), change.clone()));
        assert!(format!("{:?}", op.state).contains("view 9"), "{change:?}: {op:?}");
    }
    let state = rig.applied_of(ViewId::MAIN).unwrap();
    let snapshot = Snapshot::of(ViewId::MAIN, &state);
    let op = rig.unchanged_by(|r| r.ask_of(ViewId(9), Change::Restore(Box::new(snapshot))));
    assert!(format!("{:?}", op.state).contains("view 9"), "{op:?}");
}

#[test]
fn view_takes_two_or_three() {
    let mut rig = Rig::new();
    for n in [0, 1, 4, 255] {
        let why = rig.unchanged_by(|r| r.refused(Change::Ndisplay(n)));
        assert_eq!(why.code, RejectCode::Invalid);
        assert!(why.message.contains(&n.to_string()), "{why}");
    }
    let session = rig.join(ALL_FEATURES);
    assert_eq!(value(&rig.answer(session, Change::Ndisplay(3)).0), (Value::Int(3), 1));
    assert_eq!(value(&rig.answer(session, Change::Ndisplay(2)).0).0, Value::Int(2));
}

#[test]
fn dims_finds_axes_by_label_and_number_and_clamps() {
    let mut rig = Rig::new();
    for (axis, to, want) in
        [("z", 7, 7), ("Z", 8, 8), ("1", 9, 9), (" z ", 31, 31), ("z", 32, 31), ("z", -4, 0)]
    {
        assert!(is_applied(&rig.ask(go(axis, to))));
        assert_eq!(rig.state().index.value[Z], want, "{axis} {to}");
    }
    for huge in [i64::MAX, i64::MIN] {
        rig.ask(go("x", huge));
        assert_eq!(rig.state().index.value[X], if huge > 0 { 4095 } else { 0 });
        rig.ask(step("y", huge));
        assert!((0..2048).contains(&rig.state().index.value[Y]));
    }
    for axis in ["q", "", "4", "-1", "c"] {
        let why = rig.unchanged_by(|r| r.refused(go(axis, 1)));
        assert!(why.message.contains("t, z, y, x"), "{why}");
    }
}

#[test]
fn margins_are_checked() {
    let mut rig = Rig::new();
    assert!(is_applied(&rig.ask(margins("z", [0.5, 2.5]))));
    assert_eq!(rig.state().index.margins[Z], [0.5, 2.5]);
    for bad in [[-1.0, 0.0], [0.0, f64::NAN], [f64::INFINITY, 0.0]] {
        let why = rig.unchanged_by(|r| r.refused(margins("z", bad)));
        assert_eq!(why.code, RejectCode::Invalid);
        let whole = Index { value: vec![0; 4], margins: vec![bad; 4] };
        let why = rig.unchanged_by(|r| r.refused(Change::WholeIndex(whole.clone())));
        assert_eq!(why.code, RejectCode::Invalid);
    }
}

#[test]
fn order_must_hold_each_axis_once() {
    let mut rig = Rig::new();
    for bad in [vec![], vec![0, 1, 2], vec![0, 1, 2, 2], vec![0, 1, 2, 4], vec![3, 2, 1, 0, 0]] {
        let why = rig.unchanged_by(|r| r.refused(Change::Order(bad.clone())));
        assert_eq!(why.code, RejectCode::Invalid, "{bad:?}");
    }
    assert!(is_applied(&rig.ask(Change::Order(vec![0, 3, 1, 2]))));
    assert_eq!(rig.state().plane_axes(), [Z, Y]);
}

#[test]
fn level_is_clamped_and_locks() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    for (asked, got) in [(2, 2), (-5, 0), (99, 3), (i64::MAX, 3)] {
        let (ack, _) = rig.answer(session, Change::Level(asked));
        assert_eq!(value(&ack).0, Value::Int(got), "{asked}");
        assert_eq!(rig.state().lod.policy, LodPolicy::Locked);
    }
    let (ack, _) = rig.answer(session, Change::Policy(LodPolicy::Auto));
    assert_eq!(value(&ack).0, Value::Text("auto".into()));
    assert_eq!(rig.level(), 1, "the policy chooses again");
}

#[test]
fn camera_refuses_what_is_no_number() {
    let mut rig = Rig::new();
    let rect = |width, height| {
        set(CameraParts {
            rect: Some(Rect { left: 0.0, bottom: 0.0, width, height }),
            ..CameraParts::default()
        })
    };
    let parts = CameraParts::default;
    let bad = [
        zoom(0.0),
        zoom(-1.0),
        zoom(f64::NAN),
        zoom(f64::INFINITY),
        Change::Camera(CameraDelta::Zoom { factor: 1.1, anchor: [f64::NAN, 0.0] }),
        pan(f64::INFINITY, 0.0),
        Change::Camera(CameraDelta::Orbit { azimuth: 0.0, elevation: f64::NAN }),
        set(parts()),
        set(CameraParts { center: Some(vec![1.0]), ..parts() }),
        set(CameraParts { center: Some(vec![1.0; 4]), ..parts() }),
        set(CameraParts { center: Some(vec![1.0, f64::NAN]), ..parts() }),
        set_zoom(0.0),
        set_zoom(f64::NAN),
        rect(0.0, 1.0),
        rect(1.0, -1.0),
        rect(f64::INFINITY, 1.0),
        set(CameraParts { angles: Some([0.0, f64::NAN, 0.0]), ..parts() }),
        set(CameraParts { distance: Some(-1.0), ..parts() }),
        set(CameraParts { distance: Some(0.0), ..parts() }),
        set(CameraParts { distance: Some(f64::INFINITY), ..parts() }),
        set(CameraParts { center: Some(vec![1.0, 2.0, f64::NEG_INFINITY]), ..parts() }),
        set(CameraParts { angles: Some([f64::INFINITY, 0.0, 0.0]), ..parts() }),
        set(CameraParts { fov: Some(180.0), ..parts() }),
        set(CameraParts { fov: Some(-1.0), ..parts() }),
        set(CameraParts { fov: Some(1e-9), ..parts() }),
        set(CameraParts { fov: Some(f64::NAN), ..parts() }),
    ];
    for change in bad {
        let why = rig.unchanged_by(|r| r.refused(change.clone()));
        assert_eq!(why.code, RejectCode::Invalid, "{change:?}");
        assert_eq!(rig.requested(ViewId::MAIN).queue.0, [], "{change:?}");
    }
    assert_eq!(rig.metrics().faults, 0, "refused at the door, not by a transaction");
}

#[test]
fn layer_controls_are_written_clamped_or_refused() {
    use ControlChange as C;
    let taken: [(C, Value); 23] = [
        (C::Visible(false), Value::Bool(false)),
        (C::Opacity(0.5), Value::Float(0.5)),
        (C::Opacity(7.0), Value::Float(1.0)),
        (C::Opacity(-1.0), Value::Float(0.0)),
        (C::Blending(Blending::Minimum), Value::Text("minimum".into())),
        (C::Interpolation(Interpolation::Nearest), Value::Text("nearest".into())),
        (C::Colormap("Viridis".into()), Value::Text("viridis".into())),
        (C::Colormap("#FF8000".into()), Value::Text("#ff8000".into())),
        (C::Gamma(2.2), Value::Float(2.2)),
        (C::ContrastLimits([5.0, 9.0]), Value::Floats(vec![5.0, 9.0])),
        (C::ContrastLimits([9.0, 4.0]), Value::Floats(vec![4.0, 9.0])),
        (C::Depiction(Depiction::Plane), Value::Text("plane".into())),
        (C::Projection(Projection::Mean), Value::Text("mean".into())),
        (C::PlaneThickness(3.0), Value::Float(3.0)),
        (C::PlanePosition(Some([1.0, -2e9, 3.0])), Value::Floats(vec![1.0, -2e9, 3.0])),
        (C::PlanePosition(None), Value::Floats(Vec::new())),
        (C::PlaneNormal([0.0, -7.0, 0.0]), Value::Floats(vec![0.0, -7.0, 0.0])),
        (C::Rendering(Rendering::Iso), Value::Text("iso".into())),
        (C::Attenuation(-2.0), Value::Float(0.0)),
        (C::IsoThreshold(-12.5), Value::Float(-12.5)),
        (C::SampleStep(0.5), Value::Float(0.5)),
        (C::SampleStep(100.0), Value::Float(4.0)),
        (C::SampleStep(0.0), Value::Float(0.1)),
    ];
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let other = rig.state().layers[0].controls.clone();
    for (change, want) in taken {
        let (ack, _) = rig.answer(session, layer(1, change.clone()));
        assert_eq!(value(&ack).0, want, "{change:?}");
        assert_eq!(rig.state().layers[1].controls.value(change.key()), want, "{change:?}");
        assert_eq!(rig.state().layers[0].controls, other, "{change:?} wrote into another layer");
    }
    let nan = f64::NAN;
    let refused = [
        C::Opacity(nan),
        C::Colormap("nothing".into()),
        C::Colormap("#ff80".into()),
        C::Gamma(0.0),
        C::Gamma(-1.0),
        C::Gamma(f64::INFINITY),
        C::ContrastLimits([3.0, 3.0]),
        C::ContrastLimits([nan, 3.0]),
        C::ContrastLimits([0.0, f64::INFINITY]),
        C::PlaneThickness(0.0),
        C::PlaneThickness(f64::INFINITY),
        C::PlanePosition(Some([0.0, nan, 0.0])),
        C::PlanePosition(Some([0.0, 0.0, f64::INFINITY])),
        C::PlaneNormal([0.0; 3]),
        C::PlaneNormal([0.0, 1.0, nan]),
        C::Attenuation(nan),
        C::IsoThreshold(nan),
        C::SampleStep(nan),
    ];
    for change in refused {
        let why = rig.unchanged_by(|r| r.refused(layer(1, change.clone())));
        assert_eq!(why.code, RejectCode::Error, "{change:?}");
    }
    let why = rig.refused(layer(2, ControlChange::Visible(true)));
    assert_eq!(why.code, RejectCode::Invalid);
    assert!(why.message.contains("layer-2"), "{why}");
}

#[test]
fn every_control_has_its_own_place() {
    use ControlChange as C;
    let changes = [
        C::Visible(false),
        C::Opacity(0.125),
        C::Blending(Blending::Average),
        C::Interpolation(Interpolation::Nearest),
        C::Colormap("plasma".into()),
        C::Gamma(3.0),
        C::ContrastLimits([1.0, 2.0]),
        C::Depiction(Depiction::Plane),
        C::Projection(Projection::Sum),
        C::PlaneThickness(9.0),
        C::PlanePosition(Some([1.0, 2.0, 3.0])),
        C::PlaneNormal([0.0, 1.0, 0.5]),
        C::Rendering(Rendering::Average),
        C::Attenuation(0.9),
        C::IsoThreshold(77.0),
        C::SampleStep(2.0),
        C::Contour(3),
        C::SelectedLabel(70_000),
        C::ShowSelectedLabel(true),
    ];
    assert_eq!(changes.iter().map(C::key).collect::<Vec<_>>(), ControlKey::ALL);
    let before = Rig::showing(labelled()).state();
    for change in changes {
        let mut rig = Rig::showing(labelled());
        let of_labels = matches!(change, C::Contour(_) | C::SelectedLabel(_) | C::ShowSelectedLabel(_));
        let number = usize::from(of_labels);
        let before = &before.layers[number].controls;
        rig.ask(layer(number as u32, change.clone()));
        let after: Controls = rig.state().layers[number].controls.clone();
        let moved: Vec<_> =
            ControlKey::ALL.into_iter().filter(|k| before.value(*k) != after.value(*k)).collect();
        assert_eq!(moved, [change.key()]);
    }
}

#[test]
fn volume_writes_every_layer_or_none() {
    let mut rig = Rig::new();
    rig.ask(Change::Volume(ControlChange::Opacity(0.4)));
    assert!(rig.state().layers.iter().all(|l| l.controls.opacity == 0.4));
    rig.unchanged_by(|r| r.refused(Change::Volume(ControlChange::Gamma(-1.0))));
}

#[test]
fn limits_for_all_count_from_those_that_each_layer_was_opened_with() {
    let mut dataset = (*brain()).clone();
    dataset.layers[1].controls.contrast_limits = [-2.0, 2.0];
    let mut rig = Rig::showing(dataset.into());
    let session = rig.join(ALL_FEATURES);
    rig.ask(layer(0, ControlChange::ContrastLimits([7.0, 8.0])));
    let (ack, _) = rig.answer(session, Change::VolumeContrast([0.5, 1.5]));
    let limits = |rig: &mut Rig, n: usize| rig.state().layers[n].controls.contrast_limits;
    assert_eq!((limits(&mut rig, 0), limits(&mut rig, 1)), ([2050.0, 5950.0], [0.0, 4.0]));
    let applied = ack.outcome.unwrap();
    assert_eq!(applied.value, Value::Floats(vec![2050.0, 5950.0]), "the first layer's");
    assert_eq!(applied.of, Some((LayerId(0), ControlKey::ContrastLimits)));
    for bad in [[1.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0], [0.0, f64::MAX], [0.0, 1e-300]] {
        let why = rig.unchanged_by(|r| r.refused(Change::VolumeContrast(bad)));
        assert_eq!(why.code, RejectCode::Invalid, "{bad:?}");
    }
    assert!(Rig::empty().refused(Change::VolumeContrast([0.0, 1.0])).message.contains("no image"));
    // Labels have no limits to be given.
    let mut rig = Rig::showing(labelled());
    let before = limits(&mut rig, 1);
    rig.ask(Change::VolumeContrast([0.0, 0.5]));
    assert_eq!((limits(&mut rig, 0), limits(&mut rig, 1)), ([100.0, 2050.0], before));
}

#[test]
fn an_answer_names_the_control_that_it_is_about() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let mut of = |change| rig.answer(session, change).0.outcome.unwrap().of;
    assert_eq!(of(layer(1, ControlChange::Gamma(2.0))), Some((LayerId(1), ControlKey::Gamma)));
    let opacity = Change::Volume(ControlChange::Opacity(0.5));
    assert_eq!(of(opacity), Some((LayerId(0), ControlKey::Opacity)));
    assert_eq!(of(go("z", 3)), None);
}

#[test]
fn a_canvas_is_fitted_to_what_encoders_take() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    for (asked, got) in
        [((641, 481), [640.0, 480.0]), ((0, 3), [16.0, 16.0]), ((u32::MAX, 9000), [3840.0, 2160.0])]
    {
        let (ack, _) = rig.answer(session, canvas(asked.0, asked.1));
        assert_eq!(value(&ack).0, Value::Floats(got.to_vec()), "{asked:?}");
        let now = rig.state().canvas;
        assert_eq!([f64::from(now.width), f64::from(now.height)], got);
    }
}

#[test]
fn a_snapshot_of_something_else_is_refused() {
    let mut rig = Rig::new();
    let good = Snapshot::of(ViewId::MAIN, &rig.applied_of(ViewId::MAIN).unwrap());
    rig.ask(go("z", 2));
    let spoil: [(fn(&mut Snapshot), &str); 7] = [
        (|s| s.version = 2, "version"),
        (|s| s.dataset = "elsewhere".into(), "elsewhere"),
        (|s| s.axes.labels[0] = "w".into(), "axes"),
        (|s| s.axes.order = vec![0, 0, 1, 2], "axes"),
        (|s| s.lod.level = 9, "level 9"),
        (|s| s.camera.plane.zoom = 0.0, "pose"),
        (|s| s.view.ndisplay = 1, "ndisplay"),
    ];
    for (spoil, word) in spoil {
        let mut bad = good.clone();
        spoil(&mut bad);
        let before = rig.requested(ViewId::MAIN);
        let why = rig.unchanged_by(|r| r.refused(Change::Restore(Box::new(bad))));
        assert!(why.message.contains(word), "{word}: {why}");
        assert_eq!(rig.requested(ViewId::MAIN), before, "{word}");
    }
    assert!(is_applied(&rig.ask(Change::Restore(Box::new(good)))));
}

#[test]
fn another_image_replaces_every_block() {
    let mut rig = Rig::new();
    let (first, other) = (rig.state(), brain());
    rig.ask_all([go("t", 3), zoom(0.1), Change::Level(0), layer(0, ControlChange::Opacity(0.1))]);
    assert!(is_applied(&rig.ask(Change::Dataset(other.clone()))));
    let now = rig.state();
    assert_eq!(*now.dataset, *other);
    assert!(rig.world().resource::<Scene>().dataset.as_ref().is_some_and(|d| **d == *other));
    let like_the_first =
        lucida_components::applied::ViewState { dataset: first.dataset.clone(), ..(*now).clone() };
    assert_eq!(like_the_first, *first);
    assert_eq!(now.layer(LayerId(1)).unwrap().layer.channel, 1);
}
