//! What a storm took is given back while the server goes on: sessions, sockets, threads, memory.

use crate::{ALONE, common::device, files, flat, live::Live, threads};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// Resident memory of this process (the server and its clients), MiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() / 1024
}

/// Sessions that pan and are cut off, sockets that are opened and left, halves of everything.
async fn storm(live: &Live) {
    for round in 0..6 {
        let mut sessions = Vec::new();
        for n in 0..8 {
            let mut client = live.watcher().await;
            for i in 0..40 {
                client
                    .update("camera", "main", "pan", json!({"dx_px": f64::from(i - 20 + n), "dy_px": 1}))
                    .await;
            }
            sessions.push(client);
        }
        for _ in 0..8 {
            let mut half = TcpStream::connect(live.addr).await.unwrap();
            half.write_all(b"GET /state HT").await.unwrap();
        }
        for _ in 0..8 {
            let (mut socket, _) = connect_async(format!("ws://{}/state", live.addr)).await.unwrap();
            socket.send(Message::text("{")).await.unwrap();
            if round % 2 == 0 {
                while let Some(Ok(_)) = socket.next().await {}
            }
        }
        drop(sessions);
    }
}

/// Waits until nobody is there and no more sockets are open than `files` says.
async fn calm(live: &Live, most: usize) {
    let begun = Instant::now();
    while live.metrics().sessions > 0 || files() > most {
        let left = (live.metrics().sessions, files());
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{left:?} sessions and files; {most} files before"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_leaves_nothing_behind_and_memory_stays_flat() {
    let _alone = ALONE.lock().await;
    let Some(device) = device() else { return };
    let live = Live::start(&device, flat().open());
    let mut client = live.watcher().await;
    client.picture().await;
    drop(client);
    // The first one fills what is kept on purpose: pools, caches, the allocator's own.
    storm(&live).await;
    calm(&live, usize::MAX).await;
    sleep(Duration::from_millis(200)).await;
    let (sockets, workers, memory) = (files(), threads(), resident());
    for _ in 0..3 {
        storm(&live).await;
        calm(&live, sockets).await;
        assert_eq!(threads(), workers);
    }
    let after = resident();
    assert!(after < memory + 32, "{memory} MiB before, {after} after");
    live.end().await;
}
