//! The process around the world: its thread, its channels, its encoders.
//!
//! ```text
//! sockets ──inbox──→ world ──frames──→ submit ──→ encoder of the stream
//!    ↑                │ ↑ ↑                             │
//!    └──outboxes──────┘ │ └──────── packets, slots ─────┘
//!                       └── chunks ── pool ←── wants ── world
//! ```

pub mod bridge;
pub mod compile;
pub mod encoders;
mod hear;
pub mod outboxes;
pub mod rebuild;
pub mod still;
pub mod submit;
pub mod world;
