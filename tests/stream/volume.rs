//! Volumes at the socket: in, about and out again.

use super::{
    common::device,
    live::{Client, Live, Shown},
};
use crate::common::array::ArrayImage;
use lucida_components::dtype::Dtype;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Two times: all 90, then all 190.
fn times() -> ArrayImage {
    let value = |_: usize, at: &[u64]| 90.0 + 100.0 * at[0] as f64;
    ArrayImage::new("tzyx", &[2, 24, 24, 24], Dtype::U8, Arc::new(value))
}

#[track_caller]
fn is_grey(shown: &Shown, value: f64) {
    let middle = shown.middle();
    assert!(middle.iter().all(|c| (c - value).abs() < 6.0), "{middle:?} is not {value}");
}

/// What was told until this intent's acknowledgement and a while after, by kind.
async fn told(client: &mut Client, id: &str) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut acknowledged = false;
    loop {
        let patience = Duration::from_millis(if acknowledged { 400 } else { 20_000 });
        let Ok(frame) = tokio::time::timeout(patience, client.any_frame()).await else { break };
        acknowledged |= frame["type"] == "ack.state" && frame["payload"]["intent_id"] == id;
        let kind = frame["type"].as_str().expect("a type").to_owned();
        all.entry(kind).or_default().push(frame["payload"].clone());
    }
    assert!(acknowledged, "{id} was not acknowledged");
    all
}

/// The picture that it comes to rest with.
async fn rest(client: &mut Client) -> Option<Shown> {
    let mut last = None;
    for _ in 0..200 {
        match client.picture_within(Duration::from_millis(500)).await {
            Some(next) => last = Some(next),
            None => return last,
        }
    }
    panic!("pictures without end");
}

#[tokio::test(flavor = "multi_thread")]
async fn into_the_volume_and_back_is_one_stream_and_the_same_plane() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, times().open());
    let mut client = live.watcher().await;
    client.ask("stream", "main", "canvas", json!([96, 64])).await;
    client.ask("dims", "z", "scene_index", json!(5)).await;
    let zoom = json!({"factor": 0.7, "anchor_px": [30, 20]});
    let id = client.update("camera", "main", "zoom", zoom).await;
    client.picture_of(|p| p.intents.contains(&id)).await;
    let before = told(&mut client, &id).await;
    rest(&mut client).await;

    let id = client.update("view", "main", "ndisplay", json!(3)).await;
    let first = client.picture_of(|p| p.intents.contains(&id)).await;
    is_grey(&first, 90.0);
    assert!(!first.keyframe, "the stream goes on");
    let there = told(&mut client, &id).await;
    assert_eq!(there["notify.dims"].len(), 1, "{there:?}");
    assert_eq!(there["notify.camera"].len(), 1, "{there:?}");
    assert_eq!(there["notify.dims"][0]["ndisplay"], 3);
    assert!(!there.contains_key("notify.stream"), "{there:?}");
    rest(&mut client).await;

    for azimuth in [20, -45] {
        let orbit = json!({"d_az_deg": azimuth, "d_el_deg": 10});
        let id = client.update("camera", "main", "orbit", orbit).await;
        let shown = client.picture_of(|p| p.intents.contains(&id)).await;
        is_grey(&shown, 90.0);
        assert!(!shown.keyframe);
    }
    // Another time while in the volume, and back.
    for (t, grey) in [(1, 190.0), (0, 90.0)] {
        let id = client.update("dims", "t", "scene_index", json!(t)).await;
        client.picture_of(|p| p.intents.contains(&id)).await;
        if let Some(last) = rest(&mut client).await {
            is_grey(&last, grey);
        }
    }
    let drawn = live.metrics().frames_drawn;
    assert!(client.picture_within(Duration::from_millis(1200)).await.is_none(), "at rest nothing is sent");
    assert_eq!(live.metrics().frames_drawn, drawn, "at rest nothing is drawn");
    // What was told meanwhile is behind us.
    let id = client.update("dims", "t", "scene_index", json!(0)).await;
    told(&mut client, &id).await;

    let id = client.update("view", "main", "ndisplay", json!(2)).await;
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    assert!(!shown.keyframe, "the stream goes on");
    let back = told(&mut client, &id).await;
    assert_eq!((back["notify.dims"].len(), back["notify.camera"].len()), (1, 1), "{back:?}");
    assert!(!back.contains_key("notify.stream"), "{back:?}");
    let pose = before["notify.camera"].last().expect("told");
    assert_eq!(back["notify.camera"][0]["state"], pose["state"], "the same place exactly");
    assert_eq!(back["notify.dims"][0]["current_step"], json!([0, 5, 0, 0]), "the same plane");
    live.end().await;
}
