//! One session works, others flood: what the one notices of it.

use super::{
    client::Client,
    draw::spec,
    live::Live,
    stats::{Row, percentile},
};
use lucida::{data::procedural::procedural, gpu::device::Device};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Sessions that flood.
const FLOODS: usize = 2;

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let live = Live::start(device, procedural(spec()));
    let rows = live.runtime.block_on(async {
        let mut worker = Client::connect(live.addr).await.unwrap();
        let seconds = if full { 15 } else { 1 };
        work(&mut worker, Duration::from_secs(if full { 3 } else { 1 })).await;
        let mut quiet = work(&mut worker, Duration::from_secs(seconds)).await;
        let sent = Arc::new(AtomicU64::new(0));
        let mut floods = Vec::new();
        for _ in 0..FLOODS {
            let mut client = Client::connect(live.addr).await.unwrap();
            let sent = sent.clone();
            floods.push(tokio::spawn(async move {
                // As fast as the server takes them.
                loop {
                    client.update("layer", "layer-1", "opacity", json!(0.5)).await;
                    client.update("camera", "main", "pan", json!({"dx_px": 0.01, "dy_px": 0})).await;
                    sent.fetch_add(2, Ordering::Relaxed);
                    client.seen.lock().unwrap().acks.clear();
                }
            }));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        sent.store(0, Ordering::Relaxed);
        let begun = Instant::now();
        let mut during = work(&mut worker, Duration::from_secs(seconds)).await;
        let rate = sent.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
        floods.iter().for_each(tokio::task::JoinHandle::abort);
        let (q50, q99) = (percentile(&mut quiet, 50.0), percentile(&mut quiet, 99.0));
        let (d50, d99) = (percentile(&mut during, 50.0), percentile(&mut during, 99.0));
        vec![
            Row::new(
                &format!("acks of a session that steps, while {FLOODS} others flood"),
                "p99 1.5 × that without the floods",
                format!(
                    "{:.2} ×: p50 {d50:.2} ms, p99 {d99:.2} ms; without p50 {q50:.2} ms, p99 {q99:.2} ms (n {})",
                    d99 / q99,
                    during.len()
                ),
                d99 <= 1.5 * q99,
            ),
            Row::new(
                &format!("intents a second taken of {FLOODS} floods"),
                &format!("{} (1000 each)", FLOODS * 1000),
                format!("{rate:.0}"),
                rate <= 1050.0 * FLOODS as f64,
            ),
        ]
    });
    live.end();
    rows
}

/// Steps through the planes for a while, as a person does; how long each acknowledgement took.
async fn work(client: &mut Client, length: Duration) -> Vec<Duration> {
    client.seen.lock().unwrap().acks.clear();
    let (begun, mut sent, mut n) = (Instant::now(), Vec::new(), 0_u64);
    while begun.elapsed() < length {
        sent.push(client.update("dims", "z", "scene_index", json!(n % 16)).await);
        n += 1;
        tokio::time::sleep(Duration::from_millis(10 + n * 7 % 17)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seen = client.seen.lock().unwrap();
    let took = |(id, at): &(String, Instant)| Some(seen.acks.iter().find(|(i, _)| i == id)?.1 - *at);
    let times: Vec<Duration> = sent.iter().filter_map(took).collect();
    assert_eq!(times.len(), sent.len(), "every intent is answered");
    times
}
