//! What a client is told on its state channel: the world's answers and notices, our own answers,
//! heartbeats, goodbyes.

use super::{
    App,
    socket::{self, code},
};
use crate::{
    app::bridge::{CloseReason, Outbound},
    wire::{
        command::CommandFailure,
        encoder::{self, Encoder},
        envelope::Frame,
        inbound::Goodbye,
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

/// Answers of our own that may wait; when they are that many, the reader waits.
pub const LOCAL_QUEUE: usize = 16;
/// Refusals that may wait for answers of the world to intents that came before them.
const HELD: usize = 64;
/// Frames that are gathered into one write.
const BATCH: usize = 64;
/// Heartbeats without a sign of life that end a session.
const MISSES: u32 = 2;
/// Time that the world has to end the sessions itself when the server stops.
const WORLD_GRACE: Duration = Duration::from_millis(500);

/// What is answered without the world.
#[derive(Debug)]
pub enum Local {
    /// An intent that is refused; told after the answers to the `after` intents that came before it.
    Refused {
        /// Intents of this session that the world got before.
        after: u64,
        /// The intent.
        intent: IntentRef,
        /// Why.
        refused: Refused,
    },
    /// A keyframe was asked for.
    KeyframeOnItsWay {
        /// The frame to answer.
        frame_id: String,
    },
    /// A command failed.
    Failed {
        /// The frame to answer.
        frame_id: String,
        /// Why.
        why: CommandFailure,
    },
    /// The client said goodbye.
    Goodbye(Goodbye),
    /// The client is to be sent away without a word.
    Close {
        /// Close code.
        code: u16,
        /// Close reason.
        reason: &'static str,
    },
}

/// How a session ends.
struct End {
    words: Option<Goodbye>,
    code: u16,
    reason: &'static str,
}

/// Ends the session: with words, or because the socket is dead.
enum Stop {
    Say(End),
    Dead,
}

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
        loop {
            match self.turn().await {
                Ok(()) => {}
                Err(Stop::Say(end)) => return self.leave(end).await,
                Err(Stop::Dead) => return,
            }
        }
    }

    /// Takes leave because there is no world.
    pub async fn world_gone(&mut self) {
        let end = self.without_world();
        self.leave(end).await;
    }

    async fn turn(&mut self) -> Result<(), Stop> {
        let stop_at = self.stop_at;
        tokio::select! {
            _ = self.heartbeat.tick() => self.beat().await,
            () = raised(&mut self.stopping), if stop_at.is_none() => {
                self.stop_at = Some(Instant::now() + WORLD_GRACE);
                Ok(())
            }
            () = sleep_until(stop_at.unwrap_or_else(Instant::now)), if stop_at.is_some() => Err(stopped()),
            Some(local) = self.local.recv(), if self.held.len() < HELD => self.local(local).await,
            outbound = self.outbound.recv() => match outbound {
                Some(outbound) => self.batch(outbound).await,
                None => Err(Stop::Say(self.without_world())),
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
            let words = Goodbye::new("timeout", "heartbeat timeout", "heartbeat_timeout");
            return Err(say(words, code::ERROR, "heartbeat timeout"));
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
            Local::Failed { frame_id, why } => {
                let frame = self.encoder.failed(&frame_id, &why);
                self.feed(&frame).await?;
            }
            Local::Goodbye(words) => return Err(say(words, code::NORMAL, "goodbye")),
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
                let frame = self.encoder.ack(&ack);
                self.feed(&frame).await?;
                if !encoder::is_command(&ack.intent) {
                    self.answered += 1;
                    self.release().await?;
                }
                Ok(())
            }
            Outbound::Notice(notice) => match self.encoder.notice(&notice) {
                Some(frame) => self.feed(&frame).await,
                None => Ok(()),
            },
            Outbound::Close(CloseReason::Shutdown) => Err(stopped()),
            Outbound::Close(CloseReason::NotReading) => {
                let words =
                    Goodbye::new("not_reading", "the client does not read its answers", "not_reading");
                Err(say(words, code::POLICY, "the client does not read"))
            }
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

    async fn leave(&mut self, end: End) {
        if let Some(words) = &end.words {
            let frame = self.encoder.goodbye(words);
            if self.feed(&frame).await.is_err() {
                return;
            }
        }
        socket::close(&mut self.sink, end.code, end.reason).await;
    }

    /// The world dropped this session without a word: it stopped, or it is gone.
    fn without_world(&self) -> End {
        if *self.stopping.borrow() {
            return stopping();
        }
        End {
            words: Some(Goodbye::new("error", "the server cannot go on with this session", "world_stopped")),
            code: code::ERROR,
            reason: "the world has stopped",
        }
    }
}

/// Waits until the server stops.
async fn raised(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone with the server.
    let _ = stopping.wait_for(|s| *s).await;
}

fn written<E>(outcome: Result<Result<(), E>, tokio::time::error::Elapsed>) -> Result<(), Stop> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stop::Dead),
    }
}

fn say(words: Goodbye, code: u16, reason: &'static str) -> Stop {
    Stop::Say(End { words: Some(words), code, reason })
}

fn stopping() -> End {
    End {
        words: Some(Goodbye::new("shutdown", "the server is stopping", "server_shutdown")),
        code: code::AWAY,
        reason: "the server is stopping",
    }
}

fn stopped() -> Stop {
    Stop::Say(stopping())
}
