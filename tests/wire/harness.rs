//! A server on a port of its own, the world's end of its channels, and clients by hand.

use futures_util::{SinkExt, StreamExt};
use lucida::{
    app::bridge::{Inbound, Letter, Outbound, WorldHandle},
    server::{self, Listeners, NapariListeners, Opener, ServeError, ServerConfig},
    wire::command::{CommandCode, CommandFailure},
};
use lucida_components::{
    ids::{IntentRef, SessionId, StreamId},
    intent::{Intent, SessionEvent},
    notice::{Ack, AckApplied},
    packet::{Answer, Packet},
    session::{Features, Newcomer},
    value::Value as Told,
};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// Nothing in these tests takes as long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A running server, and the world's end of its inbox.
pub struct Server {
    pub addr: SocketAddr,
    /// Where it was started with them, the older protocol's ports.
    pub napari: Option<Napari>,
    pub handle: WorldHandle,
    pub inbox: crossbeam_channel::Receiver<Letter>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), ServeError>>,
}

/// The older protocol's ports.
#[derive(Clone, Copy)]
pub struct Napari {
    pub state: SocketAddr,
    pub pixels: SocketAddr,
}

impl Server {
    pub fn start(config: ServerConfig) -> Self {
        let refuse = |path: &str| Err(CommandFailure::new(CommandCode::PathNotFound, "not there").at(path));
        Self::with_opener(config, Arc::new(refuse))
    }

    pub fn with_opener(config: ServerConfig, opener: Opener) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap().into(), config, opener)
    }

    /// One with the older protocol's ports.
    pub fn with_napari(config: ServerConfig) -> Self {
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let napari = Some(NapariListeners { state: bind(), pixels: bind() });
        let refuse = |path: &str| Err(CommandFailure::new(CommandCode::PathNotFound, "not there").at(path));
        Self::on(Listeners { page: bind(), napari }, config, Arc::new(refuse))
    }

    fn on(listeners: Listeners, config: ServerConfig, opener: Opener) -> Self {
        let addr = listeners.page.local_addr().unwrap();
        let napari = listeners
            .napari
            .as_ref()
            .map(|n| Napari { state: n.state.local_addr().unwrap(), pixels: n.pixels.local_addr().unwrap() });
        let (handle, inbox) = WorldHandle::new();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let running = tokio::spawn(server::run(listeners, config, handle.clone(), opener, shutdown));
        Self { addr, napari, handle, inbox, stop: Some(stop), running }
    }

    /// The next message for the world.
    pub fn next(&self) -> Inbound {
        let letter = tokio::task::block_in_place(|| self.inbox.recv_timeout(PATIENCE));
        letter.expect("the world hears something").message
    }

    /// Whether the world hears nothing for a while.
    pub fn is_quiet(&self) -> bool {
        tokio::task::block_in_place(|| self.inbox.recv_timeout(Duration::from_millis(150))).is_err()
    }

    pub fn intent(&self) -> Intent {
        match self.next() {
            Inbound::Intent(intent) => intent,
            other => panic!("no intent: {other:?}"),
        }
    }

    pub fn event(&self) -> SessionEvent {
        match self.next() {
            Inbound::Session(event) => event,
            other => panic!("no session event: {other:?}"),
        }
    }

    pub fn watch(&self) -> (SessionId, mpsc::Sender<Arc<Packet>>) {
        match self.next() {
            Inbound::Watch { session, pictures } => (session, pictures),
            other => panic!("no watch: {other:?}"),
        }
    }

    pub fn signal_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// What `run` returned.
    pub async fn ended(self) -> Result<(), ServeError> {
        timeout(PATIENCE, self.running).await.expect("run returns").unwrap()
    }

    /// A client that has been welcomed, with the world's end of its channel.
    pub async fn join(&self, features: &[&str]) -> Client {
        self.join_at(self.addr, "/state", &hello(features)).await
    }

    /// The same with this greeting, through any port under any path.
    pub async fn join_at(&self, addr: SocketAddr, path: &str, hello: &Value) -> Client {
        let mut socket = Socket::open(addr, path).await;
        socket.send(hello).await;
        let welcome = socket.frame().await;
        assert_eq!(welcome["type"], "session.welcome", "{welcome}");
        // Already there: a pixel channel that the welcome allows must not come before its session.
        let Ok(Inbound::Join { session, newcomer, state }) = self.inbox.try_recv().map(|l| l.message) else {
            panic!("no join")
        };
        let name = welcome["session"].as_str().unwrap().to_owned();
        let features = newcomer.features;
        Client { socket, name, session, features, newcomer, welcome, state, intents: 0 }
    }
}

/// A greeting that asks for `features` besides the base protocol's.
pub fn hello(features: &[&str]) -> Value {
    let mut hello = json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
        "payload": {
            "protocols": [2],
            "client": {"name": "test", "version": "0", "platform": "rust"},
            "features": {"notify.scene": true, "notify.layers": true, "notify.stream": true},
            "resume_tokens": {}
        }
    });
    for name in features {
        hello["payload"]["features"][*name] = true.into();
    }
    hello
}

/// A welcomed client and the world's end of its channel.
pub struct Client {
    pub socket: Socket,
    pub name: String,
    pub session: SessionId,
    pub features: Features,
    /// What the world was told of it.
    pub newcomer: Box<Newcomer>,
    /// What it was told first.
    pub welcome: Value,
    pub state: mpsc::Sender<Outbound>,
    intents: u32,
}

impl Client {
    /// Sends one `state.update` and returns its intent id.
    pub async fn update(&mut self, scope: &str, target: &str, key: &str, value: Value) -> String {
        self.intents += 1;
        let id = format!("intent-{:08x}", self.intents);
        let frame = json!({
            "type": "state.update", "version": 2, "session": self.name, "timestamp": 1.0,
            "frame_id": format!("state-{:08x}", self.intents), "intent_id": id,
            "payload": {"scope": scope, "target": target, "key": key, "value": value}
        });
        self.socket.send(&frame).await;
        id
    }

    pub async fn send(&mut self, kind: &str, frame_id: &str, payload: Value) {
        let frame = json!({
            "type": kind, "version": 2, "session": self.name, "timestamp": 1.0, "frame_id": frame_id,
            "payload": payload
        });
        self.socket.send(&frame).await;
    }

    pub async fn pixels(&self, server: &Server) -> Socket {
        Socket::open(server.addr, &format!("/pixels?session={}", self.name)).await
    }

    /// The world answers an intent.
    pub async fn answer(&self, intent: IntentRef) {
        let outcome = Ok(AckApplied { value: Told::Int(1), version: 1, of: None });
        self.state.send(Outbound::Ack(Ack { intent, outcome })).await.unwrap();
    }
}

/// A WebSocket, from the client's side.
pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(addr: SocketAddr, path: &str) -> Self {
        Self::try_open(addr, path, &[]).await.expect("the server upgrades")
    }

    /// The HTTP status where the server does not upgrade.
    pub async fn try_open(
        addr: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{addr}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(PATIENCE, connect_async(request)).await.expect("an answer") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    pub async fn send(&mut self, frame: &Value) {
        self.text(frame.to_string()).await;
    }

    pub async fn text(&mut self, text: String) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub async fn bytes(&mut self, bytes: Vec<u8>) {
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    pub async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.0.next()).await.expect("a message").expect("an open socket").unwrap()
    }

    /// The next state frame.
    pub async fn frame(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text: {other:?}"),
        }
    }

    /// The next picture: its `seq`, its extension, its access unit.
    pub async fn picture(&mut self) -> (u32, Option<Value>, Vec<u8>) {
        let Message::Binary(bytes) = self.message().await else { panic!("no picture") };
        let seq = u32::from_be_bytes(bytes[..4].try_into().unwrap());
        let n = usize::from(u16::from_be_bytes(bytes[22..24].try_into().unwrap()));
        let extension = (n > 0).then(|| serde_json::from_slice(&bytes[24..24 + n]).unwrap());
        (seq, extension, bytes[24 + n..].to_vec())
    }

    /// The close code, skipping what comes before; 0 where the socket just ends.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("the server closes") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 0,
            }
        }
    }
}

/// Status, head and body of one request.
pub async fn get(addr: SocketAddr, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let host = if headers.to_lowercase().contains("host:") { "" } else { "Host: localhost\r\n" };
    let request = format!("GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut response)).await.expect("a response").unwrap();
    split(&response)
}

/// The head of the answer to a request that may end in an upgrade.
pub async fn head(addr: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.expect("a head").unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// Status, head and body of a response.
pub fn split(response: &str) -> (u16, String, String) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

/// A picture of `bytes` bytes.
pub fn packet(revision: u64, bytes: usize, answered: &[(SessionId, &str)]) -> Arc<Packet> {
    let answer = |session, id: &str| Answer {
        op: 1,
        session,
        intent: IntentRef { intent_id: id.into(), frame_id: "f".into() },
        arrived: Instant::now(),
    };
    Arc::new(Packet {
        stream: StreamId::MAIN,
        width: 64,
        height: 48,
        keyframe: true,
        revision,
        answered: answered.iter().map(|(s, id)| answer(*s, id)).collect(),
        captured: 1.0,
        bytes: vec![7; bytes].into(),
        config: None,
        encode_micros: 1,
    })
}
