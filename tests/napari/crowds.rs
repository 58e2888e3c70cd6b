//! Many at once: three of whom one never reads, thousands who come and go, floods.

use crate::{
    pixels::Pixels,
    serve::Server,
    state::{State, hello, open},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet, time::sleep};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn three_clients_of_which_one_never_reads() {
    let Some(server) = Server::small() else { return };
    let mut one = State::connect(&server).await;
    let mut two = State::connect(&server).await;
    let mut mine = Pixels::open(&server).await;
    let mut theirs = Pixels::open(&server).await;
    mine.rest().await;
    theirs.rest().await;
    // The third greets, opens its pictures, and reads nothing of either.
    let mut deaf = open(server.state).await;
    deaf.send(Message::text(hello(&BTreeMap::new()).to_string())).await.unwrap();
    let _deaf_pixels = open(server.pixels).await;
    let before = server.resident();
    for n in 0..150 {
        one.does("dims", "z", "index", json!(n % 6)).await;
        two.does("layer", "layer-0", "opacity", json!(0.3 + f64::from(n % 7) / 10.0)).await;
        mine.watch(Duration::from_millis(10)).await;
        theirs.watch(Duration::from_millis(10)).await;
    }
    one.does("dims", "z", "index", json!(5)).await;
    two.does("layer", "layer-0", "opacity", json!(1.0)).await;
    one.rest().await;
    two.rest().await;
    assert_eq!(one.talk.believes(), two.talk.believes());
    let still = server.still("first.ome.zarr", [320, 180], &["--index", "z=5"]);
    for pixels in [&mut mine, &mut theirs] {
        // What is at rest may have come already: a keyframe shows it again.
        one.command("napari.pixel.request_keyframe", json!({})).await;
        let shown = pixels.rest().await;
        assert!(shown.likeness(&still) > 28.0, "{:.1} dB", shown.likeness(&still));
    }
    let after = server.resident();
    assert!(after < before + 64.0, "{before:.0} MiB before, {after:.0} after");
}

/// One who comes and goes, in one of the ways in which one does.
async fn visit(state: std::net::SocketAddr, pixels: std::net::SocketAddr, n: usize) {
    match n % 8 {
        0 => drop(TcpStream::connect(state).await),
        1 => {
            if let Ok(mut half) = TcpStream::connect(pixels).await {
                let _ = half.write_all(b"GET / HTTP/1.1\r\nHost: loc").await;
            }
        }
        2 => {
            if let Ok((mut socket, _)) = tokio_tungstenite::connect_async(format!("ws://{state}")).await {
                let _ = socket.send(Message::text("{\"type\": \"session.hel")).await;
            }
        }
        3 | 4 => drop(tokio_tungstenite::connect_async(format!("ws://{pixels}")).await),
        5 => {
            if let Ok((mut socket, _)) = tokio_tungstenite::connect_async(format!("ws://{pixels}")).await {
                let _ = tokio::time::timeout(Duration::from_millis(100), socket.next()).await;
            }
        }
        _ => {
            if let Ok((mut socket, _)) = tokio_tungstenite::connect_async(format!("ws://{state}")).await {
                let _ = socket.send(Message::text(hello(&BTreeMap::new()).to_string())).await;
                let _ = tokio::time::timeout(Duration::from_secs(5), socket.next()).await;
                if n.is_multiple_of(2) {
                    let _ = tokio::time::timeout(Duration::from_secs(5), socket.close(None)).await;
                }
            }
        }
    }
}

async fn storm(server: &Server, visitors: usize) {
    let (state, pixels) = (server.state, server.pixels);
    let mut visits = JoinSet::new();
    for n in 0..visitors {
        if visits.len() >= 24 {
            visits.join_next().await.unwrap().unwrap();
        }
        visits.spawn(visit(state, pixels, n));
    }
    while let Some(visit) = visits.join_next().await {
        visit.unwrap();
    }
}

/// Waits until no more files are open and no more threads there than these.
async fn calm(server: &Server, files: usize, threads: usize) {
    let begun = Instant::now();
    while server.files() > files || server.threads() > threads || server.metric("lucida_sessions") > 1.0 {
        let now = (server.files(), server.threads(), server.metric("lucida_sessions"));
        assert!(
            begun.elapsed() < Duration::from_secs(40),
            "{now:?} files, threads and sessions; {files} and {threads} before"
        );
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_come_and_go_and_nothing_of_them_stays() {
    let Some(mut server) = Server::small() else { return };
    let mut staying = State::connect(&server).await;
    staying.rest().await;
    // The first ones fill what is kept on purpose: pools, caches, the allocator's own.
    storm(&server, 400).await;
    sleep(Duration::from_secs(4)).await;
    calm(&server, usize::MAX, usize::MAX).await;
    let (files, threads, memory) = (server.files(), server.threads(), server.resident());
    for _ in 0..3 {
        storm(&server, 800).await;
        calm(&server, files, threads).await;
        // Who stays is served.
        staying.does("dims", "z", "step", json!(1)).await;
        staying.rest().await;
    }
    let after = server.resident();
    assert!(after < memory + 32.0, "{memory:.0} MiB before, {after:.0} after");
    assert!(server.is_alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_delays_nobody_for_long() {
    let Some(server) = Server::small() else { return };
    let mut good = State::connect(&server).await;
    let mut floods = Vec::new();
    for n in 0..2 {
        let flood = State::connect(&server).await;
        let session = flood.talk.session.clone().unwrap();
        let (mut to, mut from) = flood.socket.split();
        floods.push(tokio::spawn(async move { while from.next().await.is_some() {} }));
        floods.push(tokio::spawn(async move {
            for i in 0_u64.. {
                let id = format!("flood-{n}-{i}");
                let update = json!({
                    "type": "state.update", "version": 2, "session": session, "timestamp": 1.0, "frame_id": id,
                    "intent_id": id,
                    "payload": {"scope": "camera", "target": "main", "key": "pan", "value": {"dx_px": 1, "dy_px": 0}}
                });
                if to.send(Message::text(update.to_string())).await.is_err() {
                    return;
                }
            }
        }));
    }
    sleep(Duration::from_secs(1)).await;
    for n in 0..20 {
        let asked = Instant::now();
        good.does("layer", "layer-0", "opacity", json!(0.5 + f64::from(n) / 100.0)).await;
        assert!(asked.elapsed() < Duration::from_secs(10), "answer {n} took {:?}", asked.elapsed());
    }
    floods.iter().for_each(tokio::task::JoinHandle::abort);
}
