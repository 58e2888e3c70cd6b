//! Opening, reading and describing images: those the tests write themselves, and real ones where present.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "data/array.rs"]
mod array;
#[path = "data/arrays.rs"]
mod arrays;
#[path = "data/coarse.rs"]
mod coarse;
#[path = "data/coarse_cache.rs"]
mod coarse_cache;
#[path = "data/codecs.rs"]
mod codecs;
#[path = "data/containers.rs"]
mod containers;
#[path = "data/formats.rs"]
mod formats;
#[path = "data/hostile.rs"]
mod hostile;
#[path = "data/image.rs"]
mod image;
#[path = "data/labels.rs"]
mod labels;
#[path = "data/real.rs"]
mod real;
#[path = "data/refusals.rs"]
mod refusals;
#[path = "data/suites.rs"]
mod suites;
#[path = "data/table.rs"]
mod table;
#[path = "data/validate.rs"]
mod validate;
#[path = "data/versions.rs"]
mod versions;
