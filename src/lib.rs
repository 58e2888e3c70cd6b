//! Lucida: a headless GPU render server for images too large to move.
//!
//! This crate is the world outside: process, sockets, stores, GPU device, codecs. The ledger is
//! `lucida-components`, the rules over it are `lucida-systems`.

pub mod app;
pub mod cli;
pub mod data;
pub mod encode;
pub mod gpu;
pub mod server;
pub mod wire;
