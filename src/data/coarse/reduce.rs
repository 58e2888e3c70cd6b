//! One chunk of a virtual level out of chunks of the level before it.
//!
//! A voxel is the mean of the two, four or eight that it covers (fewer at an odd edge): of integers in whole
//! numbers, rounded half to even; of floats in `f64`, of those that are finite, since one voxel that is no
//! number would else make ever larger ones. Where there is none, it is no number. Labels have no mean: the
//! first voxel stands for all.

use super::boxes::{Boxes, Row};
use lucida_components::{
    chunk::{ChunkData, ChunkValues},
    dataset::Level,
    dtype::Dtype,
};

/// What a voxel says of those that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Their mean.
    Mean,
    /// The first of them.
    First,
}

/// A chunk while it is made. Holds at most 9 bytes for each voxel.
pub struct Block<'a> {
    boxes: Boxes<'a>,
    dtype: Dtype,
    rule: Rule,
    /// Chunks of one and the same value: nothing is added up before there is another.
    uniform: Vec<(u64, [u8; 4])>,
    sums: Option<Sums>,
    /// How many voxels each lacks because a chunk could not be read.
    lost: Option<Vec<u8>>,
    missing: bool,
    /// Whether any chunk could be read.
    found: bool,
}

/// What is known so far, for the full extent of the chunk.
enum Sums {
    /// Sums of integers of up to 16 bits.
    Whole(Vec<i32>),
    /// Sums of others, and how many they are.
    Real(Vec<f64>, Vec<u8>),
    /// First voxels, as they are.
    First(Vec<u8>),
}

impl<'a> Block<'a> {
    /// Begins the chunk `number` of `child`, which halves `parent`.
    pub fn new(parent: &'a Level, child: &'a Level, number: u64, dtype: Dtype, rule: Rule) -> Self {
        let boxes = Boxes::new(parent, child, number);
        Self { boxes, dtype, rule, uniform: Vec::new(), sums: None, lost: None, missing: false, found: false }
    }

    /// The chunks of the level before that it is made of. Each is to be added or lost.
    pub fn parents(&self) -> Vec<u64> {
        self.boxes.parents()
    }

    /// Takes in a chunk of the level before.
    pub fn add(&mut self, number: u64, chunk: &ChunkData) {
        let bytes = self.boxes.parent.chunk_voxels() * self.dtype.size() as u64;
        let fits = match &chunk.values {
            ChunkValues::Dense(values) => values.len() as u64 == bytes,
            ChunkValues::Uniform(_) => true,
        };
        if chunk.dtype != self.dtype || !fits {
            return self.lose(number);
        }
        self.missing |= chunk.missing;
        self.found = true;
        match &chunk.values {
            ChunkValues::Uniform(value)
                if self.sums.is_none() && self.uniform.first().is_none_or(|(_, v)| v == value) =>
            {
                self.uniform.push((number, *value));
            }
            values => {
                self.begin();
                self.sum(number, values);
            }
        }
    }

    /// Does without a chunk of the level before: it could not be read.
    pub fn lose(&mut self, number: u64) {
        self.begin();
        self.missing = true;
        let lost = self.lost.get_or_insert_with(|| vec![0; self.boxes.voxels()]);
        for row in self.boxes.rows(number) {
            row.each(|n, _| lost[n] += 1);
        }
    }

    /// The chunk; `None` where nothing of it could be read.
    pub fn finish(mut self) -> Option<ChunkData> {
        if !self.found {
            return None;
        }
        let (dtype, missing) = (self.dtype, self.missing);
        let values = match self.sums.take() {
            None => ChunkValues::Uniform(self.uniform.first().map_or([0; 4], |(_, value)| *value)),
            Some(Sums::First(bytes)) => ChunkValues::Dense(bytes.into()),
            Some(Sums::Whole(sums)) => ChunkValues::Dense(self.whole(&sums).into()),
            Some(Sums::Real(sums, counts)) => ChunkValues::Dense(self.real(&sums, &counts).into()),
        };
        Some(ChunkData { dtype, values, missing })
    }

    /// There is more than one value: from now on all are added up.
    fn begin(&mut self) {
        if self.sums.is_some() {
            return;
        }
        let voxels = self.boxes.voxels();
        self.sums = Some(match (self.rule, self.dtype) {
            (Rule::First, _) => Sums::First(vec![0; voxels * self.dtype.size()]),
            (Rule::Mean, Dtype::U8 | Dtype::U16 | Dtype::I16) => Sums::Whole(vec![0; voxels]),
            (Rule::Mean, Dtype::F32 | Dtype::U32) => Sums::Real(vec![0.0; voxels], vec![0; voxels]),
        });
        for (number, value) in std::mem::take(&mut self.uniform) {
            self.sum(number, &ChunkValues::Uniform(value));
        }
    }

    fn sum(&mut self, number: u64, values: &ChunkValues) {
        let (dtype, size) = (self.dtype, self.dtype.size());
        let Some(sums) = &mut self.sums else { return };
        let longest = self.boxes.parent.chunk.last().map_or(0, |extent| *extent as usize);
        let repeated = match values {
            ChunkValues::Dense(_) => Vec::new(),
            ChunkValues::Uniform(value) => value[..size].repeat(longest),
        };
        for row in self.boxes.rows(number) {
            let values = match values {
                ChunkValues::Dense(bytes) => &bytes[row.source * size..(row.source + row.len) * size],
                ChunkValues::Uniform(_) => &repeated[..row.len * size],
            };
            match (&mut *sums, dtype) {
                (Sums::Whole(sums), Dtype::U8) => whole(&row, values, sums, |[v]: [u8; 1]| i32::from(v)),
                (Sums::Whole(sums), Dtype::I16) => {
                    whole(&row, values, sums, |v| i32::from(i16::from_ne_bytes(v)));
                }
                (Sums::Whole(sums), _) => whole(&row, values, sums, |v| i32::from(u16::from_ne_bytes(v))),
                (Sums::Real(sums, counts), _) => row.each(|n, i| {
                    let value = dtype.read(values, i);
                    if value.is_finite() {
                        sums[n] += value;
                        counts[n] += 1;
                    }
                }),
                (Sums::First(bytes), _) if row.is_first => row.each(|n, i| {
                    if row.is_first_at(i) {
                        bytes[n * size..(n + 1) * size].copy_from_slice(&values[i * size..(i + 1) * size]);
                    }
                }),
                (Sums::First(_), _) => {}
            }
        }
    }

    /// Means of integers, as bytes.
    fn whole(&self, sums: &[i32]) -> Vec<u8> {
        let mut bytes = vec![0; sums.len() * self.dtype.size()];
        for run in self.boxes.counts() {
            for n in run.voxels {
                let count = run.count - self.lost.as_ref().map_or(0, |lost| i32::from(lost[n]));
                let mean = if count == 0 { 0 } else { half_even(sums[n], count) };
                match self.dtype {
                    Dtype::U8 => bytes[n] = mean as u8,
                    // The two halves of a 16-bit number are those of its 32-bit form, signed or not.
                    _ => bytes[2 * n..2 * n + 2].copy_from_slice(&(mean as u16).to_ne_bytes()),
                }
            }
        }
        bytes
    }

    /// Means of finite values, as bytes.
    fn real(&self, sums: &[f64], counts: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; sums.len() * 4];
        for n in self.boxes.counts().flat_map(|run| run.voxels) {
            let mean = if counts[n] == 0 { f64::NAN } else { sums[n] / f64::from(counts[n]) };
            let mean = match self.dtype {
                Dtype::U32 => (mean.round_ties_even() as u32).to_ne_bytes(),
                _ => (mean as f32).to_ne_bytes(),
            };
            bytes[4 * n..4 * n + 4].copy_from_slice(&mean);
        }
        bytes
    }
}

/// Adds a row up. Written for the compiler to take several voxels at once: an image without a pyramid is
/// read whole through here.
fn whole<const N: usize>(row: &Row, values: &[u8], sums: &mut [i32], read: impl Fn([u8; N]) -> i32) {
    let (mut values, _) = values.as_chunks::<N>();
    let mut sums = &mut sums[row.target..];
    if !row.halves {
        sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += read(*v));
        return;
    }
    if row.is_odd
        && let Some((first, rest)) = values.split_first()
    {
        sums[0] += read(*first);
        (values, sums) = (rest, &mut sums[1..]);
    }
    let (pairs, last) = values.as_chunks::<2>();
    sums.iter_mut().zip(pairs).for_each(|(sum, [a, b])| *sum += read(*a) + read(*b));
    if let [last] = last {
        sums[pairs.len()] += read(*last);
    }
}

/// `sum / count`, rounded half to even; `count` > 0.
fn half_even(sum: i32, count: i32) -> i32 {
    let (whole, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    match (2 * rest).cmp(&count) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + (whole & 1),
        std::cmp::Ordering::Greater => whole + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_round_half_to_even() {
        for count in 1..=8 {
            for sum in -40..=40 {
                let want = (f64::from(sum) / f64::from(count)).round_ties_even();
                assert_eq!(f64::from(half_even(sum, count)), want, "{sum} / {count}");
            }
        }
    }
}
