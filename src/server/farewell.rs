//! The ways in which a session ends, and the words and codes for them.

use super::socket::code;
use crate::{app::bridge::CloseReason, wire::inbound::Goodbye};

/// How a session ends.
pub struct End {
    /// What is said first.
    pub words: Option<Goodbye>,
    /// Close code.
    pub code: u16,
    /// Close reason.
    pub reason: &'static str,
}

/// Why writing stops.
pub enum Stop {
    /// The session is ended.
    Say(End),
    /// The socket is dead.
    Dead,
}

impl Stop {
    /// With words.
    fn say(code: u16, reason: &'static str, words: Goodbye) -> Self {
        Self::Say(End { words: Some(words), code, reason })
    }

    /// The client said goodbye; its words come back.
    pub fn agreed(words: Goodbye) -> Self {
        Self::say(code::NORMAL, "goodbye", words)
    }

    /// No sign of life.
    pub fn timeout() -> Self {
        let words = Goodbye::new("timeout", "heartbeat timeout", "heartbeat_timeout");
        Self::say(code::ERROR, "heartbeat timeout", words)
    }

    /// The server stops.
    pub fn shutdown() -> Self {
        let words = Goodbye::new("shutdown", "the server is stopping", "server_shutdown");
        Self::say(code::AWAY, "the server is stopping", words)
    }

    /// The server cannot draw any more.
    pub fn failed() -> Self {
        let words = Goodbye::new("error", "the server cannot draw any more and stops", "server_failed");
        Self::say(code::ERROR, "the server failed", words)
    }

    /// The world dropped this session without a word.
    pub fn world_gone() -> Self {
        let words = Goodbye::new("error", "the server cannot go on with this session", "world_stopped");
        Self::say(code::ERROR, "the world has stopped", words)
    }
}

impl From<CloseReason> for Stop {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Shutdown => Self::shutdown(),
            CloseReason::Failed => Self::failed(),
            CloseReason::NotReading => {
                let words =
                    Goodbye::new("not_reading", "the client does not read its answers", "not_reading");
                Self::say(code::POLICY, "the client does not read", words)
            }
        }
    }
}
