//! General compressions. None of them writes, or makes room for, more than its bound.

use super::{DecodeError, Scratch, blosc, step::same_size, zstd};
use std::io::Read;

/// A compression by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Frames of zstd.
    Zstd,
    /// Members of gzip.
    Gzip,
    /// One zlib stream.
    Zlib,
    /// Streams of bzip2.
    Bz2,
    /// One block of LZ4 after its decoded size, as numcodecs writes it.
    Lz4,
    /// A buffer of blosc 1, with any of its codecs and shuffles.
    Blosc,
}

impl Compression {
    /// The compression of this name in either version of the format, without `numcodecs.`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "zstd" => Self::Zstd,
            "gzip" => Self::Gzip,
            "zlib" => Self::Zlib,
            "bz2" => Self::Bz2,
            "lz4" => Self::Lz4,
            "blosc" => Self::Blosc,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Bz2 => "bz2",
            Self::Lz4 => "lz4",
            Self::Blosc => "blosc",
        }
    }

    /// Decodes to exactly the bytes of `out`.
    pub fn fill(self, encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<(), DecodeError> {
        match self {
            Self::Zstd => zstd::fill(encoded, out, scratch),
            Self::Blosc => blosc::fill(encoded, out),
            Self::Lz4 => lz4(encoded, out),
            _ => read_exactly(self.name(), self.reader(encoded), out),
        }
    }

    /// Decodes to `out`, which is empty, at most `most` bytes.
    pub fn grow(
        self,
        encoded: &[u8],
        out: &mut Vec<u8>,
        most: usize,
        scratch: &mut Scratch,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Zstd => zstd::grow(encoded, out, most, scratch),
            Self::Blosc => {
                out.resize(blosc::claimed(encoded, most)?, 0);
                blosc::fill(encoded, out)
            }
            Self::Lz4 => {
                out.resize(lz4_claimed(encoded, most)?, 0);
                lz4(encoded, out)
            }
            _ => read_at_most(self.name(), self.reader(encoded), out, most),
        }
    }

    /// The streaming decoders.
    fn reader(self, encoded: &[u8]) -> Box<dyn Read + '_> {
        match self {
            Self::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(encoded)),
            Self::Bz2 => Box::new(bzip2::bufread::MultiBzDecoder::new(encoded)),
            _ => Box::new(flate2::bufread::MultiGzDecoder::new(encoded)),
        }
    }
}

/// Reads until `out` is full, and makes sure that nothing follows; checksums at the end are verified so.
fn read_exactly(codec: &'static str, mut reader: impl Read, out: &mut [u8]) -> Result<(), DecodeError> {
    let mut got = 0;
    while got < out.len() {
        match reader.read(&mut out[got..]) {
            Ok(0) => return Err(DecodeError::Size { codec, got, want: out.len() }),
            Ok(n) => got += n,
            Err(e) => return Err(DecodeError::corrupt(codec, e)),
        }
    }
    match reader.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(DecodeError::Inflates { codec, most: out.len() }),
        Err(e) => Err(DecodeError::corrupt(codec, e)),
    }
}

fn read_at_most(
    codec: &'static str,
    reader: impl Read,
    out: &mut Vec<u8>,
    most: usize,
) -> Result<(), DecodeError> {
    let read = reader.take(most as u64 + 1).read_to_end(out).map_err(|e| DecodeError::corrupt(codec, e))?;
    if read > most { Err(DecodeError::Inflates { codec, most }) } else { Ok(()) }
}

/// The decoded size that stands before the block.
fn lz4_claimed(encoded: &[u8], most: usize) -> Result<usize, DecodeError> {
    let header = encoded.first_chunk().ok_or_else(|| DecodeError::corrupt("lz4", "the size is cut off"))?;
    let claimed = u32::from_le_bytes(*header);
    if claimed as usize > most {
        return Err(DecodeError::Claims { codec: "lz4", claimed: claimed.into(), most });
    }
    Ok(claimed as usize)
}

fn lz4(encoded: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    same_size("lz4", lz4_claimed(encoded, out.len())?, out.len())?;
    let got = lz4_flex::block::decompress_into(&encoded[4..], out);
    same_size("lz4", got.map_err(|e| DecodeError::corrupt("lz4", e))?, out.len())
}
