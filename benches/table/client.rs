//! A client that reads everything at once and notes when; it does not decode, so that it costs little.

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a client saw.
#[derive(Default)]
pub struct Seen {
    /// Acknowledged intents.
    pub acks: Vec<(String, Instant)>,
    /// Pictures: the intents they answer, and their bytes.
    pub pictures: Vec<(Vec<String>, usize, Instant)>,
}

pub struct Client {
    state: SplitSink<Socket, Message>,
    session: String,
    intents: u32,
    pub seen: Arc<Mutex<Seen>>,
    /// Counts what was seen, to wait for more.
    pub news: watch::Receiver<usize>,
    reading: [JoinHandle<()>; 2],
}

/// Gone at once, as a closed browser is.
impl Drop for Client {
    fn drop(&mut self) {
        self.reading.iter().for_each(JoinHandle::abort);
    }
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Option<Self> {
        let (mut state, _) = connect_async(format!("ws://{addr}/state")).await.ok()?;
        let hello = json!({
            "type": "session.hello", "version": 2, "frame_id": "hello-1", "timestamp": 1.0,
            "payload": {
                "protocols": [2], "client": {"name": "bench", "version": "0", "platform": "rust"},
                "features": {
                    "notify.scene": true, "notify.layers": true, "notify.stream": true, "notify.dims": true,
                    "notify.camera": true, "lucida.view": true, "lucida.frames": true
                },
                "resume_tokens": {}
            }
        });
        state.send(Message::text(hello.to_string())).await.ok()?;
        let welcome: Value = serde_json::from_str(state.next().await?.ok()?.to_text().ok()?).ok()?;
        let session = welcome["session"].as_str()?.to_owned();
        let (mut pixels, _) = connect_async(format!("ws://{addr}/pixels?session={session}")).await.ok()?;
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (tell, news) = watch::channel(0);
        let tell = Arc::new(tell);

        let (sink, mut frames) = state.split();
        let (noted, told) = (seen.clone(), tell.clone());
        let answers = tokio::spawn(async move {
            while let Some(Ok(message)) = frames.next().await {
                let now = Instant::now();
                let Ok(text) = message.to_text() else { continue };
                let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
                if frame["type"] == "ack.state" {
                    let id = frame["payload"]["intent_id"].as_str().unwrap_or_default().to_owned();
                    noted.lock().unwrap().acks.push((id, now));
                    told.send_modify(|n| *n += 1);
                }
            }
        });
        let noted = seen.clone();
        let pictures = tokio::spawn(async move {
            while let Some(Ok(message)) = pixels.next().await {
                let now = Instant::now();
                let Message::Binary(bytes) = message else { continue };
                if pixels.send(Message::binary(bytes[..4].to_vec())).await.is_err() {
                    return;
                }
                let n = usize::from(u16::from_be_bytes([bytes[22], bytes[23]]));
                let extension: Value = serde_json::from_slice(&bytes[24..24 + n]).unwrap();
                let list = extension["intents"].as_array().unwrap();
                let intents = list.iter().filter_map(|i| Some(i.as_str()?.to_owned())).collect();
                noted.lock().unwrap().pictures.push((intents, bytes.len(), now));
                tell.send_modify(|n| *n += 1);
            }
        });
        Some(Self { state: sink, session, intents: 0, seen, news, reading: [answers, pictures] })
    }

    /// Sends a `state.update`; its id and when.
    pub async fn update(&mut self, scope: &str, target: &str, key: &str, value: Value) -> (String, Instant) {
        self.intents += 1;
        let id = format!("intent-{:08x}", self.intents);
        let frame = json!({
            "type": "state.update", "version": 2, "session": self.session, "timestamp": 1.0,
            "frame_id": format!("state-{:08x}", self.intents), "intent_id": id,
            "payload": {"scope": scope, "target": target, "key": key, "value": value}
        });
        let now = Instant::now();
        self.state.send(Message::text(frame.to_string())).await.unwrap();
        (id, now)
    }

    /// When the picture came that answers an intent; waits for it, 5 s at most.
    pub async fn answered(&mut self, id: &str) -> Option<Instant> {
        let wait = async {
            loop {
                let found = {
                    let seen = self.seen.lock().unwrap();
                    seen.pictures.iter().rev().find(|(i, ..)| i.iter().any(|i| i == id)).map(|p| p.2)
                };
                if found.is_some() {
                    return found;
                }
                self.news.changed().await.ok()?;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), wait).await.ok().flatten()
    }
}
