//! Labels: values that name objects.

use serde::Serialize;
use std::collections::BTreeMap;

/// The one colormap of labels layers: the colours of the table, hashed ones for the rest.
pub const COLORMAP: &str = "labels";

/// What a labels image declares of its objects (NGFF `image-label`). Keys are drawn ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LabelTable {
    /// Given colours, RGBA.
    pub colours: BTreeMap<u32, [u8; 4]>,
    /// Names, from `properties`.
    pub names: BTreeMap<u32, String>,
}

/// The id that stands for a stored value on the GPU and on the wire: the value itself where it fits 32 bits,
/// else a hash of it, never 0, which is the background. Two large values meet with a chance of 2⁻³².
///
/// The mixing is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
pub fn drawn_id(value: i128) -> u32 {
    if let Ok(id) = u32::try_from(value) {
        return id;
    }
    let mut x = value as u64;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    ((x >> 32) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ids_stay_and_large_ones_keep_apart() {
        assert_eq!(drawn_id(0), 0);
        assert_eq!(drawn_id(i128::from(u32::MAX)), u32::MAX);
        let large: Vec<_> = [-1, -2, 1 << 32, (1 << 32) + 1, i128::from(u64::MAX)].map(drawn_id).into();
        for (n, id) in large.iter().enumerate() {
            assert!(*id != 0 && !large[..n].contains(id), "{large:?}");
        }
    }
}
