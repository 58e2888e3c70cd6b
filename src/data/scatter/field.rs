//! The values of a region of a level.

use super::{BACKGROUND, Content, ScatterSpec, along::Along};
use crate::data::procedural::hash;

/// Values of the table that all random numbers are taken from; a row begins anywhere in it.
const TABLE: usize = 1 << 16;
/// The value of an object whose amplitude is 1. With grain on top it stays within 16 bits.
const BRIGHT: f32 = 46_000.0;
/// Mean amplitude of the objects, which is half to all of [`BRIGHT`].
const MEAN: f32 = 0.75;
/// Most grain, of an object's value.
const GRAIN: f64 = 0.35;
/// From this many finest voxels along an axis on, a voxel has so many regions that their share is taken for
/// their number: each would have to be looked at.
const MANY: u64 = 256;

/// What all chunks of an image are made from.
pub struct Field {
    seed: u64,
    content: Content,
    /// Extents z, y, x of the finest level.
    extents: [u64; 3],
    /// Longest row that is ever asked for.
    longest: usize,
    levels: Vec<Table>,
}

/// The random numbers of a level.
enum Table {
    /// Factors on the objects' values.
    Grain(Vec<f32>),
    /// Values.
    Noise(Vec<u16>),
}

impl Field {
    /// For `levels` levels and rows of at most `longest` voxels.
    pub fn new(spec: &ScatterSpec, levels: u16, longest: usize) -> Self {
        // Rows that begin near the end go on at the beginning.
        let random = |n: usize| hash::unit(hash::mix(&[spec.seed, 1, (n % TABLE) as u64])) as f32;
        let random: Vec<f32> = (0..TABLE + longest).map(random).collect();
        let grain = spec.grain.clamp(0.0, GRAIN) as f32;
        let table = |level: u16| {
            // The mean of n random numbers varies with the root of n less.
            let strength = 1.0 / f32::from(8_u16).powi(i32::from(level)).sqrt();
            let around = random.iter().map(|r| (2.0 * r - 1.0) * strength);
            match spec.content {
                Content::Noise => {
                    Table::Noise(around.map(|a| rounded((32_767.5 * (1.0 + a)).min(65_535.0))).collect())
                }
                Content::Objects { .. } => Table::Grain(around.map(|a| 1.0 + grain * a).collect()),
            }
        };
        Self {
            seed: spec.seed,
            content: spec.content,
            extents: [1, 2, 3].map(|d| spec.shape[d]),
            longest,
            levels: (0..levels).map(table).collect(),
        }
    }

    /// Calls `row` with the values of each row of a region of a level, z slowest.
    pub fn rows(
        &self,
        level: u16,
        channel: u64,
        origin: [u64; 3],
        size: [usize; 3],
        mut row: impl FnMut(&[u16]),
    ) {
        debug_assert!(size[2] <= self.longest);
        // Where a row begins in the table depends on its place alone, not on the region that is asked for.
        let begin = |z: usize| {
            let plane = hash::mix(&[self.seed, u64::from(level), channel, origin[0] + z as u64]);
            move |y: usize| {
                let h = (plane ^ (origin[1] + y as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                ((h >> 40) + origin[2]) as usize % TABLE
            }
        };
        match &self.levels[usize::from(level)] {
            Table::Noise(noise) => (0..size[0]).for_each(|z| {
                let begin = begin(z);
                (0..size[1]).for_each(|y| row(&noise[begin(y)..][..size[2]]));
            }),
            Table::Grain(grain) => {
                let objects = self.objects(level, channel, origin, size);
                let (mut sum, mut values) = (vec![0.0; size[2]], vec![0; size[2]]);
                let nothing = vec![BACKGROUND; size[2]];
                for z in 0..size[0] {
                    let begin = begin(z);
                    for y in 0..size[1] {
                        if !objects.row(z, y, &mut sum) {
                            row(&nothing);
                            continue;
                        }
                        let grain = &grain[begin(y)..][..size[2]];
                        for ((value, sum), grain) in values.iter_mut().zip(&sum).zip(grain) {
                            *value = rounded(f32::from(BACKGROUND) + sum * grain);
                        }
                        row(&values);
                    }
                }
            }
        }
    }

    /// The objects that a region sees.
    fn objects(&self, level: u16, channel: u64, origin: [u64; 3], size: [usize; 3]) -> Objects {
        let Content::Objects { occupancy } = self.content else { return Objects::default() };
        let factor = 1_u64 << level;
        let seed = hash::mix(&[self.seed, 2, channel]);
        let [z, y, x] = std::array::from_fn(|d| {
            let along = Along::new(hash::mix(&[seed, d as u64]), self.extents[d], factor, origin[d], size[d]);
            if factor < MANY { along } else { along.merged() }
        });
        let mut amplitudes = vec![0.0; x.regions + x.most];
        let mut lines = Vec::with_capacity(z.regions * y.regions * size[2]);
        for place in 0..z.regions * y.regions {
            let at = [z.first + (place / y.regions) as u64, y.first + (place % y.regions) as u64];
            if factor < MANY {
                let line = hash::mix(&[seed, at[0], at[1]]);
                fill(&mut amplitudes[..x.regions], line, x.first, occupancy);
            } else {
                amplitudes[0] = BRIGHT * MEAN * occupancy as f32;
            }
            lines.extend(x.sums(&amplitudes));
        }
        let any = lines.chunks(size[2]).map(|line| line.iter().any(|v| *v > 0.0)).collect();
        Objects { lines, any, sides: Some((z, y)) }
    }
}

/// How bright the objects of a row of regions are, 0 where there is none. `line` stands for the row's place along z
/// and y. Whole rows at once, without a branch and in 32 bits: coarse levels have many regions.
fn fill(amplitudes: &mut [f32], line: u64, first: u64, occupancy: f64) {
    let share = (occupancy.clamp(0.0, 1.0) * f64::from(1 << 24)) as u32;
    let (line, first) = (line as u32 ^ (line >> 32) as u32, first as u32);
    for (n, amplitude) in amplitudes.iter_mut().enumerate() {
        let mut h = first.wrapping_add(n as u32).wrapping_mul(0x9e37_79b1) ^ line;
        h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
        h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
        h ^= h >> 16;
        // Half to all, in steps of eight bits; the other bits say whether there is one.
        let bright = 2.0 * MEAN / 3.0 * BRIGHT / 256.0 * (256 + (h & 0xff) as i32) as f32;
        *amplitude = if h >> 8 < share { bright } else { 0.0 };
    }
}

/// The objects of a region of voxels, summed up along x.
#[derive(Default)]
struct Objects {
    /// By region along z, then y: a row as it is where both weigh 1.
    lines: Vec<f32>,
    /// Whether there is anything in it.
    any: Vec<bool>,
    /// Along z and y.
    sides: Option<(Along, Along)>,
}

impl Objects {
    /// Writes the sum of what the row `z, y` sees; false where that is nothing.
    fn row(&self, z: usize, y: usize, sum: &mut [f32]) -> bool {
        let Some((along_z, along_y)) = &self.sides else { return false };
        let mut any = false;
        for (rz, wz) in along_z.of_voxel(z) {
            for (ry, wy) in along_y.of_voxel(y) {
                let place = rz * along_y.regions + ry;
                if !self.any[place] {
                    continue;
                }
                let line = &self.lines[place * sum.len()..][..sum.len()];
                let (w, both) = (wz * wy, sum.iter_mut().zip(line));
                if any {
                    both.for_each(|(sum, v)| *sum += w * v);
                } else {
                    both.for_each(|(sum, v)| *sum = w * v);
                }
                any = true;
            }
        }
        any
    }
}

/// Rounds a value of `0..=65535`. At 2²³ the last bit of an f32 counts ones, so the value is its lower bits: a
/// conversion would look for what does not fit, voxel by voxel.
fn rounded(value: f32) -> u16 {
    (value + 8_388_608.0).to_bits() as u16
}
