//! What is done with an arbitrary input: one body per fuzz target, used by libFuzzer (`fuzz_targets/`) and,
//! over the kept corpora and a bounded number of mutations, by `tests/fuzz.rs`.
//!
//! Whatever comes, a body neither panics nor takes memory that its input does not deserve; what it accepts
//! keeps the promises that the rest of the program builds on.
#![allow(dead_code, reason = "each target uses its part")]

pub mod chunks;
pub mod folder;
pub mod metadata;
pub mod sps;
pub mod wire;

/// A body.
pub type Body = fn(&[u8]);

/// Every target and its body.
pub const TARGETS: [(&str, Body); 4] =
    [("wire", wire::run), ("sps", sps::run), ("metadata", metadata::run), ("chunks", chunks::run)];
