//! What comes out of the video encoder, read back bit by bit and picture by picture.
#![expect(clippy::unwrap_used, reason = "tests")]

mod moving;
mod sps;
mod stream;
