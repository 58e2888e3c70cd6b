//! What a client says on its state channel, forwarded to the world or answered at once.

use super::{
    App,
    allowance::Allowance,
    commands::{Job, Task},
    local::Local,
    socket::{self, code},
};
use crate::{
    app::bridge::{Inbound, Share},
    wire::{
        command::{Call, CommandCode, CommandFailure},
        conventions::Conventions,
        encoder,
        inbound::{self, Said},
    },
};
use axum::extract::ws::Message;
use futures_util::{Stream, StreamExt};
use lucida_components::{
    ids::{IntentRef, SessionId, ViewId},
    intent::{Change, Intent, Origin, SessionEvent},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::mpsc;

/// The reading half of a session.
pub struct Reader<'a> {
    /// What all share.
    pub app: &'a App,
    /// The session.
    pub session: SessionId,
    /// Its name on the wire.
    pub name: &'a str,
    /// What it reads by.
    pub conventions: Arc<Conventions>,
    /// To the writer.
    pub local: mpsc::Sender<Local>,
    /// To the commands.
    pub jobs: mpsc::Sender<Job>,
    /// Whether it may never do more than look.
    pub only_looks: bool,
    /// Set at every message, cleared by the heartbeat.
    pub alive: Arc<AtomicBool>,
}

/// The writer ended before the reader: nothing more is to be read.
struct Ended;

impl Reader<'_> {
    /// Reads until the client is gone. Where the session is to be ended otherwise, the writer is told and
    /// this waits for it to do so.
    pub async fn run(self, stream: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin)) {
        let mut forwarded = 0;
        let mut strikes: u32 = 0;
        let share = Share::default();
        let mut allowance = Allowance::new(&self.app.config, Instant::now());
        while let Some(message) = stream.next().await {
            let arrived = Instant::now();
            self.alive.store(true, Ordering::Relaxed);
            if let Ok(message) = &message {
                allowance.pace(socket::bytes(message)).await;
            }
            let text = match message {
                Ok(Message::Text(text)) => text,
                Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                Ok(Message::Close(_)) => return,
                Ok(Message::Binary(_)) => {
                    strikes += 1;
                    if strikes > self.app.config.malformed_limit {
                        return self.end(code::POLICY, "too many malformed frames").await;
                    }
                    continue;
                }
                Err(error) => {
                    let (code, reason) = socket::read_failure(&error);
                    return self.end(code, reason).await;
                }
            };
            match inbound::parse(&text, self.name, &self.conventions) {
                Ok(said) => {
                    strikes = strikes.saturating_sub(1);
                    if self.handle(said, arrived, &share, &mut forwarded).await.is_err() {
                        return std::future::pending().await;
                    }
                }
                Err(malformed) => {
                    tracing::debug!(session = self.session.0, %malformed, "ignored a frame");
                    strikes += 1;
                    if strikes > self.app.config.malformed_limit {
                        return self.end(code::POLICY, "too many malformed frames").await;
                    }
                }
            }
        }
    }

    async fn handle(
        &self,
        said: Said,
        arrived: Instant,
        share: &Share,
        forwarded: &mut u64,
    ) -> Result<(), Ended> {
        match said {
            Said::Alive => Ok(()),
            Said::Update { intent, change: Ok(change) } => {
                *forwarded += 1;
                self.intent(share, intent, change, arrived).await
            }
            Said::Update { intent, change: Err(refused) } => {
                self.tell(Local::Refused { after: *forwarded, intent, refused }).await
            }
            Said::Call { frame_id, call: Ok(Call::RequestKeyframe) } => {
                let event = SessionEvent::KeyframeRequested { session: self.session };
                self.world(share, Inbound::Session(event)).await?;
                self.tell(Local::KeyframeOnItsWay { frame_id }).await
            }
            Said::Call { frame_id, call: Ok(Call::LoadZarr { path }) } => {
                self.job(Job { frame_id, task: Task::Load(path) }).await
            }
            Said::Call { frame_id, call: Ok(Call::ListDir(wanted)) } => {
                self.job(Job { frame_id, task: Task::List(wanted) }).await
            }
            Said::Call { frame_id, call: Ok(Call::Seat(change)) } => {
                let intent = encoder::command_intent(frame_id);
                self.intent(share, intent, Change::Seat(change), arrived).await
            }
            Said::Call { frame_id, call: Err(why) } => self.tell(Local::Failed { frame_id, why }).await,
            Said::Goodbye(words) => {
                self.tell(Local::Goodbye(words)).await?;
                Err(Ended)
            }
        }
    }

    /// What takes its time waits its turn.
    async fn job(&self, job: Job) -> Result<(), Ended> {
        let refused = if self.only_looks {
            let why = "whoever came with the token of viewers opens no images and lists no folders";
            (job.frame_id, CommandFailure::new(CommandCode::Forbidden, why))
        } else {
            match self.jobs.try_send(job) {
                Ok(()) => return Ok(()),
                Err(full) => (full.into_inner().frame_id, inbound::busy()),
            }
        };
        let (frame_id, why) = refused;
        self.tell(Local::Failed { frame_id, why }).await
    }

    async fn intent(
        &self,
        share: &Share,
        intent: IntentRef,
        change: Change,
        arrived: Instant,
    ) -> Result<(), Ended> {
        let origin = Some(Origin { session: self.session, intent });
        self.world(share, Inbound::Intent(Intent { origin, view: ViewId::MAIN, change, arrived, op: 0 }))
            .await
    }

    /// A world that is gone shows in the writer too, which then says goodbye.
    async fn world(&self, share: &Share, message: Inbound) -> Result<(), Ended> {
        self.app.world.send_from(share, message).await.map_err(|_| Ended)
    }

    async fn tell(&self, local: Local) -> Result<(), Ended> {
        self.local.send(local).await.map_err(|_| Ended)
    }

    async fn end(&self, code: u16, reason: &'static str) {
        if self.tell(Local::Close { code, reason }).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }
}
