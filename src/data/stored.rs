//! Value types as Zarr names them, and the conversion of decoded values to what is drawn.

use half::f16;
use lucida_components::{
    dtype::{Dtype, StoredType},
    labels::drawn_id,
};
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

/// Converts native-order values of a stored type to native-order values of `drawn`, which is its
/// [`StoredType::drawn_as`], or its [`StoredType::drawn_as_label`]: then values that do not fit are hashed.
/// Trailing bytes that do not make a whole value are dropped.
pub fn to_drawn(stored: StoredType, drawn: Dtype, values: &[u8]) -> Arc<[u8]> {
    match stored {
        _ if drawn == Dtype::U32 => to_ids(stored, values),
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

/// The ids of objects that stored values name.
fn to_ids(stored: StoredType, values: &[u8]) -> Arc<[u8]> {
    let id = |value: i128| drawn_id(value).to_ne_bytes();
    match stored {
        StoredType::U32 => values.into(),
        StoredType::Bool | StoredType::U8 => each(values, |[b]: [u8; 1]| id(b.into())),
        StoredType::I8 => each(values, |[b]: [u8; 1]| id((b as i8).into())),
        StoredType::I16 => each(values, |b| id(i16::from_ne_bytes(b).into())),
        StoredType::U16 => each(values, |b| id(u16::from_ne_bytes(b).into())),
        StoredType::I32 => each(values, |b| id(i32::from_ne_bytes(b).into())),
        StoredType::I64 => each(values, |b| id(i64::from_ne_bytes(b).into())),
        StoredType::U64 => each(values, |b| id(u64::from_ne_bytes(b).into())),
        StoredType::F16 => each(values, |b| id(f16::from_ne_bytes(b).to_f32() as i128)),
        StoredType::F32 => each(values, |b| id(f32::from_ne_bytes(b) as i128)),
        StoredType::F64 => each(values, |b| id(f64::from_ne_bytes(b) as i128)),
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
pub fn fill(stored: StoredType, drawn: Dtype, value: &[u8]) -> [u8; 4] {
    let values = to_drawn(stored, drawn, value);
    let mut fill = [0; 4];
    let n = drawn.size().min(values.len());
    fill[..n].copy_from_slice(&values[..n]);
    fill
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const N: usize>(stored: StoredType, values: &[[u8; N]], want: &[f64]) {
        let bytes = values.concat();
        assert_eq!(N, stored.size(), "{stored}");
        let drawn = to_drawn(stored, stored.drawn_as(), &bytes);
        let got: Vec<f64> = (0..want.len()).map(|i| stored.drawn_as().read(&drawn, i)).collect();
        assert_eq!(got, want, "{stored}");
        assert_eq!(
            stored.drawn_as().read(&fill(stored, stored.drawn_as(), &values[0]), 0),
            want[0],
            "{stored} fill"
        );
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
    fn labels_keep_their_numbers_and_what_does_not_fit_is_hashed() {
        let ids = |stored: StoredType, bytes: &[u8]| -> Vec<u32> {
            let drawn = stored.drawn_as_label().expect("whole numbers");
            let values = to_drawn(stored, drawn, bytes);
            (0..values.len() / drawn.size()).map(|i| drawn.read(&values, i) as u32).collect()
        };
        assert_eq!(ids(StoredType::U8, &[7, 255]), [7, 255]);
        assert_eq!(ids(StoredType::U16, &700u16.to_ne_bytes()), [700]);
        assert_eq!(ids(StoredType::U32, &u32::MAX.to_ne_bytes()), [u32::MAX]);
        assert_eq!(ids(StoredType::I8, &(-1i8).to_ne_bytes()), [drawn_id(-1)]);
        assert_eq!(
            ids(StoredType::I16, &[5i16.to_ne_bytes(), (-5i16).to_ne_bytes()].concat()),
            [5, drawn_id(-5)]
        );
        assert_eq!(ids(StoredType::I32, &16_777_217i32.to_ne_bytes()), [16_777_217]);
        assert_eq!(ids(StoredType::I64, &(1i64 << 40).to_ne_bytes()), [drawn_id(1 << 40)]);
        assert_eq!(ids(StoredType::U64, &u64::MAX.to_ne_bytes()), [drawn_id(i128::from(u64::MAX))]);
        let fill = fill(StoredType::I64, Dtype::U32, &(-9i64).to_ne_bytes());
        assert_eq!(u32::from_ne_bytes(fill), drawn_id(-9));
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
