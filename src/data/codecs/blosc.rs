//! blosc 1 through zarrs, which validates a buffer before it hands it to the C library. That allocates
//! what the header claims, so the claim is checked first.

use super::{DecodeError, step::copy};
use std::{borrow::Cow, sync::LazyLock};
use zarrs::array::{
    BytesRepresentation, BytesToBytesCodecTraits, CodecOptions,
    codec::{BloscCodec, BloscCompressionLevel, BloscCompressor, BloscShuffleMode},
};

/// Bytes of the header.
const HEADER: usize = 16;

/// Decodes whatever the header says: how it was told to encode does not matter.
static CODEC: LazyLock<Option<BloscCodec>> = LazyLock::new(|| {
    let level = BloscCompressionLevel::try_from(0).ok()?;
    BloscCodec::new(BloscCompressor::LZ4, level, None, BloscShuffleMode::NoShuffle, None).ok()
});

/// The decoded size in the header, which also states the length of the whole buffer.
pub fn claimed(encoded: &[u8], most: usize) -> Result<usize, DecodeError> {
    let word = |at: usize| encoded.get(at..at + 4)?.first_chunk().copied().map(u32::from_le_bytes);
    let (Some(claimed), Some(length)) = (word(4), word(12)) else {
        return Err(DecodeError::corrupt("blosc", "the header is cut off"));
    };
    if claimed as usize > most {
        return Err(DecodeError::Claims { codec: "blosc", claimed: claimed.into(), most });
    }
    if length as usize != encoded.len() || encoded.len() < HEADER {
        let reason = format!("{} bytes where the header says {length}", encoded.len());
        return Err(DecodeError::corrupt("blosc", reason));
    }
    Ok(claimed as usize)
}

/// Decodes to exactly the bytes of `out`.
pub fn fill(encoded: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    let claimed = claimed(encoded, out.len())?;
    let Some(codec) = &*CODEC else { return Err(DecodeError::corrupt("blosc", "not available")) };
    let size = BytesRepresentation::FixedSize(claimed as u64);
    let decoded = codec.decode(Cow::Borrowed(encoded), &size, &CodecOptions::default());
    copy("blosc", &decoded.map_err(|e| DecodeError::corrupt("blosc", e))?, out)
}
