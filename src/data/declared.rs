//! How large a compressed piece says it will be, read from its own header before it is decoded:
//! zstd and blosc allocate what the header claims, and a claim of 2⁴⁰ bytes would end the process.

/// Compressions whose header states the decoded size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outer {
    /// zstd frames.
    Zstd,
    /// A blosc 1 buffer.
    Blosc,
    /// Anything else: nothing is stated.
    Other,
}

/// Largest block of a zstd frame.
const ZSTD_BLOCK: u64 = 128 << 10;

impl Outer {
    /// The compression that Zarr calls by this name.
    pub fn named(name: Option<&str>) -> Self {
        match name {
            Some("zstd" | "numcodecs.zstd") => Self::Zstd,
            Some("blosc" | "numcodecs.blosc") => Self::Blosc,
            _ => Self::Other,
        }
    }

    /// The most that `encoded` can make a decoder allocate by its headers, if they can be read.
    pub fn declared(self, encoded: &[u8]) -> Option<u64> {
        match self {
            Self::Zstd => zstd_bound(encoded),
            Self::Blosc => Some(u64::from(u32::from_le_bytes(encoded.get(4..8)?.try_into().ok()?))),
            Self::Other => None,
        }
    }
}

/// Sum over the frames of the stated content size, or of the largest size its blocks can have.
fn zstd_bound(mut rest: &[u8]) -> Option<u64> {
    let mut total = 0u64;
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
        let stated = match size_bytes {
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
        total = total.checked_add(stated.unwrap_or(blocks * ZSTD_BLOCK))?;
    }
    Some(total)
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
        assert_eq!(Outer::Zstd.declared(&bomb), Some(1 << 40));
        assert_eq!(Outer::Zstd.declared(&bomb[..10]), None);
        let two = [bomb.clone(), bomb].concat();
        assert_eq!(Outer::Zstd.declared(&two), Some(2 << 40));
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
        assert_eq!(Outer::Zstd.declared(&frame), Some(2 * ZSTD_BLOCK));
    }

    #[test]
    fn blosc_states_its_size_in_its_header_and_others_state_nothing() {
        let mut header = vec![2, 1, 1, 2];
        header.extend(4096u32.to_le_bytes());
        assert_eq!(Outer::Blosc.declared(&header), Some(4096));
        assert_eq!(Outer::Blosc.declared(&header[..6]), None);
        assert_eq!(Outer::named(Some("gzip")).declared(&header), None);
        assert_eq!(Outer::named(Some("zstd")), Outer::Zstd);
        let empty: &[u8] = b"";
        assert_eq!(Outer::Zstd.declared(empty).unwrap(), 0);
    }
}
