//! The sessions there are: by the name that the wire gave them, so that a pixel channel finds its session.

use crate::app::bridge::{Inbound, PICTURE_QUEUE, WorldGone, WorldHandle};
use lucida_components::{ids::SessionId, intent::SessionEvent, packet::Packet, session::Features};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

/// Sessions by name. As many as the server admits.
#[derive(Debug, Default)]
pub struct Directory(Mutex<HashMap<String, Arc<Entry>>>);

/// One session, as its pixel channel sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number in the world.
    pub session: SessionId,
    /// What it negotiated.
    pub features: Features,
    /// Which pixel channel is the session's; changed only under `turnstile`.
    pixels: watch::Sender<Pixels>,
    /// Keeps what the world hears about one session in order.
    turnstile: AsyncMutex<()>,
}

/// Which pixel channel is the session's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// The one of this number; 0 = none yet. A later one replaces it.
    Channel(u64),
    /// None any more: the session has ended.
    Ended,
}

/// A pixel channel of a session, and the way to learn that it is not any more.
#[derive(Debug)]
pub struct Channel {
    number: u64,
    /// Pictures for it.
    pub pictures: mpsc::Receiver<Arc<Packet>>,
    latest: watch::Receiver<Pixels>,
}

impl Directory {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a session.
    pub fn enter(&self, name: &str, session: SessionId, features: Features) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            session,
            features,
            pixels: watch::Sender::new(Pixels::Channel(0)),
            turnstile: AsyncMutex::default(),
        });
        self.lock().insert(name.to_owned(), entry.clone());
        entry
    }

    /// Finds a session.
    pub fn find(&self, name: &str) -> Option<Arc<Entry>> {
        self.lock().get(name).cloned()
    }

    /// Takes a session out.
    pub fn leave(&self, name: &str) {
        self.lock().remove(name);
    }
}

impl Entry {
    /// Opens a pixel channel, replacing the one there is. `None` where the session has ended.
    pub async fn watch(&self, world: &WorldHandle) -> Result<Option<Channel>, WorldGone> {
        let _ordered = self.turnstile.lock().await;
        let Pixels::Channel(last) = *self.pixels.borrow() else { return Ok(None) };
        let number = last + 1;
        self.pixels.send_replace(Pixels::Channel(number));
        // Never full: the world sends no more than may be in flight (`PICTURE_QUEUE`).
        let (sender, pictures) = mpsc::channel(PICTURE_QUEUE);
        let latest = self.pixels.subscribe();
        world.send(Inbound::Watch { session: self.session, pictures: sender }).await?;
        Ok(Some(Channel { number, pictures, latest }))
    }

    /// Closes a pixel channel; the world hears of it if no other replaced it.
    pub async fn unwatch(&self, channel: &Channel, world: &WorldHandle) -> Result<(), WorldGone> {
        let _ordered = self.turnstile.lock().await;
        if *self.pixels.borrow() == Pixels::Channel(channel.number) {
            world.send(Inbound::Session(SessionEvent::Unwatching { session: self.session })).await?;
        }
        Ok(())
    }

    /// Ends the session: its pixel channel closes, the world hears that it left.
    pub async fn end(&self, world: &WorldHandle) -> Result<(), WorldGone> {
        let _ordered = self.turnstile.lock().await;
        self.pixels.send_replace(Pixels::Ended);
        world.send(Inbound::Session(SessionEvent::Left { session: self.session })).await
    }
}

impl Channel {
    /// Splits off the part that waits until this channel is the session's no more.
    pub fn latest(&self) -> (u64, watch::Receiver<Pixels>) {
        (self.number, self.latest.clone())
    }
}

/// Waits until the channel of this number is the session's no more; says what is instead.
pub async fn superseded((number, mut latest): (u64, watch::Receiver<Pixels>)) -> Pixels {
    let other = latest.wait_for(|p| *p != Pixels::Channel(number)).await;
    other.map_or(Pixels::Ended, |p| *p)
}
