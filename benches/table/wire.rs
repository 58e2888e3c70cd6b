//! The older protocol's ports as their client meets them: answers while it drags, many on one view, coming back,
//! and what a session costs. The server is a process of its own, with pictures of 1920 × 1080.

use super::{
    process::{self, Server},
    stats::{Row, percentile},
};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, task::JoinHandle, time::sleep};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Intents a second of a hand that drags.
const DRAG: u64 = 120;
/// Sessions on one view, and pixel channels.
const STATES: usize = 50;
const PIXELS: usize = 10;
/// A silence after which nothing more comes.
const QUIET: Duration = Duration::from_millis(300);

/// What a state channel heard.
#[derive(Default)]
struct Heard {
    acks: Vec<(String, Instant)>,
    /// The last frame of any kind.
    last: Option<Instant>,
    frames: usize,
    tokens: serde_json::Map<String, Value>,
}

/// A state channel that reads everything; gone when dropped.
struct State {
    to: SplitSink<Socket, Message>,
    session: String,
    intents: u64,
    heard: Arc<Mutex<Heard>>,
    reading: JoinHandle<()>,
}

impl Drop for State {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl State {
    async fn connect(addr: SocketAddr, tokens: serde_json::Map<String, Value>) -> Self {
        let (mut socket, _) = connect_async(format!("ws://{addr}")).await.unwrap();
        socket.send(Message::text(hello(tokens).to_string())).await.unwrap();
        let welcome = socket.next().await.unwrap().unwrap();
        let welcome: Value = serde_json::from_str(welcome.to_text().unwrap()).unwrap();
        let session = welcome["session"].as_str().unwrap().to_owned();
        let (to, mut from) = socket.split();
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let noted = heard.clone();
        let reading = tokio::spawn(async move {
            while let Some(Ok(message)) = from.next().await {
                let now = Instant::now();
                let Ok(text) = message.to_text() else { continue };
                let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
                let mut heard = noted.lock().unwrap();
                heard.last = Some(now);
                heard.frames += 1;
                match frame["type"].as_str().unwrap_or_default() {
                    "ack.state" => {
                        let id = frame["payload"]["intent_id"].as_str().unwrap_or_default().to_owned();
                        heard.acks.push((id, now));
                    }
                    kind @ ("notify.scene" | "notify.layers" | "notify.stream") => {
                        heard.tokens.insert(kind.into(), frame["delta_token"].clone());
                    }
                    _ => {}
                }
            }
        });
        Self { to, session, intents: 0, heard, reading }
    }

    async fn update(&mut self, scope: &str, target: &str, key: &str, value: Value) -> (String, Instant) {
        self.intents += 1;
        let id = format!("intent-{:08x}", self.intents);
        let frame = json!({
            "type": "state.update", "version": 2, "session": self.session, "timestamp": 1.0,
            "frame_id": format!("state-{:08x}", self.intents), "intent_id": id,
            "payload": {"scope": scope, "target": target, "key": key, "value": value}
        });
        let now = Instant::now();
        self.to.send(Message::text(frame.to_string())).await.unwrap();
        (id, now)
    }

    /// Drags for a while; how long each answer took.
    async fn drag(&mut self, length: Duration) -> Vec<Duration> {
        self.heard.lock().unwrap().acks.clear();
        let (begun, mut sent, mut n) = (Instant::now(), Vec::new(), 0_u64);
        while begun.elapsed() < length {
            let dx = if n % 200 < 100 { 1.0 } else { -1.0 };
            sent.push(self.update("camera", "main", "pan", json!({"dx_px": dx, "dy_px": 0.3 * dx})).await);
            n += 1;
            let next = begun + Duration::from_micros(n * 1_000_000 / DRAG);
            tokio::time::sleep_until(next.into()).await;
        }
        sleep(Duration::from_millis(500)).await;
        let heard = self.heard.lock().unwrap();
        let took = |(id, at): &(String, Instant)| Some(heard.acks.iter().find(|(i, _)| i == id)?.1 - *at);
        let times: Vec<Duration> = sent.iter().filter_map(took).collect();
        assert_eq!(times.len(), sent.len(), "every intent is answered");
        times
    }

    /// Waits until nothing more comes; when the last frame did.
    async fn rest(&self) -> Instant {
        loop {
            let last = self.heard.lock().unwrap().last;
            match last {
                Some(last) if last.elapsed() >= QUIET => return last,
                _ => sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

fn hello(tokens: serde_json::Map<String, Value>) -> Value {
    json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
        "payload": {
            "protocols": [2], "client": {"name": "bench", "version": "0", "platform": "rust"},
            "features": {"notify.scene": true, "notify.layers": true, "notify.stream": true,
                         "notify.dims": true, "notify.camera": true},
            "resume_tokens": tokens
        }
    })
}

/// A pixel channel that reads everything and counts; gone when dropped.
struct Pixels {
    pictures: Arc<AtomicU64>,
    reading: JoinHandle<()>,
}

impl Drop for Pixels {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Pixels {
    async fn open(addr: SocketAddr) -> Self {
        let (mut socket, _) = connect_async(format!("ws://{addr}")).await.unwrap();
        let pictures: Arc<AtomicU64> = Arc::default();
        let count = pictures.clone();
        let reading = tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                count.fetch_add(u64::from(message.is_binary()), Ordering::Relaxed);
            }
        });
        Self { pictures, reading }
    }

    fn pictures(&self) -> u64 {
        self.pictures.load(Ordering::Relaxed)
    }
}

pub fn rows(full: bool) -> Vec<Row> {
    let (path, name, _dir) = process::data();
    let (server, [state, pixels]) = process::start_napari(&path);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // First, because what sessions before took and gave back would serve these.
    let memory = runtime.block_on(memory(&server, state, full));
    let mut rows = runtime.block_on(many(&server, state, pixels, name, full));
    rows.push(runtime.block_on(back(state, full)));
    rows.extend(memory);
    rows
}

async fn many(server: &Server, state: SocketAddr, pixels: SocketAddr, name: &str, full: bool) -> Vec<Row> {
    let length = Duration::from_secs(if full { 15 } else { 1 });
    let mut hand = State::connect(state, serde_json::Map::new()).await;
    let mut watchers = vec![Pixels::open(pixels).await];
    hand.drag(Duration::from_secs(if full { 3 } else { 1 })).await;
    let before = watchers[0].pictures();
    let mut alone = hand.drag(length).await;
    let rate = (watchers[0].pictures() - before) as f64 / length.as_secs_f64();

    let mut others = Vec::new();
    for _ in 1..STATES {
        others.push(State::connect(state, serde_json::Map::new()).await);
    }
    for _ in 1..PIXELS {
        watchers.push(Pixels::open(pixels).await);
    }
    sleep(Duration::from_secs(if full { 3 } else { 1 })).await;
    let counts = |what: &str| server.metric(what);
    let (encoded, drawn) = (counts("lucida_encode_seconds_count"), counts("lucida_frames_drawn_total"));
    let seen: Vec<u64> = watchers.iter().map(Pixels::pictures).collect();
    let mut together = hand.drag(length).await;
    let encoded = counts("lucida_encode_seconds_count") - encoded;
    let drawn = counts("lucida_frames_drawn_total") - drawn;
    let seen: Vec<u64> = watchers.iter().zip(seen).map(|(w, before)| w.pictures() - before).collect();
    let (a50, a99) = (percentile(&mut alone, 50.0), percentile(&mut alone, 99.0));
    let (t50, t99) = (percentile(&mut together, 50.0), percentile(&mut together, 99.0));
    let ratio = encoded / drawn;
    vec![
        Row::new(
            &format!("napari's port, {name}, 1920×1080: ack while one client drags, {DRAG} intents a second"),
            "p99 5 ms",
            format!("p50 {a50:.2} ms, p99 {a99:.2} ms (n {}); {rate:.1} fps", alone.len()),
            a99 <= 5.0,
        )
        .by(a99),
        Row::new(
            &format!("… the same with {STATES} state and {PIXELS} pixel channels on the view"),
            "none here",
            format!("p50 {t50:.2} ms, p99 {t99:.2} ms (n {})", together.len()),
            true,
        )
        .by(t99),
        Row::new(
            &format!("… encodes for each picture drawn, with {PIXELS} who watch it"),
            "1",
            format!("{ratio:.2} ({encoded} encoded; received {seen:?})"),
            encoded > 0.0 && ratio <= 1.0 + 2.0 / drawn.max(1.0),
        ),
    ]
}

/// Gone for a while in which another changes much; then back with its tokens.
async fn back(state: SocketAddr, full: bool) -> Row {
    let mut other = State::connect(state, serde_json::Map::new()).await;
    let mut times = Vec::new();
    let mut frames = 0;
    for round in 0..if full { 9_u32 } else { 1 } {
        let client = State::connect(state, serde_json::Map::new()).await;
        client.rest().await;
        let tokens = client.heard.lock().unwrap().tokens.clone();
        drop(client);
        for n in 0..if full { 50 } else { 2 } {
            let opacity = f64::from(n) / 50.0;
            other.update("layer", "layer-0", "opacity", json!(opacity)).await;
            other.update("dims", "z", "index", json!((n + round) % 7)).await;
            sleep(Duration::from_millis(if full { 100 } else { 10 })).await;
        }
        other.rest().await;
        let begun = Instant::now();
        let again = State::connect(state, tokens).await;
        times.push(again.rest().await - begun);
        frames = again.heard.lock().unwrap().frames;
    }
    let p50 = percentile(&mut times, 50.0);
    let worst = percentile(&mut times, 100.0);
    Row::new(
        "… back after 5 s: TCP connect → last frame of what was missed",
        "20 ms",
        format!("{p50:.1} ms, at most {worst:.1} ms (n {}, {frames} frames)", times.len()),
        p50 <= 20.0,
    )
}

async fn memory(server: &Server, state: SocketAddr, full: bool) -> Vec<Row> {
    let mut hand = State::connect(state, serde_json::Map::new()).await;
    let busy = Duration::from_secs(if full { 5 } else { 1 });
    // The first few fill what all of them share.
    let mut there = Vec::new();
    for _ in 0..5 {
        there.push(State::connect(state, serde_json::Map::new()).await);
    }
    hand.drag(busy).await;
    let before = server.resident();
    let more = 50;
    for _ in 0..more {
        there.push(State::connect(state, serde_json::Map::new()).await);
    }
    hand.drag(busy).await;
    let each = (server.resident() - before) / f64::from(more);
    drop(there);
    sleep(Duration::from_secs(1)).await;

    // One that never reads: its socket's buffers fill, then notices merge.
    let (mut deaf, _) = connect_async(format!("ws://{state}")).await.unwrap();
    deaf.send(Message::text(hello(serde_json::Map::new()).to_string())).await.unwrap();
    let before = server.resident();
    hand.drag(busy * 2).await;
    let first = server.resident() - before;
    hand.drag(busy * 2).await;
    let second = server.resident() - before;
    drop(deaf);
    vec![
        Row::new(
            "… memory of a state session that reads",
            "1 MiB",
            format!("{each:.2} MiB (of {more})"),
            each <= 1.0,
        ),
        Row::new(
            "… of one that never reads, after a drag and after another",
            "bounded: 8 MiB",
            format!("{first:.1} MiB, {second:.1} MiB"),
            second <= 8.0,
        ),
    ]
}
