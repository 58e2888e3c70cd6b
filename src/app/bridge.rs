//! The only way between sockets and the world: one bounded inbox in, per session two bounded channels out.

use crossbeam_channel::{Receiver, Sender, TrySendError};
use lucida_components::{
    chunk::ChunkKey,
    ids::SessionId,
    intent::{Intent, SessionEvent},
    metrics::Metrics,
    notice::{Ack, Cursors, Notice},
    packet::Packet,
    session::Newcomer,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

/// Messages that may wait for the world: the [`SHARE`] of 128 sessions that flood it at once. A full
/// inbox holds up the socket that wants to fill it further, and through TCP its client; nobody else.
pub const INBOX: usize = 4096;

/// Messages of one session that may wait for the world and its turn. A session that wants more waits at its
/// own socket, so that what another one asks for finds at most this many of it ahead.
pub const SHARE: usize = 32;

/// State frames that may wait for one socket. When it is full, acks wait and notices merge in the world. The
/// last place is kept for the world's goodbye.
pub const STATE_QUEUE: usize = 64;

/// Pictures that may wait for one socket: as many as may be in flight to a client, so it is never full.
pub const PICTURE_QUEUE: usize = lucida_components::session::Watch::MAX_IN_FLIGHT as usize + 1;

/// What sockets tell the world.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the inbox holds a thousand; boxing each intent costs more")]
pub enum Inbound {
    /// A client asks for a change.
    Intent(Intent),
    /// A client finished its handshake; `state` carries everything it is told.
    Join {
        /// Its number.
        session: SessionId,
        /// What it brings.
        newcomer: Box<Newcomer>,
        /// Bounded by [`STATE_QUEUE`].
        state: mpsc::Sender<Outbound>,
    },
    /// A client's pixel channel opened; `pictures` carries them.
    Watch {
        /// Its number.
        session: SessionId,
        /// Bounded by [`PICTURE_QUEUE`].
        pictures: mpsc::Sender<Arc<Packet>>,
    },
    /// Anything else about a session: taken pictures, keyframe requests, departures.
    Session(SessionEvent),
    /// End the world: say goodbye to every session and return.
    Shutdown,
}

/// What the world tells a session's state socket.
#[derive(Debug, Clone)]
pub enum Outbound {
    /// The answer to an intent.
    Ack(Ack),
    /// Something was applied.
    Notice(Notice),
    /// The world ends this session: say goodbye, close.
    Close(CloseReason),
}

/// Why the world ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The server is stopping.
    Shutdown,
    /// The client does not read its answers.
    NotReading,
    /// The server cannot go on.
    Failed,
}

/// A message, and the place in its session's [`SHARE`] that it takes until it is dropped.
#[derive(Debug)]
pub struct Letter {
    /// The message.
    pub message: Inbound,
    /// None for what a client cannot send at will.
    pub place: Option<OwnedSemaphorePermit>,
}

/// The sockets' handle on the world. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WorldHandle {
    inbox: Sender<Letter>,
    shared: Arc<Shared>,
}

/// What the world publishes for the sockets to read.
#[derive(Debug, Default)]
pub struct Shared {
    /// A dataset is applied and a first picture could be drawn.
    pub ready: AtomicBool,
    /// Copied out of the world at most a few times a second.
    pub metrics: Mutex<Metrics>,
    /// The present places of what clients can go on from when they come back.
    pub cursors: Mutex<Cursors>,
    /// Told when the world's thread ends, for whatever reason; who comes later hears it too.
    pub ended: Notify,
}

/// A session's share of the inbox.
#[derive(Debug, Clone)]
pub struct Share(Arc<Semaphore>);

impl Default for Share {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARE)))
    }
}

/// The world is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the world has stopped")]
pub struct WorldGone;

impl WorldHandle {
    /// Makes the two ends.
    pub fn new() -> (Self, Receiver<Letter>) {
        // A full inbox back-pressures the socket that fills it: see `INBOX`.
        let (inbox, receiver) = crossbeam_channel::bounded(INBOX);
        (Self { inbox, shared: Arc::default() }, receiver)
    }

    /// Sends, waiting for room. Waits by sleeping: a full inbox is a flood, not the usual case, and
    /// crossbeam's channel (which the world can select on with a deadline) has no async end.
    pub async fn send(&self, message: Inbound) -> Result<(), WorldGone> {
        self.post(Letter { message, place: None }).await
    }

    /// Sends what a client may send as fast as it likes: waits for a place in its session's share first.
    pub async fn send_from(&self, share: &Share, message: Inbound) -> Result<(), WorldGone> {
        // A share is never closed.
        let place = Arc::clone(&share.0).acquire_owned().await.ok();
        self.post(Letter { message, place }).await
    }

    async fn post(&self, mut letter: Letter) -> Result<(), WorldGone> {
        loop {
            match self.inbox.try_send(letter) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) => letter = back,
                Err(TrySendError::Disconnected(_)) => return Err(WorldGone),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Sends from a thread that may block.
    pub fn send_blocking(&self, message: Inbound) -> Result<(), WorldGone> {
        self.inbox.send(Letter { message, place: None }).map_err(|_| WorldGone)
    }

    /// Whether a first picture can be drawn.
    pub fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Acquire)
    }

    /// The counters, as last published.
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The present places of resumable topics, as of the last turn that moved one.
    pub fn cursors(&self) -> Cursors {
        self.shared.cursors.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Resolves when the world has ended, although nobody may have asked it to. For one who waits.
    pub async fn ended(&self) {
        self.shared.ended.notified().await;
    }

    /// The published side, for the world to write.
    pub fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }
}

/// A chunk on its way from the pool to the world; `None` says that it is being made.
pub type Arrival =
    (ChunkKey, Option<Result<lucida_components::chunk::ChunkData, lucida_components::chunk::ChunkFault>>);
