//! Opening, reading and describing images: those the tests write themselves, and real ones where present.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "data/array.rs"]
mod array;
#[path = "data/coarse.rs"]
mod coarse;
#[path = "data/coarse_cache.rs"]
mod coarse_cache;
#[path = "data/formats.rs"]
mod formats;
#[path = "data/image.rs"]
mod image;
#[path = "data/real.rs"]
mod real;
#[path = "data/refusals.rs"]
mod refusals;
