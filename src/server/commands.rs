//! Commands that take their time: listing a folder, opening an image. Off the sockets' threads, one at a time.

use super::{App, browse, local::Local};
use crate::{
    app::bridge::Inbound,
    wire::{
        command::{CommandCode, CommandFailure, Wanted},
        encoder,
    },
};
use lucida_components::{
    dataset::Dataset,
    ids::{SessionId, ViewId},
    intent::{Change, Intent, Origin},
};
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// Opens the image at a path, blocking. The path is one of [`super::ServerConfig::datasets`]' or lies in one of
/// [`super::ServerConfig::roots`]; the server has seen to that.
pub type Opener = Arc<dyn Fn(&str) -> Result<Arc<Dataset>, CommandFailure> + Send + Sync>;

/// Commands that one session may have waiting.
pub const QUEUE: usize = 4;

/// Something slow that a session asked for.
#[derive(Debug)]
pub struct Job {
    /// The frame to answer.
    pub frame_id: String,
    /// What to do.
    pub task: Task,
}

/// What to do.
#[derive(Debug)]
pub enum Task {
    /// Show the image of this path.
    Load(String),
    /// List a folder.
    List(Wanted),
}

/// Carries out a session's commands, one after the other, until the session ends.
pub async fn run(
    app: &Arc<App>,
    session: SessionId,
    mut jobs: mpsc::Receiver<Job>,
    answers: mpsc::Sender<Local>,
) {
    while let Some(Job { frame_id, task }) = jobs.recv().await {
        let answer = match task {
            Task::Load(path) => load(app, session, frame_id, path).await,
            Task::List(wanted) => Some(match browse::list(app, wanted).await {
                Ok(listing) => Local::Listed { frame_id, listing },
                Err(why) => Local::Failed { frame_id, why },
            }),
        };
        if let Some(answer) = answer
            && answers.send(answer).await.is_err()
        {
            return;
        }
    }
}

/// Opens an image and hands it to the world, whose acknowledgement becomes the answer. `None` where that is so.
async fn load(app: &Arc<App>, session: SessionId, frame_id: String, path: String) -> Option<Local> {
    let arrived = Instant::now();
    let why = match open(app, path).await {
        Ok(dataset) => {
            let intent = Intent {
                origin: Some(Origin { session, intent: encoder::command_intent(frame_id.clone()) }),
                view: ViewId::MAIN,
                change: Change::Dataset(dataset),
                arrived,
                op: 0,
            };
            match app.world.send(Inbound::Intent(intent)).await {
                Ok(()) => return None,
                Err(gone) => CommandFailure::new(CommandCode::Retryable, gone.to_string()),
            }
        }
        Err(why) => why,
    };
    Some(Local::Failed { frame_id, why })
}

async fn open(app: &Arc<App>, path: String) -> Result<Arc<Dataset>, CommandFailure> {
    let one_at_a_time = Arc::clone(&app.opening).lock_owned().await;
    let app = app.clone();
    let opened = tokio::task::spawn_blocking(move || {
        // Held as long as the thread is: a client that leaves does not free it.
        let _one_at_a_time = one_at_a_time;
        (app.opener)(&browse::find(&app, &path)?)
    });
    opened.await.unwrap_or_else(|_| {
        Err(CommandFailure::new(CommandCode::Retryable, "opening the image failed badly"))
    })
}
