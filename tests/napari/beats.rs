//! Heartbeats, at a pace that a test can wait for: the server in this process.

use crate::{
    common::{array::ArrayImage, device},
    rules::conversation::Conversation,
    state::{State, hello, open},
};
use futures_util::{SinkExt, StreamExt};
use lucida::{
    app::{
        bridge::Inbound,
        world::{self, RunningWorld, WorldSettings},
    },
    server::{self, Listeners, NapariListeners, ServerConfig},
    wire::command::{CommandCode, CommandFailure},
};
use lucida_components::dtype::Dtype;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;

const BEAT: Duration = Duration::from_millis(400);

/// A server whose heart beats quickly.
struct Quick {
    state: SocketAddr,
    world: RunningWorld,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<Result<(), server::ServeError>>,
}

impl Quick {
    fn start() -> Option<Self> {
        let device = device()?;
        let image = ArrayImage::new("zyx", &[3, 64, 64], Dtype::U8, Arc::new(|_: usize, _: &[u64]| 100.0));
        let world = world::start(device.clone(), WorldSettings::of(&device)).unwrap();
        let intent = world::show(&world.sources, image.open());
        world.handle.send_blocking(Inbound::Intent(intent)).unwrap();
        let port = || TcpListener::bind("127.0.0.1:0").unwrap();
        let napari = NapariListeners { state: port(), pixels: port() };
        let state = napari.state.local_addr().unwrap();
        let listeners = Listeners { page: port(), napari: Some(napari) };
        let config = ServerConfig { heartbeat: BEAT, ..ServerConfig::default() };
        let (stop, stopped) = oneshot::channel();
        let refuse = |path: &str| Err(CommandFailure::new(CommandCode::PathForbidden, "no").at(path));
        let shutdown = async {
            let _ = stopped.await;
        };
        let running =
            tokio::spawn(server::run(listeners, config, world.handle.clone(), Arc::new(refuse), shutdown));
        Some(Self { state, world, stop, running })
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
        let world = self.world;
        tokio::task::spawn_blocking(move || world.stop()).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_its_heartbeats_stays_and_who_is_silent_is_told_and_closed() {
    let Some(server) = Quick::start() else { return };
    let mut client = State::connect_to(server.state, Conversation::new(BTreeMap::new())).await;
    assert_eq!(client.welcome["session"]["heartbeat_s"], json!(0.4));
    // It says nothing but the answers to heartbeats, which `State` gives.
    client.heard.clear();
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < BEAT * 8 {
        client.next_within(BEAT).await;
    }
    let beats = client.heard.iter().filter(|f| f["type"] == "session.heartbeat").count();
    assert!((4..=9).contains(&beats), "{beats} in eight times {BEAT:?}");

    client.does("dims", "z", "index", json!(0)).await;
    drop(client);

    let mut silent = open(server.state).await;
    silent.send(Message::text(hello(&BTreeMap::new()).to_string())).await.unwrap();
    let (mut beats, mut goodbye) = (0, Value::Null);
    let code = loop {
        let message = tokio::time::timeout(crate::state::PATIENCE, silent.next()).await.unwrap();
        match message.unwrap().unwrap() {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                crate::rules::frame(&frame).unwrap();
                beats += usize::from(frame["type"] == "session.heartbeat");
                if frame["type"] == "session.goodbye" {
                    goodbye = frame["payload"].clone();
                }
            }
            Message::Close(Some(frame)) => break u16::from(frame.code),
            _ => {}
        }
    };
    assert_eq!(code, 1011);
    let words = json!({"code": "timeout", "message": "heartbeat timeout", "reason": "heartbeat_timeout"});
    assert_eq!(goodbye, words);
    assert!((1..=3).contains(&beats), "{beats} beats until two were missed");
    // Any message is a sign of life: the client's pings alone keep it.
    let mut pinging = open(server.state).await;
    pinging.send(Message::text(hello(&BTreeMap::new()).to_string())).await.unwrap();
    for _ in 0..12 {
        pinging.send(Message::text("{\"type\":\"ping\"}")).await.unwrap();
        let _ =
            tokio::time::timeout(BEAT / 2, async { while let Some(Ok(_)) = pinging.next().await {} }).await;
    }
    pinging.send(Message::text("{\"type\":\"ping\"}")).await.expect("still there");
    drop(pinging);
    server.end().await;
}
