//! The pixel channel of one session: pictures out, acknowledgements in.

use super::{
    App,
    allowance::Allowance,
    directory::{self, Channel, Pixels},
    socket::{self, code},
    writer::MISSES,
};
use crate::{
    app::bridge::{Inbound, WorldGone},
    wire::pixels::{self as wire, Extension},
};
use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket},
};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use lucida_components::{ids::SessionId, intent::SessionEvent, packet::Packet};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

/// Longest message of a client, bytes; its acknowledgements have four.
pub const MAX_MESSAGE: usize = 1 << 10;

/// Serves the pixel channel of the session of this name.
pub async fn serve(app: Arc<App>, socket: WebSocket, name: &str) {
    let Some(entry) = app.directory.find(name) else {
        return socket::close_all(socket, code::POLICY, "unknown session").await;
    };
    let mut channel = match entry.watch(&app.world).await {
        Ok(Some(channel)) => channel,
        Ok(None) => return socket::close_all(socket, code::POLICY, "unknown session").await,
        Err(WorldGone) => return socket::close_all(socket, code::ERROR, "the world has stopped").await,
    };
    let (mut sink, mut stream) = socket.split();
    let session = entry.session;
    let window = entry.features.frames.then(Window::default);
    let superseded = directory::superseded(channel.latest());
    let end = {
        let Channel { pictures, .. } = &mut channel;
        let line = Line { app: &app, session, window: window.as_ref(), alive: None };
        tokio::select! {
            end = line.write(&mut sink, pictures) => end,
            end = line.read(&mut stream) => end,
            instead = superseded => Some(match instead {
                Pixels::Channel(_) => (code::POLICY, "another pixel channel of this session was opened"),
                Pixels::Ended if *app.stopping.borrow() => (code::AWAY, "the server is stopping"),
                Pixels::Ended => (code::ERROR, "the session has ended"),
            }),
        }
    };
    // Only now is the queue given up: until here the world may count on it.
    let _ = entry.unwatch(&channel, &app.world).await;
    drop(channel);
    if let Some((code, reason)) = end {
        socket::close(&mut sink, code, reason).await;
    }
    socket::drain(&mut stream).await;
}

/// How a channel is closed by us; `None` where it is dead already.
pub(super) type End = Option<(u16, &'static str)>;

/// Both ways of a pixel channel.
pub(super) struct Line<'a> {
    /// What all share.
    pub app: &'a App,
    /// Whose pictures they are.
    pub session: SessionId,
    /// Where the client acknowledges pictures itself.
    pub window: Option<&'a Window>,
    /// Set at every message. Where there is one, the client is asked for a sign of life, and two heartbeats without
    /// one end the channel; elsewhere its session has that.
    pub alive: Option<&'a AtomicBool>,
}

impl Line<'_> {
    /// Writes pictures, numbered as they are sent. Where the client does not acknowledge them itself, one
    /// counts as taken when the socket took its last byte.
    pub async fn write(
        &self,
        sink: &mut (impl Sink<Message> + Unpin),
        pictures: &mut mpsc::Receiver<Arc<Packet>>,
    ) -> End {
        let period = self.app.config.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seq, mut misses): (u32, u32) = (0, 0);
        loop {
            let picture = tokio::select! {
                picture = pictures.recv() => picture,
                _ = heartbeat.tick(), if self.alive.is_some() => {
                    let is_alive = self.alive.is_some_and(|alive| alive.swap(false, Ordering::Relaxed));
                    misses = if is_alive { 0 } else { misses + 1 };
                    if misses >= MISSES {
                        return Some((code::ERROR, "no sign of life"));
                    }
                    if let Err(end) = self.send(sink, Message::Ping(Bytes::new())).await {
                        return end;
                    }
                    continue;
                }
            };
            let Some(packet) = picture else {
                return Some((code::ERROR, "no more pictures"));
            };
            let extension = match self.window {
                Some(window) => {
                    window.sent();
                    Extension::Answers(self.session)
                }
                None => Extension::None,
            };
            let message = Message::Binary(wire::message(&packet, seq, extension).into());
            drop(packet);
            seq = seq.wrapping_add(1);
            if let Err(end) = self.send(sink, message).await {
                return end;
            }
            if self.window.is_none() && self.taken().await.is_err() {
                return Some((code::ERROR, "the world has stopped"));
            }
        }
    }

    async fn send(&self, sink: &mut (impl Sink<Message> + Unpin), message: Message) -> Result<(), End> {
        match timeout(self.app.config.write_timeout, sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some((code::ERROR, "the client does not read"))),
        }
    }

    /// Reads acknowledgements. Anything else is ignored, as the base protocol has it.
    pub async fn read(&self, stream: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin)) -> End {
        let mut allowance = Allowance::new(&self.app.config, std::time::Instant::now());
        while let Some(message) = stream.next().await {
            if let Ok(message) = &message {
                if let Some(alive) = self.alive {
                    alive.store(true, Ordering::Relaxed);
                }
                allowance.pace(socket::bytes(message)).await;
            }
            match message {
                Ok(Message::Binary(bytes)) => {
                    let (Some(window), Some(seq)) = (self.window, wire::parse_ack(&bytes)) else { continue };
                    for _ in 0..window.acknowledge(seq) {
                        if self.taken().await.is_err() {
                            return Some((code::ERROR, "the world has stopped"));
                        }
                    }
                }
                Ok(Message::Close(_)) => return None,
                Ok(_) => {}
                Err(error) => return Some(socket::read_failure(&error)),
            }
        }
        None
    }

    async fn taken(&self) -> Result<(), WorldGone> {
        self.app.world.send(Inbound::Session(SessionEvent::PictureTaken { session: self.session })).await
    }
}

/// Pictures under way to a client that acknowledges them.
#[derive(Debug, Default)]
pub(super) struct Window(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// The `seq` after the last one sent.
    next: u32,
    /// Sent and not acknowledged.
    open: u32,
}

impl Window {
    fn sent(&self) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.next = counts.next.wrapping_add(1);
        counts.open += 1;
    }

    /// How many pictures an acknowledgement takes: all up to its `seq`, since one that was skipped will not
    /// be acknowledged any more. What was not sent, or was acknowledged before, takes none.
    fn acknowledge(&self, seq: u32) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = counts.next.wrapping_sub(seq).wrapping_sub(1);
        let taken = counts.open.saturating_sub(newer);
        counts.open -= taken;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_take_what_was_sent_and_nothing_twice() {
        let window = Window::default();
        assert_eq!(window.acknowledge(0), 0, "nothing was sent");
        for _ in 0..3 {
            window.sent();
        }
        assert_eq!(window.acknowledge(3), 0, "not sent yet");
        assert_eq!(window.acknowledge(0), 1);
        assert_eq!(window.acknowledge(0), 0, "twice");
        assert_eq!(window.acknowledge(2), 2, "a skipped one is taken along");
        window.sent();
        assert_eq!(window.acknowledge(1), 0, "an old one");
        assert_eq!(window.acknowledge(u32::MAX), 0);
        assert_eq!(window.acknowledge(3), 1);
    }

    #[test]
    fn the_window_goes_round_with_seq() {
        let window = Window(Mutex::new(Counts { next: u32::MAX, open: 0 }));
        window.sent();
        window.sent();
        assert_eq!(window.acknowledge(u32::MAX), 1);
        assert_eq!(window.acknowledge(0), 1);
    }
}
