//! The world without a GPU: intents in, applied state, acks and notices out, at a time that the test decides.

#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "tests")]

mod bricks_chosen;
mod bricks_cut;
mod bricks_volumes;
mod camera;
mod clip;
mod coarse;
mod contrast;
mod delivery;
mod dims;
mod faults;
mod incidents;
mod invariants;
mod labels;
mod levels;
mod mirrors;
mod modes;
mod properties;
mod reducers;
mod resume;
mod retries;
mod rig;
mod roles;
mod scarcity;
mod seats;
mod seats_kept;
mod sessions;
mod streams;
mod telemetry;
mod thick;
mod thumbnails;
mod turn_order;
mod turntable;
mod volumes;
