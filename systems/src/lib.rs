//! Lucida's rules. One turn, from top to bottom, is declared here and nowhere else:
//!
//! ```text
//! First       pace::observe               what is due although nothing arrived
//! PreUpdate   ingest                      sessions come and go, intents become messages
//! Update      reduce  seats · dataset · stream · view · dims · lod · camera · clip · layers · volume
//! Transact    txn::transact               for each dirty view the schedule RenderTxn:
//!                RenderTxn  Begin → Dims → Level → Camera → Commit
//!             seats                       views begin and end, sessions follow
//! Mirror      mirror  acks → history → notices → seats → incidents → telemetry → outboxes; ops retire
//! Render      streams::subscribe          everybody watches what it looks at
//!             residency::arrivals → thumbnails → residency::plan → render::draw
//! Encode      encode::deliver             packets → outboxes (the hand-over itself is `lucida`'s)
//! Last        pace::schedule_next
//! ```
//!
//! The crate knows no socket, no store and no codec: those are `lucida`'s, which fills the resources
//! [`ingest::Inbox`], `Arrivals`, [`encode::Packets`], [`render::job::Returned`] and takes `Wants`,
//! [`render::job::Handover`] and the outboxes.

#![forbid(unsafe_code)]

pub mod encode;
pub mod ingest;
pub mod mirror;
pub mod pace;
pub mod reduce;
pub mod render;
pub mod residency;
pub mod schedule;
pub mod seats;
pub mod spawn;
pub mod streams;
pub mod thumbnails;
pub mod txn;

pub use schedule::LucidaPlugin;
