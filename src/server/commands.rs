//! Commands that take their time: opening an image, off the sockets' threads, one at a time.

use super::{App, local::Local};
use crate::{
    app::bridge::Inbound,
    wire::{
        command::{CommandCode, CommandFailure},
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

/// Opens the image at a path, blocking. The text is one of [`super::ServerConfig::datasets`]' paths.
pub type Opener = Arc<dyn Fn(&str) -> Result<Arc<Dataset>, CommandFailure> + Send + Sync>;

/// Loads that one session may have waiting.
pub const QUEUE: usize = 4;

/// A load that a session asked for.
#[derive(Debug)]
pub struct Load {
    /// The frame to answer.
    pub frame_id: String,
    /// What to open.
    pub path: String,
}

/// Carries out a session's loads, one after the other, until the session ends.
pub async fn run(
    app: &App,
    session: SessionId,
    mut loads: mpsc::Receiver<Load>,
    answers: mpsc::Sender<Local>,
) {
    while let Some(Load { frame_id, path }) = loads.recv().await {
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
                // Its acknowledgement becomes the answer.
                match app.world.send(Inbound::Intent(intent)).await {
                    Ok(()) => continue,
                    Err(gone) => CommandFailure::new(CommandCode::Retryable, gone.to_string()),
                }
            }
            Err(why) => why,
        };
        if answers.send(Local::Failed { frame_id, why }).await.is_err() {
            return;
        }
    }
}

async fn open(app: &App, path: String) -> Result<Arc<Dataset>, CommandFailure> {
    if !app.config.datasets.iter().any(|(_, known)| *known == path) {
        let why = "only the images that the server was started with may be opened";
        return Err(CommandFailure::new(CommandCode::PathForbidden, why).at(path));
    }
    let _one_at_a_time = app.opening.lock().await;
    let opener = app.opener.clone();
    let opened = tokio::task::spawn_blocking(move || opener(&path)).await;
    opened.unwrap_or_else(|_| {
        Err(CommandFailure::new(CommandCode::Retryable, "opening the image failed badly"))
    })
}
