//! Decoding of chunks, with a hard bound at every stage.
//!
//! A chain of codecs is made from an array's metadata once. From then on the size of everything that it
//! decodes to is known or bounded: a chunk that claims more in a header, or inflates to more, is an error
//! before more is allocated. Nothing here reads files.

mod blosc;
mod checksum;
mod compression;
mod error;
mod filters;
mod order;
mod parse;
mod scratch;
mod sharding;
mod step;
mod untrusted;
mod zstd;

pub use error::{ChainError, DecodeError};
pub use parse::{chain_v2, chain_v3, codec_name, sharding};
pub use scratch::{Scratch, with_scratch};
pub use sharding::{Index, Sharding};
pub use untrusted::{UntrustedError, decode_untrusted};

use step::Step;

/// The largest decoded size of what is decoded at once: a chunk, or the inner chunk of a shard.
pub const MAX_CHUNK_BYTES: u64 = 256 << 20;

/// The most bytes that `decoded` bytes may take once they are encoded: no codec expands a chunk to more,
/// and a file that is longer is refused before it is read.
pub const fn most_encoded(decoded: usize) -> usize {
    let most = decoded.saturating_mul(2).saturating_add(1 << 20);
    let cap = 2 * MAX_CHUNK_BYTES as usize + (1 << 20);
    if most < cap { most } else { cap }
}

/// Most codecs in one chain.
pub const MAX_CODECS: usize = 16;

/// How large something is before it is encoded by a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes.
    Exact(usize),
    /// So many bytes at most.
    AtMost(usize),
}

impl Size {
    /// The bytes, or the most there can be.
    pub fn most(self) -> usize {
        match self {
            Self::Exact(n) | Self::AtMost(n) => n,
        }
    }
}

/// The codecs of an array, in the order in which they encode, with the size before each of them.
#[derive(Debug)]
pub struct Chain {
    steps: Vec<Step>,
    sizes: Vec<Size>,
    encoded: Size,
}

impl Chain {
    /// A chain for chunks of `decoded` bytes.
    fn new(decoded: usize, steps: Vec<Step>) -> Self {
        let mut sizes = Vec::with_capacity(steps.len());
        let mut size = Size::Exact(decoded);
        for step in &steps {
            sizes.push(size);
            size = step.encoded(size);
        }
        Self { steps, sizes, encoded: size }
    }

    /// How large an encoded chunk can be; more is refused without being looked at.
    pub fn encoded(&self) -> Size {
        self.encoded
    }

    /// Bytes of a decoded chunk.
    pub fn decoded_bytes(&self) -> usize {
        self.sizes.first().unwrap_or(&self.encoded).most()
    }

    /// Decodes a chunk into `out`, which is as long as a decoded chunk: values in native byte order and C
    /// order. `fill` is the native-order fill value, for what a shard does not hold.
    ///
    /// # Errors
    /// Anything but an encoding of exactly that many bytes. What `out` then holds means nothing.
    pub fn decode(
        &self,
        encoded: &[u8],
        out: &mut [u8],
        fill: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), DecodeError> {
        let most = self.encoded.most();
        if encoded.len() > most {
            return Err(DecodeError::TooLong { len: encoded.len(), most });
        }
        // The leading steps that work in place do so in `out`; the step after them writes to it.
        let in_place = self.steps.iter().take_while(|s| s.works_in_place()).count();
        let mut held: Option<Vec<u8>> = None;
        let mut end = encoded.len();
        let mut start = 0;
        for n in (in_place + 1..self.steps.len()).rev() {
            let input = &held.as_deref().unwrap_or(encoded)[start..end];
            if let Some(payload) = self.steps[n].payload(input)? {
                (start, end) = (start + payload.start, start + payload.end);
                continue;
            }
            let mut next = scratch.take();
            self.steps[n].grow(input, self.sizes[n], &mut next, fill, scratch)?;
            (start, end) = (0, next.len());
            if let Some(used) = held.replace(next) {
                scratch.give(used);
            }
        }
        let input = &held.as_deref().unwrap_or(encoded)[start..end];
        match self.steps.get(in_place) {
            Some(step) => step.fill(input, out, fill, scratch)?,
            None => step::copy("bytes", input, out)?,
        }
        if let Some(used) = held {
            scratch.give(used);
        }
        for step in self.steps[..in_place].iter().rev() {
            step.in_place(out);
        }
        Ok(())
    }
}
