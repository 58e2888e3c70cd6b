//! When the next turn and the next picture are due.

use crate::txn::level::LevelClock;
use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    metrics::Metrics,
};
use std::time::{Duration, Instant};

/// How a stream is paced.
#[derive(Component, Debug, Clone, Copy)]
pub struct Pace {
    /// Shortest time between two pictures.
    pub interval: Duration,
    /// The last picture.
    pub drawn: Option<Instant>,
    /// Draw although nobody watches: for stills and benches.
    pub always: bool,
}

impl Pace {
    /// Highest rate of pictures.
    pub const MAX_FPS: u32 = 60;
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1) / Self::MAX_FPS, drawn: None, always: false }
    }
}

/// First: what is due although nothing arrived.
pub fn observe(
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut metrics: ResMut<Metrics>,
    mut levels: Query<&mut LevelClock>,
) {
    wake.0 = None;
    metrics.turns += 1;
    for mut level in &mut levels {
        if level.due.is_some_and(|due| due <= clock.now) {
            level.due = None;
            level.recheck = true;
        }
    }
}

/// Last: what is still due, also from earlier turns. A wake in the past would spin; it becomes now.
pub fn schedule_next(clock: Res<Clock>, mut wake: ResMut<NextWake>, levels: Query<&LevelClock>) {
    for due in levels.iter().filter_map(|l| l.due) {
        wake.at(due);
    }
    if let Some(at) = wake.0 {
        wake.0 = Some(at.max(clock.now));
    }
}
