//! A whole server on a port of its own, and clients that decode what they are sent.

use futures_util::{SinkExt, StreamExt};
use lucida::{
    app::{
        rebuild::WorldFailed,
        world::{self, RunningWorld, WorldSettings},
    },
    data::Opened,
    encode::decode::Decoder,
    gpu::device::Device,
    server::{self, ServeError, ServerConfig},
    wire::command::{CommandCode, CommandFailure},
};
use lucida_components::notice::Cursors;
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, sync::oneshot, task::JoinHandle, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// Nothing takes as long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Live {
    pub addr: SocketAddr,
    world: RunningWorld,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServeError>>,
}

impl Live {
    pub fn start(device: &Device, opened: Opened) -> Self {
        Self::start_with(device, WorldSettings::of(device), opened)
    }

    /// With settings of the test's own.
    pub fn start_with(device: &Device, settings: WorldSettings, opened: Opened) -> Self {
        Self::serving(device, settings, opened, ServerConfig::default())
    }

    /// With a configuration of the test's own, too.
    pub fn serving(device: &Device, settings: WorldSettings, opened: Opened, config: ServerConfig) -> Self {
        let world = world::start(device.clone(), settings).expect("a world");
        let intent = world::show(&world.sources, opened);
        world.handle.send_blocking(lucida::app::bridge::Inbound::Intent(intent)).expect("it listens");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("its address");
        let (stop, stopped) = oneshot::channel();
        let refuse = |path: &str| Err(CommandFailure::new(CommandCode::PathForbidden, "no").at(path));
        let shutdown = async {
            let _ = stopped.await;
        };
        let handle = world.handle.clone();
        let running = tokio::spawn(server::run(listener, config, handle, Arc::new(refuse), shutdown));
        Self { addr, world, stop, running }
    }

    pub fn metrics(&self) -> lucida_components::metrics::Metrics {
        self.world.handle.metrics()
    }

    /// The places that are published for those who come back.
    pub fn cursors(&self) -> Cursors {
        self.world.handle.cursors()
    }

    pub async fn end(self) {
        self.stop.send(()).expect("it runs");
        timeout(PATIENCE, self.running).await.expect("it ends").expect("no panic").expect("no error");
        let world = self.world;
        let stopped = tokio::task::spawn_blocking(move || world.stop()).await.expect("the world ends");
        stopped.expect("it did not fail");
    }

    /// Waits for a world that ends by itself: why it did.
    pub async fn failed(self) -> WorldFailed {
        timeout(PATIENCE, self.world.handle.ended()).await.expect("it ends");
        self.stop.send(()).expect("the server runs");
        timeout(PATIENCE, self.running).await.expect("it ends").expect("no panic").expect("no error");
        let world = self.world;
        let stopped = tokio::task::spawn_blocking(move || world.stop()).await.expect("the world ends");
        stopped.expect_err("it failed")
    }

    pub async fn client(&self) -> Client {
        client(self.addr).await
    }

    /// A client with its pixel channel open.
    pub async fn watcher(&self) -> Client {
        watch(self.addr).await
    }
}

/// A client of the page's port of any server.
pub async fn client(addr: SocketAddr) -> Client {
    client_with(addr, &[]).await
}

/// The same with more features.
pub async fn client_with(addr: SocketAddr, more: &[&str]) -> Client {
    let mut state = open(addr, "/state").await;
    let mut hello = json!({
        "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
        "payload": {
            "protocols": [2],
            "client": {"name": "test", "version": "0", "platform": "rust"},
            "features": {
                "notify.scene": true, "notify.layers": true, "notify.stream": true, "notify.dims": true,
                "notify.camera": true, "lucida.view": true, "lucida.frames": true
            },
            "resume_tokens": {}
        }
    });
    for feature in more {
        hello["payload"]["features"][feature] = json!(true);
    }
    state.send(Message::text(hello.to_string())).await.expect("sent");
    let mut client = Client { state, pixels: None, session: String::new(), intents: 0, decoder: None };
    let welcome = client.frame("session.welcome").await;
    welcome["session"].as_str().expect("a session").clone_into(&mut client.session);
    client
}

/// The same with its pixel channel open.
pub async fn watch(addr: SocketAddr) -> Client {
    watch_with(addr, &[]).await
}

/// The same with more features.
pub async fn watch_with(addr: SocketAddr, more: &[&str]) -> Client {
    let mut client = client_with(addr, more).await;
    let path = format!("/pixels?session={}", client.session);
    client.pixels = Some(open(addr, &path).await);
    client
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(addr: SocketAddr, path: &str) -> Socket {
    timeout(PATIENCE, connect_async(format!("ws://{addr}{path}")))
        .await
        .expect("in time")
        .expect("upgraded")
        .0
}

pub struct Client {
    pub state: Socket,
    pub pixels: Option<Socket>,
    pub session: String,
    intents: u32,
    decoder: Option<Decoder>,
}

/// A decoded picture.
pub struct Shown {
    pub seq: u32,
    pub keyframe: bool,
    pub width: u32,
    pub height: u32,
    pub revision: u64,
    pub intents: Vec<String>,
    /// Row-major RGB, row 0 on top.
    pub rgb: Vec<[f64; 3]>,
}

impl Shown {
    /// Mean colour of the middle ninth.
    pub fn middle(&self) -> [f64; 3] {
        let (w, h) = (self.width as usize, self.height as usize);
        let mut sum = [0.0; 3];
        let mut n = 0.0;
        for y in h / 3..2 * h / 3 {
            for x in w / 3..2 * w / 3 {
                (0..3).for_each(|i| sum[i] += self.rgb[y * w + x][i]);
                n += 1.0;
            }
        }
        sum.map(|s| s / n)
    }
}

impl Client {
    /// The next state frame of a type; others are passed over.
    pub async fn frame(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.any_frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    pub async fn any_frame(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.state.next()).await.expect("a frame in time");
            match message.expect("open").expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Close(_) => panic!("the state socket was closed"),
                _ => {}
            }
        }
    }

    pub async fn send_text(&mut self, text: &str) {
        self.state.send(Message::text(text)).await.expect("sent");
    }

    /// Sends a `state.update`; its intent id.
    pub async fn update(&mut self, scope: &str, target: &str, key: &str, value: Value) -> String {
        self.intents += 1;
        let id = format!("intent-{:08x}", self.intents);
        let frame = json!({
            "type": "state.update", "version": 2, "session": self.session, "timestamp": 1.0,
            "frame_id": format!("state-{:08x}", self.intents), "intent_id": id,
            "payload": {"scope": scope, "target": target, "key": key, "value": value}
        });
        self.send_text(&frame.to_string()).await;
        id
    }

    /// Sends a `state.update` and waits for its acknowledgement.
    pub async fn ask(&mut self, scope: &str, target: &str, key: &str, value: Value) -> Value {
        let id = self.update(scope, target, key, value).await;
        loop {
            let ack = self.frame("ack.state").await;
            if ack["payload"]["intent_id"] == id.as_str() {
                return ack["payload"].clone();
            }
        }
    }

    /// The next picture, decoded and acknowledged.
    pub async fn picture(&mut self) -> Shown {
        self.picture_within(PATIENCE).await.expect("a picture in time")
    }

    pub async fn picture_within(&mut self, patience: Duration) -> Option<Shown> {
        loop {
            let socket = self.pixels.as_mut().expect("watching");
            let message = timeout(patience, socket.next()).await.ok()?;
            let bytes = match message.expect("open").expect("a message") {
                Message::Binary(bytes) => bytes,
                Message::Close(why) => panic!("the pixel socket was closed: {why:?}"),
                _ => continue,
            };
            let seq = u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"));
            socket.send(Message::binary(seq.to_be_bytes().to_vec())).await.expect("acknowledged");
            return Some(self.decode(&bytes));
        }
    }

    /// The first picture that shows a revision, or answers an intent.
    pub async fn picture_of(&mut self, is_it: impl Fn(&Shown) -> bool) -> Shown {
        loop {
            let shown = self.picture().await;
            if is_it(&shown) {
                return shown;
            }
        }
    }

    fn decode(&mut self, bytes: &[u8]) -> Shown {
        let int = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let (seq, width, height) = (int(0), int(12), int(16));
        let (codec, flags) = (bytes[20], bytes[21]);
        let extension = usize::from(u16::from_be_bytes([bytes[22], bytes[23]]));
        assert_eq!(codec, 1, "H.264");
        let json: Value = serde_json::from_slice(&bytes[24..24 + extension]).expect("an extension");
        let unit = &bytes[24 + extension..];
        let keyframe = flags & 1 == 1;
        if keyframe {
            self.decoder = Some(Decoder::new().expect("a decoder"));
        }
        let decoder = self.decoder.as_mut().expect("a stream begins with a keyframe");
        let picture = decoder.decode(unit).expect("decodes");
        assert_eq!((picture.canvas.width, picture.canvas.height), (width, height));
        let view = picture.as_i420();
        let rgb = (0..height as usize * width as usize)
            .map(|n| {
                let (x, y) = (n % width as usize, n / width as usize);
                let chroma = y / 2 * (view.stride / 2) + x / 2;
                to_rgb(view.y[y * view.stride + x], view.u[chroma], view.v[chroma])
            })
            .collect();
        let intents = json["intents"].as_array().expect("a list");
        Shown {
            seq,
            keyframe,
            width,
            height,
            revision: json["revision"].as_u64().expect("a revision"),
            intents: intents.iter().map(|i| i.as_str().expect("text").to_owned()).collect(),
            rgb,
        }
    }
}

/// BT.709 limited range to RGB in 0..=255 (ITU-R BT.709-6), written independently of the shader.
fn to_rgb(y: u8, u: u8, v: u8) -> [f64; 3] {
    let y = (f64::from(y) - 16.0) / 219.0;
    let (pb, pr) = ((f64::from(u) - 128.0) / 224.0, (f64::from(v) - 128.0) / 224.0);
    let r = y + 1.5748 * pr;
    let b = y + 1.8556 * pb;
    let g = (y - 0.2126 * r - 0.0722 * b) / 0.7152;
    [r, g, b].map(|c| c.clamp(0.0, 1.0) * 255.0)
}
