//! Connections there may be at once. One too many is told so and closed, before anything of it is read.

use axum_server::accept::Accept;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What a connection hears that is one too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 38\r\nconnection: close\r\nretry-after: 1\r\n\r\ntoo many connections; try again later\n";
/// Time that it has to hear it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Admits as many connections as there are permits; each takes one until it is closed.
#[derive(Debug, Clone)]
pub struct Admission {
    connections: Arc<Semaphore>,
    /// Whether plain words are understood: not before a TLS handshake.
    plain: bool,
}

impl Admission {
    /// Admits up to `most` connections.
    pub fn new(most: usize) -> Self {
        Self { connections: Arc::new(Semaphore::new(most)), plain: true }
    }

    /// The same count, for a port where TLS is spoken.
    pub fn encrypted(&self) -> Self {
        Self { plain: false, ..self.clone() }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Admission {
    type Stream = Admitted;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Admitted, S)>> + Send>>;

    fn accept(&self, mut stream: TcpStream, service: S) -> Self::Future {
        let permit = Arc::clone(&self.connections).try_acquire_owned();
        let plain = self.plain;
        Box::pin(async move {
            let Ok(permit) = permit else {
                tracing::debug!("refused a connection: there are too many");
                if plain {
                    // One that does not listen is closed all the same.
                    let _ = timeout(PATIENCE, stream.write_all(FULL)).await;
                    let _ = timeout(PATIENCE, stream.shutdown()).await;
                }
                return Err(io::ErrorKind::ConnectionRefused.into());
            };
            stream.set_nodelay(true)?;
            Ok((Admitted { stream, _permit: permit }, service))
        })
    }
}

/// A connection that was admitted.
#[derive(Debug)]
pub struct Admitted {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Admitted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Admitted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
