//! The wire: the one module that knows JSON and the protocol (version 2).
//!
//! Frames come in through [`envelope`] and leave through [`encoder`]; one file per group of frames between
//! them. Conventions of clients (pixels counted from the bottom, steps at the level shown) are turned into
//! the ledger's here and nowhere else. There are two dialects ([`conventions`]): the house's, and that of
//! napari-cuda's client, whose conversions are in [`napari`].

pub mod ack;
pub mod command;
pub mod conventions;
pub mod encoder;
pub mod envelope;
pub mod fields;
pub mod hello;
pub mod inbound;
pub mod napari;
pub mod notices;
pub mod pixels;
pub mod update;
pub mod welcome;

#[cfg(test)]
mod examples;
#[cfg(test)]
#[path = "../../tests/support/applied.rs"]
mod fixture;
#[cfg(test)]
#[path = "snapshots/tests.rs"]
mod snapshots;
#[cfg(test)]
mod tests;
