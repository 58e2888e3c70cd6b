//! What hands do at the client's window: sliders, wheel, pan, zoom, orbit, 2D and 3D, levels.

use crate::{
    image::{SCALE, SHAPE},
    rules::{self, numbers},
    serve::Server,
    state::State,
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn sliders_step_and_clamp_and_everybody_is_told() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut other = State::connect(&server).await;
    assert_eq!(client.talk.dims["step"][0], json!(3));
    let first = client.ask("dims", "z", "index", json!(1)).await;
    assert_eq!((&first["applied_value"], &first["status"]), (&json!(1), &json!("accepted")));
    client.believes("the slider at 1", |t| t.dims["current_step"][0] == 1).await;
    other.believes("the other's slider at 1", |t| t.dims["current_step"][0] == 1).await;
    // The answer to a step is where it led.
    let step = client.ask("dims", "z", "step", json!(2)).await;
    assert_eq!(step["applied_value"], json!(3));
    assert!(step["version"].as_u64() > first["version"].as_u64(), "{step} after {first}");
    // Axes by label in any case, by number as text; scope and key trimmed, in any case.
    for (scope, target, key, value, at) in [
        ("dims", "Z", "index", json!(0), 0),
        ("dims", "0", "index", json!(5), 5),
        ("dims", " z ", "step", json!(-1), 4),
        (" DIMS ", "z", " Index", json!(2), 2),
        ("dims", "z", "index", json!(99), 5),
        ("dims", "z", "step", json!(-99), 0),
        ("dims", "z", "index", json!(-5), 0),
    ] {
        assert_eq!(client.does(scope, target, key, value.clone()).await, json!(at), "{target} {key} {value}");
    }
    // An equal value counts as no change of the property.
    let same = client.ask("dims", "z", "index", json!(0)).await;
    let again = client.ask("dims", "z", "index", json!(0)).await;
    assert_eq!(same["version"], again["version"]);
    for (target, key, value, code) in [
        ("z", "index", json!("1"), "state.invalid"),
        ("z", "index", json!(1.5), "state.invalid"),
        ("z", "step", json!(null), "state.invalid"),
        ("z", "step", json!([1]), "state.invalid"),
        ("q", "step", json!(1), "state.error"),
        ("7", "index", json!(1), "state.error"),
        ("z", "order", json!([0]), "state.invalid"),
    ] {
        assert_eq!(
            client.is_refused("dims", target, key, value.clone()).await,
            code,
            "{target} {key} {value}"
        );
    }
    client.rest().await;
    other.rest().await;
    assert_eq!(client.talk.believes(), other.talk.believes());
    assert_eq!(client.talk.dims["step"][0], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_steps_at_once_are_all_answered_in_order_and_end_where_they_should() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    client.does("dims", "z", "index", json!(0)).await;
    for n in 0..200 {
        client.update("dims", "z", "step", json!(if n % 3 == 2 { -1 } else { 1 })).await;
    }
    // The conversation itself wants each answer in its turn.
    client.believes("200 answers", rules::conversation::Conversation::is_answered).await;
    client.rest().await;
    // Two up and one down, against the end: up at the last.
    assert_eq!(client.talk.dims["step"][0], json!(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_all_kinds_are_answered_in_the_order_of_asking() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    for n in 0..60 {
        client.update("camera", "main", "pan", json!({"dx_px": 1, "dy_px": 0})).await;
        client.update("layer", "layer-1", "gamma", json!(0.5 + f64::from(n) / 100.0)).await;
        client.update("dims", "z", "index", json!(n % 6)).await;
        client.update("view", "main", "ndisplay", json!("two")).await;
        client.update("multiscale", "main", "level", json!(0)).await;
    }
    client.believes("300 answers", rules::conversation::Conversation::is_answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_count_at_the_level_that_is_shown() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    client.does("dims", "z", "index", json!(4)).await;
    assert_eq!(client.does("multiscale", "main", "level", json!(1)).await, json!(1));
    client.believes("level 1", |t| t.dims["current_level"] == 1).await;
    // Half as many planes: 4 of 0..=5 is 2 of 0..=2, in proportion.
    assert_eq!(client.talk.dims["step"][0], json!(2));
    assert_eq!(client.does("dims", "z", "index", json!(99)).await, json!(2));
    assert_eq!(client.does("dims", "z", "step", json!(-1)).await, json!(1));
    client.believes("step 1", |t| t.dims["step"][0] == 1).await;
    for (value, level) in [(json!("0"), 0), (json!(9), 1), (json!(-3), 0)] {
        assert_eq!(client.does("multiscale", "main", "level", value.clone()).await, json!(level), "{value}");
    }
    client.believes("level 0", |t| t.dims["current_level"] == 0).await;
    for value in [json!("fine"), json!(1.5), json!(null), json!({})] {
        assert_eq!(client.is_refused("multiscale", "main", "level", value).await, "state.invalid");
    }
    assert_eq!(client.is_refused("multiscale", "main", "policy", json!("auto")).await, "state.unsupported");
    for (scope, key) in
        [("multiscale", "depth"), ("view", "order"), ("stream", "canvas"), ("clip", "range"), ("", "")]
    {
        assert_eq!(client.is_refused(scope, "main", key, json!(1)).await, "state.invalid", "{scope}:{key}");
    }
}

/// The pose that comes behind the echo of an intent.
async fn pose_after(client: &mut State, intent: &str) -> Value {
    let echo = client.until("echo", |f| f["type"] == "notify.camera" && f["intent_id"] == intent).await;
    assert_ne!(echo["payload"]["mode"], "pose");
    client.until("pose", |f| f["type"] == "notify.camera" && f["payload"]["mode"] == "pose").await["payload"]
        ["state"]
        .clone()
}

async fn moved(client: &mut State, key: &str, value: Value) -> Value {
    let intent = client.update("camera", "main", key, value).await;
    pose_after(client, &intent).await
}

fn rect(pose: &Value) -> [f64; 4] {
    numbers(&pose["rect"], "rect", 4).unwrap().try_into().unwrap()
}

#[track_caller]
fn near(got: [f64; 4], want: [f64; 4]) {
    assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6), "{got:?}, not {want:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plane_is_panned_and_zoomed_with_y_upward() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    moved(&mut client, "pan", json!({"dx_px": 3, "dy_px": 5})).await;
    let home = rect(&moved(&mut client, "reset", json!({})).await);
    let (width, height) = (SHAPE[2] as f64 * SCALE[2], SHAPE[1] as f64 * SCALE[1]);
    near(home, [-0.25, -0.25, width, height]);
    // 320 × 180 pixels show 80 × 45 units: a quarter of a unit for each.
    let unit = 0.25;
    // The content follows the pointer: right and down, so that the window goes left and, y being upward, up.
    let value = client.does("camera", "main", "pan", json!({"dx_px": 40, "dy_px": 20})).await;
    assert_eq!(value, json!({"dx_px": 40.0, "dy_px": 20.0}));
    let panned = rect(&client.until("pose", |f| f["payload"]["mode"] == "pose").await["payload"]["state"]);
    near(panned, [-0.25 - 40.0 * unit, -0.25 + 20.0 * unit, width, height]);
    moved(&mut client, "reset", json!({"reason": "test"})).await;
    // Above 1 is out; what is under the anchor stays, and its second number counts from the bottom.
    let anchor = [80.0, 45.0];
    let zoomed = rect(&moved(&mut client, "zoom", json!({"factor": 0.5, "anchor_px": anchor})).await);
    let fixed = [-0.25 + 80.0 * unit, -0.25 + 45.0 * unit];
    near(zoomed, [fixed[0] - 20.0 * 0.5, fixed[1] - 11.25 * 0.5, width / 2.0, height / 2.0]);
    let out = rect(&moved(&mut client, "zoom", json!({"factor": 2.0, "anchor_px": anchor})).await);
    near(out, home);
    // Set, in the same world.
    let set = moved(&mut client, "set", json!({"rect": [10.0, 5.0, 16.0, 9.0]})).await;
    near(rect(&set), [10.0, 5.0, 16.0, 9.0]);
    let value = client.does("camera", "", "set", json!({"center": [30.0, 12.5]})).await;
    assert_eq!(value, json!({"center": [30.0, 12.5]}));
    let pose = client.until("pose", |f| f["payload"]["mode"] == "pose").await["payload"]["state"].clone();
    near(rect(&pose), [22.0, 8.0, 16.0, 9.0]);
    let zoom = numbers(&json!([pose["zoom"]]), "zoom", 1).unwrap()[0];
    assert!((zoom - 20.0).abs() < 1e-9, "screen pixels per unit: {zoom}");
    // What is told goes back in and changes nothing.
    let told = rect(&pose);
    client.does("camera", "main", "set", json!({"center": pose["center"], "zoom": pose["zoom"]})).await;
    client.rest().await;
    assert_eq!(rect(&client.talk.pose), told);
    for (target, key, value) in [
        ("other", "pan", json!({"dx_px": 1, "dy_px": 1})),
        ("main", "pan", json!({"dx_px": 1})),
        ("main", "pan", json!({"dx_px": "1", "dy_px": 1})),
        ("main", "zoom", json!({"factor": 0, "anchor_px": [1, 1]})),
        ("main", "zoom", json!({"factor": -1, "anchor_px": [1, 1]})),
        ("main", "zoom", json!({"factor": 2, "anchor_px": [1]})),
        ("main", "zoom", json!({"factor": 2})),
        ("main", "zoom", json!(2)),
        ("main", "orbit", json!({"d_az_deg": 1})),
        ("main", "set", json!({})),
        ("main", "set", json!({"center": [1]})),
        ("main", "set", json!([1])),
        ("main", "tilt", json!({})),
    ] {
        let code = client.is_refused("camera", target, key, value.clone()).await;
        assert_eq!(code, "state.invalid", "{target} {key} {value}");
    }
    // Whatever a reset says, it is one.
    for (value, reason) in [
        (json!("home"), "home"),
        (json!({"reason": "key"}), "key"),
        (json!(7), "state.update"),
        (json!(null), "state.update"),
    ] {
        assert_eq!(client.does("camera", "main", "reset", value).await, json!({"reason": reason}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dimensions_three_dimensions_and_back() {
    let Some(server) = Server::small() else { return };
    let mut client = State::connect(&server).await;
    let mut other = State::connect(&server).await;
    client.does("dims", "z", "index", json!(2)).await;
    let plane = rect(&moved(&mut client, "set", json!({"rect": [10.0, 5.0, 16.0, 9.0]})).await);
    assert_eq!(client.does("view", "main", "ndisplay", json!(3)).await, json!(3));
    client.believes("a volume", |t| t.dims["mode"] == "volume" && t.pose.get("angles").is_some()).await;
    other.believes("a volume for the other", |t| t.dims["mode"] == "volume").await;
    let before = numbers(&client.talk.pose["angles"], "angles", 3).unwrap();
    assert_eq!(before, [30.0, 30.0, 0.0], "the older server's first pose");
    assert_eq!(client.talk.pose["fov"], json!(60.0));
    // The hand orbits.
    let value = client.does("camera", "main", "orbit", json!({"d_az_deg": 10, "d_el_deg": -5})).await;
    assert_eq!(value, json!({"d_az_deg": 10.0, "d_el_deg": -5.0}));
    client
        .believes("turned by that", |t| {
            numbers(&t.pose["angles"], "angles", 3)
                .is_ok_and(|a| a == [before[0] + 10.0, before[1] - 5.0, 0.0])
        })
        .await;
    let far = client.talk.pose["distance"].as_f64().unwrap();
    let pose = moved(&mut client, "zoom", json!({"factor": 2.0, "anchor_px": [0.0, 0.0]})).await;
    assert!((pose["distance"].as_f64().unwrap() - 2.0 * far).abs() < 1e-9 * far);
    let pose =
        moved(&mut client, "set", json!({"angles": [-20.0, 15.0, 5.0], "center": [1.0, 2.0, 3.0]})).await;
    assert_eq!(pose["angles"], json!([-20.0, 15.0, 5.0]));
    assert_eq!(pose["center"], json!([1.0, 2.0, 3.0]));
    // Home keeps the angles.
    let pose = moved(&mut client, "reset", json!({})).await;
    assert_eq!(pose["angles"], json!([-20.0, 15.0, 5.0]));
    // Anything from 3 up is 3; anything else 2; null is 2.
    for (value, ndisplay) in
        [(json!(4), 3), (json!("3"), 3), (json!(3.0), 3), (json!(1), 2), (json!(3), 3), (json!(null), 2)]
    {
        assert_eq!(client.does("view", "main", "ndisplay", value.clone()).await, json!(ndisplay), "{value}");
    }
    client.believes("the plane again", |t| t.dims["mode"] == "plane" && t.pose.get("rect").is_some()).await;
    assert_eq!(rect(&client.talk.pose), plane, "the plane's pose was kept");
    assert_eq!(client.talk.dims["step"][0], json!(2));
    for value in [json!("three"), json!({}), json!([3])] {
        assert_eq!(client.is_refused("view", "main", "ndisplay", value).await, "state.invalid");
    }
    client.rest().await;
    other.rest().await;
    assert_eq!(client.talk.believes(), other.talk.believes());
    assert_eq!(client.talk.pose, other.talk.pose);
    let late = State::connect(&server).await;
    assert_eq!(late.talk.believes()["dims"], client.talk.believes()["dims"]);
}
