//! Numbers that look random and depend on their names alone.

/// Mixes words into one (splitmix64's finaliser after each).
pub fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |h, w| {
        let mut h = (h ^ w).wrapping_add(0x9e37_79b9_7f4a_7c15);
        h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        h ^ (h >> 31)
    })
}

/// Evenly in `[0, 1)`.
pub fn unit(h: u64) -> f64 {
    (h >> 11) as f64 / (1u64 << 53) as f64
}

/// Nearly normal, mean 0, variance 1: the sum of four bytes. Fast, because every voxel has one.
pub fn normal(row: u32, x: u32) -> f32 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ row;
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^= h >> 16;
    let sum = (h & 0xff) + (h >> 8 & 0xff) + (h >> 16 & 0xff) + (h >> 24);
    (sum as f32 - 510.0) * (1.0 / 147.8)
}
