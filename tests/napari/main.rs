//! A client as strict as napari-cuda's own, in whole conversations with a real server: the state channel and the
//! pixels, decoded and looked at.
#![expect(clippy::unwrap_used, reason = "tests")]

mod beats;
mod commands;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod crowds;
mod hands;
mod image;
#[path = "../stream/live.rs"]
#[expect(dead_code, reason = "shared with the stream tests")]
mod live;
mod looks;
mod pixels;
mod resume;
mod rules;
mod serve;
mod state;
mod streams;
mod together;
