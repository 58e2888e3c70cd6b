//! One encoded picture.

use crate::{
    ids::{IntentRef, SessionId, StreamId},
    stream::StreamConfig,
};
use std::{sync::Arc, time::Instant};

/// An applied intent whose effect a picture is the first to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its op.
    pub op: u64,
    /// Who asked.
    pub session: SessionId,
    /// What it is called there.
    pub intent: IntentRef,
    /// When it reached the process.
    pub arrived: Instant,
}

/// One access unit, as it left the encoder.
#[derive(Debug, Clone)]
pub struct Packet {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Picture size.
    pub width: u32,
    /// Picture size.
    pub height: u32,
    /// Whether decoding can start here (IDR with SPS and PPS in band).
    pub keyframe: bool,
    /// The ledger revision it shows.
    pub revision: u64,
    /// Intents whose effect is first seen in this picture.
    pub answered: Arc<[Answer]>,
    /// Wall clock of its hand-over to the encoder, seconds since the epoch.
    pub captured: f64,
    /// AVCC: 4-byte big-endian length before each NAL.
    pub bytes: Arc<[u8]>,
    /// Present where the encoder's parameter sets changed with this picture.
    pub config: Option<Arc<StreamConfig>>,
    /// Time in the encoder, microseconds.
    pub encode_micros: u32,
}
