//! HTTP and web sockets.
//!
//! One task per socket. A state socket reads (`reader`), writes (`writer`) and carries out slow commands
//! (`commands`) side by side; a pixel socket (`pixels`) belongs to a session (`directory`), or, on the older
//! protocol's port, is one of its own (`anonymous`). Nothing here knows JSON: that is [`crate::wire`]'s. Nothing here holds state of the scene: that is the world's.

mod admission;
mod allowance;
mod anonymous;
mod browse;
mod comer;
mod commands;
mod config;
mod directory;
mod farewell;
mod guard;
mod listeners;
mod local;
mod metrics;
mod page;
mod pixels;
mod reader;
mod routes;
mod socket;
mod state;
mod timely;
mod tls;
mod token;
mod urls;
mod writer;

pub use commands::Opener;
pub use config::{NAPARI_CANVAS, ServerConfig, TlsPaths};
pub use listeners::{Listeners, NapariListeners};
pub use socket::limited;
pub use token::{NoRandomness, Token, TokenError};
pub use urls::{napari_lines, urls};

use crate::{
    app::bridge::{Inbound, WorldHandle},
    wire::notices::Facts,
};
use admission::Admission;
use axum_server::{Handle, tls_rustls::RustlsAcceptor};
use directory::Directory;
use futures_util::future::try_join_all;
use hyper_util::rt::TokioTimer;
use listeners::Door;
use lucida_components::ids::SessionId;
use std::{
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use timely::Patience;
use tokio::sync::{Mutex, Semaphore, watch};

/// Time that sessions have to take leave.
const GRACE: Duration = Duration::from_secs(3);

/// Why the server could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listening socket cannot be used.
    #[error("cannot listen: {0}")]
    Listen(#[source] std::io::Error),
    /// A file of the certificate cannot be used.
    #[error("{}: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Accepting connections failed.
    #[error("the server stopped: {0}")]
    Stopped(#[source] std::io::Error),
}

/// What every socket shares.
struct App {
    config: ServerConfig,
    world: WorldHandle,
    opener: Opener,
    facts: Arc<Facts>,
    directory: Directory,
    /// One permit per session.
    sessions: Arc<Semaphore>,
    /// One permit per pixel channel without a session of its client's.
    watchers: Arc<Semaphore>,
    /// One permit per WebSocket; all of them free means that all have closed.
    sockets: Arc<Semaphore>,
    /// One permit per state channel that was not welcomed yet.
    greetings: Arc<Semaphore>,
    /// Held while an image is opened.
    opening: Arc<Mutex<()>>,
    /// One permit per listing under way.
    listings: Arc<Semaphore>,
    next_session: AtomicU64,
    /// Becomes true when the server stops.
    stopping: watch::Receiver<bool>,
}

impl App {
    /// The number of a new session.
    fn number(&self) -> SessionId {
        SessionId(self.next_session.fetch_add(1, Ordering::Relaxed))
    }
}

/// Listings of folders at once: each has a thread that may wait for a slow disk.
const LISTINGS: usize = 4;

/// Web sockets at once: two per session, and as many again that are coming or going, or that are pixel channels
/// without one.
fn max_sockets(config: &ServerConfig) -> usize {
    config.max_sessions.saturating_mul(4).clamp(16, 1 << 16)
}

/// State channels at once that were not welcomed yet. Together with those of the sessions they leave half of
/// the web sockets to pixel channels, so that whoever never speaks keeps no session from its pictures.
fn max_greetings(config: &ServerConfig) -> usize {
    max_sockets(config) / 4
}

/// Connections at once: the web sockets, and as many again for the page, its files and probes.
fn max_connections(config: &ServerConfig) -> usize {
    max_sockets(config) * 2
}

/// Serves until `shutdown` resolves, then tells the world, says goodbye to every session and returns,
/// after 3 seconds at the latest. Listeners may be bound to port 0. Needs a tokio runtime with time and I/O.
///
/// # Errors
/// [`ServeError`]: the listener or the certificate cannot be used, or accepting failed.
pub async fn run(
    listeners: impl Into<Listeners>,
    config: ServerConfig,
    world: WorldHandle,
    opener: Opener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let doors = listeners.into().doors()?;
    let tls = config.tls.as_ref().map(tls::load).transpose()?;
    let (stop, stopping) = watch::channel(false);
    let all = max_sockets(&config);
    let app = Arc::new(App {
        facts: Arc::new(Facts {
            datasets: config.datasets.clone(),
            fps: config.fps,
            encoder: config.encoder.clone(),
        }),
        sessions: Arc::new(Semaphore::new(config.max_sessions)),
        watchers: Arc::new(Semaphore::new(config.max_sessions)),
        sockets: Arc::new(Semaphore::new(all)),
        greetings: Arc::new(Semaphore::new(max_greetings(&config))),
        config,
        world,
        opener,
        directory: Directory::default(),
        opening: Arc::default(),
        listings: Arc::new(Semaphore::new(LISTINGS)),
        next_session: AtomicU64::new(1),
        stopping,
    });

    let handle = Handle::new();
    let admission = Admission::new(max_connections(&app.config));
    let mut serving = Vec::new();
    for (listener, bound, door) in doors {
        let mut server = axum_server::from_tcp(listener).map_err(ServeError::Listen)?.handle(handle.clone());
        server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(app.config.head_timeout);
        let service = routes::routes(app.clone(), door, bound).into_make_service();
        let (app, admission) = (app.clone(), admission.clone());
        // The older protocol's client knows no TLS.
        let tls = tls.clone().filter(|_| door == Door::Page);
        serving.push(async move {
            match tls {
                None => server.acceptor(Patience::new(admission, &app.config)).serve(service).await,
                Some(tls) => {
                    let encrypted = RustlsAcceptor::new(tls).acceptor(admission.encrypted());
                    server.acceptor(Patience::new(encrypted, &app.config)).serve(service).await
                }
            }
        });
    }
    let serving = try_join_all(serving);
    tokio::pin!(serving);
    tokio::select! {
        served = &mut serving => return served.map(drop).map_err(ServeError::Stopped),
        () = shutdown => {}
    }

    handle.graceful_shutdown(Some(GRACE));
    stop.send_replace(true);
    // A world that is gone or stuck hears nothing; the sessions are told all the same.
    let told = tokio::time::timeout(GRACE, app.world.send(Inbound::Shutdown));
    let closed = tokio::time::timeout(GRACE, app.sockets.acquire_many(all as u32));
    let (served, _, closed) = tokio::join!(serving, told, closed);
    if closed.is_err() {
        tracing::warn!(open = all - app.sockets.available_permits(), "sockets did not close in time");
    }
    served.map(drop).map_err(ServeError::Stopped)
}
