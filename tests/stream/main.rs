//! The whole way: intent → ledger → picture → H.264 → socket → decoder, on real sockets, looking at what is
//! in the picture.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod damage;
#[expect(dead_code, reason = "shared with the scarcity tests")]
mod live;
mod seats;
mod volume;

use common::{array::ArrayImage, device, picture};
use live::{Live, Shown};
use lucida::data::procedural::{ProceduralSpec, procedural};
use lucida_components::{dtype::Dtype, intent::Change, stream::Canvas};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Planes of one grey each: plane z has the value 40 + 3 z.
fn stairs() -> ArrayImage {
    let value = |_: usize, at: &[u64]| 40.0 + 3.0 * at[0] as f64;
    ArrayImage::new("zyx", &[60, 64, 64], Dtype::U8, Arc::new(value))
}

fn is_grey(shown: &Shown, value: f64) -> bool {
    shown.middle().iter().all(|c| (c - value).abs() < 4.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_what_a_still_shows() {
    let Some(device) = device() else { return };
    let spec = || ProceduralSpec { shape: [1, 3, 8, 200, 300], noise: 0.0, ..ProceduralSpec::default() };
    let size = Canvas { width: 322, height: 180 };
    let still = picture(&device, procedural(spec()), vec![Change::Canvas(size)]);
    let live = Live::start(&device, procedural(spec()));
    let mut client = live.watcher().await;
    let ack = client.ask("stream", "main", "canvas", json!([322, 180])).await;
    assert_eq!(ack["applied_value"], json!([322.0, 180.0]));
    // The last picture of the rest is the one to compare: linear, complete.
    let mut last = client.picture_of(|p| p.width == 322).await;
    while let Some(next) = client.picture_within(Duration::from_millis(700)).await {
        last = next;
    }
    let mut squares = 0.0;
    for (got, want) in last.rgb.iter().zip(still.rgba.chunks_exact(4)) {
        squares += (0..3).map(|i| (got[i] - f64::from(want[i])).powi(2)).sum::<f64>();
    }
    let psnr = 10.0 * (255.0 * 255.0 / (squares / (last.rgb.len() * 3) as f64)).log10();
    assert!(psnr > 30.0, "PSNR {psnr:.1} dB");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_published_for_those_who_come_back() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.client().await;
    client.frame("notify.scene").await;
    let opened = live.cursors();
    assert_eq!(opened.layers.as_ref().map(|mark| mark.seq), Some(0));
    client.ask("layer", "layer-0", "opacity", json!(0.5)).await;
    // They are published when the turn that answered is over.
    let moved = || live.cursors().layers.is_some_and(|mark| mark.seq == 1);
    tokio::time::timeout(live::PATIENCE, async {
        while !moved() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("published");
    assert_eq!(live.cursors().scene, opened.scene);
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_answers_the_intent() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.watcher().await;
    let first = client.picture().await;
    assert!(first.keyframe && is_grey(&first, 40.0 + 3.0 * 30.0), "{:?}", first.middle());
    for z in [0, 59, 7] {
        let ack = client.ask("dims", "z", "scene_index", json!(z)).await;
        assert_eq!((&ack["status"], &ack["applied_value"]), (&json!("accepted"), &json!(z)));
        let id = ack["intent_id"].as_str().unwrap().to_owned();
        let shown = client.picture_of(|p| p.intents.contains(&id)).await;
        assert!(!shown.keyframe, "a step is no keyframe");
        assert!(is_grey(&shown, 40.0 + 3.0 * f64::from(z)), "z {z}: {:?}", shown.middle());
    }
    // Beyond the end: clamped, and told.
    let ack = client.ask("dims", "z", "step", json!(1000)).await;
    assert_eq!(ack["applied_value"], json!(59));
    let id = ack["intent_id"].as_str().unwrap().to_owned();
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 217.0), "{:?}", shown.middle());
    // Colour, contrast, eye.
    client.ask("layer", "layer-0", "colormap", json!("#00ff00")).await;
    let id = client.update("layer", "layer-0", "contrast_limits", json!([0, 434])).await;
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    let [r, g, b] = shown.middle();
    assert!(r < 12.0 && b < 12.0 && (g - 127.5).abs() < 8.0, "{:?}", shown.middle());
    let id = client.update("layer", "layer-0", "visible", json!(false)).await;
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 0.0), "{:?}", shown.middle());
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resized_stream_begins_with_a_keyframe_of_the_new_size() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    for (asked, got) in [([641, 363], (640, 362)), ([5, 4000], (16, 2160)), ([200, 100], (200, 100))] {
        let ack = client.ask("stream", "main", "canvas", json!(asked)).await;
        assert_eq!(ack["applied_value"], json!([f64::from(got.0), f64::from(got.1)]));
        let shown = client.picture_of(|p| (p.width, p.height) == got).await;
        assert!(shown.keyframe);
        let config = client.frame("notify.stream").await;
        let config = if config["payload"]["frame_size"] == json!([got.0, got.1]) {
            config
        } else {
            client.frame("notify.stream").await
        };
        assert_eq!(config["payload"]["frame_size"], json!([got.0, got.1]));
    }
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_nothing_is_drawn_and_nothing_is_sent() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    while client.picture_within(Duration::from_millis(600)).await.is_some() {}
    let before = live.metrics();
    assert!(client.picture_within(Duration::from_secs(2)).await.is_none());
    // Equal writes cost nothing.
    let ack = client.ask("dims", "z", "scene_index", json!(30)).await;
    assert_eq!(ack["status"], "accepted");
    client.ask("layer", "layer-0", "opacity", json!(1.0)).await;
    assert!(client.picture_within(Duration::from_secs(1)).await.is_none());
    let after = live.metrics();
    assert_eq!(after.frames_drawn, before.frames_drawn);
    assert_eq!(after.notices, before.notices);
    assert_eq!(after.acks, before.acks + 2);
    assert!(after.turns < before.turns + 12, "{} turns at rest", after.turns - before.turns);
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_slow_clients_do_not_hold_up_a_fast_one_and_see_the_end() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut slow = [live.watcher().await, live.watcher().await];
    let mut fast = live.watcher().await;
    fast.picture().await;
    // The slow ones never take a picture; the fast one steps through everything and sees each change.
    for z in 0..40 {
        let id = fast.update("dims", "z", "scene_index", json!(z)).await;
        let shown = fast.picture_of(|p| p.intents.contains(&id)).await;
        assert!(is_grey(&shown, 40.0 + 3.0 * f64::from(z)), "z {z}: {:?}", shown.middle());
    }
    assert!(live.metrics().pictures_dropped > 0, "the slow ones were passed over");
    // Now they read: first what was under way to them, then, through a keyframe, the end.
    for client in &mut slow {
        let last = client.picture_of(|p| is_grey(p, 40.0 + 3.0 * 39.0)).await;
        assert!(last.seq < 12, "few pictures were spent on it: {}", last.seq);
    }
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_a_burst_arrives_with_nothing_behind_it() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    let mut last = String::new();
    for n in 0..300 {
        last = client.update("dims", "z", "scene_index", json!((n * 7) % 60)).await;
    }
    let shown = client.picture_of(|p| p.intents.contains(&last)).await;
    let z = (299 * 7) % 60;
    assert!(is_grey(&shown, 40.0 + 3.0 * f64::from(z)), "{:?}", shown.middle());
    let mut behind = 0;
    while let Some(more) = client.picture_within(Duration::from_millis(800)).await {
        assert_eq!(more.revision, shown.revision, "only the same state, sharper");
        behind += 1;
    }
    assert!(behind <= 2, "{behind} pictures behind the last");
    // 300 intents, each answered.
    let mut acks = 0;
    while acks < 300 {
        client.frame("ack.state").await;
        acks += 1;
    }
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_from_one_client_is_answered_and_noticed_by_nobody_else() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut bad = live.client().await;
    let mut good = live.watcher().await;
    good.picture().await;
    let refused = [
        ("nothing", "main", "at_all", json!(1), "state.invalid"),
        ("dims", "q", "scene_index", json!(1), "state.error"),
        ("dims", "z", "scene_index", json!("three"), "state.invalid"),
        ("layer", "layer-9", "opacity", json!(0.5), "state.invalid"),
        ("layer", "layer-0", "colormap", json!("no such map"), "state.error"),
        ("layer", "layer-0", "colourmap", json!("gray"), "state.invalid"),
        ("camera", "main", "zoom", json!({"factor": -1.0, "anchor_px": [0, 0]}), "state.invalid"),
    ];
    for (scope, target, key, value, code) in refused {
        let ack = bad.ask(scope, target, key, value).await;
        assert_eq!(ack["status"], "rejected", "{scope}:{key}");
        assert_eq!(ack["error"]["code"], code, "{scope}:{key}: {ack}");
    }
    bad.send_text("{ not json").await;
    bad.send_text("[1, 2]").await;
    for _ in 0..3000 {
        bad.update("camera", "main", "pan", json!({"dx_px": 1e300, "dy_px": -1e300})).await;
    }
    let ack = good.ask("dims", "z", "scene_index", json!(11)).await;
    assert_eq!(ack["applied_value"], json!(11));
    let id = ack["intent_id"].as_str().unwrap().to_owned();
    good.picture_of(|p| p.intents.contains(&id)).await;
    // What the flood still has to say comes a share at a time, after what others ask for.
    let last = bad.ask("dims", "z", "scene_index", json!(11)).await;
    assert_eq!(last["status"], "accepted");
    // The view may have been panned into the void: home again shows the plane.
    let id = good.update("camera", "main", "reset", json!({})).await;
    let shown = good.picture_of(|p| p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 73.0), "{:?}", shown.middle());
    live.end().await;
}
