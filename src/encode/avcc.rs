//! NALs between the two ways they are strung together, and the record a decoder is configured with.

use super::{
    EncodeError,
    sps::{Sps, has_chroma_format},
};

/// `nal_unit_type` of a slice of a picture that is not an IDR.
pub const SLICE: u8 = 1;
/// `nal_unit_type` of a slice of an IDR.
pub const IDR: u8 = 5;
/// `nal_unit_type` of a sequence parameter set.
pub const SPS: u8 = 7;
/// `nal_unit_type` of a picture parameter set.
pub const PPS: u8 = 8;

/// The `nal_unit_type` of a NAL, 0 where it is empty.
pub fn nal_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1F)
}

/// Appends a NAL behind its 4-byte big-endian length.
pub fn push_nal(unit: &mut Vec<u8>, nal: &[u8]) {
    unit.extend_from_slice(&(nal.len() as u32).to_be_bytes());
    unit.extend_from_slice(nal);
}

/// One NAL without the Annex B start code it begins with.
pub fn annex_b_nal(nal: &[u8]) -> &[u8] {
    nal.strip_prefix(&[0, 0, 0, 1]).or_else(|| nal.strip_prefix(&[0, 0, 1])).unwrap_or(nal)
}

/// The NALs of an Annex B byte stream, without start codes and without the zeros that may trail them.
pub fn annex_b_nals(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let nal = rest?;
        let end = nal.windows(3).position(|w| w == [0, 0, 1]).unwrap_or(nal.len());
        rest = after_start_code(&nal[end..]);
        let zeros = nal[..end].iter().rev().take_while(|&&b| b == 0).count();
        Some(&nal[..end - zeros])
    })
    .filter(|nal| !nal.is_empty())
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    stream.windows(3).position(|w| w == [0, 0, 1]).map(|at| &stream[at + 3..])
}

/// An access unit whose lengths do not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("access unit of {len} bytes: the NAL at byte {at} runs past its end")]
pub struct BrokenUnit {
    /// Where the NAL's length stands.
    pub at: usize,
    /// Bytes there are.
    pub len: usize,
}

/// The NALs of an access unit of 4-byte lengths; ends after the first error.
pub fn nals(unit: &[u8]) -> impl Iterator<Item = Result<&[u8], BrokenUnit>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = unit.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        let nal = rest.split_first_chunk::<4>().and_then(|(length, body)| {
            let length = u32::from_be_bytes(*length) as usize;
            at += 4 + length;
            body.get(..length)
        });
        if nal.is_none() {
            at = unit.len();
        }
        Some(nal.ok_or(BrokenUnit { at: start, len: unit.len() }))
    })
}

/// The `AVCDecoderConfigurationRecord` of one SPS and one PPS, for units of 4-byte lengths.
///
/// # Errors
/// [`EncodeError::ParameterSet`] where one of them is longer than the record can say.
pub fn configuration_record(sps: &Sps, sps_nal: &[u8], pps_nal: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let length = |nal: &[u8], what| {
        u16::try_from(nal.len())
            .map(u16::to_be_bytes)
            .map_err(|_| EncodeError::ParameterSet(format!("{what} has {} bytes", nal.len())))
    };
    let mut record = Vec::with_capacity(15 + sps_nal.len() + pps_nal.len());
    // version 1; profile, constraints and level; lengths of 4 bytes; one SPS
    record.extend([1, sps.profile, sps.constraints, sps.level, 0xFC | 3, 0xE0 | 1]);
    record.extend(length(sps_nal, "SPS")?);
    record.extend(sps_nal);
    record.push(1); // one PPS
    record.extend(length(pps_nal, "PPS")?);
    record.extend(pps_nal);
    if has_chroma_format(sps.profile) {
        let [luma, chroma] = sps.bit_depth.map(|depth| depth as u8 - 8);
        record.extend([0xFC | sps.chroma_format as u8, 0xF8 | luma, 0xF8 | chroma, 0]);
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn annex_b_is_split_at_both_start_codes() {
        let stream = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 0, 0, 3, 9, 0, 0];
        let split: Vec<&[u8]> = annex_b_nals(&stream).collect();
        assert_eq!(split, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 0, 0, 3, 9]]);
        assert_eq!(annex_b_nals(&[1, 2, 3]).count(), 0);
        assert_eq!(annex_b_nals(&[0, 0, 1, 0, 0, 1]).count(), 0);
    }

    #[test]
    fn a_length_past_the_end_is_told() {
        let mut unit = Vec::new();
        push_nal(&mut unit, &[0x65, 1]);
        unit.extend([0, 0, 0, 9, 1]);
        let read: Vec<_> = nals(&unit).collect();
        assert_eq!(read, [Ok(&[0x65, 1][..]), Err(BrokenUnit { at: 6, len: 11 })]);
        assert_eq!(nals(&[0, 0]).count(), 1);
        assert_eq!(nals(&[0xFF; 8]).collect::<Vec<_>>(), [Err(BrokenUnit { at: 0, len: 8 })]);
    }

    proptest! {
        #[test]
        fn units_come_back(list in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6)) {
            let mut unit = Vec::new();
            for nal in &list {
                push_nal(&mut unit, nal);
            }
            let read: Result<Vec<&[u8]>, _> = nals(&unit).collect();
            prop_assert_eq!(read, Ok(list.iter().map(Vec::as_slice).collect()));
        }

        #[test]
        fn any_bytes_are_split_without_panic(bytes in prop::collection::vec(0u8..4, 0..60)) {
            let _ = nals(&bytes).count();
            for nal in annex_b_nals(&bytes) {
                prop_assert!(!nal.windows(3).any(|w| w == [0, 0, 1]));
            }
        }
    }
}
