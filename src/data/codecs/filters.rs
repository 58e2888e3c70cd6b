//! Numeric filters of numcodecs.

use super::{DecodeError, step::same_size};
use crate::data::stored::stored_type;
use lucida_components::dtype::StoredType;

/// A value type with its byte order, as numpy writes it (`<u2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    kind: StoredType,
    swapped: bool,
}

impl Number {
    /// The type of this name; without a byte order it is native. `None` for types that are not read.
    pub fn named(name: &str) -> Option<Self> {
        let kind = stored_type(name)?;
        let swapped = name.starts_with(if cfg!(target_endian = "little") { '>' } else { '<' });
        Some(Self { kind, swapped: swapped && kind.size() > 1 })
    }

    /// Bytes of a value.
    pub fn width(self) -> usize {
        self.kind.size()
    }
}

/// Differences of neighbours, in the order in which they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta(Number);

impl Delta {
    /// Differences of this type; `None` for types without them.
    pub fn new(number: Number) -> Option<Self> {
        (!matches!(number.kind, StoredType::Bool | StoredType::F16)).then_some(Self(number))
    }

    /// Sums the differences up, in place.
    pub fn sum(self, bytes: &mut [u8]) {
        match self.0.kind {
            StoredType::F32 => {
                running(bytes, self.0.swapped, f32::from_ne_bytes, f32::to_ne_bytes, |a, b| a + b);
            }
            StoredType::F64 => {
                running(bytes, self.0.swapped, f64::from_ne_bytes, f64::to_ne_bytes, |a, b| a + b);
            }
            kind => match kind.size() {
                1 => running(bytes, false, u8::from_ne_bytes, u8::to_ne_bytes, u8::wrapping_add),
                2 => running(bytes, self.0.swapped, u16::from_ne_bytes, u16::to_ne_bytes, u16::wrapping_add),
                4 => running(bytes, self.0.swapped, u32::from_ne_bytes, u32::to_ne_bytes, u32::wrapping_add),
                _ => running(bytes, self.0.swapped, u64::from_ne_bytes, u64::to_ne_bytes, u64::wrapping_add),
            },
        }
    }
}

fn running<const N: usize, T: Copy>(
    bytes: &mut [u8],
    swapped: bool,
    read: fn([u8; N]) -> T,
    write: fn(T) -> [u8; N],
    add: fn(T, T) -> T,
) {
    let mut sum = None;
    for value in bytes.as_chunks_mut::<N>().0 {
        if swapped {
            value.reverse();
        }
        let v = read(*value);
        let v = sum.map_or(v, |sum| add(sum, v));
        sum = Some(v);
        *value = write(v);
        if swapped {
            value.reverse();
        }
    }
}

/// Values kept as `(value − offset) × scale` in another type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaled {
    /// Subtracted first.
    pub offset: f64,
    /// Multiplied then.
    pub scale: f64,
    /// Before.
    pub from: Number,
    /// After.
    pub to: Number,
}

impl Scaled {
    /// Bytes that `decoded` bytes become.
    pub fn encoded(self, decoded: usize) -> usize {
        decoded / self.from.width() * self.to.width()
    }

    /// Bytes that `encoded` bytes come from.
    pub fn decoded(self, encoded: usize) -> usize {
        encoded / self.to.width() * self.from.width()
    }

    /// Computes the values back: `encoded / scale + offset`, cut to whole numbers where those are asked for.
    pub fn undo(self, encoded: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
        same_size("fixedscaleoffset", self.decoded(encoded.len()), out.len())?;
        let values = encoded.chunks_exact(self.to.width()).zip(out.chunks_exact_mut(self.from.width()));
        for (stored, value) in values {
            let number = read(self.to, stored) / self.scale + self.offset;
            write(self.from, number, value);
        }
        Ok(())
    }
}

fn read(number: Number, bytes: &[u8]) -> f64 {
    let mut raw = [0; 8];
    let n = bytes.len();
    raw[..n].copy_from_slice(bytes);
    if number.swapped {
        raw[..n].reverse();
    }
    let [a, b, c, d, ..] = raw;
    match number.kind {
        StoredType::Bool | StoredType::U8 => f64::from(a),
        StoredType::I8 => f64::from(a as i8),
        StoredType::U16 => f64::from(u16::from_ne_bytes([a, b])),
        StoredType::I16 => f64::from(i16::from_ne_bytes([a, b])),
        StoredType::U32 => f64::from(u32::from_ne_bytes([a, b, c, d])),
        StoredType::I32 => f64::from(i32::from_ne_bytes([a, b, c, d])),
        StoredType::U64 => u64::from_ne_bytes(raw) as f64,
        StoredType::I64 => i64::from_ne_bytes(raw) as f64,
        StoredType::F16 => half::f16::from_ne_bytes([a, b]).to_f64(),
        StoredType::F32 => f64::from(f32::from_ne_bytes([a, b, c, d])),
        StoredType::F64 => f64::from_ne_bytes(raw),
    }
}

fn write(number: Number, value: f64, bytes: &mut [u8]) {
    match number.kind {
        StoredType::Bool => bytes.copy_from_slice(&[u8::from(value != 0.0)]),
        StoredType::U8 => bytes.copy_from_slice(&(value as u8).to_ne_bytes()),
        StoredType::I8 => bytes.copy_from_slice(&(value as i8).to_ne_bytes()),
        StoredType::U16 => bytes.copy_from_slice(&(value as u16).to_ne_bytes()),
        StoredType::I16 => bytes.copy_from_slice(&(value as i16).to_ne_bytes()),
        StoredType::U32 => bytes.copy_from_slice(&(value as u32).to_ne_bytes()),
        StoredType::I32 => bytes.copy_from_slice(&(value as i32).to_ne_bytes()),
        StoredType::U64 => bytes.copy_from_slice(&(value as u64).to_ne_bytes()),
        StoredType::I64 => bytes.copy_from_slice(&(value as i64).to_ne_bytes()),
        StoredType::F16 => bytes.copy_from_slice(&half::f16::from_f64(value).to_ne_bytes()),
        StoredType::F32 => bytes.copy_from_slice(&(value as f32).to_ne_bytes()),
        StoredType::F64 => bytes.copy_from_slice(&value.to_ne_bytes()),
    }
    if number.swapped {
        bytes.reverse();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn differences_are_summed_in_their_byte_order_and_wrap() {
        let mut bytes: Vec<u8> = [100u16, 65_535, 3].iter().flat_map(|v| v.to_be_bytes()).collect();
        Delta::new(Number::named(">u2").unwrap()).unwrap().sum(&mut bytes);
        assert_eq!(bytes, [100u16, 99, 102].iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<_>>());
        let mut bytes: Vec<u8> = [1.5f32, -0.5, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        Delta::new(Number::named("<f4").unwrap()).unwrap().sum(&mut bytes);
        assert_eq!(bytes, [1.5f32, 1.0, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
        assert!(Delta::new(Number::named("|b1").unwrap()).is_none());
    }

    #[test]
    fn scaled_values_come_back() {
        let scaled = Scaled {
            offset: 1000.0,
            scale: 10.0,
            from: Number::named("<f8").unwrap(),
            to: Number::named("|u1").unwrap(),
        };
        assert_eq!((scaled.encoded(24), scaled.decoded(3)), (3, 24));
        let mut out = [0; 24];
        scaled.undo(&[0, 1, 255], &mut out).unwrap();
        let got: Vec<f64> = out.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        assert_eq!(got, [1000.0, 1000.1, 1025.5]);
        assert!(scaled.undo(&[0, 1], &mut out).is_err());
    }
}
