//! A tile is cut out of decoded chunks.

use super::tiles::{BORDER, PITCH, Plane, TILE};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkKey, ChunkValues},
    dtype::Dtype,
};

/// Fills `out` ([`super::pools::stride`] bytes, row-major, `PITCH` texels per row) with the tile at `at`,
/// border included. Beyond the plane's edges the edge texels are repeated, so that sampling clamps. Parts
/// whose chunk failed are zero; returns whether there are such parts.
///
/// `chunk` must answer for every chunk of [`Plane::chunks`]; what it does not know counts as failed.
pub fn cut<'c>(
    plane: &Plane,
    at: [u64; 2],
    dtype: Dtype,
    out: &mut [u8],
    mut chunk: impl FnMut(&ChunkKey) -> Option<&'c Result<ChunkData, ChunkFault>>,
) -> bool {
    let size = dtype.size();
    let texels = plane.texels(at);
    let [rows, cols] = plane.chunk_range(at);
    let mut missing = false;
    for row in rows[0]..rows[1] {
        for col in cols[0]..cols[1] {
            let key = plane.chunk_key(row, col);
            let piece = Piece::new(plane, at, texels, [row, col]);
            match chunk(&key) {
                Some(Ok(data)) if data.dtype == dtype => {
                    missing |= data.missing;
                    piece.copy(plane, &data.values, size, out);
                }
                _ => {
                    missing = true;
                    piece.copy(plane, &ChunkValues::Uniform([0; 4]), size, out);
                }
            }
        }
    }
    repeat_edges(at, texels, size, out);
    missing
}

/// The part of a chunk that falls into a tile.
struct Piece {
    /// First texel in the chunk, per side.
    source: [u64; 2],
    /// First texel in the tile's memory, per side.
    target: [u64; 2],
    /// Texels, per side.
    count: [u64; 2],
}

impl Piece {
    fn new(plane: &Plane, at: [u64; 2], texels: [[u64; 2]; 2], chunk: [u64; 2]) -> Self {
        let mut piece = Self { source: [0; 2], target: [0; 2], count: [0; 2] };
        for s in 0..2 {
            let size = plane.level().chunk[plane.dims[s]];
            let from = texels[s][0].max(chunk[s] * size);
            let to = texels[s][1].min((chunk[s] + 1) * size);
            piece.source[s] = from - chunk[s] * size;
            // The tile's memory begins a border before the tile.
            piece.target[s] = from + BORDER - at[s] * TILE;
            piece.count[s] = to.saturating_sub(from);
        }
        piece
    }

    fn copy(&self, plane: &Plane, values: &ChunkValues, size: usize, out: &mut [u8]) {
        let strides = strides(&plane.level().chunk);
        let [row_step, col_step] = plane.dims.map(|d| strides[d]);
        let base: u64 =
            plane.fixed.iter().zip(&plane.level().chunk).zip(&strides).map(|((f, c), s)| (f % c) * s).sum();
        let width = self.count[1] as usize * size;
        for r in 0..self.count[0] {
            let to = ((self.target[0] + r) * PITCH + self.target[1]) as usize * size;
            let row = &mut out[to..to + width];
            let first = base + (self.source[0] + r) * row_step + self.source[1] * col_step;
            match values {
                ChunkValues::Uniform(value) => {
                    row.chunks_exact_mut(size).for_each(|t| t.copy_from_slice(&value[..size]));
                }
                ChunkValues::Dense(bytes) if col_step == 1 => {
                    let from = first as usize * size;
                    row.copy_from_slice(&bytes[from..from + width]);
                }
                ChunkValues::Dense(bytes) => {
                    for (i, t) in row.chunks_exact_mut(size).enumerate() {
                        let from = (first as usize + i * col_step as usize) * size;
                        t.copy_from_slice(&bytes[from..from + size]);
                    }
                }
            }
        }
    }
}

/// C-order strides in values.
pub(super) fn strides(shape: &[u64]) -> Vec<u64> {
    let mut strides = vec![1; shape.len()];
    for d in (0..shape.len().saturating_sub(1)).rev() {
        strides[d] = strides[d + 1] * shape[d + 1];
    }
    strides
}

/// Repeats the plane's edge texels into the rows and columns of the border that lie beyond each edge.
fn repeat_edges(at: [u64; 2], texels: [[u64; 2]; 2], size: usize, out: &mut [u8]) {
    let (pitch, border) = (PITCH as usize, BORDER as usize);
    // Filled rows and columns of the tile's memory, [from, to).
    let [[top, bottom], [left, right]] =
        [0, 1].map(|s| texels[s].map(|t| (t + BORDER - at[s] * TILE) as usize));
    let texel = |r: usize, c: usize| (r * pitch + c) * size;
    let (low, high) = ((bottom + border).min(pitch), (right + border).min(pitch));
    for r in top..bottom {
        for c in 0..left {
            out.copy_within(texel(r, left)..texel(r, left + 1), texel(r, c));
        }
        for c in right..high {
            out.copy_within(texel(r, right - 1)..texel(r, right), texel(r, c));
        }
    }
    for r in 0..top {
        out.copy_within(texel(top, 0)..texel(top, high), texel(r, 0));
    }
    for r in bottom..low {
        out.copy_within(texel(bottom - 1, 0)..texel(bottom - 1, high), texel(r, 0));
    }
}
