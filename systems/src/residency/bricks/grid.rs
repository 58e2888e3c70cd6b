//! Geometry of bricks: cubes of one block (time point, channel, …) of one level.
//!
//! A brick stores [`BRICK`]³ voxels and covers [`STRIDE`] steps between voxel centres along each axis: neighbours
//! share one plane of voxels, so that linear sampling never leaves a brick and fits without a seam.

use lucida_components::{
    applied::ViewState,
    chunk::ChunkKey,
    dataset::{ArrayAxis, Level, Multiscale, SourceId},
    places,
};

/// Voxels of a brick per side.
pub const BRICK: u64 = 64;
/// Steps between voxel centres that a brick covers per side.
pub const STRIDE: u64 = BRICK - 1;
/// Steps that a cell covers per side; the last cell of a brick has one less.
pub const CELL: u64 = 16;
/// Cells of a brick per side.
pub const CELLS: u64 = BRICK / CELL;
/// Voxels of a brick.
pub const VOXELS: u64 = BRICK * BRICK * BRICK;

/// Names one brick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BrickKey {
    /// The pyramid.
    pub source: SourceId,
    /// The level.
    pub level: u16,
    /// Array dimensions of z, y, x.
    pub dims: [u8; 3],
    /// Which block: C-order number of the fixed coordinates (channel included) in the level's array.
    pub block: u64,
    /// Brick along z, y, x.
    pub at: [u32; 3],
}

/// One block of one level: what is left of an image's array where a view stands on all axes but three.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// The image.
    pub image: &'a Multiscale,
    /// Number of the level.
    pub number: usize,
    /// Array dimensions of z, y, x. An axis that the array lacks has none: it is one voxel thick.
    pub dims: [Option<usize>; 3],
    /// Array coordinates; those of z, y, x are 0.
    pub fixed: Vec<u64>,
}

impl<'a> Block<'a> {
    /// The block of `level` of a layer's image where the view stands; `None` where the layer has nothing, or
    /// three axes are not displayed.
    pub fn of(state: &ViewState, image: &'a Multiscale, channel: u64, level: usize) -> Option<Self> {
        let &[z, y, x] = state.displayed() else { return None };
        Self::along(state, image, channel, level, [z, y, x])
    }

    /// The same for any three axes, whatever the view displays.
    pub fn along(
        state: &ViewState,
        image: &'a Multiscale,
        channel: u64,
        level: usize,
        [z, y, x]: [usize; 3],
    ) -> Option<Self> {
        let dims = [z, y, x].map(|a| image.dim_of(a));
        let mut fixed = vec![0; image.dims.len()];
        for (d, kind) in image.dims.iter().enumerate() {
            fixed[d] = match *kind {
                _ if dims.contains(&Some(d)) => 0,
                ArrayAxis::Channel => channel,
                ArrayAxis::Scene(axis) => {
                    let world = places::world_of(&state.dataset, axis, *state.index.value.get(axis)?);
                    places::level_voxel(image, level, axis, world)? as u64
                }
            };
        }
        Some(Self { image, number: level, dims, fixed })
    }

    /// The level.
    pub fn level(&self) -> &'a Level {
        &self.image.levels[self.number]
    }

    /// Voxels along z, y, x.
    pub fn extent(&self) -> [u64; 3] {
        self.dims.map(|d| d.map_or(1, |d| self.level().shape[d]))
    }

    /// Bricks along z, y, x.
    pub fn bricks(&self) -> [u64; 3] {
        self.extent().map(|n| n.saturating_sub(1).div_ceil(STRIDE).max(1))
    }

    /// `scale` and `offset` of `centre coordinate = world·scale + offset` along z (0), y (1) or x (2): voxel `i`
    /// has its centre at `i`. An axis that the array lacks is at 0 everywhere.
    pub fn centre_of_world(&self, side: usize) -> [f64; 2] {
        self.dims[side].map_or([0.0, 0.0], |d| {
            let (scale, origin) = (self.level().scale[d], self.level().translation[d]);
            [1.0 / scale, -origin / scale]
        })
    }

    /// The name of one of its bricks.
    pub fn key(&self, at: [u32; 3]) -> BrickKey {
        let block = self
            .fixed
            .iter()
            .zip(&self.level().shape)
            .enumerate()
            .fold(0, |n, (d, (at, size))| if self.dims.contains(&Some(d)) { n } else { n * size + at });
        BrickKey {
            source: self.image.source,
            level: self.number as u16,
            dims: self.dims.map(|d| d.map_or(u8::MAX, |d| d as u8)),
            block,
            at,
        }
    }

    /// The voxels a brick holds along z, y, x: `[from, to)`, clamped to the block.
    pub fn voxels(&self, at: [u32; 3]) -> [[u64; 2]; 3] {
        let extent = self.extent();
        [0, 1, 2].map(|s| {
            let from = u64::from(at[s]) * STRIDE;
            [from, (from + BRICK).min(extent[s])]
        })
    }

    /// Grid coordinates along z, y, x of the chunks that a brick touches, `[from, to)`.
    pub fn chunk_range(&self, at: [u32; 3]) -> [[u64; 2]; 3] {
        let voxels = self.voxels(at);
        [0, 1, 2].map(|s| {
            self.dims[s].map_or([0, 1], |d| {
                let size = self.level().chunk[d];
                [voxels[s][0] / size, (voxels[s][1] - 1) / size + 1]
            })
        })
    }

    /// The chunk at these grid coordinates of z, y, x.
    pub fn chunk_key(&self, chunk: [u64; 3]) -> ChunkKey {
        let level = self.level();
        let mut at: Vec<u64> = self.fixed.iter().zip(&level.chunk).map(|(f, c)| f / c).collect();
        for (side, d) in self.dims.iter().enumerate() {
            if let Some(d) = d {
                at[*d] = chunk[side];
            }
        }
        ChunkKey { source: self.image.source, level: self.number as u16, number: level.chunk_number(&at) }
    }

    /// Bytes of one of its chunks, decoded.
    pub fn chunk_bytes(&self) -> u64 {
        self.level().chunk_voxels().saturating_mul(self.image.dtype.size() as u64)
    }

    /// The chunks that a brick is cut from.
    pub fn chunks(&self, at: [u32; 3]) -> impl Iterator<Item = ChunkKey> + use<> {
        let [z, y, x] = self.chunk_range(at);
        self.chunks_in([z, y, x])
    }

    /// The chunks at these grid coordinates of z, y, x, each `[from, to)`.
    pub fn chunks_in(&self, [z, y, x]: [[u64; 2]; 3]) -> impl Iterator<Item = ChunkKey> + use<> {
        // Numbers are linear in the coordinates.
        let first = self.chunk_key([0; 3]);
        let step = [0, 1, 2].map(|s| {
            let mut at = [0; 3];
            at[s] = 1;
            self.chunk_key(at).number.wrapping_sub(first.number)
        });
        (z[0]..z[1]).flat_map(move |k| {
            (y[0]..y[1]).flat_map(move |j| {
                (x[0]..x[1]).map(move |i| ChunkKey {
                    number: first.number + k * step[0] + j * step[1] + i * step[2],
                    ..first
                })
            })
        })
    }

    /// All chunks of the block: grid coordinates along z, y, x.
    pub fn all_chunks(&self) -> [[u64; 2]; 3] {
        let level = self.level();
        self.dims.map(|d| [0, d.map_or(1, |d| level.shape[d].div_ceil(level.chunk[d]))])
    }
}
