//! A server in this process, on a port of its own.

use lucida::{
    app::{
        bridge::Inbound,
        world::{self, RunningWorld, WorldSettings},
    },
    data::Opened,
    gpu::device::Device,
    server::{self, ServerConfig},
    wire::command::{CommandCode, CommandFailure},
};
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};
use tokio::runtime::{Builder, Runtime};

pub struct Live {
    pub addr: SocketAddr,
    /// Where the sockets are served, and clients may run too.
    pub runtime: Runtime,
    world: RunningWorld,
}

impl Live {
    pub fn start(device: &Device, opened: Opened) -> Self {
        let world = world::start(device.clone(), WorldSettings::of(device)).unwrap();
        let intent = world::show(&world.sources, opened);
        world.handle.send_blocking(Inbound::Intent(intent)).unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let opener = Arc::new(|_: &str| Err(CommandFailure::new(CommandCode::PathForbidden, "no")));
        let handle = world.handle.clone();
        runtime.spawn(server::run(listener, ServerConfig::default(), handle, opener, std::future::pending()));
        Self { addr, runtime, world }
    }

    /// As published last.
    pub fn metrics(&self) -> lucida_components::metrics::Metrics {
        self.world.handle.metrics()
    }

    pub fn end(self) {
        self.runtime.shutdown_background();
        self.world.stop().unwrap();
    }
}
