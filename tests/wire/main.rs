//! What a client sees at the sockets. The test is the world: it holds the other end of its channels.
#![expect(clippy::unwrap_used, reason = "tests")]

mod browsing;
mod commands;
mod doors;
#[path = "../support/applied.rs"]
mod fixture;
mod floods;
mod harness;
mod napari;
mod pixels;
mod roles;
mod sessions;
mod shutdown;
mod volume;

use lucida::{app::bridge::Outbound, server::ServerConfig};
use lucida_components::{
    applied::Applied,
    ids::ViewId,
    notice::{Notice, NoticeBody, Topic},
};
use std::{sync::Arc, time::Duration};

fn quick() -> ServerConfig {
    ServerConfig { hello_timeout: Duration::from_millis(300), ..ServerConfig::default() }
}

fn notice(topic: Topic, body: NoticeBody) -> Outbound {
    Outbound::Notice(Notice { topic, body, cause: None, view: ViewId::MAIN, mark: None })
}

/// What a notice of this topic says of a state.
fn about(topic: Topic, applied: Arc<Applied>) -> NoticeBody {
    match topic {
        Topic::Scene => NoticeBody::Scene { applied, thumbnails: Arc::default() },
        Topic::Camera => NoticeBody::Camera { applied, echo: None },
        _ => NoticeBody::Applied(applied),
    }
}

fn applied(topic: Topic) -> Outbound {
    notice(topic, about(topic, fixture::applied(1)))
}
