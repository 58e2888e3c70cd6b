//! Answers that need no world: from the reader and the commands of a session to its writer.

use crate::wire::{
    command::{CommandFailure, Listing},
    inbound::Goodbye,
    update::Refused,
};
use lucida_components::ids::IntentRef;

/// Answers that may wait; when they are that many, whoever makes them waits.
pub const QUEUE: usize = 16;

/// What is answered without the world.
#[derive(Debug)]
pub enum Local {
    /// An intent that is refused; told after the answers to the `after` intents that came before it.
    Refused {
        /// Intents of this session that the world got before.
        after: u64,
        /// The intent.
        intent: IntentRef,
        /// Why.
        refused: Refused,
    },
    /// A keyframe was asked for.
    KeyframeOnItsWay {
        /// The frame to answer.
        frame_id: String,
    },
    /// A folder was listed.
    Listed {
        /// The frame to answer.
        frame_id: String,
        /// What lies in it.
        listing: Listing,
    },
    /// A command failed.
    Failed {
        /// The frame to answer.
        frame_id: String,
        /// Why.
        why: CommandFailure,
    },
    /// The client said goodbye.
    Goodbye(Goodbye),
    /// The client is to be sent away without a word.
    Close {
        /// Close code.
        code: u16,
        /// Close reason.
        reason: &'static str,
    },
}
