//! Value types as Zarr names them, and the conversion of decoded values to what is drawn.

use half::f16;
use lucida_components::dtype::StoredType;
use std::sync::Arc;

/// The type that Zarr v3 (`uint16`) or v2 (`<u2`, `|b1`) calls by this name; `None` for those not read.
/// Byte order is the codec's business: values arrive in native order.
pub fn stored_type(name: &str) -> Option<StoredType> {
    Some(match name.strip_prefix(['<', '>', '|', '=']).unwrap_or(name) {
        "bool" | "b1" | "?" => StoredType::Bool,
        "int8" | "i1" => StoredType::I8,
        "uint8" | "u1" => StoredType::U8,
        "int16" | "i2" => StoredType::I16,
        "uint16" | "u2" => StoredType::U16,
        "int32" | "i4" => StoredType::I32,
        "uint32" | "u4" => StoredType::U32,
        "int64" | "i8" => StoredType::I64,
        "uint64" | "u8" => StoredType::U64,
        "float16" | "f2" => StoredType::F16,
        "float32" | "f4" => StoredType::F32,
        "float64" | "f8" => StoredType::F64,
        _ => return None,
    })
}

/// Converts native-order values of a stored type to native-order values of [`StoredType::drawn_as`].
/// Trailing bytes that do not make a whole value are dropped.
pub fn to_drawn(stored: StoredType, values: &[u8]) -> Arc<[u8]> {
    match stored {
        StoredType::U8 | StoredType::U16 | StoredType::I16 | StoredType::F32 => values.into(),
        StoredType::Bool => values.iter().map(|b| u8::from(*b != 0)).collect(),
        StoredType::I8 => each(values, |[b]: [u8; 1]| i16::from(b as i8).to_ne_bytes()),
        StoredType::I32 => each(values, |b| (i32::from_ne_bytes(b) as f32).to_ne_bytes()),
        StoredType::U32 => each(values, |b| (u32::from_ne_bytes(b) as f32).to_ne_bytes()),
        StoredType::I64 => each(values, |b| (i64::from_ne_bytes(b) as f32).to_ne_bytes()),
        StoredType::U64 => each(values, |b| (u64::from_ne_bytes(b) as f32).to_ne_bytes()),
        StoredType::F16 => each(values, |b| f16::from_ne_bytes(b).to_f32().to_ne_bytes()),
        StoredType::F64 => each(values, |b| (f64::from_ne_bytes(b) as f32).to_ne_bytes()),
    }
}

/// Applies `f` to every value of `N` bytes.
fn each<const N: usize, const M: usize>(values: &[u8], f: impl Fn([u8; N]) -> [u8; M]) -> Arc<[u8]> {
    let (values, _) = values.as_chunks::<N>();
    let mut out = Vec::with_capacity(values.len() * M);
    for value in values {
        out.extend_from_slice(&f(*value));
    }
    out.into()
}

/// The fill value as [`lucida_components::chunk::ChunkValues::Uniform`] holds it.
pub fn fill(stored: StoredType, value: &[u8]) -> [u8; 4] {
    let drawn = to_drawn(stored, value);
    let mut fill = [0; 4];
    let n = stored.drawn_as().size().min(drawn.len());
    fill[..n].copy_from_slice(&drawn[..n]);
    fill
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const N: usize>(stored: StoredType, values: &[[u8; N]], want: &[f64]) {
        let bytes = values.concat();
        assert_eq!(N, stored.size(), "{stored}");
        let drawn = to_drawn(stored, &bytes);
        let got: Vec<f64> = (0..want.len()).map(|i| stored.drawn_as().read(&drawn, i)).collect();
        assert_eq!(got, want, "{stored}");
        assert_eq!(stored.drawn_as().read(&fill(stored, &values[0]), 0), want[0], "{stored} fill");
    }

    #[test]
    fn every_type_is_drawn_with_its_values() {
        check(StoredType::Bool, &[[1], [0], [7]], &[1.0, 0.0, 1.0]);
        check(StoredType::U8, &[[255], [3]], &[255.0, 3.0]);
        check(StoredType::I8, &[(-128i8).to_ne_bytes(), 127i8.to_ne_bytes()], &[-128.0, 127.0]);
        check(StoredType::U16, &[65_535u16.to_ne_bytes(), 2u16.to_ne_bytes()], &[65_535.0, 2.0]);
        check(StoredType::I16, &[(-32_768i16).to_ne_bytes()], &[-32_768.0]);
        check(StoredType::I32, &[(-5i32).to_ne_bytes()], &[-5.0]);
        check(StoredType::U32, &[(1u32 << 31).to_ne_bytes()], &[2_147_483_648.0]);
        check(StoredType::I64, &[(-7i64).to_ne_bytes()], &[-7.0]);
        check(StoredType::U64, &[u64::MAX.to_ne_bytes()], &[18_446_744_073_709_551_616.0]);
        check(StoredType::F16, &[f16::from_f32(-1.5).to_ne_bytes()], &[-1.5]);
        check(StoredType::F32, &[f32::NEG_INFINITY.to_ne_bytes()], &[f64::NEG_INFINITY]);
        check(StoredType::F64, &[0.25f64.to_ne_bytes()], &[0.25]);
    }

    #[test]
    fn names_of_both_versions_are_known_and_others_are_not() {
        assert_eq!(stored_type("<u2"), Some(StoredType::U16));
        assert_eq!(stored_type(">f8"), Some(StoredType::F64));
        assert_eq!(stored_type("|b1"), Some(StoredType::Bool));
        assert_eq!(stored_type("float16"), Some(StoredType::F16));
        for name in ["complex64", "<c8", "<U12", "string", "<M8[ns]", "|V4", "r16", ""] {
            assert_eq!(stored_type(name), None, "{name}");
        }
    }
}
