//! A brick is cut out of decoded chunks, and what its cells hold is measured in passing.

use super::{
    super::cut::strides,
    cells::{self, CELL_COUNT},
    grid::{BRICK, Block, VOXELS},
};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkKey, ChunkValues},
    dtype::Dtype,
};

/// Voxels of a brick per side.
const SIDE: usize = BRICK as usize;

/// Memory for one brick after another.
#[derive(Debug)]
pub struct Cutter {
    /// In words, so that values of any width are aligned.
    words: Vec<u32>,
}

/// What was cut, beside the values.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Smallest and largest number of each cell, z slowest; smallest > largest where there is none. Raw values.
    pub cells: [[f32; 2]; CELL_COUNT],
    /// The same of the brick. Where numbers and values that are none stand side by side it is the range of all
    /// numbers, so that nobody takes the brick for uniform.
    pub range: [f32; 2],
    /// A part of it could not be read and is zero.
    pub missing: bool,
}

impl Default for Cutter {
    fn default() -> Self {
        Self { words: vec![0; VOXELS as usize] }
    }
}

impl Cutter {
    /// The values of the last brick: [`BRICK`]³ in native byte order, z slowest, as they are on the GPU.
    pub fn values(&self, dtype: Dtype) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..VOXELS as usize * dtype.size()]
    }

    /// Cuts the brick at `at`. Beyond the block's edges the edge voxels are repeated, so that sampling clamps.
    /// Parts whose chunk failed are zero.
    ///
    /// `chunk` must answer for every chunk of [`Block::chunks`]; what it does not know counts as failed.
    pub fn cut<'c>(
        &mut self,
        block: &Block,
        at: [u32; 3],
        mut chunk: impl FnMut(&ChunkKey) -> Option<&'c Result<ChunkData, ChunkFault>>,
    ) -> Cut {
        let dtype = block.image.dtype;
        let size = dtype.size();
        let out = &mut bytemuck::cast_slice_mut::<u32, u8>(&mut self.words)[..VOXELS as usize * size];
        let [z, y, x] = block.chunk_range(at);
        let mut missing = false;
        for k in z[0]..z[1] {
            for j in y[0]..y[1] {
                for i in x[0]..x[1] {
                    let place = [k, j, i];
                    let piece = Piece::new(block, at, place);
                    match chunk(&block.chunk_key(place)) {
                        Some(Ok(data)) if data.dtype == dtype => {
                            missing |= data.missing;
                            piece.copy(block, &data.values, size, out);
                        }
                        _ => {
                            missing = true;
                            piece.copy(block, &ChunkValues::Uniform([0; 4]), size, out);
                        }
                    }
                }
            }
        }
        let voxels = block.voxels(at).map(|[from, to]| (to - from) as usize);
        repeat_edges(voxels, size, out);
        let (cells, range) = cells::measure(dtype, out);
        Cut { cells, range, missing }
    }
}

/// The part of a chunk that falls into a brick, along z, y, x.
struct Piece {
    /// First voxel in the chunk.
    source: [u64; 3],
    /// First voxel in the brick.
    target: [u64; 3],
    /// Voxels.
    count: [u64; 3],
}

impl Piece {
    fn new(block: &Block, at: [u32; 3], chunk: [u64; 3]) -> Self {
        let voxels = block.voxels(at);
        let mut piece = Self { source: [0; 3], target: [0; 3], count: [1; 3] };
        for s in 0..3 {
            let Some(d) = block.dims[s] else { continue };
            let first = chunk[s] * block.level().chunk[d];
            let from = voxels[s][0].max(first);
            let to = voxels[s][1].min(first + block.level().chunk[d]);
            piece.source[s] = from - first;
            piece.target[s] = from - voxels[s][0];
            piece.count[s] = to.saturating_sub(from);
        }
        piece
    }

    fn copy(&self, block: &Block, values: &ChunkValues, size: usize, out: &mut [u8]) {
        let chunk = &block.level().chunk;
        let strides = strides(chunk);
        let step = block.dims.map(|d| d.map_or(0, |d| strides[d]));
        let fixed: u64 = block.fixed.iter().zip(chunk).zip(&strides).map(|((f, c), s)| (f % c) * s).sum();
        let first = fixed + (0..3).map(|s| self.source[s] * step[s]).sum::<u64>();
        let width = self.count[2] as usize * size;
        for k in 0..self.count[0] {
            for j in 0..self.count[1] {
                let to =
                    (((self.target[0] + k) * BRICK + self.target[1] + j) * BRICK + self.target[2]) as usize;
                let row = &mut out[to * size..to * size + width];
                let from = (first + k * step[0] + j * step[1]) as usize;
                match values {
                    ChunkValues::Uniform(value) => fill(row, &value[..size]),
                    ChunkValues::Dense(bytes) if step[2] == 1 => {
                        row.copy_from_slice(&bytes[from * size..from * size + width]);
                    }
                    ChunkValues::Dense(bytes) => gather(row, &bytes[from * size..], step[2] as usize, size),
                }
            }
        }
    }
}

/// Fills with one value.
fn fill(row: &mut [u8], value: &[u8]) {
    if value.iter().all(|byte| *byte == value[0]) {
        row.fill(value[0]);
    } else {
        row.chunks_exact_mut(value.len()).for_each(|to| to.copy_from_slice(value));
    }
}

/// Copies values that lie `step` values apart.
fn gather(row: &mut [u8], from: &[u8], step: usize, size: usize) {
    match size {
        1 => (0..row.len()).for_each(|i| row[i] = from[i * step]),
        2 => {
            for (to, from) in row.as_chunks_mut::<2>().0.iter_mut().zip(from.chunks(2 * step.max(1))) {
                to.copy_from_slice(&from[..2]);
            }
        }
        _ => {
            for (to, from) in row.chunks_exact_mut(size).zip(from.chunks(size * step.max(1))) {
                to.copy_from_slice(&from[..size]);
            }
        }
    }
}

/// Repeats the last voxel, row and slice of `voxels` (z, y, x) up to the brick's end.
fn repeat_edges([depth, height, width]: [usize; 3], size: usize, out: &mut [u8]) {
    let (row, slice) = (SIDE * size, SIDE * SIDE * size);
    for z in 0..depth {
        let slice = &mut out[z * slice..(z + 1) * slice];
        if width < SIDE {
            for line in slice.chunks_exact_mut(row).take(height) {
                let (filled, rest) = line.split_at_mut(width * size);
                fill(rest, &filled[filled.len() - size..]);
            }
        }
        for y in height..SIDE {
            slice.copy_within((height - 1) * row..height * row, y * row);
        }
    }
    for z in depth..SIDE {
        out.copy_within((depth - 1) * slice..depth * slice, z * slice);
    }
}
