//! Which intents the next frame of a stream answers.
//!
//! An answer is owed until a picture with it was given to its session: one that was lost in the encoder, or
//! withheld from a session that lagged, comes back and goes with the next.

use bevy_ecs::component::Component;
use lucida_components::{
    ids::{SessionId, ViewId},
    ops::{OpState, Ops},
    packet::Answer,
};
use std::sync::Arc;

/// Answers that may wait for a frame.
const MAX_PENDING: usize = 4096;

/// Intents of a stream whose effect was applied and not seen yet.
#[derive(Component, Debug, Default)]
pub struct Answers {
    pending: Vec<Answer>,
    /// The last op that was looked at.
    seen_op: u64,
}

impl Answers {
    /// Notes the ops of this turn whose effect is still to be seen. Called every turn, because the memory of
    /// closed ops is short.
    pub fn note(&mut self, ops: &Ops, view: ViewId, shown: u64) {
        let seen = self.seen_op;
        for op in ops.closed.iter().rev().take_while(|op| op.seq > seen) {
            let OpState::Applied { revision } = op.state else { continue };
            if let Some(origin) = op.origin.as_ref().filter(|_| op.view == view && revision > shown) {
                self.pending.push(Answer {
                    op: op.seq,
                    session: origin.session,
                    intent: origin.intent.clone(),
                    arrived: op.arrived,
                });
            }
        }
        self.seen_op = ops.closed.back().map_or(seen, |op| op.seq.max(seen));
        self.bound();
    }

    /// Takes back answers that did not arrive.
    pub fn owe(&mut self, answers: impl IntoIterator<Item = Answer>) {
        self.pending.extend(answers);
        self.bound();
    }

    /// Whether a session still waits for one. A frame of the same picture is then drawn for it.
    pub fn owes(&self, session: SessionId) -> bool {
        self.pending.iter().any(|a| a.session == session)
    }

    /// What the next frame answers.
    pub fn take(&mut self, revision: u64) -> Arc<[Answer]> {
        for answer in &self.pending {
            tracing::debug!(op = answer.op, revision, "drawn");
        }
        self.pending.drain(..).collect()
    }

    /// A stream that cannot draw for long answers the newest.
    fn bound(&mut self) {
        if self.pending.len() > MAX_PENDING {
            self.pending.sort_by_key(|a| a.op);
            let surplus = self.pending.len() - MAX_PENDING;
            self.pending.drain(..surplus);
        }
    }
}
