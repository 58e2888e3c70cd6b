//! Inner chunks within shards: where they stand, and a whole shard decoded.

use super::{Chain, DecodeError, Scratch, Size, most_encoded, step::same_size};
use std::ops::Range;

/// The largest index of one shard (16 bytes per inner chunk).
pub const MAX_INDEX_BYTES: u64 = 32 << 20;

/// An inner chunk that is not stored has this offset and length.
const NOT_STORED: u64 = u64::MAX;

/// How a shard is laid out.
#[derive(Debug)]
pub struct Sharding {
    /// Codecs of an inner chunk.
    pub inner: Chain,
    /// Codecs of the index; its encoded size is exact.
    pub(super) index: Chain,
    /// Whether the index stands at the end of the file, else at its start.
    pub(super) at_end: bool,
    /// Extents of a shard in values.
    pub(super) shard: Vec<usize>,
    /// Extents of an inner chunk in values.
    pub(super) chunk: Vec<usize>,
    /// Bytes of a value.
    pub(super) width: usize,
}

/// Where the inner chunks of one shard stand: offset and length of each, in C order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index(Box<[u64]>);

impl Index {
    /// An index of these numbers: offset and length of each inner chunk.
    pub(crate) fn of(numbers: impl Into<Box<[u64]>>) -> Self {
        Self(numbers.into())
    }

    /// Where an inner chunk stands in a shard file; `None` where it is not stored. Both numbers are
    /// whatever the file says.
    pub fn place(&self, number: usize) -> Option<(u64, u64)> {
        let (offset, length) = (*self.0.get(2 * number)?, *self.0.get(2 * number + 1)?);
        (offset != NOT_STORED || length != NOT_STORED).then_some((offset, length))
    }

    /// Bytes of memory that it holds.
    pub fn bytes(&self) -> u64 {
        self.0.len() as u64 * 8
    }
}

impl Sharding {
    /// Inner chunks along each axis.
    pub fn per_shard(&self) -> impl Iterator<Item = usize> {
        self.shard.iter().zip(&self.chunk).map(|(shard, chunk)| shard / chunk)
    }

    /// Bytes of the encoded index.
    pub fn index_bytes(&self) -> usize {
        self.index.encoded().most()
    }

    /// Where the index stands in a shard of `len` bytes; `None` where that is too short.
    pub fn index_range(&self, len: u64) -> Option<Range<u64>> {
        let bytes = self.index_bytes() as u64;
        if self.at_end { Some(len.checked_sub(bytes)?..len) } else { (bytes <= len).then_some(0..bytes) }
    }

    /// Decodes an index.
    ///
    /// # Errors
    /// Another size than it should have, a wrong checksum.
    pub fn decode_index(&self, encoded: &[u8], scratch: &mut Scratch) -> Result<Index, DecodeError> {
        let mut bytes = scratch.take_len(self.index.decoded_bytes());
        self.index.decode(encoded, &mut bytes, &[], scratch)?;
        let numbers: Box<[u64]> = bytes.as_chunks::<8>().0.iter().map(|v| u64::from_ne_bytes(*v)).collect();
        scratch.give(bytes);
        Ok(Index::of(numbers))
    }

    /// Decodes a whole shard to exactly the bytes of `out`.
    pub(super) fn decode_all(
        &self,
        encoded: &[u8],
        out: &mut [u8],
        fill: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), DecodeError> {
        let corrupt = |reason: &str| DecodeError::corrupt("sharding_indexed", reason);
        same_size("sharding_indexed", self.shard.iter().product::<usize>() * self.width, out.len())?;
        let range = self.index_range(encoded.len() as u64).ok_or_else(|| corrupt("no room for the index"))?;
        let index = self.decode_index(&encoded[range.start as usize..range.end as usize], scratch)?;
        // Many inner chunks may share bytes, but not so often that decoding never ends.
        let mut left = most_encoded(out.len()) as u64;
        let mut buffer = scratch.take_len(self.inner.decoded_bytes());
        let per_shard: Vec<usize> = self.per_shard().collect();
        let mut at = vec![0; per_shard.len()];
        for number in 0..per_shard.iter().product() {
            if let Some((offset, length)) = index.place(number) {
                left = left.checked_sub(length).ok_or_else(|| corrupt("inner chunks overlap too often"))?;
                let end = offset.checked_add(length).filter(|end| *end <= encoded.len() as u64);
                let end = end.ok_or_else(|| corrupt("an inner chunk stands outside the shard"))?;
                self.inner.decode(&encoded[offset as usize..end as usize], &mut buffer, fill, scratch)?;
            } else {
                repeat(fill, &mut buffer, self.width);
            }
            self.place_chunk(&at, &buffer, out);
            for axis in (0..at.len()).rev() {
                at[axis] += 1;
                if at[axis] < per_shard[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        scratch.give(buffer);
        Ok(())
    }

    /// Copies a decoded inner chunk, by its numbers along each axis, to its place in the shard.
    fn place_chunk(&self, at: &[usize], chunk: &[u8], out: &mut [u8]) {
        let last = self.chunk.len() - 1;
        let row = self.chunk[last] * self.width;
        for (n, line) in chunk.chunks_exact(row).enumerate() {
            // The place of the line's first value in the shard.
            let (mut rest, mut to, mut stride) = (n, at[last] * self.chunk[last], self.shard[last]);
            for axis in (0..last).rev() {
                let within = rest % self.chunk[axis];
                rest /= self.chunk[axis];
                to += (at[axis] * self.chunk[axis] + within) * stride;
                stride *= self.shard[axis];
            }
            let to = to * self.width;
            out[to..to + row].copy_from_slice(line);
        }
    }

    /// Whether the index's size is known from the metadata alone.
    pub(super) fn has_exact_index(index: &Chain) -> bool {
        matches!(index.encoded(), Size::Exact(_))
    }
}

/// Fills `out` with a value; a value of another width counts as zero.
fn repeat(value: &[u8], out: &mut [u8], width: usize) {
    if value.len() == width {
        out.chunks_exact_mut(width).for_each(|v| v.copy_from_slice(value));
    } else {
        out.fill(0);
    }
}
