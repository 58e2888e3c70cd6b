//! Which requests of a session belong to this turn.
//!
//! What a session asks for after it changed its seat is about the new one, and a view of its own begins as the one
//! that it has changed before. Both are known between two turns only, so there the later request waits for the next
//! turn, which is due at once. Others wait for nothing.

use lucida_components::{fault::Rejection, ids::SessionId, intent::Change, seats::SeatChange};
use std::collections::HashMap;

/// Requests of one session that may wait: two of its shares of the inbox. What is over is refused.
pub const MOST_WAITING: usize = 64;

/// How far each session got in this turn.
#[derive(Debug, Default)]
pub(super) struct Turns(HashMap<SessionId, Got>);

#[derive(Debug, Default, Clone, Copy)]
struct Got {
    asked: bool,
    moved: bool,
    waiting: usize,
}

impl Turns {
    /// Whether a request belongs to this turn; otherwise it waits, and so do those after it.
    ///
    /// # Errors
    /// Where more would wait than may.
    pub fn is_now(&mut self, session: SessionId, change: &Change) -> Result<bool, Rejection> {
        let got = self.0.entry(session).or_default();
        let begins = matches!(change, Change::Seat(SeatChange::Create { .. }));
        if got.waiting > 0 || got.moved || (begins && got.asked) {
            if got.waiting == MOST_WAITING {
                return Err(Rejection::error(
                    "too much is asked for behind changes of seat; wait for their answers",
                ));
            }
            got.waiting += 1;
            return Ok(false);
        }
        got.asked = true;
        got.moved = moves(change);
        Ok(true)
    }
}

/// Whether what comes after it may be about another view, or by another role.
fn moves(change: &Change) -> bool {
    matches!(
        change,
        Change::Seat(
            SeatChange::Create { .. }
                | SeatChange::Watch(_)
                | SeatChange::Follow(_)
                | SeatChange::Close(_)
                | SeatChange::Role { .. }
        )
    )
}
