//! Conversions, there and back.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{colormaps, rows::Rows, span::Span, *};
use crate::wire::{conventions::Told, fixture};
use lucida_components::{
    camera::{CameraDelta, CameraParts, Rect},
    colormap,
    controls::{Blending, ControlChange, ControlKey, Controls},
    fault::RejectCode,
    ids::LayerId,
    intent::Change,
    layer::LayerKind,
    stream::Canvas,
    value::Value,
};
use proptest::prelude::*;
use std::sync::Arc;

const LAYER: LayerId = LayerId(1);

fn told(ndisplay: u8) -> Told {
    let mut state = fixture::state();
    state.view.ndisplay = ndisplay;
    Told { canvas: state.canvas, state: Some(Arc::new(state)) }
}

fn set(parts: CameraParts, ndisplay: u8) -> Result<CameraParts, RejectCode> {
    match understood(Change::Camera(CameraDelta::Set(parts)), &told(ndisplay)) {
        Ok(Change::Camera(CameraDelta::Set(parts))) => Ok(parts),
        Ok(other) => panic!("{other:?}"),
        Err(why) => Err(why.code),
    }
}

fn control(control: ControlChange) -> Result<ControlChange, RejectCode> {
    match understood(Change::Layer { layer: LAYER, control }, &told(2)) {
        Ok(Change::Layer { layer: LAYER, control }) => Ok(control),
        Ok(other) => panic!("{other:?}"),
        Err(why) => Err(why.code),
    }
}

#[test]
fn the_plane_is_turned_over_and_covers_the_same_interval() {
    // Rows of the fixture lie from −0.5 to 2047.5.
    let mut ours = fixture::state();
    ours.camera.plane.center = [100.0, 0.0];
    let theirs = state(&ours);
    assert_eq!(theirs.camera.plane.center, [100.0, 2047.0]);
    assert_eq!(theirs.camera.volume, ours.camera.volume, "a volume is the same in both");
    // The lower edge is the side of the larger y of ours.
    let (our, their) = (ours.rect(), theirs.rect());
    assert_eq!([their.bottom, their.height], [2047.0 - our.bottom - our.height, our.height]);
    // All of the image, as the older client would ask for it.
    let whole = Rect { left: -0.5, bottom: -0.5, width: 2048.0, height: 2048.0 };
    let parts = CameraParts { rect: Some(whole), ..CameraParts::default() };
    assert_eq!(set(parts, 2).unwrap().rect, Some(whole));
}

#[test]
fn poses_that_are_set_belong_to_the_mode_that_is_shown_or_to_the_volume_where_they_turn() {
    let center = |c: &[f64]| CameraParts { center: Some(c.to_vec()), ..CameraParts::default() };
    assert_eq!(set(center(&[3.0, 2000.0]), 2).unwrap().center, Some(vec![3.0, 47.0]));
    assert_eq!(set(center(&[3.0, 2000.0, 9.0]), 2).unwrap().center, Some(vec![3.0, 47.0]), "a plane has two");
    assert_eq!(set(center(&[3.0, 4.0, 5.0]), 3).unwrap().center, Some(vec![3.0, 4.0, 5.0]));
    assert_eq!(set(center(&[3.0, 4.0]), 3), Err(RejectCode::Invalid));
    let turned = CameraParts { angles: Some([1.0, 2.0, 3.0]), ..center(&[3.0, 4.0, 5.0]) };
    assert_eq!(set(turned.clone(), 2).unwrap(), turned);
    let turned = CameraParts { angles: Some([1.0, 2.0, 3.0]), ..center(&[3.0, 4.0]) };
    assert_eq!(set(turned, 2), Err(RejectCode::Invalid));
    // The rectangle and the zoom are the plane's.
    let plane = CameraParts { zoom: Some(2.0), ..CameraParts::default() };
    assert_eq!(set(plane.clone(), 3), Err(RejectCode::Invalid));
    let both = CameraParts { angles: Some([1.0, 2.0, 3.0]), ..plane };
    assert_eq!(set(both.clone(), 2).unwrap(), CameraParts { zoom: None, ..both });
    let rect = Rect { left: 1.0, bottom: 7.0, width: 20.0, height: 40.0 };
    let parts = CameraParts { rect: Some(rect), zoom: Some(2.0), ..CameraParts::default() };
    let understood = set(parts, 2).unwrap();
    assert_eq!((understood.rect.unwrap().bottom, understood.zoom), (2000.0, Some(2.0)));
}

#[test]
fn what_a_camera_was_set_to_is_told_as_it_was_asked_for() {
    let state = fixture::state();
    assert_eq!(camera_value("center", &[3.0, 47.0], &state), Some(vec![3.0, 2000.0]));
    assert_eq!(camera_value("center", &[3.0, 47.0, 5.0], &state), None, "a volume's");
    assert_eq!(camera_value("rect", &[1.0, 2000.0, 20.0, 40.0], &state), Some(vec![1.0, 7.0, 20.0, 40.0]));
    assert_eq!(camera_value("angles", &[1.0, 2.0, 3.0], &state), None);
}

#[test]
fn zero_and_one_are_the_limits_that_a_layer_was_opened_with() {
    // The fixture's layers were opened with 10 to 500.
    let mut ours = fixture::state();
    let mut layers = ours.layers.to_vec();
    layers[1].controls.contrast_limits = [255.0, 745.0];
    layers[1].controls.iso_threshold = 59.0;
    ours.layers = layers.into();
    let theirs = state(&ours);
    assert_eq!(theirs.layers[0].controls.contrast_limits, [0.0, 1.0]);
    assert_eq!(theirs.layers[1].controls.contrast_limits, [0.5, 1.5]);
    assert_eq!(theirs.layers[1].controls.iso_threshold, 0.1);
    let limits = |l: [f64; 2]| control(ControlChange::ContrastLimits(l));
    assert_eq!(limits([0.5, 1.5]), Ok(ControlChange::ContrastLimits([255.0, 745.0])));
    assert_eq!(limits([0.0, 1e308]), Err(RejectCode::Error), "no number holds it");
    assert_eq!(limits([0.0, 1e-18]), Err(RejectCode::Error), "raw numbers cannot tell them apart");
    assert_eq!(control(ControlChange::IsoThreshold(0.1)), Ok(ControlChange::IsoThreshold(59.0)));
    assert_eq!(control(ControlChange::IsoThreshold(1e308)), Err(RejectCode::Error));
    assert_eq!(control(ControlChange::Gamma(2.0)), Ok(ControlChange::Gamma(2.0)));
    let volume = understood(Change::Volume(ControlChange::ContrastLimits([0.0, 0.5])), &told(3));
    assert!(matches!(volume, Ok(Change::VolumeContrast([0.0, 0.5]))), "each layer counts from its own");
    let acked = |key, value: Value| control_value(&value, LAYER, key, &ours);
    assert_eq!(
        acked(ControlKey::ContrastLimits, Value::Floats(vec![255.0, 745.0])),
        Value::Floats(vec![0.5, 1.5])
    );
    assert_eq!(acked(ControlKey::IsoThreshold, Value::Float(59.0)), Value::Float(0.1));
    assert_eq!(acked(ControlKey::Gamma, Value::Float(59.0)), Value::Float(59.0));
}

#[test]
fn nothing_is_converted_where_nothing_is_open_or_no_such_layer_is_there() {
    let limits = || ControlChange::ContrastLimits([0.0, 0.5]);
    let idle = Told { canvas: Canvas::default(), state: None };
    let change = understood(Change::Layer { layer: LAYER, control: limits() }, &idle);
    assert!(matches!(change, Ok(Change::Layer { control, .. }) if control == limits()));
    let change = understood(Change::Layer { layer: LayerId(9), control: limits() }, &told(2));
    assert!(matches!(change, Ok(Change::Layer { control, .. }) if control == limits()));
}

#[test]
fn colormaps_have_naparis_names() {
    for (ours, theirs) in [
        ("viridis", "viridis"),
        ("bop purple", "bop purple"),
        ("gray_r", "gray_r"),
        ("grey", "gray"),
        ("#ffffff", "gray"),
        ("#404040", "gray"),
        ("#000000", "gray"),
        ("#ff0000", "red"),
        ("#800000", "red"),
        ("#00ff00", "green"),
        ("#0000ff", "blue"),
        ("#00ffff", "cyan"),
        ("#ff00ff", "magenta"),
        ("#ffff00", "yellow"),
        ("#f2e60a", "yellow"),
        ("cividis", "viridis"),
        ("bone", "gray"),
        ("Greys", "gray_r"),
        ("nonsense", "gray"),
    ] {
        assert_eq!(colormaps::name(ours), theirs, "{ours}");
    }
    for ours in colormap::names() {
        let theirs = colormaps::name(ours);
        assert_eq!(colormaps::name(theirs), theirs, "{ours}");
        assert!(colormap::lookup(theirs).is_some(), "{theirs}");
    }
}

#[test]
fn what_napari_has_no_words_for_is_not_acknowledged_in_others() {
    let mut state = fixture::state();
    let acked = |state: &_, key, text: &str| control_value(&Value::Text(text.into()), LAYER, key, state);
    assert_eq!(acked(&state, ControlKey::Colormap, "#800000"), Value::Text("red".into()));
    for blending in [Blending::Maximum, Blending::Average] {
        assert_eq!(acked(&state, ControlKey::Blending, blending.as_str()), Value::None);
    }
    assert_eq!(acked(&state, ControlKey::Blending, "minimum"), Value::Text("minimum".into()));
    let mut layers = state.layers.to_vec();
    (layers[1].layer.kind, layers[1].controls) = (LayerKind::Labels, Controls::labels());
    state.layers = layers.into();
    assert_eq!(acked(&state, ControlKey::Colormap, "labels"), Value::None);
}

/// A number of a few decimals, as people and sliders make them.
fn decimal(most: i64, decimals: i32) -> impl Strategy<Value = f64> {
    (-most..=most).prop_map(move |n| n as f64 / 10f64.powi(decimals))
}

proptest! {
    #[test]
    fn a_value_comes_back_as_it_was_sent(
        value in decimal(50_000_000_000, 10), lo in -1e5..1e5f64, span in 10.0..1e6f64,
    ) {
        let layer = Span::between(lo, lo + span);
        // Ten decimals are told as long as the limits are at most ten thousand spans away.
        prop_assert_eq!(layer.normal(layer.raw(value)), value);
    }

    #[test]
    fn a_raw_value_comes_back_within_the_rounding(raw in -1e9..1e9f64, lo in -1e9..1e9f64, span in 1e-3..1e9f64) {
        let layer = Span::between(lo, lo + span);
        let back = layer.raw(layer.normal(raw));
        let reach = raw.abs().max(lo.abs()).max(span);
        // Half of the last decimal that is told, of a span; or a few last bits of the largest number.
        let value = ((raw - lo) / span).abs().max(1.0);
        prop_assert!((back - raw).abs() <= 1e-12 * span * value + 1e-13 * reach, "{raw} {back}");
        prop_assert_eq!(layer.normal(back), layer.normal(raw), "what was told is told again");
    }

    #[test]
    fn a_place_comes_back_as_it_was_sent(y in decimal(10_000_000, 3), from in decimal(1_000_000, 2), size in 1.0..1e5f64) {
        let rows = Rows::between([from, from + size]);
        prop_assert_eq!(rows.upward(rows.downward(y)), y);
    }

    #[test]
    fn a_place_of_the_ledger_comes_back_within_the_rounding(
        y in -1e6..1e6f64, from in -1e6..1e6f64, size in 1e-6..1e6f64, unit in -9..9i32,
    ) {
        let unit = 10f64.powi(unit);
        let rows = Rows::between([from * unit, (from + size) * unit]);
        let back = rows.downward(rows.upward(y * unit));
        prop_assert!((back - y * unit).abs() <= 1e-11 * 4e6 * unit, "{y} {back}");
    }

    #[test]
    fn numbers_that_are_no_places_stay_what_they_are(y in any::<f64>(), from in any::<f64>(), to in any::<f64>()) {
        let rows = Rows::between([from, to]);
        prop_assert_eq!(rows.upward(y).is_nan(), y.is_nan());
        prop_assert!(!y.is_finite() || Span::between(from, to).normal(y).is_finite());
    }
}
