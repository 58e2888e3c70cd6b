//! The ports: the page's own, and the two of the older protocol.

use super::ServeError;
use std::net::{SocketAddr, TcpListener};

/// Bound sockets, port 0 among them or not.
#[derive(Debug)]
pub struct Listeners {
    /// The page, its channels, probes and metrics.
    pub page: TcpListener,
    /// The ports that napari-cuda's client knows.
    pub napari: Option<NapariListeners>,
}

/// The two ports of the older protocol. Nobody is asked for a token there.
#[derive(Debug)]
pub struct NapariListeners {
    /// State channels, under any path.
    pub state: TcpListener,
    /// Pixel channels, under any path.
    pub pixels: TcpListener,
}

impl From<TcpListener> for Listeners {
    /// The page's port alone.
    fn from(page: TcpListener) -> Self {
        Self { page, napari: None }
    }
}

/// What is served on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Everything of ours.
    Page,
    /// State channels of the older protocol.
    NapariState,
    /// Its pixel channels.
    NapariPixels,
}

impl Listeners {
    /// Each socket with what is served on it, ready for tokio.
    pub(super) fn doors(self) -> Result<Vec<(TcpListener, SocketAddr, Door)>, ServeError> {
        let mut all = vec![(self.page, Door::Page)];
        if let Some(NapariListeners { state, pixels }) = self.napari {
            all.extend([(state, Door::NapariState), (pixels, Door::NapariPixels)]);
        }
        all.into_iter()
            .map(|(listener, door)| {
                listener.set_nonblocking(true).map_err(ServeError::Listen)?;
                let bound = listener.local_addr().map_err(ServeError::Listen)?;
                Ok((listener, bound, door))
            })
            .collect()
    }
}
