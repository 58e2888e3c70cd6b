//! A pixel channel of the older protocol: it says nothing of who it is, so it is a session of its own that looks
//! at the main view and hears nothing.

use super::{
    App,
    pixels::{End, Line},
    socket::{self, code},
    writer::raised,
};
use crate::app::bridge::{CloseReason, Inbound, Outbound, PICTURE_QUEUE, STATE_QUEUE, WorldGone};
use axum::extract::ws::WebSocket;
use futures_util::StreamExt;
use lucida_components::{
    ids::SessionId,
    intent::SessionEvent,
    packet::Packet,
    session::{Features, Newcomer},
    stream::Orientation,
};
use std::sync::{Arc, atomic::AtomicBool};
use tokio::sync::{mpsc, watch};

/// Serves pictures until the client leaves or the server stops. It is never closed as agreed while the server
/// stands: its client would come back at once, and again.
pub async fn serve(app: Arc<App>, socket: WebSocket) {
    let Ok(_slot) = Arc::clone(&app.watchers).try_acquire_owned() else {
        tracing::info!("refused a pixel channel: there are too many");
        return socket::close_all(socket, code::TRY_AGAIN, "too many pixel channels; try again later").await;
    };
    let session = app.number();
    tracing::info!(session = session.0, "anonymous pixel channel opened");
    // A task of its own, so that the world hears that it left even if it panics.
    let ended = tokio::spawn(show(app.clone(), socket, session)).await;
    if let Err(panic) = ended {
        tracing::error!(session = session.0, %panic, "a pixel channel's task failed");
        let _ = leave(&app, session).await;
    }
    tracing::info!(session = session.0, "anonymous pixel channel closed");
}

/// Joins the world, watches, and ends both.
async fn show(app: Arc<App>, socket: WebSocket, session: SessionId) {
    // Carries the end alone: such a session hears nothing.
    let (state, mut outbound) = mpsc::channel(STATE_QUEUE);
    // Never full: the world sends no more than may be in flight (`PICTURE_QUEUE`).
    let (sender, mut pictures) = mpsc::channel(PICTURE_QUEUE);
    if join(&app, session, state, sender).await.is_err() {
        return socket::close_all(socket, code::ERROR, "the world has stopped").await;
    }
    let (mut sink, mut stream) = socket.split();
    let mut stopping = app.stopping.clone();
    let end = {
        let alive = AtomicBool::new(true);
        let line = Line { app: &app, session, window: None, alive: Some(&alive) };
        tokio::select! {
            end = line.write(&mut sink, &mut pictures) => end,
            end = line.read(&mut stream) => end,
            end = ended(&mut outbound, &app.stopping) => end,
            () = raised(&mut stopping) => Some((code::AWAY, "the server is stopping")),
        }
    };
    let _ = leave(&app, session).await;
    drop(pictures);
    if let Some((code, reason)) = end {
        socket::close(&mut sink, code, reason).await;
    }
    socket::drain(&mut stream).await;
}

async fn join(
    app: &App,
    session: SessionId,
    state: mpsc::Sender<Outbound>,
    pictures: mpsc::Sender<Arc<Packet>>,
) -> Result<(), WorldGone> {
    let newcomer = Newcomer {
        canvas: Some(app.config.napari_canvas),
        orientation: Orientation::BottomUp,
        hears: false,
        ..Newcomer::new(Features::default())
    };
    app.world.send(Inbound::Join { session, newcomer: Box::new(newcomer), state }).await?;
    app.world.send(Inbound::Watch { session, pictures }).await
}

async fn leave(app: &App, session: SessionId) -> Result<(), WorldGone> {
    app.world.send(Inbound::Session(SessionEvent::Left { session })).await
}

/// Waits until the world ends this session; why.
async fn ended(outbound: &mut mpsc::Receiver<Outbound>, stopping: &watch::Receiver<bool>) -> End {
    loop {
        match outbound.recv().await {
            Some(Outbound::Close(CloseReason::Shutdown)) => {
                return Some((code::AWAY, "the server is stopping"));
            }
            Some(Outbound::Close(CloseReason::Failed)) => return Some((code::ERROR, "the server failed")),
            Some(Outbound::Close(CloseReason::NotReading)) => {
                return Some((code::POLICY, "the client does not read"));
            }
            Some(Outbound::Ack(_) | Outbound::Notice(_)) => {}
            None if *stopping.borrow() => return Some((code::AWAY, "the server is stopping")),
            None => return Some((code::ERROR, "the world has stopped")),
        }
    }
}
