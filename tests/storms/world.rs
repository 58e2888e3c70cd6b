//! Storms on a whole server, world and pictures included.

use crate::{
    harness::hello,
    live::Live,
    raw::{CLOSE, PING, PONG, Raw, TEXT, frame},
};
use lucida::app::world::WorldSettings;
use lucida::server::ServerConfig;
use lucida_components::{dtype::Dtype, outbox::Outbox};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::common::{array::ArrayImage, device};

fn stairs() -> ArrayImage {
    let value = |_: usize, at: &[u64]| 40.0 + 3.0 * at[0] as f64;
    ArrayImage::new("zyx", &[60, 64, 64], Dtype::U8, Arc::new(value))
}

fn unpaced() -> ServerConfig {
    ServerConfig { messages_per_second: 1e9, ..ServerConfig::default() }
}

/// A welcomed client without manners; its session.
async fn rude(live: &Live) -> (Raw, String) {
    let mut raw = Raw::open_narrow(live.addr, "/state").await;
    raw.whole(TEXT, hello(&[]).to_string().as_bytes()).await;
    let welcome: Value = serde_json::from_slice(&raw.next_of(TEXT).await.payload).unwrap();
    (raw, welcome["session"].as_str().unwrap().to_owned())
}

/// A `state.update` that steps along z, as a frame. Its intent has a long name, which its answer repeats.
fn step(session: &str, n: usize) -> Vec<u8> {
    let update = json!({
        "type": "state.update", "version": 2, "session": session, "timestamp": 1.0,
        "frame_id": format!("f{n:0>200}"), "intent_id": format!("i{n:0>200}"),
        "payload": {"scope": "dims", "target": "z", "key": "scene_index", "value": n % 60}
    });
    frame(0x80 | TEXT, update.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_delays_nobodys_answers() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut good = live.watcher().await;
    good.picture().await;
    let mut floods = Vec::new();
    for _ in 0..2 {
        let (raw, session) = rude(&live).await;
        let (mut from, mut to) = raw.0.into_split();
        floods.push(tokio::spawn(async move {
            for n in 0.. {
                if tokio::io::AsyncWriteExt::write_all(&mut to, &step(&session, n)).await.is_err() {
                    return;
                }
            }
        }));
        // It reads what it is told, so that nothing but its allowance and its share hold it up.
        floods.push(tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
        }));
    }
    // Each answer finds two shares ahead of it, not all that the floods hold in store.
    for n in 0..20 {
        let asked = Instant::now();
        let ack = good.ask("layer", "layer-0", "opacity", json!(0.5 + f64::from(n) / 100.0)).await;
        assert_eq!(ack["status"], "accepted");
        assert!(asked.elapsed() < Duration::from_secs(10), "answer {n} took {:?}", asked.elapsed());
    }
    let id = good.update("layer", "layer-0", "opacity", json!(1.0)).await;
    good.picture_of(|p| p.intents.contains(&id)).await;
    floods.iter().for_each(tokio::task::JoinHandle::abort);
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_reads_its_answers_is_told_and_dropped_at_the_stated_bound() {
    let Some(device) = device() else { return };
    let live = Live::serving(&device, WorldSettings::of(&device), stairs().open(), unpaced());
    let mut good = live.watcher().await;
    good.picture().await;
    let (mut raw, session) = rude(&live).await;
    // More than what all buffers between hold (some MiB) and the bound together.
    let begun = Instant::now();
    let mut sent = 0;
    let acks = |live: &Live| live.metrics().acks;
    let mut last = (acks(&live), sent);
    // On until answers are made no more: it is not heard any longer. (A world that stands still takes no more
    // than its buffers hold, which is less.)
    while sent - last.1 < 20_000 {
        assert!(begun.elapsed() < Duration::from_mins(1), "{sent} intents are still answered");
        let some: Vec<u8> = (sent..sent + 64).flat_map(|n| step(&session, n)).collect();
        raw.bytes(&some).await;
        sent += 64;
        if acks(&live) != last.0 {
            last = (acks(&live), sent);
        }
    }
    assert!(sent > Outbox::MAX_ACKS, "{sent}");
    // Others are served.
    assert_eq!(good.ask("dims", "z", "scene_index", json!(11)).await["applied_value"], json!(11));
    // Reading at last, it finds its answers in order, none missing, and is told why they end.
    let mut answered = 0;
    let goodbye = loop {
        let frame = raw.next_of(TEXT).await;
        let frame: Value = serde_json::from_slice(&frame.payload).unwrap();
        match frame["type"].as_str().unwrap() {
            "ack.state" => {
                let name = format!("i{answered:0>200}");
                assert_eq!(frame["payload"]["intent_id"], name.as_str());
                answered += 1;
            }
            "session.goodbye" => break frame,
            _ => {}
        }
    };
    assert_eq!(goodbye["payload"]["code"], "not_reading");
    assert_eq!(raw.next_of(CLOSE).await.payload[..2], 1008_u16.to_be_bytes());
    assert!(answered < sent);
    let left = Instant::now();
    while live.metrics().sessions > 1 {
        assert!(left.elapsed() < Duration::from_secs(20), "it has left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_to_who_does_not_read_merge_and_the_last_one_arrives() {
    let Some(device) = device() else { return };
    let live = Live::serving(&device, WorldSettings::of(&device), stairs().open(), unpaced());
    let mut good = live.client().await;
    let (mut idle, _) = rude(&live).await;
    idle.whole(PING, b"").await;
    idle.next_of(PONG).await;
    let begun = Instant::now();
    let mut n = 0;
    while live.metrics().notices_merged == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "{n} notices and none has merged");
        for _ in 0..50 {
            n += 1;
            good.ask("dims", "z", "scene_index", json!(n % 59)).await;
        }
    }
    good.ask("dims", "z", "scene_index", json!(59)).await;
    loop {
        let frame: Value = serde_json::from_slice(&idle.next_of(TEXT).await.payload).unwrap();
        if frame["type"] == "notify.dims" && frame["payload"]["current_step"] == json!([59, 0, 0]) {
            break;
        }
        assert_ne!(frame["type"], "session.goodbye");
    }
    live.end().await;
}
