//! What a client sees at the sockets. The test is the world: it holds the other end of its channels.
#![expect(clippy::unwrap_used, reason = "tests")]

mod commands;
mod doors;
#[path = "../support/applied.rs"]
mod fixture;
mod floods;
mod harness;
mod pixels;
mod sessions;
mod shutdown;
mod volume;

use lucida::{app::bridge::Outbound, server::ServerConfig};
use lucida_components::notice::{Notice, NoticeBody, Topic};
use std::time::Duration;

fn quick() -> ServerConfig {
    ServerConfig { hello_timeout: Duration::from_millis(300), ..ServerConfig::default() }
}

fn notice(topic: Topic, body: NoticeBody) -> Outbound {
    Outbound::Notice(Notice { topic, body, cause: None })
}

fn applied(topic: Topic) -> Outbound {
    notice(topic, NoticeBody::Applied(fixture::applied(1)))
}
