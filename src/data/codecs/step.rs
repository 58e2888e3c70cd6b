//! One step of a chain.

use super::{
    DecodeError, Scratch, Size,
    checksum::Checksum,
    compression::Compression,
    filters::{Delta, Scaled},
    most_encoded,
    order::{self, Transpose},
    sharding::Sharding,
};
use std::ops::Range;

/// One step, named by what it does when it encodes.
#[derive(Debug)]
pub enum Step {
    /// Reverses the bytes of each value of this width.
    Swap(usize),
    /// Permutes the axes.
    Transpose(Transpose),
    /// First bytes of all values, then second bytes, …; values of this width.
    Shuffle(usize),
    /// Differences of neighbours.
    Delta(Delta),
    /// Values scaled into another type.
    Scaled(Scaled),
    /// A checksum before or after the bytes.
    Checksum(Checksum),
    /// General compression.
    Compressed(Compression),
    /// Chunks within the chunk.
    Shards(Box<Sharding>),
}

impl Step {
    /// How large the step makes `decoded` bytes.
    pub fn encoded(&self, decoded: Size) -> Size {
        let same = |change: fn(usize) -> usize| match decoded {
            Size::Exact(n) => Size::Exact(change(n)),
            Size::AtMost(n) => Size::AtMost(change(n)),
        };
        match self {
            Self::Swap(_) | Self::Transpose(_) | Self::Shuffle(_) | Self::Delta(_) => decoded,
            Self::Checksum(_) => same(|n| n.saturating_add(Checksum::BYTES)),
            Self::Scaled(scaled) => match decoded {
                Size::Exact(n) => Size::Exact(scaled.encoded(n)),
                Size::AtMost(n) => Size::AtMost(scaled.encoded(n)),
            },
            Self::Compressed(_) | Self::Shards(_) => Size::AtMost(most_encoded(decoded.most())),
        }
    }

    /// Whether decoding can be done where the bytes stand.
    pub fn works_in_place(&self) -> bool {
        matches!(self, Self::Swap(_) | Self::Delta(_))
    }

    /// Decodes where the bytes stand; for steps that work in place.
    pub fn in_place(&self, bytes: &mut [u8]) {
        match self {
            Self::Swap(width) => order::swap(bytes, *width),
            Self::Delta(delta) => delta.sum(bytes),
            _ => {}
        }
    }

    /// For steps whose decoded bytes stand within the encoded ones: where. Checks them.
    pub fn payload(&self, encoded: &[u8]) -> Result<Option<Range<usize>>, DecodeError> {
        match self {
            Self::Checksum(checksum) => checksum.payload(encoded).map(Some),
            _ => Ok(None),
        }
    }

    /// Decodes to exactly the bytes of `out`.
    pub fn fill(
        &self,
        encoded: &[u8],
        out: &mut [u8],
        fill: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Swap(_) | Self::Delta(_) => {
                copy("bytes", encoded, out)?;
                self.in_place(out);
                Ok(())
            }
            Self::Transpose(transpose) => transpose.undo(encoded, out),
            Self::Shuffle(width) => order::unshuffle(encoded, out, *width),
            Self::Scaled(scaled) => scaled.undo(encoded, out),
            Self::Checksum(checksum) => copy("checksum", &encoded[checksum.payload(encoded)?], out),
            Self::Compressed(compression) => compression.fill(encoded, out, scratch),
            Self::Shards(sharding) => sharding.decode_all(encoded, out, fill, scratch),
        }
    }

    /// Decodes to `out`, which is empty, as many bytes as `size` allows.
    pub fn grow(
        &self,
        encoded: &[u8],
        size: Size,
        out: &mut Vec<u8>,
        fill: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), DecodeError> {
        let exact = match (self, size) {
            (Self::Compressed(compression), Size::AtMost(most)) => {
                return compression.grow(encoded, out, most, scratch);
            }
            (_, Size::Exact(exact)) => exact,
            // These keep or scale the size, so what they decode to follows from what is there.
            (Self::Scaled(scaled), Size::AtMost(_)) => scaled.decoded(encoded.len()),
            (Self::Checksum(_), Size::AtMost(_)) => encoded.len().saturating_sub(Checksum::BYTES),
            (_, Size::AtMost(_)) => encoded.len(),
        };
        if exact > size.most() {
            return Err(DecodeError::Inflates { codec: "filter", most: size.most() });
        }
        out.resize(exact, 0);
        self.fill(encoded, out, fill, scratch)
    }
}

/// Copies bytes that should be exactly as many as `out` holds.
pub fn copy(codec: &'static str, bytes: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    same_size(codec, bytes.len(), out.len())?;
    out.copy_from_slice(bytes);
    Ok(())
}

/// Checks a size.
pub fn same_size(codec: &'static str, got: usize, want: usize) -> Result<(), DecodeError> {
    if got == want { Ok(()) } else { Err(DecodeError::Size { codec, got, want }) }
}
