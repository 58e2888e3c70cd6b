//! Payloads against the protocol's examples and key sets.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{scene::Beside, *};
use crate::wire::{conventions::Dialect, fixture};
use lucida_components::{
    applied::Applied,
    clip::{Clip, ClipPlane},
    controls::{Blending, ControlKey, Controls},
    dataset::LevelKind,
    ids::ViewId,
    layer::LayerKind,
    notice::Residency,
    session::Features,
    thumbnail::Thumbnails,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

const LUCIDA: Features = Features { view: true, frames: true, ..Features::BASE };
const STRICT: Features = Features::BASE;

fn facts() -> Facts {
    Facts { datasets: vec![("a".into(), "/data/a.zarr".into())], fps: 60.0, encoder: None }
}

fn told_scene(features: Features, encoder: Option<&str>) -> Value {
    let thumbnails = &Thumbnails::default();
    let dialect = Dialect::House;
    scene::payload(&fixture::state(), Beside { facts: &facts(), dialect, features, thumbnails, encoder })
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn dims_count_at_the_level_shown() {
    let mut state = fixture::state();
    state.index.value = vec![33, 100, 101];
    assert_eq!(
        dims::payload(&state),
        json!({
            "step": [33, 50, 50], "current_step": [33, 50, 50],
            "levels": [
                {"index": 0, "shape": [64, 2048, 2048], "downsample": [1.0, 1.0, 1.0], "path": "0"},
                {"index": 1, "shape": [64, 1024, 1024], "downsample": [1.0, 2.0, 2.0], "path": "1"}
            ],
            "level_shapes": [[64, 2048, 2048], [64, 1024, 1024]],
            "current_level": 1, "downgraded": false, "mode": "plane", "ndisplay": 2,
            "axis_labels": ["z", "y", "x"], "order": [0, 1, 2], "displayed": [1, 2]
        })
    );
    state.view.ndisplay = 3;
    let volume = dims::payload(&state);
    assert_eq!((&volume["mode"], &volume["displayed"]), (&json!("volume"), &json!([0, 1, 2])));
}

#[test]
fn a_pose_has_the_parts_of_its_mode() {
    let mut state = fixture::state();
    assert_eq!(
        camera::pose(&state),
        json!({
            "mode": "pose", "origin": "worker.state.camera",
            "state": {"center": [512.0, 512.0], "zoom": 2.0, "rect": [32.0, 242.0, 960.0, 540.0]}
        })
    );
    state.view.ndisplay = 3;
    assert_eq!(
        camera::pose(&state)["state"],
        json!({"center": [0.5, 0.5, 0.5], "angles": [30.0, 30.0, 0.0], "distance": 1.0, "fov": 60.0})
    );
}

#[test]
fn stream_has_exactly_the_keys_of_the_protocol() {
    assert_eq!(
        stream::payload(&fixture::stream(), 60.0),
        json!({
            "codec": "h264", "format": "avcc", "fps": 60.0, "frame_size": [1920, 1080], "nal_length_size": 4,
            "avcc": "AULAKP8=", "latency_policy": {"max_buffer_ms": 120.0, "grace_keyframe_ms": 2000.0}
        })
    );
}

#[test]
fn a_scene_for_a_strict_client() {
    let scene = told_scene(STRICT, None);
    assert_eq!(keys(&scene), ["layers", "metadata", "policies", "viewer"].into());
    assert_eq!(
        scene["metadata"],
        json!({"status": "ready", "source_path": "/data/a.zarr", "source_kind": "ome-zarr"})
    );
    assert_eq!(
        scene["viewer"]["settings"],
        json!({
            "fps_target": 60.0, "canvas_size": [1920, 1080], "volume_enabled": false
        })
    );
    assert_eq!(
        scene["viewer"]["camera"],
        json!({
            "ndisplay": 2, "center": [512.0, 512.0], "zoom": 2.0, "rect": [32.0, 242.0, 960.0, 540.0]
        })
    );
    assert_eq!(scene["viewer"]["dims"]["current_step"], json!([32, 0, 0]));
    assert_eq!(scene["policies"]["multiscale"]["active_level"], 1);
    assert_eq!(
        scene["layers"][1],
        json!({
            "layer_id": "layer-1", "layer_type": "image", "name": "GFP", "ndim": 3, "shape": [64, 1024, 1024],
            "axis_labels": ["z", "y", "x"], "volume": false,
            "controls": {
                "visible": true, "opacity": 1.0, "blending": "additive", "interpolation": "linear",
                "colormap": "gray", "gamma": 1.0, "contrast_limits": [10.0, 500.0], "rendering": "mip",
                "iso_threshold": 0.5, "attenuation": 0.05
            },
            "level_shapes": [[64, 2048, 2048], [64, 1024, 1024]], "metadata": {},
            "multiscale": {"current_level": 1, "levels": [
                {"shape": [64, 2048, 2048], "downsample": [1.0, 1.0, 1.0], "path": "0"},
                {"shape": [64, 1024, 1024], "downsample": [1.0, 2.0, 2.0], "path": "1"}
            ]},
            "contrast_limits": [10.0, 500.0], "scale": [1.0, 2.0, 2.0], "translate": [0.0, 0.5, 0.5],
            "source": {"kind": "ome-zarr"}
        })
    );
}

#[test]
fn a_scene_for_our_own_client_names_what_can_be_chosen() {
    let scene = told_scene(LUCIDA, Some("openh264"));
    let metadata = &scene["metadata"];
    assert_eq!(metadata["datasets"], json!([{"name": "a", "path": "/data/a.zarr"}]));
    assert_eq!(metadata["warnings"], json!(["no units"]));
    assert_eq!(metadata["encoder"], "openh264");
    assert!(metadata["colormaps"].as_array().unwrap().contains(&json!("viridis")));
    assert_eq!(told_scene(LUCIDA, None)["metadata"]["encoder"], Value::Null);
}

#[test]
fn an_image_without_an_axis_and_a_path_keeps_the_scenes_length() {
    let mut state = fixture::state();
    let mut dataset = fixture::dataset();
    dataset.images[0].dims.remove(1);
    for level in &mut dataset.images[0].levels {
        level.path.clear();
        level.shape.remove(1);
        level.scale.remove(1);
        level.translation.remove(1);
    }
    state.dataset = dataset.into();
    let dims = dims::payload(&state);
    assert_eq!(
        dims["levels"][1],
        json!({"index": 1, "shape": [1, 1024, 1024], "downsample": [1.0, 2.0, 2.0]})
    );
    assert_eq!(dims["step"], json!([0, 0, 0]));
}

#[test]
fn controls_hold_only_what_a_client_knows() {
    let state = fixture::state();
    let mut layer = state.layers[0].clone();
    let told = |changed: &[ControlKey], layer: &_, features| layers::controls(layer, changed, features);
    assert_eq!(
        told(&[ControlKey::Opacity, ControlKey::Depiction], &layer, STRICT),
        Some(json!({"layer_id": "layer-0", "controls": {"opacity": 1.0}}))
    );
    let ours =
        [ControlKey::Depiction, ControlKey::Projection, ControlKey::PlaneThickness, ControlKey::SampleStep];
    assert_eq!(told(&ours, &layer, LUCIDA), None, "they are in notify.view");
    for (blending, known) in [
        (Blending::Maximum, false),
        (Blending::Average, false),
        (Blending::Minimum, true),
        (Blending::Multiplicative, true),
    ] {
        layer.controls.blending = blending;
        assert_eq!(told(&[ControlKey::Blending], &layer, STRICT).is_some(), known, "{blending:?}");
        assert!(told(&[ControlKey::Blending], &layer, LUCIDA).is_some());
    }
    layer.controls.blending = Blending::Maximum;
    assert!(!layers::all_known(&layer.controls, STRICT).contains_key("blending"));
}

#[test]
fn a_strict_client_hears_nothing_of_labels_that_it_has_no_words_for() {
    let mut layer = fixture::state().layers[0].clone();
    (layer.layer.kind, layer.controls) = (LayerKind::Labels, Controls::labels());
    let keys =
        [ControlKey::Colormap, ControlKey::Contour, ControlKey::SelectedLabel, ControlKey::ShowSelectedLabel];
    assert_eq!(layers::controls(&layer, &keys, STRICT), None);
    assert_eq!(
        layers::controls(&layer, &keys, LUCIDA),
        Some(json!({"layer_id": "layer-0", "controls": {"colormap": "labels"}})),
        "the others are in notify.view"
    );
    assert!(!layers::all_known(&layer.controls, STRICT).contains_key("colormap"));
    assert_eq!(layers::every(&layer.controls)["contour"], json!(0));
}

#[test]
fn no_control_is_ever_null() {
    for value in layers::every(&Controls::default()).values() {
        assert!(!value.is_null());
    }
    assert_eq!(layers::every(&Controls::default()).len(), ControlKey::ALL.len());
}

#[test]
fn a_virtual_level_is_like_any_other_and_marked_for_sessions_that_know_of_it() {
    let mut state = fixture::state();
    let mut dataset = (*state.dataset).clone();
    let level = &mut dataset.images[0].levels[1];
    (level.kind, level.path) = (LevelKind::Virtual, String::new());
    state.dataset = Arc::new(dataset);
    let plain = json!({"index": 1, "shape": [64, 1024, 1024], "downsample": [1.0, 2.0, 2.0]});
    assert_eq!(dims::payload(&state)["levels"][1], plain);
    let told = view::payload(&Applied { revision: 1, state: Arc::new(state) }, ViewId(7));
    let mut marked = plain;
    marked["virtual"] = json!(true);
    assert_eq!(told["levels"][1], marked);
    assert_eq!(told["levels"][0].get("virtual"), None);
}

#[test]
fn view_tells_every_block_on_the_scene_grid() {
    let mut told = view::payload(&fixture::applied(12), ViewId::MAIN);
    assert_eq!(told["layers"].as_array().unwrap().len(), 2);
    assert_eq!(
        told["layers"][1].take(),
        json!({
            "id": "layer-1", "name": "GFP", "order": 1, "kind": "image", "channel": 1, "dtype": "uint16",
            "range": [0.0, 65535.0],
            "controls": {
                "visible": true, "opacity": 1.0, "blending": "additive", "interpolation": "linear",
                "colormap": "gray", "gamma": 1.0, "contrast_limits": [10.0, 500.0], "depiction": "volume",
                "projection": "none", "plane_thickness": 1.0, "plane_position": [],
                "plane_normal": [0.0, 0.0, 1.0], "rendering": "mip", "attenuation": 0.05,
                "iso_threshold": 0.5, "sample_step": 1.0, "contour": 0, "selected_label": 1,
                "show_selected_label": false
            }
        })
    );
    told["layers"].take();
    assert_eq!(
        told,
        json!({
            "revision": 12, "view": "main", "dataset": "a", "ndisplay": 2, "mode": "plane",
            "axes": [
                {"label": "z", "kind": "space", "unit": "micrometer", "size": 64, "scale": 1.0, "translation": 0.0},
                {"label": "y", "kind": "space", "unit": null, "size": 2048, "scale": 1.0, "translation": 0.0},
                {"label": "x", "kind": "space", "unit": null, "size": 2048, "scale": 1.0, "translation": 0.0}
            ],
            "order": [0, 1, 2], "displayed": [1, 2], "index": [32, 0, 0],
            "margins": [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]],
            "level": 1, "policy": "auto", "downgraded": false,
            "levels": [
                {"index": 0, "shape": [64, 2048, 2048], "downsample": [1.0, 1.0, 1.0], "path": "0"},
                {"index": 1, "shape": [64, 1024, 1024], "downsample": [1.0, 2.0, 2.0], "path": "1"}
            ],
            "camera": {
                "plane": {"center": [512.0, 512.0], "zoom": 2.0, "rect": [32.0, 242.0, 960.0, 540.0]},
                "volume": {"center": [0.5, 0.5, 0.5], "angles": [30.0, 30.0, 0.0], "distance": 1.0, "fov": 60.0}
            },
            "clip": {"ranges": [null, null, null], "planes": []},
            "canvas": [1920, 1080], "layers": null
        })
    );
}

#[test]
fn view_tells_what_is_cut_away_and_where_a_slab_lies() {
    let mut state = fixture::state();
    state.view.ndisplay = 3;
    state.clip = Clip {
        ranges: vec![Some([4.0, 60.5]), None, None],
        planes: vec![ClipPlane { position: [1.0, 2.0, 3.0], normal: [0.0, 0.0, -1.0] }],
    };
    let mut layers = state.layers.to_vec();
    layers[0].controls.plane_position = Some([8.0, 9.0, 10.0]);
    layers[0].controls.plane_normal = [1.0, 0.0, 1.0];
    state.layers = layers.into();
    let told = view::payload(&Applied { revision: 1, state: Arc::new(state) }, ViewId(7));
    assert_eq!((&told["ndisplay"], &told["mode"]), (&json!(3), &json!("volume")));
    assert_eq!(
        told["clip"],
        json!({
            "ranges": [[4.0, 60.5], null, null],
            "planes": [{"position": [1.0, 2.0, 3.0], "normal": [0.0, 0.0, -1.0]}]
        })
    );
    let controls = &told["layers"][0]["controls"];
    assert_eq!(controls["plane_position"], json!([8.0, 9.0, 10.0]));
    assert_eq!(controls["plane_normal"], json!([1.0, 0.0, 1.0]));
}

#[test]
fn residency_tells_its_counts() {
    let told = residency::payload(Residency {
        resident: 3,
        wanted: 6,
        missing: 1,
        withheld: 0,
        levels: None,
        waiting: true,
    });
    assert_eq!(told, json!({"resident": 3, "wanted": 6, "missing": 1, "withheld": 0, "waiting": true}));
    let volume = residency::payload(Residency { levels: Some([0, 4]), ..Residency::default() });
    assert_eq!(volume["levels"], json!([0, 4]), "finest and coarsest");
}
