//! Makes a step fail or panic, so that tests can show what a fault leaves behind. Absent in production:
//! nothing inserts the resource.

use bevy_ecs::prelude::*;
use lucida_components::fault::{FaultReason, Step};

/// How a step is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Return an error.
    Error,
    /// Panic.
    Panic,
}

/// Fails a step, a number of times.
#[derive(Resource, Debug, Clone, Copy)]
pub struct Injection {
    /// Which step.
    pub step: Step,
    /// How.
    pub failure: Failure,
    /// How often.
    pub times: u32,
}

/// Called by each step before its body.
pub(super) fn strike(injection: Option<ResMut<Injection>>, step: Step) -> Result<(), FaultReason> {
    let Some(mut injection) = injection else { return Ok(()) };
    if injection.step != step || injection.times == 0 {
        return Ok(());
    }
    injection.times -= 1;
    match injection.failure {
        Failure::Error => Err(FaultReason::Injected),
        Failure::Panic => std::panic::panic_any("made to panic by a test"),
    }
}
