//! Checksums of 4 bytes round the encoded bytes.

use super::DecodeError;
use std::ops::Range;

/// A checksum by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// CRC-32C after the bytes.
    Crc32cAfter,
    /// CRC-32C before the bytes.
    Crc32cBefore,
    /// CRC-32 before the bytes.
    Crc32Before,
    /// CRC-32 after the bytes.
    Crc32After,
    /// Adler-32 before the bytes.
    Adler32Before,
    /// Adler-32 after the bytes.
    Adler32After,
    /// Fletcher-32 of HDF5 after the bytes.
    Fletcher32After,
}

impl Checksum {
    /// Bytes that each of them takes.
    pub const BYTES: usize = 4;

    /// The checksum of this name, without `numcodecs.`. `location` is numcodecs' `start` or `end`.
    pub fn named(name: &str, location: Option<&str>) -> Option<Self> {
        Some(match (name, location) {
            ("crc32c", None | Some("end")) => Self::Crc32cAfter,
            ("crc32c", Some("start")) => Self::Crc32cBefore,
            ("crc32", None | Some("start")) => Self::Crc32Before,
            ("crc32", Some("end")) => Self::Crc32After,
            ("adler32", None | Some("start")) => Self::Adler32Before,
            ("adler32", Some("end")) => Self::Adler32After,
            ("fletcher32", _) => Self::Fletcher32After,
            _ => return None,
        })
    }

    fn is_before(self) -> bool {
        matches!(self, Self::Crc32cBefore | Self::Crc32Before | Self::Adler32Before)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Crc32cAfter | Self::Crc32cBefore => "crc32c",
            Self::Crc32Before | Self::Crc32After => "crc32",
            Self::Adler32Before | Self::Adler32After => "adler32",
            Self::Fletcher32After => "fletcher32",
        }
    }

    /// Where the checked bytes stand.
    pub fn payload(self, encoded: &[u8]) -> Result<Range<usize>, DecodeError> {
        let corrupt = |reason: &str| DecodeError::corrupt(self.name(), reason);
        let length = encoded.len().checked_sub(Self::BYTES).ok_or_else(|| corrupt("it is cut off"))?;
        let (range, stands) =
            if self.is_before() { (Self::BYTES..encoded.len(), 0) } else { (0..length, length) };
        let stated = encoded[stands..].first_chunk().copied().map(u32::from_le_bytes);
        if stated == Some(self.of(&encoded[range.clone()])) {
            Ok(range)
        } else {
            Err(corrupt("the checksum does not match"))
        }
    }

    fn of(self, bytes: &[u8]) -> u32 {
        match self {
            Self::Crc32cAfter | Self::Crc32cBefore => crc32c::crc32c(bytes),
            Self::Crc32Before | Self::Crc32After => crc32fast::hash(bytes),
            Self::Adler32Before | Self::Adler32After => adler32(bytes),
            Self::Fletcher32After => fletcher32(bytes),
        }
    }
}

/// RFC 1950, section 8.
fn adler32(bytes: &[u8]) -> u32 {
    // The most bytes after which the sums still fit 32 bits.
    const STRETCH: usize = 5552;
    const PRIME: u32 = 65_521;
    let (mut a, mut b) = (1u32, 0u32);
    for stretch in bytes.chunks(STRETCH) {
        for byte in stretch {
            a += u32::from(*byte);
            b += a;
        }
        a %= PRIME;
        b %= PRIME;
    }
    b << 16 | a
}

/// Of big-endian words, modulo 65535, as HDF5's filter computes it.
fn fletcher32(bytes: &[u8]) -> u32 {
    // The most words after which the sums still fit 32 bits.
    const STRETCH: usize = 360;
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    let (words, odd) = bytes.as_chunks::<2>();
    let (mut a, mut b) = (0u32, 0u32);
    for stretch in words.chunks(STRETCH) {
        for word in stretch {
            a += u32::from(u16::from_be_bytes(*word));
            b += a;
        }
        (a, b) = (fold(a), fold(b));
    }
    if let [last] = odd {
        a += u32::from(*last) << 8;
        b += a;
        (a, b) = (fold(a), fold(b));
    }
    fold(b) << 16 | fold(a)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn published_values() {
        // RFC 3720 B.4 for CRC-32C of 32 zeros; the check values of the others' catalogues.
        assert_eq!(Checksum::Crc32cAfter.of(&[0; 32]), 0x8a91_36aa);
        assert_eq!(Checksum::Crc32Before.of(b"123456789"), 0xcbf4_3926);
        assert_eq!(Checksum::Adler32Before.of(b"Wikipedia"), 0x11e6_0398);
        let many = vec![255; 1 << 20];
        assert_eq!(Checksum::Adler32After.of(&many), adler_by_definition(&many));
        // The words 1 and 2: sums 3 and 4.
        assert_eq!(Checksum::Fletcher32After.of(&[0, 1, 0, 2]), 4 << 16 | 3);
        assert_eq!(Checksum::Fletcher32After.of(&[0, 1, 2]), 0x0202 << 16 | 0x0201);
    }

    fn adler_by_definition(bytes: &[u8]) -> u32 {
        let (mut a, mut b) = (1u64, 0u64);
        for byte in bytes {
            a = (a + u64::from(*byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        (b << 16 | a) as u32
    }

    #[test]
    fn a_flipped_bit_and_a_cut_are_seen() {
        let mut bytes = b"values".to_vec();
        bytes.extend(crc32c::crc32c(b"values").to_le_bytes());
        assert_eq!(Checksum::Crc32cAfter.payload(&bytes).unwrap(), 0..6);
        bytes[2] ^= 1;
        assert!(Checksum::Crc32cAfter.payload(&bytes).is_err());
        assert!(Checksum::Crc32cAfter.payload(&bytes[..3]).is_err());
        assert!(Checksum::Crc32Before.payload(&[]).is_err());
    }
}
