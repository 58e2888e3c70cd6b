//! The ports of the older protocol, for `lucida serve`.

use super::{Failure, size::size, usage};
use crate::server::NapariListeners;
use anyhow::Context;
use clap::Args;
use lucida_components::stream::Canvas;
use std::net::{IpAddr, SocketAddr, TcpListener};

/// Ports for napari-cuda's client.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "clap keeps them by these names, apart from those of `Serve`")]
pub struct Napari {
    /// Also open the two ports that napari-cuda's client connects to. They ask for no token.
    #[arg(long, env = "LUCIDA_NAPARI")]
    napari: bool,
    /// Address of these ports. Any but a loopback address needs --napari-no-auth.
    #[arg(long, env = "LUCIDA_NAPARI_HOST", default_value = "127.0.0.1", requires = "napari")]
    napari_host: IpAddr,
    /// Port of the state channel; 0 takes a free one.
    #[arg(long, env = "LUCIDA_NAPARI_STATE_PORT", default_value_t = 8081, requires = "napari")]
    napari_state_port: u16,
    /// Port of the pixel channel; 0 takes a free one.
    #[arg(long, env = "LUCIDA_NAPARI_PIXEL_PORT", default_value_t = 8082, requires = "napari")]
    napari_pixel_port: u16,
    /// Open them on an address that others reach, although whoever comes may look at everything and change
    /// everything.
    #[arg(long, env = "LUCIDA_NAPARI_NO_AUTH", requires = "napari")]
    napari_no_auth: bool,
    /// Size of the pictures there: that client cannot ask for one.
    #[arg(long, env = "LUCIDA_NAPARI_SIZE", default_value = "1920x1080", requires = "napari")]
    napari_size: String,
}

impl Napari {
    /// Checks what was asked for and takes the ports; `None` where they are not wanted.
    pub fn listen(&self) -> Result<Option<NapariListeners>, Failure> {
        if !self.napari {
            return Ok(None);
        }
        let host = self.napari_host;
        if !host.is_loopback() {
            if !self.napari_no_auth {
                return Err(usage(format!(
                    "--napari-host {host}: the napari ports ask for no token, so only this machine may reach them; \
                     leave it out and come through ssh -L, or add --napari-no-auth where everybody who reaches \
                     {host} may look and change"
                )));
            }
            tracing::warn!(%host, "the napari ports are open without a token: whoever reaches them may change everything");
        }
        let bind = |port: u16, option: &str| {
            let address = SocketAddr::new(host, port);
            TcpListener::bind(address)
                .with_context(|| format!("cannot listen on {address}; take another with {option}"))
        };
        let state = bind(self.napari_state_port, "--napari-state-port")?;
        let pixels = bind(self.napari_pixel_port, "--napari-pixel-port")?;
        Ok(Some(NapariListeners { state, pixels }))
    }

    /// The size of the pictures.
    pub fn canvas(&self) -> Result<Canvas, Failure> {
        size("--napari-size", &self.napari_size)
    }
}
