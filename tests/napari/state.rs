//! The state channel of the strict client: every frame is checked when it comes, and what it says is believed.

use crate::{
    rules::conversation::{Conversation, Stage},
    serve::Server,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// Nothing takes as long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Nothing more comes after so long a silence.
pub const QUIET: Duration = Duration::from_millis(600);

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// As the client connects: path `/`, no sub-protocol.
pub async fn open(addr: SocketAddr) -> Socket {
    timeout(PATIENCE, connect_async(format!("ws://{addr}"))).await.expect("in time").expect("upgraded").0
}

pub struct State {
    pub socket: Socket,
    pub talk: Conversation,
    /// The welcome's payload.
    pub welcome: Value,
    /// Frames since somebody looked.
    pub heard: Vec<Value>,
    /// Ids of this client's intents begin with this: no other's do.
    mine: u32,
    count: u32,
}

/// The hello that the client sends.
pub fn hello(tokens: &BTreeMap<&'static str, Option<String>>) -> Value {
    let token = |topic: &str| tokens.get(topic).cloned().flatten();
    json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-0f", "timestamp": 1_763_600_000.5,
        "payload": {
            "protocols": [2],
            "client": {"name": "napari-cuda-client", "version": "0.1.0", "platform": "Linux-6.8-x86_64"},
            "features": {"notify.scene": true, "notify.layers": true, "notify.stream": true,
                         "notify.dims": true, "notify.camera": true},
            "resume_tokens": {"notify.scene": token("notify.scene"), "notify.layers": token("notify.layers"),
                              "notify.stream": token("notify.stream")}
        }
    })
}

impl State {
    /// A new client, with its baseline.
    pub async fn connect(server: &Server) -> Self {
        Self::connect_to(server.state, Conversation::new(BTreeMap::new())).await
    }

    /// The same after a connection that ended: it offers what it kept.
    pub async fn again(server: &Server, before: &Conversation) -> Self {
        Self::connect_to(server.state, Conversation::after(before)).await
    }

    pub async fn connect_to(addr: SocketAddr, talk: Conversation) -> Self {
        let mut client = Self::greet(addr, talk).await;
        while client.talk.stage != Stage::Live {
            client.next().await;
        }
        client
    }

    /// Welcomed, and nothing more.
    pub async fn greet(addr: SocketAddr, talk: Conversation) -> Self {
        static CLIENTS: AtomicU32 = AtomicU32::new(1);
        let mine = CLIENTS.fetch_add(1, Ordering::Relaxed) << 20;
        let socket = open(addr).await;
        let mut client = Self { socket, talk, welcome: Value::Null, heard: Vec::new(), mine, count: 0 };
        let hello = hello(&client.talk.tokens);
        client.send(&hello).await;
        let welcome = client.next().await;
        assert_eq!(welcome["type"], "session.welcome", "{welcome}");
        client.welcome = welcome["payload"].clone();
        // What it sends at once and every two seconds, of no meaning.
        client.send(&json!({"type": "ping"})).await;
        client
    }

    pub async fn send(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("sent");
    }

    /// The next frame, checked and believed; heartbeats are answered.
    pub async fn next(&mut self) -> Value {
        self.next_within(PATIENCE).await.expect("a frame in time")
    }

    pub async fn next_within(&mut self, patience: Duration) -> Option<Value> {
        loop {
            let message = timeout(patience, self.socket.next()).await.ok()?;
            let text = match message.expect("open").expect("a message") {
                Message::Text(text) => text,
                Message::Ping(_) | Message::Pong(_) => continue,
                other => panic!("the state channel sends text alone, not {other:?}"),
            };
            let frame: Value = serde_json::from_str(&text).expect("JSON");
            if let Err(why) = self.talk.hears(&frame) {
                panic!("the client would not have it: {why}\n{frame}");
            }
            if frame["type"] == "session.heartbeat" {
                self.frame("session.ack", "ack-1", json!({})).await;
            }
            self.heard.push(frame.clone());
            return Some(frame);
        }
    }

    /// The first frame of which something holds.
    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let begun = tokio::time::Instant::now();
        loop {
            let left = PATIENCE.checked_sub(begun.elapsed()).unwrap_or_default();
            let Some(frame) = self.next_within(left).await else { panic!("no {what}") };
            if is_it(&frame) {
                return frame;
            }
        }
    }

    /// The next frame of a type; its payload.
    pub async fn told(&mut self, kind: &str) -> Value {
        self.until(kind, |f| f["type"] == kind).await["payload"].clone()
    }

    /// Reads until nothing more comes; what came.
    pub async fn rest(&mut self) -> Vec<Value> {
        self.heard.clear();
        while self.next_within(QUIET).await.is_some() {}
        std::mem::take(&mut self.heard)
    }

    /// Waits until the client believes something.
    pub async fn believes(&mut self, what: &str, is_so: impl Fn(&Conversation) -> bool) {
        let begun = tokio::time::Instant::now();
        while !is_so(&self.talk) {
            let left = PATIENCE.checked_sub(begun.elapsed()).unwrap_or_default();
            let came = self.next_within(left).await;
            assert!(came.is_some(), "never: {what}; {}", self.talk.believes());
        }
    }

    /// Any frame of this session.
    pub async fn frame(&mut self, kind: &str, frame_id: &str, payload: Value) {
        let frame = json!({
            "type": kind, "version": 2, "session": self.talk.session, "timestamp": 1.0, "frame_id": frame_id,
            "payload": payload
        });
        self.send(&frame).await;
    }

    /// Sends a `state.update`; its intent id.
    pub async fn update(&mut self, scope: &str, target: &str, key: &str, value: Value) -> String {
        self.count += 1;
        let n = self.mine + self.count;
        let (intent, frame) = (format!("intent-{n:08x}"), format!("state-{n:08x}"));
        let update = json!({
            "type": "state.update", "version": 2, "session": self.talk.session, "timestamp": 1.0,
            "frame_id": frame, "intent_id": intent,
            "payload": {"scope": scope, "target": target, "key": key, "value": value}
        });
        self.talk.asks(&intent, &frame);
        self.send(&update).await;
        intent
    }

    /// Sends a `state.update` and waits for its answer.
    pub async fn ask(&mut self, scope: &str, target: &str, key: &str, value: Value) -> Value {
        let intent = self.update(scope, target, key, value).await;
        let is_it = |f: &Value| f["type"] == "ack.state" && f["payload"]["intent_id"] == intent.as_str();
        self.until("ack", is_it).await["payload"].clone()
    }

    /// The same, accepted: the applied value.
    pub async fn does(&mut self, scope: &str, target: &str, key: &str, value: Value) -> Value {
        let ack = self.ask(scope, target, key, value.clone()).await;
        assert_eq!(ack["status"], "accepted", "{scope}:{key} {value}: {ack}");
        ack["applied_value"].clone()
    }

    /// The same, rejected: the code.
    pub async fn is_refused(&mut self, scope: &str, target: &str, key: &str, value: Value) -> String {
        let ack = self.ask(scope, target, key, value.clone()).await;
        assert_eq!(ack["status"], "rejected", "{scope}:{key} {value}: {ack}");
        ack["error"]["code"].as_str().unwrap().to_owned()
    }

    /// Sends a command and waits for its answer.
    pub async fn command(&mut self, name: &str, kwargs: Value) -> Value {
        self.count += 1;
        let id = format!("cmd-{:08x}", self.mine + self.count);
        self.talk.commands(&id);
        self.frame("call.command", &id, json!({"command": name, "kwargs": kwargs, "origin": "ui"})).await;
        let answer = self.until("answer", |f| f["payload"]["in_reply_to"] == id.as_str()).await;
        answer["payload"].clone()
    }

    /// The same where it works: the result.
    pub async fn result(&mut self, name: &str, kwargs: Value) -> Value {
        let answer = self.command(name, kwargs).await;
        assert_eq!(answer["status"], "ok", "{name}: {answer}");
        answer["result"].clone()
    }

    /// The close code, after whatever is still said; 0 where the connection just ends.
    pub async fn closed(&mut self) -> u16 {
        closed(&mut self.socket).await
    }
}

/// The close code, after whatever is still said; 0 where the connection just ends.
pub async fn closed(socket: &mut Socket) -> u16 {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("the server closes") {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return 0,
        }
    }
}
