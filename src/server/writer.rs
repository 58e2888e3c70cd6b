//! What a client is told on its state channel: the world's answers and notices, our own answers,
//! heartbeats, goodbyes.

use super::{
    App,
    farewell::{End, Stop},
    local::Local,
    socket,
};
use crate::{
    app::bridge::Outbound,
    wire::{
        encoder::{self, Encoder},
        envelope::Frame,
        update::Refused,
    },
};
use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt, stream::SplitSink};
use lucida_components::ids::IntentRef;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout},
};

/// Refusals that may wait for answers of the world to intents that came before them.
const HELD: usize = 64;
/// Frames that are gathered into one write.
const BATCH: usize = 64;
/// Heartbeats without a sign of life that end a session.
pub(super) const MISSES: u32 = 2;
/// Time that the world has to end the sessions itself when the server stops.
const WORLD_GRACE: Duration = Duration::from_millis(500);

/// The writing half of a session.
pub struct Writer {
    sink: SplitSink<WebSocket, Message>,
    encoder: Encoder,
    outbound: mpsc::Receiver<Outbound>,
    local: mpsc::Receiver<Local>,
    heartbeat: Interval,
    write_timeout: Duration,
    alive: Arc<AtomicBool>,
    stopping: watch::Receiver<bool>,
    stop_at: Option<Instant>,
    misses: u32,
    /// Intents that the world answered.
    answered: u64,
    held: VecDeque<(u64, IntentRef, Refused)>,
}

impl Writer {
    /// The first heartbeat is due one interval from now.
    pub fn new(
        sink: SplitSink<WebSocket, Message>,
        encoder: Encoder,
        app: &App,
        outbound: mpsc::Receiver<Outbound>,
        local: mpsc::Receiver<Local>,
    ) -> Self {
        let period = app.config.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            sink,
            encoder,
            outbound,
            local,
            heartbeat,
            write_timeout: app.config.write_timeout,
            alive: Arc::new(AtomicBool::new(true)),
            stopping: app.stopping.clone(),
            stop_at: None,
            misses: 0,
            answered: 0,
            held: VecDeque::new(),
        }
    }

    /// Where the reader notes signs of life.
    pub fn alive(&self) -> Arc<AtomicBool> {
        self.alive.clone()
    }

    /// Writes until the session ends, and takes leave.
    pub async fn run(&mut self) {
        let stop = loop {
            if let Err(stop) = self.turn().await {
                break stop;
            }
        };
        self.leave(stop).await;
    }

    /// Takes leave because there is no world.
    pub async fn world_gone(&mut self) {
        let stop = self.without_world();
        self.leave(stop).await;
    }

    async fn turn(&mut self) -> Result<(), Stop> {
        let stop_at = self.stop_at;
        tokio::select! {
            _ = self.heartbeat.tick() => self.beat().await,
            () = raised(&mut self.stopping), if stop_at.is_none() => {
                self.stop_at = Some(Instant::now() + WORLD_GRACE);
                Ok(())
            }
            () = sleep_until(stop_at.unwrap_or_else(Instant::now)), if stop_at.is_some() => Err(Stop::shutdown()),
            Some(local) = self.local.recv(), if self.held.len() < HELD => self.local(local).await,
            outbound = self.outbound.recv() => match outbound {
                Some(outbound) => self.batch(outbound).await,
                None => Err(self.without_world()),
            },
        }
    }

    async fn beat(&mut self) -> Result<(), Stop> {
        if self.alive.swap(false, Ordering::Relaxed) {
            self.misses = 0;
        } else {
            self.misses += 1;
        }
        if self.misses >= MISSES {
            return Err(Stop::timeout());
        }
        let frame = self.encoder.heartbeat();
        self.feed(&frame).await?;
        self.flush().await
    }

    async fn local(&mut self, local: Local) -> Result<(), Stop> {
        match local {
            Local::Refused { after, intent, refused } => {
                self.held.push_back((after, intent, refused));
                self.release().await?;
            }
            Local::KeyframeOnItsWay { frame_id } => {
                let frames = [Some(self.encoder.done(&frame_id)), self.encoder.stream_again()];
                for frame in frames.iter().flatten() {
                    self.feed(frame).await?;
                }
            }
            Local::Listed { frame_id, listing } => {
                let frame = self.encoder.listed(&frame_id, &listing);
                self.feed(&frame).await?;
            }
            Local::Failed { frame_id, why } => {
                let frame = self.encoder.failed(&frame_id, &why);
                self.feed(&frame).await?;
            }
            Local::Goodbye(words) => return Err(Stop::agreed(words)),
            Local::Close { code, reason } => return Err(Stop::Say(End { words: None, code, reason })),
        }
        self.flush().await
    }

    /// Writes what the world has for us, as much as is there, in one go.
    async fn batch(&mut self, first: Outbound) -> Result<(), Stop> {
        self.outbound(first).await?;
        for _ in 1..BATCH {
            let Ok(outbound) = self.outbound.try_recv() else { break };
            self.outbound(outbound).await?;
        }
        self.flush().await
    }

    async fn outbound(&mut self, outbound: Outbound) -> Result<(), Stop> {
        match outbound {
            Outbound::Ack(ack) => {
                // A refusal of what was asked before this is in the queue already: its turn comes first.
                let mut other = None;
                while other.is_none()
                    && self.held.len() < HELD
                    && let Ok(local) = self.local.try_recv()
                {
                    match local {
                        Local::Refused { after, intent, refused } => {
                            self.held.push_back((after, intent, refused));
                        }
                        local => other = Some(local),
                    }
                }
                self.release().await?;
                let frame = self.encoder.ack(&ack);
                self.feed(&frame).await?;
                if !encoder::is_command(&ack.intent) {
                    self.answered += 1;
                    self.release().await?;
                }
                match other {
                    Some(local) => self.local(local).await,
                    None => Ok(()),
                }
            }
            Outbound::Notice(notice) => {
                for frame in self.encoder.notice(&notice) {
                    self.feed(&frame).await?;
                }
                Ok(())
            }
            Outbound::Close(reason) => Err(reason.into()),
        }
    }

    /// Tells the refusals whose turn has come.
    async fn release(&mut self) -> Result<(), Stop> {
        while self.held.front().is_some_and(|(after, ..)| *after <= self.answered) {
            if let Some((_, intent, refused)) = self.held.pop_front() {
                let frame = self.encoder.refused(&intent, &refused);
                self.feed(&frame).await?;
            }
        }
        Ok(())
    }

    async fn feed(&mut self, frame: &Frame) -> Result<(), Stop> {
        let message = Message::Text(frame.text().into());
        written(timeout(self.write_timeout, self.sink.feed(message)).await)
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        written(timeout(self.write_timeout, self.sink.flush()).await)
    }

    async fn leave(&mut self, stop: Stop) {
        let Stop::Say(end) = stop else { return };
        if let Some(words) = &end.words {
            let frame = self.encoder.goodbye(words);
            if self.feed(&frame).await.is_err() {
                return;
            }
        }
        socket::close(&mut self.sink, end.code, end.reason).await;
    }

    /// The world dropped this session without a word: it stopped, or it is gone.
    fn without_world(&self) -> Stop {
        if *self.stopping.borrow() { Stop::shutdown() } else { Stop::world_gone() }
    }
}

/// Waits until the server stops.
pub(super) async fn raised(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone with the server.
    let _ = stopping.wait_for(|s| *s).await;
}

fn written<E>(outcome: Result<Result<(), E>, tokio::time::error::Elapsed>) -> Result<(), Stop> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stop::Dead),
    }
}
