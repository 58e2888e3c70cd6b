//! What the server is started with.

use super::token::Token;
use crate::data::roots::Roots;
use lucida_components::stream::Canvas;
use std::{path::PathBuf, time::Duration};

/// Settings of the server. Times are settings so that tests need not wait.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Name and path of each image that clients may open, as they are shown them.
    pub datasets: Vec<(String, String)>,
    /// Folders in which clients may look for others and open them.
    pub roots: Roots,
    /// Demanded on `/state`, `/pixels` and `/metrics`, where there is one. Who shows it may change everything.
    pub token: Option<Token>,
    /// Who shows this one instead may look; it opens nothing where no other is demanded.
    pub viewer_token: Option<Token>,
    /// Size of the pictures on the ports of the older protocol.
    pub napari_canvas: Canvas,
    /// Hosts (`name` or `name:port`) that may stand in `Host` and `Origin` besides this machine's own.
    pub allow_hosts: Vec<String>,
    /// Serve https with these.
    pub tls: Option<TlsPaths>,
    /// Sessions at once; further ones are told `server_full`.
    pub max_sessions: usize,
    /// Time between heartbeats. Two without a sign of life end a session.
    pub heartbeat: Duration,
    /// Time a client has for its greeting.
    pub hello_timeout: Duration,
    /// Time a connection has for the head of a request.
    pub head_timeout: Duration,
    /// Messages a second that one socket may send on and on; one that sends more is read more slowly.
    pub messages_per_second: f64,
    /// Time one write to a socket may take before its client counts as gone.
    pub write_timeout: Duration,
    /// Malformed frames, less well-formed ones, that end a session.
    pub malformed_limit: u32,
    /// Highest frame rate, as clients are told.
    pub fps: f64,
    /// The encoder's name, as people are told, if it is known beforehand.
    pub encoder: Option<String>,
}

/// What the older server's pictures measure where nothing else is said.
pub const NAPARI_CANVAS: Canvas = Canvas { width: 1920, height: 1080 };

/// PEM files of a certificate chain and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPaths {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            datasets: Vec::new(),
            roots: Roots::default(),
            token: None,
            viewer_token: None,
            napari_canvas: NAPARI_CANVAS,
            allow_hosts: Vec::new(),
            tls: None,
            max_sessions: 64,
            heartbeat: Duration::from_secs(15),
            hello_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(10),
            messages_per_second: 1000.0,
            write_timeout: Duration::from_secs(30),
            malformed_limit: 32,
            fps: 60.0,
            encoder: None,
        }
    }
}
