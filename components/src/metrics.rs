//! What the world counts. Published by the server, read by nobody inside.

use crate::ops::OpKind;
use bevy_ecs::resource::Resource;

/// A histogram over fixed bounds, in microseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// Counts per bound of [`Histogram::BOUNDS`], and one for what is above.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// Sum of all values, microseconds.
    pub sum: f64,
}

impl Histogram {
    /// Upper bounds in microseconds.
    pub const BOUNDS: [f64; 14] =
        [10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 1e6];

    /// Counts one value in microseconds.
    pub fn observe(&mut self, micros: f64) {
        let at = Self::BOUNDS.iter().position(|b| micros <= *b).unwrap_or(Self::BOUNDS.len());
        self.counts[at] += 1;
        self.sum += micros;
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Counters since the start.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// Turns run.
    pub turns: u64,
    /// Ops applied, by kind in the order of [`OpKind::ALL`].
    pub ops_applied: [u64; OpKind::ALL.len()],
    /// Ops rejected, by kind.
    pub ops_rejected: [u64; OpKind::ALL.len()],
    /// Transactions that were abandoned.
    pub faults: u64,
    /// Levels that the policy chose anew.
    pub level_switches: u64,
    /// Levels made coarser by a budget.
    pub level_downgrades: u64,
    /// Time of the level step.
    pub level_micros: Histogram,
    /// Time of a whole transaction.
    pub txn_micros: Histogram,
    /// Notices put into outboxes.
    pub notices: u64,
    /// Notices that merged into one that still waited.
    pub notices_merged: u64,
    /// Acks put into outboxes.
    pub acks: u64,
    /// Frames drawn.
    pub frames_drawn: u64,
    /// Of those, pictures of volumes of fewer pixels, drawn because a full one would not have been in time.
    pub drafts_drawn: u64,
    /// Pieces of pictures of volumes.
    pub pieces_drawn: u64,
    /// Time that drawing a picture took on the GPU.
    pub draw_micros: Histogram,
    /// Frames not drawn because every watcher lagged.
    pub frames_held: u64,
    /// Pictures given to sessions.
    pub pictures_sent: u64,
    /// Pictures withheld from a session that lagged.
    pub pictures_dropped: u64,
    /// Bytes of pictures given to sessions.
    pub picture_bytes: u64,
    /// Keyframes made.
    pub keyframes: u64,
    /// Time in the encoder.
    pub encode_micros: Histogram,
    /// From the arrival of an intent to its answering picture leaving the encoder.
    pub intent_to_picture_micros: Histogram,
    /// Tiles cut and uploaded.
    pub tiles_uploaded: u64,
    /// Tiles evicted.
    pub tiles_evicted: u64,
    /// Bricks cut and uploaded.
    pub bricks_uploaded: u64,
    /// Bricks that were cut and needed no memory, because they look the same everywhere.
    pub bricks_uniform: u64,
    /// Chunks that arrived.
    pub chunks_loaded: u64,
    /// Chunks that failed.
    pub chunks_failed: u64,
    /// Bytes in the host cache.
    pub cache_bytes: u64,
    /// Bytes of chunks that are being read, or wait for the world.
    pub transit_bytes: u64,
    /// The most bytes of decoded chunks there were after a turn, wherever they were.
    pub host_peak_bytes: u64,
    /// Bytes of buffers on the GPU.
    pub gpu_bytes: u64,
    /// Bytes that each tile pool may have now.
    pub pool_bytes: u64,
    /// Bytes that all brick pools may have now.
    pub brick_bytes: u64,
    /// Times the GPU had no room for a buffer.
    pub gpu_refusals: u64,
    /// Devices that were lost.
    pub gpu_losses: u64,
    /// Sessions connected.
    pub sessions: u64,
}

impl Metrics {
    /// Place of a kind in the arrays.
    pub fn kind_slot(kind: OpKind) -> usize {
        OpKind::ALL.iter().position(|k| *k == kind).unwrap_or(0)
    }
}
