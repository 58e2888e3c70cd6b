//! Storms: clients that flood, keep silent, stop in the middle, speak nonsense, come by the thousand. What is
//! too much ends where it began, others are served, and nothing is left behind.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod connects;
mod floods;
mod framing;
#[path = "../wire/harness.rs"]
#[expect(dead_code, reason = "shared with the wire tests")]
mod harness;
#[path = "../stream/live.rs"]
#[expect(dead_code, reason = "shared with the stream tests")]
mod live;
mod raw;
mod silence;
#[path = "../cli/image.rs"]
mod small;
mod term;
mod world;

use lucida::server::ServerConfig;
use std::time::Duration;

fn quick() -> ServerConfig {
    ServerConfig { hello_timeout: Duration::from_secs(5), ..ServerConfig::default() }
}
