//! The state channel of one client: handshake, session, farewell.

use super::{
    App,
    comer::Comer,
    commands,
    directory::Entry,
    local, reader,
    socket::{self, code},
    writer::Writer,
};
use crate::{
    app::bridge::{Inbound, STATE_QUEUE},
    wire::{
        encoder::Encoder,
        envelope::Frame,
        hello::{self, Hello, Reject},
    },
};
use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use lucida_components::session::{Newcomer, Role};
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

/// Serves one client until it leaves, is sent away, or the server stops. `unwelcomed` is its permit to be here
/// without having been welcomed; only one that greets takes the place of a session.
pub async fn serve(app: Arc<App>, mut socket: WebSocket, comer: Comer, unwelcomed: OwnedSemaphorePermit) {
    let hello = match timeout(app.config.hello_timeout, greeting(&mut socket)).await {
        Ok(Some(Ok(hello))) => hello,
        Ok(Some(Err(reject))) => return refuse(socket, &reject, code::NORMAL).await,
        Ok(None) => return socket::drain(&mut socket).await,
        Err(_) => return refuse(socket, &Reject::timeout(), code::NORMAL).await,
    };
    let Ok(_slot) = Arc::clone(&app.sessions).try_acquire_owned() else {
        let reject = Reject::server_full(app.config.max_sessions);
        return refuse(socket, &reject, code::TRY_AGAIN).await;
    };
    drop(unwelcomed);
    let session = app.number();
    let name: Arc<str> = uuid::Uuid::new_v4().to_string().into();
    let encoder = Encoder::new(session, name.clone(), &hello, app.facts.clone(), comer.dialect);
    let entry = app.directory.enter(&name, session, encoder.features());
    let newcomer = comer.newcomer(&hello, encoder.features());
    tracing::info!(session = session.0, client = hello.client, dialect = ?comer.dialect, "session joined");

    // A task of its own, so that the farewell below happens even if it panics.
    let conversation = converse(app.clone(), socket, encoder, newcomer, entry.clone(), name.clone());
    let ended = tokio::spawn(conversation).await;
    app.directory.leave(&name);
    if let Err(panic) = ended {
        tracing::error!(session = session.0, %panic, "a session's task failed");
        let _ = entry.end(&app.world).await;
    }
    tracing::info!(session = session.0, "session left");
}

/// The first message, as a greeting. `None` where the socket closed instead, or had to be closed.
async fn greeting(socket: &mut WebSocket) -> Option<Result<Hello, Reject>> {
    loop {
        match socket.recv().await? {
            Ok(Message::Text(text)) => return Some(hello::parse(&text)),
            Ok(Message::Binary(bytes)) => return Some(hello::parse_bytes(&bytes)),
            Ok(Message::Close(_)) => return None,
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            Err(error) => {
                let (code, reason) = socket::read_failure(&error);
                socket::close(socket, code, reason).await;
                return None;
            }
        }
    }
}

async fn refuse(mut socket: WebSocket, reject: &Reject, code: u16) {
    tracing::info!(code = reject.code, "refused a session");
    let told = timeout(super::GRACE, socket.send(text(&reject.frame()))).await;
    if matches!(told, Ok(Ok(()))) {
        socket::close_all(socket, code, reject.code).await;
    }
}

/// Welcomes the client, joins the world, and reads and writes side by side until one of them ends.
async fn converse(
    app: Arc<App>,
    mut socket: WebSocket,
    mut encoder: Encoder,
    newcomer: Newcomer,
    entry: Arc<Entry>,
    name: Arc<str>,
) {
    let welcome = text(&encoder.welcome(app.config.heartbeat, &app.world.cursors()));
    let (session, conventions) = (entry.session, encoder.conventions());
    let only_looks = newcomer.most < Role::Controller;
    // When full, acks wait and notices merge in the world: `STATE_QUEUE`.
    let (state, outbound) = mpsc::channel(STATE_QUEUE);
    // When full, the reader of this socket waits, and through TCP its client.
    let (local, answers) = mpsc::channel(local::QUEUE);
    // When full, the client is told to try again.
    let (jobs, queued) = mpsc::channel(commands::QUEUE);
    // Before the welcome: with it the client can open its pixel channel, whose watch must not come first.
    let newcomer = Box::new(newcomer);
    let joined = app.world.send(Inbound::Join { session, newcomer, state }).await;
    if !matches!(timeout(app.config.write_timeout, socket.send(welcome)).await, Ok(Ok(()))) {
        app.directory.leave(&name);
        let _ = entry.end(&app.world).await;
        return;
    }

    let (sink, mut stream) = socket.split();
    let mut writer = Writer::new(sink, encoder, &app, outbound, answers);
    if joined.is_err() {
        writer.world_gone().await;
    } else {
        let reader = reader::Reader {
            app: &app,
            session,
            name: &name,
            conventions,
            local: local.clone(),
            jobs,
            only_looks,
            alive: writer.alive(),
        };
        tokio::select! {
            () = writer.run() => {}
            () = reader.run(&mut stream) => {}
            () = commands::run(&app, session, queued, local) => {}
        }
    }
    // First the world and the pixel channel, then the courtesies.
    drop(writer);
    app.directory.leave(&name);
    let _ = entry.end(&app.world).await;
    socket::drain(&mut stream).await;
}

fn text(frame: &Frame) -> Message {
    Message::Text(frame.text().into())
}
