//! A volume as a client sees it: orbiting over the real stream, and what follows when the hand rests.

use super::{
    client::Client,
    live::Live,
    process,
    stats::{Row, percentile},
};
use lucida::{data::open, gpu::device::Device};
use serde_json::json;
use std::time::{Duration, Instant};

/// Without a picture for so long, it is as good as it gets.
const QUIET: Duration = Duration::from_secs(2);
/// Most that is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
const MIB: f64 = 1_048_576.0;

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let (path, name, _dir) = process::data();
    let live = Live::start(device, open::open(&path).unwrap());
    let mut rows = live.runtime.block_on(async {
        let mut client = Client::connect(live.addr).await.unwrap();
        measure(&mut client, name, full).await
    });
    let metrics = live.metrics();
    let host = metrics.host_peak_bytes as f64 / MIB;
    let gpu = metrics.gpu_bytes as f64 / MIB;
    let budgets = device.budgets();
    let bars = [budgets.host_bytes, budgets.brick_bytes, budgets.pool_bytes].map(|b| b as f64 / MIB);
    rows.push(Row::new(
        "… most bytes of chunks in host memory; bytes on the GPU",
        &format!("{:.0} MiB; bricks {:.0} MiB and tiles {:.0} MiB", bars[0], bars[1], bars[2]),
        format!("{host:.0} MiB; {gpu:.0} MiB"),
        host <= bars[0],
    ));
    live.end();
    rows
}

async fn measure(client: &mut Client, name: &str, full: bool) -> Vec<Row> {
    quiet(client, Duration::from_millis(500)).await;
    let (id, sent) = client.update("view", "main", "ndisplay", json!(3)).await;
    let first = client.answered(&id).await.map(|at| at - sent);
    quiet(client, if full { QUIET } else { Duration::from_millis(100) }).await;

    // A hand that turns it: 60 times a second, as a pointer does.
    client.seen.lock().unwrap().pictures.clear();
    let mut sent = Vec::new();
    let begun = Instant::now();
    let length = Duration::from_secs(if full { 10 } else { 1 });
    while begun.elapsed() < length {
        sent.push(client.update("camera", "main", "orbit", json!({"d_az_deg": 1.0, "d_el_deg": 0.1})).await);
        tokio::time::sleep(Duration::from_millis(16)).await;
    }
    let elapsed = begun.elapsed();
    let frames = client.seen.lock().unwrap().pictures.iter().filter(|p| p.2 < begun + elapsed).count();
    let rate = frames as f64 / elapsed.as_secs_f64();
    // Bounded: an answer that has not come by then is missing below.
    let stopped = sent.last().map_or(begun, |last| last.1);
    let last = quiet(client, if full { QUIET } else { Duration::from_millis(200) }).await;
    let sharp = last.map_or(f64::NAN, |at| at.saturating_duration_since(stopped).as_secs_f64());
    let seen = client.seen.lock().unwrap();
    let mut lag: Vec<Duration> = sent
        .iter()
        .filter_map(|(id, at)| Some(seen.pictures.iter().find(|(i, ..)| i.contains(id))?.2 - *at))
        .collect();
    let answered = lag.len();
    let (p50, p99) = (percentile(&mut lag, 50.0), percentile(&mut lag, 99.0));
    let what = |text: &str| format!("{name}, 1280×720, {text}");
    vec![
        Row::new(
            &what("2D → 3D → its first picture received"),
            "none here",
            first.map_or("none in 5 s".into(), |t| format!("{:.0} ms", t.as_secs_f64() * 1e3)),
            first.is_some(),
        ),
        Row::new(
            &what("orbiting, frames per second seen by a client"),
            "≥ 10",
            format!("{rate:.1} fps"),
            !full || rate >= 10.0,
        ),
        Row::new(
            &what("an orbit → its picture received"),
            "100 ms",
            format!("p50 {p50:.1} ms, p99 {p99:.1} ms (n {answered} of {})", sent.len()),
            !full || (p50 <= 100.0 && answered == sent.len()),
        ),
        Row::new(
            &what("the hand rests → the last picture, in full quality"),
            "5 s",
            format!("{sharp:.1} s"),
            !full || sharp <= 5.0,
        ),
    ]
}

/// When the last picture came, once none comes any more for a while.
async fn quiet(client: &mut Client, pause: Duration) -> Option<Instant> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE && tokio::time::timeout(pause, client.news.changed()).await.is_ok() {}
    client.seen.lock().unwrap().pictures.last().map(|p| p.2)
}
