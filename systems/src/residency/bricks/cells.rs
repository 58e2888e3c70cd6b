//! The smallest and largest number of each cell of a brick: what drawing skips by.
//!
//! Cell `i` along an axis holds the voxels `16i ..= 16i+16` that samples in it can touch; the last one ends with
//! the brick. The outermost voxels of a cell therefore count for two.

use super::grid::{BRICK, CELL, CELLS};
use lucida_components::dtype::Dtype;

/// Cells of a brick.
pub const CELL_COUNT: usize = (CELLS * CELLS * CELLS) as usize;

const SIDE: usize = BRICK as usize;
const STEP: usize = CELL as usize;
const COUNT: usize = CELLS as usize;

/// No number: smallest > largest.
const NOTHING: [f32; 2] = [f32::MAX, f32::MIN];

/// Cells and brick of `values`: [`BRICK`]³, z slowest, aligned to their size. `i16` is turned into what the GPU
/// stores, 32768 more, on the way; results are raw.
pub(super) fn measure(dtype: Dtype, values: &mut [u8]) -> ([[f32; 2]; CELL_COUNT], [f32; 2]) {
    match dtype {
        Dtype::U8 => all::<u8>(values),
        Dtype::U16 => all::<u16>(bytemuck::cast_slice(values)),
        Dtype::U32 => all::<u32>(bytemuck::cast_slice(values)),
        Dtype::I16 => {
            let values: &mut [u16] = bytemuck::cast_slice_mut(values);
            for v in values.iter_mut() {
                *v ^= 0x8000;
            }
            let (mut cells, mut range) = all::<u16>(values);
            for v in cells.iter_mut().chain([&mut range]).flatten() {
                *v -= 32_768.0;
            }
            (cells, range)
        }
        Dtype::F32 => {
            let values: &[f32] = bytemuck::cast_slice(values);
            let (cells, mut range) = all::<f32>(values);
            let is_mixed = range[0] <= range[1]
                && values.chunks(SIDE).any(|row| row.iter().fold(false, |any, v| any | !v.is_finite()));
            if is_mixed {
                range = [f32::MIN, f32::MAX];
            }
            (cells, range)
        }
    }
}

/// A value that is compared.
trait Value: Copy {
    const LEAST: Self;
    const MOST: Self;
    fn least(self, other: Self) -> Self;
    fn most(self, other: Self) -> Self;
    fn number(self) -> f32;
}

macro_rules! integer {
    ($($t:ty),+) => {$(
        impl Value for $t {
            const LEAST: Self = Self::MIN;
            const MOST: Self = Self::MAX;
            fn least(self, other: Self) -> Self {
                self.min(other)
            }
            fn most(self, other: Self) -> Self {
                self.max(other)
            }
            #[expect(clippy::allow_attributes, reason = "of three types only one rounds")]
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless, reason = "ids beyond 2²⁴ round")]
            fn number(self) -> f32 {
                self as f32
            }
        }
    )+};
}

integer!(u8, u16, u32);

/// What is not finite is no number, and `self` is what was found so far.
impl Value for f32 {
    const LEAST: Self = Self::MIN;
    const MOST: Self = Self::MAX;
    fn least(self, other: Self) -> Self {
        if other < self && other >= Self::MIN { other } else { self }
    }
    fn most(self, other: Self) -> Self {
        if other > self && other <= Self::MAX { other } else { self }
    }
    fn number(self) -> f32 {
        self
    }
}

/// Of each column along x: the least and the most.
#[derive(Clone, Copy)]
struct Row<T> {
    least: [T; SIDE],
    most: [T; SIDE],
}

impl<T: Value> Row<T> {
    const NEW: Self = Self { least: [T::MOST; SIDE], most: [T::LEAST; SIDE] };

    fn push(&mut self, row: &[T; SIDE]) {
        for (found, v) in self.least.iter_mut().zip(row) {
            *found = found.least(*v);
        }
        for (found, v) in self.most.iter_mut().zip(row) {
            *found = found.most(*v);
        }
    }

    fn join(&mut self, other: &Self) {
        for (found, v) in self.least.iter_mut().zip(&other.least) {
            *found = found.least(*v);
        }
        for (found, v) in self.most.iter_mut().zip(&other.most) {
            *found = found.most(*v);
        }
    }

    /// The cells along x.
    fn cells(&self) -> [[f32; 2]; COUNT] {
        std::array::from_fn(|cell| {
            let range = cell * STEP..(cell * STEP + STEP + 1).min(SIDE);
            let least = self.least[range.clone()].iter().fold(T::MOST, |a, b| a.least(*b));
            let most = self.most[range].iter().fold(T::LEAST, |a, b| a.most(*b));
            [least.number(), most.number()]
        })
    }
}

fn all<T: Value>(values: &[T]) -> ([[f32; 2]; CELL_COUNT], [f32; 2]) {
    let mut cells = [NOTHING; CELL_COUNT];
    // By cell along z and y, of which only two along z are open at a time.
    let mut sums = [[Row::<T>::NEW; COUNT]; COUNT];
    for (z, slice) in values.chunks_exact(SIDE * SIDE).enumerate() {
        let mut rows = [Row::<T>::NEW; COUNT];
        for (y, row) in slice.as_chunks::<SIDE>().0.iter().enumerate() {
            rows[y / STEP].push(row);
            if y % STEP == 0 && y > 0 {
                rows[y / STEP - 1].push(row);
            }
        }
        for (y, row) in rows.iter().enumerate() {
            sums[z / STEP][y].join(row);
            if z % STEP == 0 && z > 0 {
                sums[z / STEP - 1][y].join(row);
            }
        }
    }
    for (place, row) in sums.iter().flatten().enumerate() {
        cells[place * COUNT..(place + 1) * COUNT].copy_from_slice(&row.cells());
    }
    let join = |a: [f32; 2], b: &[f32; 2]| [a[0].min(b[0]), a[1].max(b[1])];
    (cells, cells.iter().fold(NOTHING, join))
}
