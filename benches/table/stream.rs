//! A server in this process and a client over loopback: acknowledgements, pictures, dragging.

use super::{
    client::Client,
    draw::spec,
    live::Live,
    stats::{Row, percentile},
};
use lucida::{data::procedural::procedural, gpu::device::Device};
use serde_json::json;
use std::time::{Duration, Instant};

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let live = Live::start(device, procedural(spec()));
    let rows = live.runtime.block_on(async {
        let mut client = Client::connect(live.addr).await.unwrap();
        measure(&mut client, full).await
    });
    live.end();
    rows
}

async fn measure(client: &mut Client, full: bool) -> Vec<Row> {
    let unit = spec().spacing[3];
    let rect = json!([40.0 * unit, 40.0 * unit, 1280.0 * unit, 720.0 * unit]);
    client.update("camera", "main", "set", json!({"rect": rect})).await;
    // Every plane once, so that its chunks are in memory.
    for z in 0..16 {
        let (id, _) = client.update("dims", "z", "scene_index", json!(z)).await;
        client.answered(&id).await.unwrap();
        tokio::time::sleep(Duration::from_millis(if full { 400 } else { 20 })).await;
    }

    // One step at a time, with a pause that is not in step with anything.
    let mut latencies = Vec::new();
    for n in 0..if full { 200_u64 } else { 3 } {
        let (id, sent) = client.update("dims", "z", "scene_index", json!(n % 16)).await;
        if let Some(at) = client.answered(&id).await {
            latencies.push(at - sent);
        }
        tokio::time::sleep(Duration::from_millis(20 + n * 7 % 31)).await;
    }
    let (p50, p99) = (percentile(&mut latencies, 50.0), percentile(&mut latencies, 99.0));
    let latency = Row::new(
        "step sent by a client → last byte of its frame received",
        "p50 35 ms, p99 80 ms",
        format!("p50 {p50:.1} ms, p99 {p99:.1} ms (n {})", latencies.len()),
        p50 <= 35.0 && p99 <= 80.0,
    );

    // Dragging: a pan every 8 ms, as a mouse sends them.
    client.seen.lock().unwrap().pictures.clear();
    client.seen.lock().unwrap().acks.clear();
    let mut sent = Vec::new();
    let started = Instant::now();
    let length = Duration::from_secs(if full { 10 } else { 1 });
    let mut n = 0_u32;
    while started.elapsed() < length {
        let dx = if n % 200 < 100 { 1.0 } else { -1.0 };
        sent.push(client.update("camera", "main", "pan", json!({"dx_px": dx, "dy_px": 0.3 * dx})).await);
        n += 1;
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
    let elapsed = started.elapsed();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let seen = client.seen.lock().unwrap();
    let frames = seen.pictures.iter().filter(|p| p.2 < started + elapsed).count();
    let rate = frames as f64 / elapsed.as_secs_f64();
    let bytes: usize = seen.pictures.iter().map(|p| p.1).sum();
    let mut acks: Vec<Duration> =
        sent.iter().filter_map(|(id, at)| Some(seen.acks.iter().find(|(i, _)| i == id)?.1 - *at)).collect();
    assert_eq!(acks.len(), sent.len(), "every intent is answered");
    let mut lag: Vec<Duration> = sent
        .iter()
        .filter_map(|(id, at)| Some(seen.pictures.iter().find(|(i, ..)| i.contains(id))?.2 - *at))
        .collect();
    let (a50, a99) = (percentile(&mut acks, 50.0), percentile(&mut acks, 99.0));
    let drag = format!(
        "{rate:.1} fps, {:.1} Mbit/s; pan → picture p50 {:.1} ms, p99 {:.1} ms",
        bytes as f64 * 8e-6 / elapsed.as_secs_f64(),
        percentile(&mut lag, 50.0),
        percentile(&mut lag, 99.0)
    );
    vec![
        Row::new(
            "ack of a state.update while frames are drawn and encoded",
            "p99 5 ms",
            format!("p50 {a50:.2} ms, p99 {a99:.2} ms (n {})", acks.len()),
            a99 <= 5.0,
        ),
        latency,
        Row::new("dragging, frames per second seen by a client", "≥ 25", drag, rate >= 25.0),
    ]
}
