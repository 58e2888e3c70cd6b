//! Scripted use of the real binary for minutes: zoom, pan, step, layers, sizes, joins and leaves; and the
//! memory it holds. `LUCIDA_SOAK_MINUTES` says how many (the bar is for twenty).

use super::{
    client::Client,
    process::{self, Server},
    stats::Row,
};
use serde_json::json;
use std::{
    fs,
    time::{Duration, Instant},
};

/// The minute at whose end everything that is kept on purpose is there.
const SETTLED: usize = 5;
/// Growth since then that is no growth.
const MOST: f64 = 1.05;

pub fn rows(full: bool) -> Vec<Row> {
    let minutes: usize = std::env::var("LUCIDA_SOAK_MINUTES").map_or(1, |m| m.parse().expect("minutes"));
    let (minutes, minute) =
        if full { (minutes, Duration::from_mins(1)) } else { (1, Duration::from_secs(2)) };
    let (path, name, _dir) = process::data();
    let server = process::start(&path);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut resident = Vec::new();
    let begun = Instant::now();
    runtime.block_on(async {
        let mut client = Client::connect(server.addr).await.unwrap();
        for n in 1..=minutes {
            let mut round = 0;
            while begun.elapsed() < minute * n as u32 {
                use_it(&mut client, round).await;
                visit(&server, round).await;
                round += 1;
            }
            resident.push(memory(&server));
            eprintln!("minute {n}: {:.1} MiB, {round} rounds", resident[n - 1]);
        }
    });
    let list: Vec<String> = resident.iter().map(|m| format!("{m:.0}")).collect();
    let last = resident[minutes - 1];
    let settled = resident.get(SETTLED - 1).filter(|_| minutes > SETTLED);
    let (measured, met, value) = match settled {
        Some(settled) => {
            let ratio = last / settled;
            (format!("{ratio:.3} × ({} MiB)", list.join(", ")), ratio <= MOST, ratio)
        }
        None => {
            (format!("{last:.0} MiB at the end ({}); too short for the bar", list.join(", ")), true, last)
        }
    };
    vec![
        Row::new(
            &format!("memory after {minutes} min of scripted use ({name})"),
            "1.05 × that of the fifth minute",
            measured,
            met,
        )
        .by(value),
    ]
}

/// What a person does in some seconds.
async fn use_it(client: &mut Client, round: u64) {
    let pause = async |millis| tokio::time::sleep(Duration::from_millis(millis)).await;
    for n in 0..12 {
        let factor = if n < 6 { 0.8 } else { 1.25 };
        let anchor = [200 + 70 * n, 500 - 30 * n];
        client.update("camera", "main", "zoom", json!({"factor": factor, "anchor_px": anchor})).await;
        pause(30).await;
    }
    for n in 0..40 {
        let dx = if n < 20 { 9 } else { -9 };
        client.update("camera", "main", "pan", json!({"dx_px": dx, "dy_px": dx / 3})).await;
        pause(16).await;
    }
    for n in 0..15 {
        let (id, _) = client.update("dims", "z", "scene_index", json!((round * 15 + n) % 64)).await;
        client.answered(&id).await;
    }
    let maps = ["gray", "viridis", "magma", "#00ff7f"];
    let map = maps[round as usize % maps.len()];
    client.update("layer", "layer-0", "colormap", json!(map)).await;
    client.update("layer", "layer-0", "gamma", json!(0.8 + (round % 5) as f64 / 10.0)).await;
    client.update("layer", "layer-0", "visible", json!(round.is_multiple_of(2))).await;
    client.update("volume", "main", "opacity", json!(1.0 - (round % 3) as f64 / 10.0)).await;
    pause(100).await;
    let size = if round.is_multiple_of(4) { [1280, 720] } else { [1024 + 32 * (round % 4), 640] };
    client.update("stream", "main", "canvas", json!(size)).await;
    let (id, _) = client.update("camera", "main", "reset", json!({})).await;
    client.answered(&id).await;
    let mut seen = client.seen.lock().unwrap();
    seen.acks.clear();
    seen.pictures.clear();
}

/// Somebody comes, drags a little, and is gone.
async fn visit(server: &Server, round: u64) {
    let mut client = Client::connect(server.addr).await.unwrap();
    for n in 0..10 {
        client.update("camera", "main", "pan", json!({"dx_px": (round % 7) as f64, "dy_px": n})).await;
        tokio::time::sleep(Duration::from_millis(16)).await;
    }
}

/// Resident memory of the server, MiB.
fn memory(server: &Server) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}
