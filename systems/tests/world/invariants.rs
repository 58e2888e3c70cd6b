//! What commit refuses to apply, whatever led to it.

use super::rig::{Rig, X, Y, hollow, labelled};
use lucida_components::{
    applied::ViewState,
    controls::{Controls, Interpolation, Projection},
    fault::FaultReason,
    lod::Lod,
    view::View,
};
use lucida_systems::txn::commit::check;
use std::sync::Arc;

fn violated(break_it: impl FnOnce(&mut ViewState)) -> FaultReason {
    let mut state = (*Rig::new().state()).clone();
    assert_eq!(check(&state), Ok(()), "sound before it is broken");
    break_it(&mut state);
    check(&state).unwrap_err()
}

fn with_control(break_it: impl FnOnce(&mut Controls)) -> FaultReason {
    violated(|s| {
        let mut layers = s.layers.to_vec();
        break_it(&mut layers[1].controls);
        s.layers = layers.into();
    })
}

fn control_is_named(reason: FaultReason, word: &str) {
    let FaultReason::ControlInvalid { layer: 1, what } = reason else { panic!("{reason:?}") };
    assert!(what.contains(word), "{what}");
}

#[test]
fn there_are_axes_enough_to_display() {
    let reason = violated(|s| {
        s.view = View { ndisplay: 3 };
        s.axes.labels.truncate(2);
        s.axes.order = vec![0, 1];
    });
    assert_eq!(reason, FaultReason::TooFewAxes { axes: 2, ndisplay: 3 });
}

#[test]
fn order_is_a_permutation() {
    for order in [vec![0, 1, 2], vec![0, 1, 2, 2], vec![0, 1, 2, 4], vec![0, 1, 2, 3, 3]] {
        assert_eq!(violated(|s| s.axes.order = order.clone()), FaultReason::OrderNotPermutation(order));
    }
}

#[test]
fn index_has_an_entry_per_axis() {
    assert_eq!(violated(|s| s.index.value.push(0)), FaultReason::IndexLength { got: 5, want: 4 });
    assert!(matches!(violated(|s| s.index.margins.truncate(3)), FaultReason::IndexLength { .. }));
}

#[test]
fn index_lies_in_the_scene_grid() {
    let reason = violated(|s| s.index.value[Y] = 2048);
    assert_eq!(reason, FaultReason::IndexOutside { axis: Y, value: 2048, extent: 2048 });
    let reason = violated(|s| s.index.value[X] = -1);
    assert_eq!(reason, FaultReason::IndexOutside { axis: X, value: -1, extent: 4096 });
}

#[test]
fn the_level_exists() {
    let reason = violated(|s| s.lod = Lod { level: 4, ..s.lod });
    assert_eq!(reason, FaultReason::NoSuchLevel { level: 4, levels: 4 });
    assert_eq!(
        violated(|s| s.dataset = hollow()),
        FaultReason::IndexOutside { axis: 1, value: 16, extent: 1 }
    );
    let no_image = violated(|s| {
        s.dataset = hollow();
        s.index.value.fill(0);
    });
    assert_eq!(no_image, FaultReason::NoDataset);
}

#[test]
fn poses_are_finite_and_the_rectangle_is_real() {
    let breaks: [fn(&mut ViewState); 12] = [
        |s| s.camera.plane.center[0] = f64::NAN,
        |s| s.camera.plane.zoom = 0.0,
        |s| s.camera.plane.zoom = f64::INFINITY,
        // Valid as a pose, but it shows an infinite rectangle.
        |s| s.camera.plane.zoom = 1e-320,
        |s| s.camera.volume.distance = 0.0,
        |s| s.camera.volume.angles[2] = f64::INFINITY,
        |s| s.camera.volume.distance = 1e200,
        |s| s.camera.volume.center[2] = 1e200,
        |s| s.camera.volume.center[2] = f64::NAN,
        |s| s.camera.volume.fov = 0.01,
        |s| s.camera.volume.fov = 180.0,
        |s| s.canvas.width = 0,
    ];
    for (number, break_it) in breaks.into_iter().enumerate() {
        assert_eq!(violated(break_it), FaultReason::PoseInvalid, "number {number}");
    }
}

#[test]
fn controls_can_be_drawn() {
    for limits in [[1.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0], [0.0, f64::INFINITY]] {
        control_is_named(with_control(|c| c.contrast_limits = limits), "contrast");
    }
    for opacity in [-0.1, 1.1, f64::NAN] {
        control_is_named(with_control(|c| c.opacity = opacity), "opacity");
    }
    for gamma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        control_is_named(with_control(|c| c.gamma = gamma), "gamma");
    }
    for thickness in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        control_is_named(with_control(|c| c.plane_thickness = thickness), "plane_thickness");
    }
    for normal in [[0.0; 3], [f64::NAN, 1.0, 0.0], [f64::INFINITY, 0.0, 0.0]] {
        control_is_named(with_control(|c| c.plane_normal = normal), "plane_normal");
    }
    control_is_named(with_control(|c| c.plane_position = Some([0.0, f64::NAN, 0.0])), "plane_position");
    for attenuation in [-0.1, f64::NAN, f64::INFINITY] {
        control_is_named(with_control(|c| c.attenuation = attenuation), "attenuation");
    }
    for threshold in [f64::NAN, f64::NEG_INFINITY] {
        control_is_named(with_control(|c| c.iso_threshold = threshold), "iso_threshold");
    }
    for step in [0.0, 0.05, 4.1, f64::NAN] {
        control_is_named(with_control(|c| c.sample_step = step), "sample_step");
    }
    control_is_named(with_control(|c| c.colormap = "rainbow of sorts".into()), "colormap");
    control_is_named(with_control(|c| c.colormap = "labels".into()), "colormap");
    let of_labels: [(fn(&mut Controls), &str); 3] = [
        (|c| c.colormap = "gray".into(), "colormap"),
        (|c| c.interpolation = Interpolation::Linear, "nearest"),
        (|c| c.projection = Projection::Mean, "projection"),
    ];
    for (break_it, word) in of_labels {
        let mut state = (*Rig::showing(labelled()).state()).clone();
        assert_eq!(check(&state), Ok(()));
        let mut layers = state.layers.to_vec();
        break_it(&mut layers[1].controls);
        state.layers = layers.into();
        match check(&state) {
            Err(FaultReason::ControlInvalid { layer: 1, what }) => assert!(what.contains(word), "{what}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_state_out_of_the_transaction_keeps_them() {
    let state: Arc<ViewState> = Rig::new().state();
    assert_eq!(check(&state), Ok(()));
}
