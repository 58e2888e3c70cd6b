//! Lucida's plain data: the blocks of the ledger, what clients ask for, what they are told.
//!
//! Nothing here does I/O, knows a GPU, a socket or a schedule. Systems over this data live in
//! `lucida-systems`; the world outside lives in `lucida`.

#![forbid(unsafe_code)]

pub mod applied;
pub mod axes;
pub mod camera;
pub mod chunk;
pub mod clip;
pub mod clock;
pub mod colormap;
pub mod contents;
pub mod controls;
pub mod dataset;
pub mod dtype;
pub mod fault;
pub mod fit;
pub mod ids;
pub mod incident;
pub mod index;
pub mod intent;
pub mod labels;
pub mod layer;
pub mod lod;
pub mod metrics;
pub mod notice;
pub mod ops;
pub mod outbox;
pub mod packet;
pub mod places;
pub mod rays;
pub mod restore;
pub mod seats;
pub mod session;
pub mod snapshot;
pub mod stream;
pub mod thumbnail;
pub mod value;
pub mod view;
