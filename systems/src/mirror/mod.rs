//! Mirrors: thin systems that turn applied state into acks and notices. They read `Applied` and the closed
//! ops of the turn, nothing else; nobody waits for the GPU.

pub mod acks;
pub mod history;
pub mod incidents;
pub mod notices;
pub mod seats;
pub mod seen;
pub mod telemetry;
pub mod tokens;
pub mod versions;

use bevy_ecs::prelude::*;
use lucida_components::{
    metrics::Metrics,
    ops::{OpState, Ops},
};

/// The turn's ops are over: counted, remembered.
pub fn retire(mut ops: ResMut<Ops>, mut metrics: ResMut<Metrics>) {
    if ops.turn.is_empty() {
        return;
    }
    for op in &ops.turn {
        let slot = Metrics::kind_slot(op.kind);
        match &op.state {
            OpState::Applied { .. } => metrics.ops_applied[slot] += 1,
            OpState::Rejected(why) => {
                metrics.ops_rejected[slot] += 1;
                tracing::info!(op = op.seq, kind = %op.kind, "rejected: {why}");
            }
            OpState::Open => {}
        }
    }
    ops.retire();
}
