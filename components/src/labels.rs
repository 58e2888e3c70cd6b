//! Labels: values that name objects.

use serde::Serialize;
use std::collections::BTreeMap;

/// The one colormap of labels layers: the colours of the table, hashed ones for the rest.
pub const COLORMAP: &str = "labels";

/// Given colours that are drawn: of more, those of the smallest ids; the rest have hashed ones.
pub const MOST_COLOURS: usize = 1 << 16;

/// Thickest outline, in voxels of the level shown.
pub const MOST_CONTOUR: u32 = 8;

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
/// The mixing is the finaliser of `SplitMix64` (Steele, Lea and Flood, 2014).
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

/// The bits that the brightness and the whiteness of an id's colour come from: neighbouring ids have nothing
/// in common. The constants are those of `lowbias32` (Chris Wellons, public domain).
pub fn scramble(id: u32) -> u32 {
    let mut x = id;
    x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
    x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// The colour of an id that was given none, components in `[0, 1]`. Hues step by the golden ratio, so that
/// neighbouring ids are far apart and any run of ids covers the circle evenly; saturation (½ to 1) and value
/// (0.7 to 1) come from [`scramble`]. The shader has the same function.
pub fn hashed_colour(id: u32) -> [f64; 3] {
    // 2³² / golden ratio; the product's upper 24 bits are the fraction that an f32 holds exactly.
    let hue = f64::from(id.wrapping_mul(0x9E37_79B9) >> 8) / f64::from(1 << 24);
    let x = scramble(id);
    let saturation = 0.5 + 0.5 * f64::from(x & 0xFF) / 255.0;
    let value = 0.7 + 0.3 * f64::from((x >> 8) & 0xFF) / 255.0;
    [1.0, 2.0 / 3.0, 1.0 / 3.0].map(|offset| {
        let ramp = (((hue + offset).fract() * 6.0 - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        value * (1.0 - saturation + saturation * ramp)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ids_stay_and_large_ones_keep_apart() {
        assert_eq!(drawn_id(0), 0);
        assert_eq!(drawn_id(i128::from(u32::MAX)), u32::MAX);
        let large: Vec<_> = [-1, -2, 1 << 32, (1 << 32) + 1, i128::from(i64::MAX)].map(drawn_id).into();
        for (n, id) in large.iter().enumerate() {
            assert!(*id != 0 && !large[..n].contains(id), "{large:?}");
        }
    }

    #[test]
    fn hashed_colours_are_bright_and_those_of_neighbours_differ() {
        // Hue 0.618034, computed by hand from the documented formula.
        let one = hashed_colour(1);
        assert!(one[2] > one[1] && one[1] > one[0], "id 1 is a blue: {one:?}");
        for id in 1..2000_u32 {
            let (a, b) = (hashed_colour(id), hashed_colour(id + 1));
            assert!(a.iter().all(|c| (0.0..=1.0).contains(c)), "{id}: {a:?}");
            assert!(a.iter().any(|c| *c >= 0.7), "{id} is dark: {a:?}");
            let apart: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
            assert!(apart > 0.25, "{id}: {a:?} {b:?}");
        }
    }

    #[test]
    fn hues_of_any_run_of_ids_cover_the_circle() {
        for first in [1, 1000, 70_000, u32::MAX - 100] {
            let mut hues: Vec<u32> = (0..64).map(|n| (first + n).wrapping_mul(0x9E37_79B9) >> 8).collect();
            hues.sort_unstable();
            let gap = hues.windows(2).map(|w| w[1] - w[0]).max();
            assert!(gap.is_some_and(|g| g < (1 << 24) / 20), "{first}: {gap:?}");
        }
    }
}
