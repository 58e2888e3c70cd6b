//! Value types: as stored, and as drawn.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value type as the array stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StoredType {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

/// A value type as chunks hold it in host memory and tiles on the GPU, native byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Dtype {
    U8,
    U16,
    I16,
    F32,
    U32,
}

impl StoredType {
    /// The table of conversions: raw where the GPU has the type, the nearest wider one where it has not.
    /// 32- and 64-bit integers of *images* become f32 (exact to 2²⁴).
    pub fn drawn_as(self) -> Dtype {
        match self {
            Self::Bool | Self::U8 => Dtype::U8,
            Self::U16 => Dtype::U16,
            Self::I8 | Self::I16 => Dtype::I16,
            Self::F16 | Self::F32 | Self::F64 | Self::I32 | Self::U32 | Self::I64 | Self::U64 => Dtype::F32,
        }
    }

    /// The same for *labels*: ids stay whole numbers, and what does not fit 32 bits is hashed
    /// ([`crate::labels::drawn_id`]). `None` for floats, which are no ids.
    pub fn drawn_as_label(self) -> Option<Dtype> {
        match self {
            Self::Bool | Self::U8 => Some(Dtype::U8),
            Self::U16 => Some(Dtype::U16),
            Self::I8 | Self::I16 | Self::I32 | Self::U32 | Self::I64 | Self::U64 => Some(Dtype::U32),
            Self::F16 | Self::F32 | Self::F64 => None,
        }
    }

    /// Bytes of one stored value.
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// The range that values can take, if the type bounds it usefully.
    pub fn range(self) -> Option<[f64; 2]> {
        Some(match self {
            Self::Bool => [0.0, 1.0],
            Self::U8 => [0.0, 255.0],
            Self::I8 => [-128.0, 127.0],
            Self::U16 => [0.0, 65_535.0],
            Self::I16 => [-32_768.0, 32_767.0],
            Self::I32 => [f64::from(i32::MIN), f64::from(i32::MAX)],
            Self::U32 => [0.0, f64::from(u32::MAX)],
            Self::I64 | Self::U64 | Self::F16 | Self::F32 | Self::F64 => return None,
        })
    }
}

impl fmt::Display for StoredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::I32 => "int32",
            Self::U32 => "uint32",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

impl Dtype {
    /// Bytes of one value.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::F32 | Self::U32 => 4,
        }
    }

    /// Reads one value out of native-order bytes; `offset` counts values.
    pub fn read(self, bytes: &[u8], offset: usize) -> f64 {
        let at = offset * self.size();
        match self {
            Self::U8 => f64::from(bytes[at]),
            Self::U16 => f64::from(u16::from_ne_bytes([bytes[at], bytes[at + 1]])),
            Self::I16 => f64::from(i16::from_ne_bytes([bytes[at], bytes[at + 1]])),
            Self::F32 => {
                f64::from(f32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
            }
            Self::U32 => {
                f64::from(u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
            }
        }
    }
}
