//! What both kinds of WebSocket have in common: limits, and how they end.

use super::App;
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::{Sink, SinkExt, StreamExt};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Bytes that gather before they are written on.
const WRITE_BUFFER: usize = 64 << 10;
/// Bytes that one socket may hold back: the buffer, and the largest message that is ever made.
const MAX_WRITE_BUFFER: usize = 32 << 20;
/// Time that the other side has to take leave.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The codes with which sockets are closed.
pub mod code {
    /// As agreed.
    pub const NORMAL: u16 = 1000;
    /// The server stops.
    pub const AWAY: u16 = 1001;
    /// What came is not WebSocket.
    pub const PROTOCOL: u16 = 1002;
    /// The client does what it should not.
    pub const POLICY: u16 = 1008;
    /// A message is too long.
    pub const TOO_BIG: u16 = 1009;
    /// The server cannot go on with it.
    pub const ERROR: u16 = 1011;
    /// A text that is not UTF-8.
    pub const NOT_TEXT: u16 = 1007;
    /// Later, perhaps.
    pub const TRY_AGAIN: u16 = 1013;
}

/// A permit for one more WebSocket.
#[expect(clippy::result_large_err, reason = "the error is the response")]
pub fn permit(app: &App) -> Result<OwnedSemaphorePermit, Response> {
    if *app.stopping.borrow() {
        return Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n").into_response());
    }
    one_of(&app.sockets)
}

/// A permit of those, or the answer that there is none.
#[expect(clippy::result_large_err, reason = "the error is the response")]
pub fn one_of(permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Response> {
    let full =
        |_| (StatusCode::SERVICE_UNAVAILABLE, "too many connections; try again later\n").into_response();
    Arc::clone(permits).try_acquire_owned().map_err(full)
}

/// Sets the limits: no message of a client is longer than `max_message` bytes.
pub fn limited(upgrade: WebSocketUpgrade, max_message: usize) -> WebSocketUpgrade {
    upgrade
        .max_message_size(max_message)
        .max_frame_size(max_message)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
}

/// Bytes of a message of a client.
pub fn bytes(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

/// How a read failed, as a close code.
pub fn read_failure(error: &axum::Error) -> (u16, &'static str) {
    // The library's error type is not reachable through axum; its text is.
    let text = error.to_string();
    if text.contains("too long") {
        (code::TOO_BIG, "the message is too long")
    } else if text.contains("UTF-8") {
        (code::NOT_TEXT, "the text is not UTF-8")
    } else {
        (code::PROTOCOL, "not a WebSocket message")
    }
}

/// Sends the close frame, if the other side takes it.
pub async fn close(sink: &mut (impl Sink<Message> + Unpin), code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    // A peer that does not take it is gone: nothing more to tell it.
    let _ = timeout(CLOSE_TIMEOUT, sink.send(Message::Close(Some(frame)))).await;
}

/// Waits until the other side has closed too, so that what was sent last still arrives.
pub async fn drain(stream: &mut (impl futures_util::Stream<Item = Result<Message, axum::Error>> + Unpin)) {
    let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

/// Closes a whole socket.
pub async fn close_all(mut socket: WebSocket, code: u16, reason: &'static str) {
    close(&mut socket, code, reason).await;
    drain(&mut socket).await;
}
