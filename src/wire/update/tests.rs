//! One table per scope: what was sent → the change, or the refusal.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use lucida_components::{fault::RejectCode, labels::drawn_id, session::Features};

const CANVAS: Canvas = Canvas { width: 640, height: 480 };

fn sent(scope: &str, target: &str, key: &str, value: Value) -> Result<Change, Refused> {
    said(Dialect::House, scope, target, key, value)
}

fn said(dialect: Dialect, scope: &str, target: &str, key: &str, value: Value) -> Result<Change, Refused> {
    let payload = json!({ "scope": scope, "target": target, "key": key, "value": value });
    let conventions = Conventions::new(dialect, Features::ALL);
    conventions.note_canvas(CANVAS);
    parse(payload.as_object().unwrap(), &conventions)
}

fn check(scope: &str, target: &str, key: &str, value: Value, expect: &str) {
    check_in(Dialect::House, scope, target, key, value, expect);
}

fn check_in(dialect: Dialect, scope: &str, target: &str, key: &str, value: Value, expect: &str) {
    let got = match said(dialect, scope, target, key, value.clone()) {
        Ok(change) => format!("{change:?}"),
        Err(refused) => {
            assert!(!refused.why.message.is_empty());
            assert!(refused.details.is_some());
            match refused.why.code {
                RejectCode::Invalid => "invalid".into(),
                RejectCode::Unsupported => "unsupported".into(),
                RejectCode::Error => "error".into(),
                RejectCode::Forbidden => "forbidden".into(),
            }
        }
    };
    assert_eq!(got, expect, "{scope} {target} {key} {value}");
}

#[test]
fn view() {
    for (value, expect) in [
        (json!(2), "Ndisplay(2)"),
        (json!(3), "Ndisplay(3)"),
        (json!(99), "Ndisplay(3)"),
        (json!(-1), "Ndisplay(2)"),
        (json!(3.7), "Ndisplay(3)"),
        (json!(" 3 "), "Ndisplay(3)"),
        (json!(null), "Ndisplay(2)"),
        (json!("three"), "invalid"),
        (json!([3]), "invalid"),
    ] {
        check("view", "main", "ndisplay", value, expect);
    }
    check("View ", "anything", " NDISPLAY", json!(2), "Ndisplay(2)");
    check("view", "main", "order", json!([0, 1]), "invalid");
}

#[test]
fn dims() {
    let index = |grid: &str, value: i64| format!("Index {{ axis: \"z\", value: {value}, grid: {grid} }}");
    check("dims", " z ", "index", json!(5), &index("Level", 5));
    check("dims", "z", "scene_index", json!(-5), &index("Scene", -5));
    check("dims", "z", "index", json!(u64::MAX), &index("Level", i64::MAX));
    check("dims", "0", "step", json!(-2), "Step { axis: \"0\", delta: -2 }");
    check("dims", "", "step", json!(1), "invalid");
    for bad in [json!(1.5), json!(1.0), json!("1"), json!(true), json!(null), json!([1])] {
        check("dims", "z", "index", bad.clone(), "invalid");
        check("dims", "z", "step", bad, "invalid");
    }
    check("dims", "z", "margins", json!([1, 2.5]), "Margins { axis: \"z\", margins: [1.0, 2.5] }");
    for bad in [json!([-1, 0]), json!([1]), json!([1, 2, 3]), json!(["a", 1]), json!(1)] {
        check("dims", "z", "margins", bad, "invalid");
    }
    check("dims", "main", "order", json!([2, 0, 1]), "Order([2, 0, 1])");
    check("dims", "z", "order", json!([2, 0, 1]), "invalid");
    for bad in [json!([]), json!([-1]), json!([0.5]), json!("012"), json!(vec![0; 65])] {
        check("dims", "main", "order", bad, "invalid");
    }
    check("dims", "z", "range", json!(1), "invalid");
}

#[test]
fn camera_rows_count_from_the_bottom_on_the_wire_and_from_the_top_inside() {
    check(
        "camera",
        "main",
        "zoom",
        json!({"factor": 1.1, "anchor_px": [100, 80]}),
        "Camera(Zoom { factor: 1.1, anchor: [100.0, 400.0] })",
    );
    check("camera", "", "pan", json!({"dx_px": 3, "dy_px": -4}), "Camera(Pan { dx: 3.0, dy: -4.0 })");
    check(
        "camera",
        "",
        "orbit",
        json!({"d_az_deg": 1, "d_el_deg": 2}),
        "Camera(Orbit { azimuth: 1.0, elevation: 2.0 })",
    );
    for (reason, told) in [
        (json!(null), "state.update"),
        (json!("because"), "because"),
        (json!({"reason": " user "}), "user"),
        (json!({"reason": 7}), "state.update"),
        (json!({}), "state.update"),
        (json!(""), "state.update"),
        (json!(7), "state.update"),
        (json!("x".repeat(1000)), &"x".repeat(64)),
    ] {
        check("camera", "main", "reset", reason, &format!("Reset({told:?})"));
    }
    for (key, bad) in [
        ("zoom", json!({"factor": 0, "anchor_px": [1, 2]})),
        ("zoom", json!({"factor": -1, "anchor_px": [1, 2]})),
        ("zoom", json!({"factor": "2", "anchor_px": [1, 2]})),
        ("zoom", json!({"factor": 2})),
        ("zoom", json!({"factor": 2, "anchor_px": [1]})),
        ("zoom", json!(2)),
        ("pan", json!({"dx_px": 1})),
        ("pan", json!([1, 2])),
        ("orbit", json!({"d_az_deg": null, "d_el_deg": 1})),
        ("fly", json!({})),
    ] {
        check("camera", "main", key, bad, "invalid");
    }
    check("camera", "other", "reset", json!(null), "invalid");
}

#[test]
fn camera_set() {
    let parts = |value: Value| match sent("camera", "main", "set", value) {
        Ok(Change::Camera(lucida_components::camera::CameraDelta::Set(parts))) => parts,
        other => panic!("{other:?}"),
    };
    assert_eq!(parts(json!({"center": [1, 2]})).center, Some(vec![1.0, 2.0]));
    assert_eq!(parts(json!({"center": [1, 2, 3, 4]})).center, Some(vec![1.0, 2.0, 3.0]));
    let all = parts(json!({"zoom": 2, "rect": [0, 1, 2, 3], "angles": [1, 2, 3], "distance": 5, "fov": 0}));
    assert_eq!(
        (all.zoom, all.angles, all.distance, all.fov),
        (Some(2.0), Some([1.0, 2.0, 3.0]), Some(5.0), Some(0.0))
    );
    assert_eq!(all.rect.unwrap().bottom, 1.0);
    for bad in [
        json!({}),
        json!({"center": null}),
        json!({"center": [1]}),
        json!({"center": ["a", 2]}),
        json!({"zoom": 0}),
        json!({"rect": [0, 0, 0, 1]}),
        json!({"rect": [0, 0, 1]}),
        json!({"angles": [1, 2]}),
        json!({"distance": -1}),
        json!({"fov": "wide"}),
        json!("home"),
    ] {
        check("camera", "main", "set", bad, "invalid");
    }
}

#[test]
fn clip() {
    let range = |told: &str| format!("Clip(ClipParts {{ ranges: [(\"z\", {told})], planes: None }})");
    check("clip", "z", "range", json!([10, 50.5]), &range("Some([10.0, 50.5])"));
    check("Clip", " z ", "Range", json!([-2, -1]), &range("Some([-2.0, -1.0])"));
    check("clip", "z", "range", json!(null), &range("None"));
    check("clip", "", "range", json!([1, 2]), "invalid");
    for bad in [
        json!([2, 1]),
        json!([1, 1]),
        json!([1]),
        json!([]),
        json!([1, 2, 3]),
        json!(["1", 2]),
        json!([null, 2]),
        json!({"from": 1, "to": 2}),
        json!("1:2"),
        json!(false),
    ] {
        check("clip", "z", "range", bad, "invalid");
    }

    let plane = json!({"position": [1, 2, 3], "normal": [0, 0, -1]});
    let told = "ClipPlane { position: [1.0, 2.0, 3.0], normal: [0.0, 0.0, -1.0] }";
    let planes = |told: &str| format!("Clip(ClipParts {{ ranges: [], planes: Some([{told}]) }})");
    check("clip", "main", "planes", json!([plane]), &planes(told));
    let six = [told; 6].join(", ");
    check("clip", "", "planes", json!(vec![plane.clone(); 6]), &planes(&six));
    check("clip", "main", "planes", json!([]), &planes(""));
    check("clip", "main", "planes", json!(null), &planes(""));
    check("clip", "z", "planes", json!([]), "invalid");
    for bad in [
        json!(vec![plane.clone(); 7]),
        plane,
        json!([{"position": [1, 2, 3]}]),
        json!([{"normal": [1, 2, 3]}]),
        json!([{"position": [1, 2], "normal": [0, 0, 1]}]),
        json!([{"position": [1, 2, 3], "normal": [0, 0, 0]}]),
        json!([{"position": [1, 2, 3], "normal": [0, "up", 0]}]),
        json!([[1, 2, 3, 0, 0, 1]]),
        json!([null]),
        json!("none"),
    ] {
        check("clip", "main", "planes", bad, "invalid");
    }
    check("clip", "main", "box", json!(null), "invalid");
}

#[test]
fn layer_controls() {
    for (key, value, expect) in [
        ("visible", json!(false), "Visible(false)"),
        ("visible", json!(1), "Visible(true)"),
        ("visible", json!(" Off "), "Visible(false)"),
        ("opacity", json!(7), "Opacity(1.0)"),
        ("opacity", json!(-7), "Opacity(0.0)"),
        ("blending", json!("Additive"), "Blending(Additive)"),
        ("blending", json!("multiplicative"), "Blending(Multiplicative)"),
        ("interpolation", json!("nearest"), "Interpolation(Nearest)"),
        ("interpolation", json!("Cubic"), "Interpolation(Cubic)"),
        ("colormap", json!("bop BLUE_r"), "Colormap(\"bop blue_r\")"),
        ("colormap", json!("Labels"), "Colormap(\"labels\")"),
        ("contour", json!(2), "Contour(2)"),
        ("contour", json!(u64::MAX), "Contour(4294967295)"),
        ("selected_label", json!(4_294_967_295_u64), "SelectedLabel(4294967295)"),
        // What does not fit 32 bits is hashed as the image's own values are.
        ("selected_label", json!(-1), &format!("SelectedLabel({})", drawn_id(-1))),
        ("selected_label", json!(u64::MAX), &format!("SelectedLabel({})", drawn_id(u64::MAX.into()))),
        ("show_selected_label", json!("on"), "ShowSelectedLabel(true)"),
        ("colormap", json!(" VIRIDIS"), "Colormap(\"viridis\")"),
        ("colormap", json!("#FF8000"), "Colormap(\"#ff8000\")"),
        ("gamma", json!(0.5), "Gamma(0.5)"),
        ("contrast_limits", json!([5, 1]), "ContrastLimits([1.0, 5.0])"),
        ("contrast_limits", json!({"lo": 1, "hi": 5}), "ContrastLimits([1.0, 5.0])"),
        ("depiction", json!("plane"), "Depiction(Plane)"),
        ("projection", json!("max"), "Projection(Maximum)"),
        ("plane_thickness", json!(3), "PlaneThickness(3.0)"),
        ("plane_position", json!([1, -2, 3.5]), "PlanePosition(Some([1.0, -2.0, 3.5]))"),
        ("plane_position", json!([]), "PlanePosition(None)"),
        ("plane_position", json!(null), "PlanePosition(None)"),
        ("plane_normal", json!([0, 0, -2]), "PlaneNormal([0.0, 0.0, -2.0])"),
        ("rendering", json!("mip"), "Rendering(Mip)"),
        ("rendering", json!(" Attenuated_MIP"), "Rendering(AttenuatedMip)"),
        ("rendering", json!("average"), "Rendering(Average)"),
        ("rendering", json!("translucent"), "Rendering(Translucent)"),
        ("rendering", json!("additive"), "Rendering(Additive)"),
        ("rendering", json!("iso"), "Rendering(Iso)"),
        ("depiction", json!("Volume"), "Depiction(Volume)"),
        ("rendering", json!("minip"), "Rendering(MinIp)"),
        ("attenuation", json!(-1), "Attenuation(0.0)"),
        ("iso_threshold", json!(-3), "IsoThreshold(-3.0)"),
        ("sample_step", json!(100), "SampleStep(4.0)"),
        ("sample_step", json!(0), "SampleStep(0.1)"),
    ] {
        check("layer", "layer-3", key, value, &format!("Layer {{ layer: LayerId(3), control: {expect} }}"));
    }
    check("layer", "", "visible", json!(true), "Layer { layer: LayerId(0), control: Visible(true) }");
    for (value, percentiles) in [
        (json!([1, 99.8]), "[1.0, 99.8]"),
        (json!({}), "[0.5, 99.5]"),
        (json!(null), "[0.5, 99.5]"),
        (json!(true), "[0.5, 99.5]"),
        // What percentiles can be is the reducer's to know.
        (json!([90, 10]), "[90.0, 10.0]"),
    ] {
        let expect = format!("AutoContrast {{ layer: LayerId(3), percentiles: {percentiles} }}");
        check("layer", "layer-3", "auto_contrast", value, &expect);
    }
    for (key, bad) in [
        ("visible", json!("maybe")),
        ("visible", json!(null)),
        ("opacity", json!("half")),
        ("blending", json!("screen")),
        ("interpolation", json!("lanczos")),
        ("contour", json!(-1)),
        ("contour", json!(1.5)),
        ("selected_label", json!("3")),
        ("selected_label", json!(2.5)),
        ("show_selected_label", json!("perhaps")),
        ("auto_contrast", json!([1])),
        ("auto_contrast", json!(["a", "b"])),
        ("auto_contrast", json!({"lo": 1})),
        ("colormap", json!("no such")),
        ("colormap", json!("")),
        ("gamma", json!(0)),
        ("contrast_limits", json!([1])),
        ("contrast_limits", json!([2, 2])),
        ("contrast_limits", json!({"lo": 1})),
        ("rendering", json!("raytraced")),
        ("depiction", json!("slab")),
        ("depiction", json!(null)),
        ("attenuation", json!("strong")),
        ("attenuation", json!(null)),
        ("iso_threshold", json!([1])),
        ("iso_threshold", json!(null)),
        ("plane_thickness", json!(0)),
        ("plane_thickness", json!(-1)),
        ("plane_thickness", json!("thin")),
        ("plane_position", json!([1, 2])),
        ("plane_position", json!([1, 2, "z"])),
        ("plane_position", json!("middle")),
        ("plane_position", json!({})),
        ("plane_position", json!(0)),
        ("plane_normal", json!([0, 0, 0])),
        ("plane_normal", json!([0, 1])),
        ("plane_normal", json!([])),
        ("plane_normal", json!(null)),
        ("plane_normal", json!("z")),
        ("sample_step", json!([])),
    ] {
        check("layer", "layer-0", key, bad, "error");
    }
    check("layer", "layer-0", "foo", json!(1), "invalid");
    for target in ["layer-", "layer-x", "image", "layer--1", "layer-99999999999"] {
        check("layer", target, "visible", json!(true), "invalid");
    }
}

#[test]
fn volume_multiscale_and_stream() {
    check("volume", "main", "render_mode", json!("ISO"), "Volume(Rendering(Iso))");
    check("volume", "main", "render_mode", json!("average"), "invalid");
    check("volume", "main", "opacity", json!(2), "Volume(Opacity(1.0))");
    check("volume", "main", "gamma", json!(2), "invalid");
    check("volume", "layer-0", "opacity", json!(1), "invalid");
    check("multiscale", "main", "level", json!(2), "Level(2)");
    check("multiscale", "main", "level", json!("2"), "Level(2)");
    check("multiscale", "main", "level", json!(2.5), "invalid");
    check("multiscale", "main", "policy", json!("Locked"), "Policy(Locked)");
    check("multiscale", "main", "policy", json!("auto"), "Policy(Auto)");
    check("multiscale", "main", "policy", json!("oversampling"), "unsupported");
    check("multiscale", "main", "policy", json!(1), "invalid");
    let canvas = |w: u32, h: u32| format!("Canvas(Canvas {{ width: {w}, height: {h} }})");
    check("stream", "main", "canvas", json!([1281, 721]), &canvas(1280, 720));
    check("stream", "main", "canvas", json!([1e300, -5]), &canvas(3840, 16));
    check("stream", "main", "canvas", json!([1280]), "invalid");
    check("stream", "main", "fps", json!(60), "invalid");
    check("nonsense", "", "key", json!(1), "invalid");
}

#[test]
fn napari_has_words_for_the_older_servers_keys_and_no_others() {
    let napari = |scope: &str, target: &str, key: &str, value: Value, expect: &str| {
        check_in(Dialect::Napari, scope, target, key, value, expect);
    };
    napari("view", "whatever", "ndisplay", json!(null), "Ndisplay(2)");
    napari("view", "main", "ndisplay", json!("three"), "invalid");
    napari("dims", "Z", "index", json!(3), "Index { axis: \"Z\", value: 3, grid: Level }");
    napari("dims", "0", "step", json!(-3), "Step { axis: \"0\", delta: -3 }");
    napari("dims", "z", "step", json!(1.0), "invalid");
    napari("camera", "", "pan", json!({"dx_px": 3, "dy_px": -4}), "Camera(Pan { dx: 3.0, dy: -4.0 })");
    napari("camera", "main", "reset", json!("home"), "Reset(\"home\")");
    napari("camera", "view-1", "reset", json!("home"), "invalid");
    napari("camera", "main", "set", json!({}), "invalid");
    let depiction = "Layer { layer: LayerId(0), control: Depiction(Plane) }";
    napari("layer", "", "depiction", json!("plane"), depiction);
    napari("layer", "layer-0", "opacity", json!("half"), "error");
    napari("layer", "layer-0", "foo", json!(1), "invalid");
    napari("volume", "main", "render_mode", json!("Translucent"), "Volume(Rendering(Translucent))");
    napari("volume", "main", "render_mode", json!("minip"), "invalid");
    napari("volume", "main", "colormap", json!(""), "invalid");
    napari("volume", "main", "sample_step", json!(9), "Volume(SampleStep(4.0))");
    napari("multiscale", "main", "level", json!("1"), "Level(1)");
    napari("multiscale", "main", "level", json!([]), "invalid");
    for policy in [json!("auto"), json!("locked"), json!("oversampling"), json!(null)] {
        napari("multiscale", "main", "policy", policy, "unsupported");
    }
    for (scope, target, key, value) in [
        ("dims", "z", "scene_index", json!(1)),
        ("dims", "z", "margins", json!([1, 1])),
        ("dims", "main", "order", json!([0, 1, 2])),
        ("clip", "z", "range", json!([1, 2])),
        ("clip", "main", "planes", json!([])),
        ("layer", "layer-0", "projection", json!("sum")),
        ("layer", "layer-0", "auto_contrast", json!({})),
        ("layer", "layer-0", "contour", json!(1)),
        ("layer", "layer-0", "sample_step", json!(1)),
        ("stream", "main", "canvas", json!([640, 480])),
        ("view", "main", "order", json!([0, 1, 2])),
        ("nonsense", "main", "key", json!(1)),
    ] {
        napari(scope, target, key, value, "invalid");
    }
}

#[test]
fn a_payload_without_its_keys_is_refused() {
    for missing in ["scope", "target", "key", "value"] {
        let mut payload = json!({"scope": "view", "target": "main", "key": "ndisplay", "value": 2});
        payload.as_object_mut().unwrap().remove(missing);
        let house = Conventions::new(Dialect::House, Features::ALL);
        let refused = parse(payload.as_object().unwrap(), &house).unwrap_err();
        assert!(refused.why.message.contains(missing), "{refused:?}");
    }
}

#[test]
fn a_refusal_says_what_was_asked_for_in_few_words() {
    let refused = sent("layer", &"x".repeat(4000), "FOO", json!(1)).unwrap_err();
    let details = refused.details.unwrap();
    assert_eq!((&details["scope"], &details["key"]), (&json!("layer"), &json!("foo")));
    assert!(details["target"].as_str().unwrap().len() < 80);
    assert!(refused.why.message.len() < 200);
}
