//! Bits of a raw byte sequence payload: reading, writing, and the emulation prevention around it.

use super::EncodeError;

/// The longest parameter set that is looked at. Real ones have less than 100 bytes; the largest legal one
/// (every scaling list, two full HRDs) has less than 1000.
pub const MAX_PARAMETER_SET: usize = 1024;

/// Reads bits, most significant first. Never beyond the end: that is an error.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// Starts at the first bit of `bytes`, from which the emulation prevention is already removed.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// One bit.
    pub fn bit(&mut self) -> Result<bool, EncodeError> {
        let byte = self
            .bytes
            .get(self.at / 8)
            .ok_or_else(|| EncodeError::ParameterSet(format!("ends after {} bits", self.at)))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// `count` bits as a number, at most 32.
    pub fn bits(&mut self, count: u32) -> Result<u32, EncodeError> {
        debug_assert!(count <= 32);
        let mut value = 0u32;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bit()?);
        }
        Ok(value)
    }

    /// An unsigned Exp-Golomb number, `ue(v)`.
    pub fn ue(&mut self) -> Result<u32, EncodeError> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(EncodeError::ParameterSet(format!(
                    "a number at bit {} has over 32 bits",
                    self.at
                )));
            }
        }
        Ok(((1u32 << zeros) - 1) + self.bits(zeros)?)
    }

    /// A signed Exp-Golomb number, `se(v)`.
    pub fn se(&mut self) -> Result<i32, EncodeError> {
        let code = self.ue()?;
        let magnitude = (code / 2 + code % 2) as i32;
        Ok(if code % 2 == 1 { magnitude } else { -magnitude })
    }
}

/// Writes bits, most significant first.
#[derive(Debug, Default, Clone)]
pub struct BitWriter {
    bytes: Vec<u8>,
    used: usize,
}

impl BitWriter {
    /// One bit.
    pub fn bit(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if bit && let Some(last) = self.bytes.last_mut() {
            *last |= 0x80 >> (self.used % 8);
        }
        self.used += 1;
    }

    /// The lowest `count` bits of `value`.
    pub fn bits(&mut self, count: u32, value: u32) {
        for shift in (0..count).rev() {
            self.bit(value >> shift & 1 == 1);
        }
    }

    /// An unsigned Exp-Golomb number below `u32::MAX`.
    pub fn ue(&mut self, value: u32) {
        let code = value + 1;
        let bits = 32 - code.leading_zeros();
        self.bits(bits - 1, 0);
        self.bits(bits, code);
    }

    /// The bits `from..to` of `source`, as they are.
    pub fn copy(&mut self, source: &[u8], from: usize, to: usize) -> Result<(), EncodeError> {
        let mut reader = BitReader { bytes: source, at: from };
        while reader.at < to {
            self.bit(reader.bit()?);
        }
        Ok(())
    }

    /// Closes the payload with its stop bit and hands out the bytes.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.bit(true);
        self.bytes
    }
}

/// Removes the emulation prevention: the 3 of every `00 00 03`.
pub fn unescape(nal: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// Puts the emulation prevention back: no `00 00 00`, `00 00 01`, `00 00 02` or `00 00 03` remains bare.
pub fn escape(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 2);
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaping_is_undone_and_hides_start_codes(payload in prop::collection::vec(0u8..5, 0..200)) {
            let escaped = escape(&payload);
            prop_assert!(!escaped.windows(3).any(|w| w[0] == 0 && w[1] == 0 && w[2] < 3));
            prop_assert_eq!(unescape(&escaped), payload);
        }

        #[test]
        fn numbers_come_back(values in prop::collection::vec(0u32..u32::MAX - 1, 0..40)) {
            let mut writer = BitWriter::default();
            for &value in &values {
                writer.ue(value);
                writer.bits(32, value);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for value in values {
                prop_assert_eq!(reader.ue().unwrap(), value);
                prop_assert_eq!(reader.bits(32).unwrap(), value);
            }
        }
    }

    #[test]
    fn signed_numbers_alternate() {
        // ue 0, 1, 2, 3, 4: 1 010 011 00100 00101
        let bytes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut reader = BitReader::new(&bytes);
        let read: Vec<i32> = (0..5).map(|_| reader.se().unwrap()).collect();
        assert_eq!(read, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn a_number_of_zeros_is_refused() {
        assert!(BitReader::new(&[0; 16]).ue().is_err());
        assert!(BitReader::new(&[0; 2]).ue().is_err());
    }
}
