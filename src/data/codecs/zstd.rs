//! Frames of zstd. The library decodes them straight into a buffer of the size that belongs there; it
//! neither allocates what a header claims nor writes beyond the buffer.

use super::{DecodeError, Scratch, step::same_size};

/// Largest block of a zstd frame.
const BLOCK: u64 = 128 << 10;

/// Decodes to exactly the bytes of `out`.
pub fn fill(encoded: &[u8], out: &mut [u8], scratch: &mut Scratch) -> Result<(), DecodeError> {
    check(encoded, out.len())?;
    let context = scratch.zstd().map_err(|e| DecodeError::corrupt("zstd", e))?;
    let got = context.decompress_to_buffer(encoded, out);
    same_size("zstd", got.map_err(|e| DecodeError::corrupt("zstd", e))?, out.len())
}

/// Decodes to `out`, which is empty, at most `most` bytes.
pub fn grow(
    encoded: &[u8],
    out: &mut Vec<u8>,
    most: usize,
    scratch: &mut Scratch,
) -> Result<(), DecodeError> {
    let bound = check(encoded, most)?;
    let context = scratch.zstd().map_err(|e| DecodeError::corrupt("zstd", e))?;
    out.resize(bound, 0);
    let got = context.decompress_to_buffer(encoded, out.as_mut_slice());
    out.truncate(got.map_err(|e| DecodeError::corrupt("zstd", e))?);
    Ok(())
}

/// The room that the frames need, at most `most`. Old formats of zstd are not decoded.
fn check(encoded: &[u8], most: usize) -> Result<usize, DecodeError> {
    let frames = frames(encoded).ok_or_else(|| DecodeError::corrupt("zstd", "damaged or cut off"))?;
    if frames.stated > most as u64 {
        return Err(DecodeError::Claims { codec: "zstd", claimed: frames.stated, most });
    }
    Ok(frames.bound.min(most as u64) as usize)
}

/// What the headers of all frames say together.
#[derive(Debug, PartialEq, Eq)]
struct Frames {
    /// Decoded bytes of the frames that state them.
    stated: u64,
    /// The same, and the most that the blocks of the others can hold.
    bound: u64,
}

/// Walks over the frames' headers and blocks; `None` where they are damaged.
fn frames(mut rest: &[u8]) -> Option<Frames> {
    let mut all = Frames { stated: 0, bound: 0 };
    while !rest.is_empty() {
        let magic = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
        if magic & 0xffff_fff0 == 0x184d_2a50 {
            let size = u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
            rest = rest.get(8usize.checked_add(size)?..)?;
            continue;
        }
        if magic != 0xfd2f_b528 {
            return None;
        }
        let flags = *rest.get(4)?;
        let (single, checksum) = (flags & 0x20 != 0, flags & 0x04 != 0);
        let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
        let mut at = 5 + usize::from(!single) + dictionary;
        let size_bytes = [usize::from(single), 2, 4, 8][usize::from(flags >> 6)];
        let mut content = [0; 8];
        content[..size_bytes].copy_from_slice(rest.get(at..at + size_bytes)?);
        at += size_bytes;
        let size = match size_bytes {
            0 => None,
            2 => Some(u64::from_le_bytes(content) + 256),
            _ => Some(u64::from_le_bytes(content)),
        };
        let mut blocks = 0u64;
        loop {
            let header = rest.get(at..at + 3)?;
            let header = u32::from_le_bytes([header[0], header[1], header[2], 0]);
            let stored = if header >> 1 & 3 == 1 { 1 } else { header as usize >> 3 };
            at = at.checked_add(3 + stored)?;
            blocks += 1;
            if header & 1 == 1 {
                break;
            }
        }
        if checksum {
            at += 4;
        }
        rest = rest.get(at..)?;
        all.stated = all.stated.checked_add(size.unwrap_or(0))?;
        all.bound = all.bound.checked_add(size.unwrap_or(blocks * BLOCK))?;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_short_frame_that_claims_a_terabyte_is_seen_through() {
        // Magic, single segment with an 8-byte content size of 2^40, one last raw block of 0 bytes.
        let mut bomb = 0xfd2f_b528u32.to_le_bytes().to_vec();
        bomb.push(0xe0);
        bomb.extend(1u64.wrapping_shl(40).to_le_bytes());
        bomb.extend([1, 0, 0]);
        assert_eq!(bomb.len(), 16);
        assert_eq!(frames(&bomb), Some(Frames { stated: 1 << 40, bound: 1 << 40 }));
        assert_eq!(frames(&bomb[..10]), None);
        let error = fill(&bomb, &mut [0; 64], &mut Scratch::default()).unwrap_err();
        assert_eq!(error, DecodeError::Claims { codec: "zstd", claimed: 1 << 40, most: 64 });
        let two = [bomb.clone(), bomb].concat();
        assert_eq!(frames(&two), Some(Frames { stated: 2 << 40, bound: 2 << 40 }));
    }

    #[test]
    fn an_unstated_size_is_bounded_by_the_blocks() {
        // Magic, no single segment, no size, window byte; an RLE block of 1000 and a last one of 24.
        let mut frame = 0xfd2f_b528u32.to_le_bytes().to_vec();
        frame.extend([0x00, 0x58]);
        frame.extend((1000u32 << 3 | 1 << 1).to_le_bytes()[..3].iter());
        frame.push(7);
        frame.extend((24u32 << 3 | 1 << 1 | 1).to_le_bytes()[..3].iter());
        frame.push(7);
        assert_eq!(frames(&frame), Some(Frames { stated: 0, bound: 2 * BLOCK }));
        let mut scratch = Scratch::default();
        let mut out = [0; 1024];
        fill(&frame, &mut out, &mut scratch).unwrap();
        assert_eq!(out, [7; 1024]);
        assert!(fill(&frame, &mut [0; 1000], &mut scratch).is_err(), "more than belongs");
        assert!(fill(&frame, &mut [0; 1025], &mut scratch).is_err(), "less than belongs");
        let mut grown = Vec::new();
        grow(&frame, &mut grown, 2000, &mut scratch).unwrap();
        assert_eq!(grown, [7; 1024]);
        assert!(grow(&frame, &mut Vec::new(), 1000, &mut scratch).is_err());
    }

    #[test]
    fn nothing_is_an_empty_frame_and_noise_is_none() {
        assert_eq!(frames(b""), Some(Frames { stated: 0, bound: 0 }));
        assert_eq!(frames(b"this is no zstd frame"), None);
    }
}
