//! The time of a turn. Set by whoever runs the turn, so that tests decide what time it is.

use bevy_ecs::resource::Resource;
use std::time::{Duration, Instant};

/// When this turn began.
#[derive(Resource, Debug, Clone, Copy)]
pub struct Clock {
    /// Monotonic time.
    pub now: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self { now: Instant::now() }
    }
}

/// When the next turn is due although nothing arrives: the earliest of what was asked for in this turn.
#[derive(Resource, Debug, Default, Clone, Copy)]
pub struct NextWake(pub Option<Instant>);

impl NextWake {
    /// Asks for a turn at `at` or earlier.
    pub fn at(&mut self, at: Instant) {
        self.0 = Some(self.0.map_or(at, |t| t.min(at)));
    }

    /// Asks for a turn after `delay`.
    pub fn after(&mut self, clock: &Clock, delay: Duration) {
        self.at(clock.now + delay);
    }
}
