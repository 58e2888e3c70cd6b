//! Opening, reading and describing images: those the tests write themselves, and real ones where present.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "data/codecs.rs"]
mod codecs;
#[path = "data/formats.rs"]
mod formats;
#[path = "data/hostile.rs"]
mod hostile;
#[path = "data/image.rs"]
mod image;
#[path = "data/real.rs"]
mod real;
#[path = "data/refusals.rs"]
mod refusals;
