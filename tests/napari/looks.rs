//! Layers and the volume's controls: values in, notices out, normalised contrast, and the pictures they make.

use crate::{image::LIMITS, pixels::Pixels, serve::Server, state::State};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn controls_are_taken_in_all_their_forms_and_told_to_everybody() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut other = State::connect(&server).await;
    for (key, value, applied) in [
        ("opacity", json!(0.7), json!(0.7)),
        ("opacity", json!(7), json!(1.0)),
        ("opacity", json!(-1), json!(0.0)),
        ("visible", json!(false), json!(false)),
        ("visible", json!("yes"), json!(true)),
        ("visible", json!("off"), json!(false)),
        ("visible", json!(1), json!(true)),
        ("blending", json!("opaque"), json!("opaque")),
        ("blending", json!("translucent"), json!("translucent")),
        ("blending", json!("minimum"), json!("minimum")),
        ("blending", json!("additive"), json!("additive")),
        ("interpolation", json!("nearest"), json!("nearest")),
        ("interpolation", json!("linear"), json!("linear")),
        ("gamma", json!(0.5), json!(0.5)),
        ("contrast_limits", json!([0.25, 0.5]), json!([0.25, 0.5])),
        ("contrast_limits", json!([0.9, 0.1]), json!([0.1, 0.9])),
        ("contrast_limits", json!({"lo": 0.2, "hi": 1.4}), json!([0.2, 1.4])),
        ("colormap", json!("Viridis"), json!("viridis")),
        ("colormap", json!("magenta"), json!("magenta")),
        ("rendering", json!("iso"), json!("iso")),
        ("rendering", json!("attenuated_mip"), json!("attenuated_mip")),
        ("rendering", json!("average"), json!("average")),
        ("attenuation", json!(-1), json!(0.0)),
        ("attenuation", json!(0.25), json!(0.25)),
    ] {
        assert_eq!(client.does("layer", "layer-0", key, value.clone()).await, applied, "{key} {value}");
        let told = |t: &crate::rules::conversation::Conversation| t.controls(0)[key] == applied;
        client.believes(&format!("{key} {applied}"), told).await;
        other.believes(&format!("the other: {key} {applied}"), told).await;
    }
    // Depiction is taken, and never told: the client asserts on it. So are what napari has no words for.
    assert_eq!(client.does("layer", "layer-0", "depiction", json!("plane")).await, json!("plane"));
    assert_eq!(client.does("layer", "layer-0", "depiction", json!("volume")).await, json!("volume"));
    client.does("layer", "layer-0", "blending", json!("maximum")).await;
    client.does("layer", "layer-0", "blending", json!("average")).await;
    client.does("layer", "layer-0", "blending", json!("additive")).await;
    // No target means the first layer.
    client.does("layer", "", "opacity", json!(0.4)).await;
    client.believes("the first layer's opacity", |t| t.controls(0)["opacity"] == 0.4).await;
    for (target, key, value, code) in [
        ("layer-0", "foo", json!(1), "state.invalid"),
        ("layer-0", "opacity", json!("much"), "state.error"),
        ("layer-0", "gamma", json!(0), "state.error"),
        ("layer-0", "gamma", json!(-1), "state.error"),
        ("layer-0", "blending", json!("glow"), "state.error"),
        ("layer-0", "colormap", json!("mud"), "state.error"),
        ("layer-0", "contrast_limits", json!([1]), "state.error"),
        ("layer-0", "contrast_limits", json!("auto"), "state.error"),
        ("layer-0", "visible", json!("maybe"), "state.error"),
        ("layer-0", "rendering", json!("best"), "state.error"),
        ("layer-0", "interpolation", json!("sharp"), "state.error"),
        ("layer-0", "depiction", json!("cube"), "state.error"),
    ] {
        assert_eq!(
            client.is_refused("layer", target, key, value.clone()).await,
            code,
            "{target} {key} {value}"
        );
    }
    // The older server did not look whether there is such a layer; this one does.
    client.is_refused("layer", "layer-9", "opacity", json!(0.5)).await;
    client.rest().await;
    other.rest().await;
    assert_eq!(client.talk.believes(), other.talk.believes());
    let late = State::connect(&server).await;
    assert_eq!(late.talk.believes()["layers"], client.talk.believes()["layers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_volume_scope_reaches_every_layer() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    client.does("view", "main", "ndisplay", json!(3)).await;
    for (key, value, applied) in [
        ("render_mode", json!("MIP"), json!("mip")),
        ("render_mode", json!("translucent"), json!("translucent")),
        ("render_mode", json!("iso"), json!("iso")),
        ("contrast_limits", json!([0.75, 0.25]), json!([0.25, 0.75])),
        ("colormap", json!("gray"), json!("gray")),
        ("opacity", json!(3), json!(1.0)),
        ("opacity", json!(0.5), json!(0.5)),
        ("sample_step", json!(0.01), json!(0.1)),
        ("sample_step", json!(99), json!(4.0)),
    ] {
        assert_eq!(client.does("volume", "main", key, value.clone()).await, applied, "{key} {value}");
    }
    for layer in [0, 1] {
        client
            .believes("both layers", |t| {
                let controls = t.controls(layer);
                controls["opacity"] == 0.5
                    && controls["contrast_limits"] == json!([0.25, 0.75])
                    && controls["colormap"] == "gray"
                    && controls["rendering"] == "iso"
            })
            .await;
    }
    for (key, value) in [
        ("render_mode", json!("minip")),
        ("render_mode", json!(1)),
        ("contrast_limits", json!([1])),
        ("colormap", json!("")),
        ("opacity", json!("x")),
        ("sample_step", json!(null)),
        ("fog", json!(1)),
    ] {
        let code = client.is_refused("volume", "main", key, value.clone()).await;
        if ["render_mode", "fog"].contains(&key) {
            assert_eq!(code, "state.invalid", "{key} {value}");
        }
    }
}

/// Waits for a picture at rest that is like a still.
async fn shows(server: &Server, pixels: &mut Pixels, arguments: &[&str]) {
    let shown = pixels.rest().await;
    let still = server.still("first.ome.zarr", shown.size(), arguments);
    let likeness = shown.likeness(&still);
    assert!(likeness > 28.0, "{arguments:?}: {likeness:.1} dB");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_follow_and_contrast_is_that_of_the_file_normalised() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    shows(&server, &mut pixels, &["--index", "z=3"]).await;
    client.does("dims", "z", "index", json!(5)).await;
    shows(&server, &mut pixels, &["--index", "z=5"]).await;
    // A quarter to a half of what the file declares.
    client.does("layer", "layer-0", "contrast_limits", json!([0.25, 0.5])).await;
    let raw = format!("0:contrast_limits={},{}", LIMITS[0] * 0.25, LIMITS[0] * 0.5);
    shows(&server, &mut pixels, &["--index", "z=5", "--layer", &raw]).await;
    client.does("layer", "layer-1", "colormap", json!("magenta")).await;
    client.does("layer", "layer-1", "opacity", json!(0.5)).await;
    let layers = format!("{raw};1:colormap=magenta;1:opacity=0.5");
    let mut arguments = vec!["--index", "z=5"];
    layers.split(';').for_each(|layer| arguments.extend(["--layer", layer]));
    shows(&server, &mut pixels, &arguments).await;
    client.does("layer", "layer-0", "visible", json!(false)).await;
    arguments.extend(["--layer", "0:visible=false"]);
    shows(&server, &mut pixels, &arguments).await;
    // A rectangle of the world with y upward is the one below it with y downward: [-0.25, 44.75] mirrored.
    client.does("layer", "layer-0", "visible", json!(true)).await;
    client.does("camera", "main", "set", json!({"rect": [8.0, 29.5, 16.0, 9.0]})).await;
    arguments.truncate(arguments.len() - 2);
    arguments.extend(["--rect", "8,6,16,9"]);
    shows(&server, &mut pixels, &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_is_shown_bottom_up_too() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut pixels = Pixels::open(&server).await;
    client.does("view", "main", "ndisplay", json!(3)).await;
    client.does("camera", "main", "set", json!({"angles": [20.0, 40.0, 0.0]})).await;
    client.rest().await;
    let pose: Value = client.talk.pose.clone();
    let shown = pixels.rest().await;
    let numbers = |key: &str| {
        pose[key].as_array().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let (center, distance) = (numbers("center"), pose["distance"].to_string());
    let still = server.still(
        "first.ome.zarr",
        shown.size(),
        &["--ndisplay", "3", "--angles", "20,40,0", "--center", &center, "--distance", &distance],
    );
    let likeness = shown.likeness(&still);
    assert!(likeness > 28.0, "{likeness:.1} dB; {pose}");
}
