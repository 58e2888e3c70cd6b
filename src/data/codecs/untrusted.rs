//! One chunk from bytes that anybody may have written, without a file: what a fuzzer calls.

use super::{DecodeError, with_scratch};
use crate::data::{error::OpenError, json, level};
use std::path::Path;

/// Why there are no values.
#[derive(Debug, thiserror::Error)]
pub enum UntrustedError {
    /// The metadata is not that of an array that could be opened.
    #[error(transparent)]
    Metadata(#[from] OpenError),
    /// The chunk is not what the metadata promises.
    #[error(transparent)]
    Chunk(#[from] DecodeError),
    /// The chunk is larger than the caller wants to have decoded.
    #[error("{decoded} decoded bytes where at most {most} are asked for")]
    TooLarge {
        /// Bytes of a chunk, by its metadata.
        decoded: u64,
        /// The caller's bound.
        most: u64,
    },
}

/// Decodes `chunk`, the content of one file of the array that `meta` describes (`zarr.json`, or `.zarray`
/// where it has `"zarr_format": 2`): a chunk, or a whole shard. Values come in native byte order and C
/// order. Allocates a small multiple of `most` at worst, and less than that of what the metadata promises.
///
/// # Errors
/// Metadata that is refused, chunks of more than `most` bytes, anything but a chunk of exactly the size
/// that the metadata promises.
pub fn decode_untrusted(meta: &[u8], chunk: &[u8], most: u64) -> Result<Vec<u8>, UntrustedError> {
    let file = Path::new("metadata");
    let meta =
        json::parse(meta).map_err(|e| OpenError::Json { file: file.to_owned(), reason: e.to_string() })?;
    let (chain, fill) = level::whole_file(file, meta)?;
    let decoded = chain.decoded_bytes() as u64;
    if decoded > most {
        return Err(UntrustedError::TooLarge { decoded, most });
    }
    let mut out = vec![0; decoded as usize];
    with_scratch(|scratch| chain.decode(chunk, &mut out, &fill, scratch))?;
    Ok(out)
}
