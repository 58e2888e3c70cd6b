//! Connections that do nothing: hyper times the head of a request from its first byte, and writes not at all.

use super::config::ServerConfig;
use axum_server::accept::Accept;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Ends connections on which nothing comes at first, or of which nothing is taken.
#[derive(Debug, Clone)]
pub struct Patience<A> {
    inner: A,
    first_byte: Duration,
    write: Duration,
}

impl<A> Patience<A> {
    /// On top of another acceptor.
    pub fn new(inner: A, config: &ServerConfig) -> Self {
        Self { inner, first_byte: config.head_timeout, write: config.write_timeout }
    }
}

impl<I, S, A> Accept<I, S> for Patience<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Timely<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepting = self.inner.accept(stream, service);
        let (first_byte, write) = (self.first_byte, self.write);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let timely = Timely { stream, silent: Some(Box::pin(sleep(first_byte))), stalled: None, write };
            Ok((timely, service))
        })
    }
}

/// A connection with its two alarms.
#[derive(Debug)]
pub struct Timely<S> {
    stream: S,
    /// Set until the first byte has come.
    silent: Option<Pin<Box<Sleep>>>,
    /// Set while the other side takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    write: Duration,
}

impl<S> Timely<S> {
    /// What became of something written: an error where it has been waiting for too long.
    fn written<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let alarm = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.write)));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timely<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if outcome.is_ready() {
            self.silent = None;
        } else if let Some(alarm) = &mut self.silent {
            ready!(alarm.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timely<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, outcome)
    }
}
