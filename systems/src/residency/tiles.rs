//! Geometry of tiles: square pieces of one plane of one level.

use lucida_components::{
    applied::ViewState,
    camera::Rect,
    chunk::ChunkKey,
    dataset::{ArrayAxis, Level, Multiscale, SourceId},
    places,
};

/// Texels of a tile per side, without its border.
pub const TILE: u64 = 128;
/// Texels around a tile that are stored with it, so that cubic sampling, which reaches two texels from the
/// nearest, stays inside. Looking the neighbours up instead would cost a read of the page table for each of 16
/// texels; the wider border costs 3 % of memory.
pub const BORDER: u64 = 2;
/// Texels of a tile per side as stored.
pub const PITCH: u64 = TILE + 2 * BORDER;

/// Names one tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileKey {
    /// The pyramid.
    pub source: SourceId,
    /// The level.
    pub level: u16,
    /// Array dimensions of rows and columns.
    pub dims: [u8; 2],
    /// Which plane: C-order number of the fixed coordinates (channel included) in the level's array.
    pub plane: u64,
    /// Tile row and column.
    pub at: [u32; 2],
}

/// One plane of one level, cut through an image where a view stands.
#[derive(Debug, Clone)]
pub struct Plane<'a> {
    /// The image.
    pub image: &'a Multiscale,
    /// Number of the level.
    pub number: usize,
    /// Array dimensions of rows and columns.
    pub dims: [usize; 2],
    /// Array coordinates; those of rows and columns are 0.
    pub fixed: Vec<u64>,
}

/// A range of tiles, `[from, to)` in rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// First tile row and column.
    pub from: [u64; 2],
    /// Behind the last tile row and column.
    pub to: [u64; 2],
}

impl Window {
    /// Number of tiles.
    pub fn count(&self) -> u64 {
        (self.to[0] - self.from[0]) * (self.to[1] - self.from[1])
    }

    /// The middle of the window, with at most `most` tiles, of about its shape.
    #[must_use]
    pub fn at_most(self, most: u64) -> Self {
        let mut window = self;
        while window.count() > most {
            let [rows, cols] = [0, 1].map(|s| window.to[s] - window.from[s]);
            let side = usize::from(cols > rows);
            let over = (window.count() - most).div_ceil(rows.min(cols).max(1));
            // Half of what is over at a time keeps the shape; one tile is the least.
            let cut = (over / 2).clamp(1, (rows.max(cols) / 2).max(1)).min(rows.max(cols));
            window.from[side] += cut / 2;
            window.to[side] -= cut - cut / 2;
        }
        window
    }

    /// Every tile's row and column.
    pub fn tiles(self) -> impl Iterator<Item = [u64; 2]> {
        (self.from[0]..self.to[0]).flat_map(move |r| (self.from[1]..self.to[1]).map(move |c| [r, c]))
    }
}

impl<'a> Plane<'a> {
    /// The plane of `level` of a layer's image where the view stands; `None` where the layer has nothing.
    pub fn of(state: &ViewState, image: &'a Multiscale, channel: u64, level: usize) -> Option<Self> {
        let [row, col] = state.plane_axes();
        let dims = [image.dim_of(row)?, image.dim_of(col)?];
        let mut fixed = vec![0; image.dims.len()];
        for (d, kind) in image.dims.iter().enumerate() {
            fixed[d] = match *kind {
                _ if dims.contains(&d) => 0,
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

    /// Rows and columns of the plane in texels.
    pub fn extent(&self) -> [u64; 2] {
        self.dims.map(|d| self.level().shape[d])
    }

    /// The texel coordinate (`i` covers `[i, i+1)`) of a world coordinate along rows (0) or columns (1):
    /// `scale` and `offset` of `texel = world·scale + offset`.
    pub fn texel_of_world(&self, side: usize) -> [f64; 2] {
        let d = self.dims[side];
        let (scale, origin) = (self.level().scale[d], self.level().translation[d]);
        [1.0 / scale, 0.5 - origin / scale]
    }

    /// The tiles that a world rectangle touches, clamped to the plane; empty where it misses the plane.
    pub fn window(&self, rect: &Rect) -> Window {
        let sides = [[rect.bottom, rect.bottom + rect.height], [rect.left, rect.left + rect.width]];
        let extent = self.extent();
        let mut window = Window::default();
        for side in 0..2 {
            let [scale, offset] = self.texel_of_world(side);
            let [a, b] = sides[side].map(|w| w * scale + offset);
            let n = extent[side] as f64;
            if b <= 0.0 || a >= n {
                return Window::default();
            }
            window.from[side] = (a.max(0.0) as u64) / TILE;
            window.to[side] = ((b.min(n).ceil() as u64).max(1) - 1) / TILE + 1;
        }
        window
    }

    /// The tiles that a world rectangle with `texels` more on each side touches.
    pub fn window_around(&self, rect: &Rect, texels: u32) -> Window {
        let [dy, dx] = [0, 1].map(|side| f64::from(texels) / self.texel_of_world(side)[0]);
        self.window(&Rect {
            left: rect.left - dx,
            bottom: rect.bottom - dy,
            width: rect.width + 2.0 * dx,
            height: rect.height + 2.0 * dy,
        })
    }

    /// The name of one of its tiles.
    pub fn key(&self, at: [u64; 2]) -> TileKey {
        let plane = self
            .fixed
            .iter()
            .zip(&self.level().shape)
            .enumerate()
            .fold(0, |n, (d, (at, size))| if self.dims.contains(&d) { n } else { n * size + at });
        TileKey {
            source: self.image.source,
            level: self.number as u16,
            dims: self.dims.map(|d| d as u8),
            plane,
            at: at.map(|v| v as u32),
        }
    }

    /// The texels a tile holds of the plane, border included: `[from, to)` per side, clamped to the plane.
    pub fn texels(&self, at: [u64; 2]) -> [[u64; 2]; 2] {
        let extent = self.extent();
        [0, 1].map(|s| [(at[s] * TILE).saturating_sub(BORDER), (at[s] * TILE + TILE + BORDER).min(extent[s])])
    }

    /// Grid coordinates, per side, of the chunks that a tile touches.
    pub fn chunk_range(&self, at: [u64; 2]) -> [[u64; 2]; 2] {
        let texels = self.texels(at);
        [0, 1].map(|s| {
            let size = self.level().chunk[self.dims[s]];
            [texels[s][0] / size, (texels[s][1] - 1) / size + 1]
        })
    }

    /// The chunk at these grid coordinates of rows and columns.
    pub fn chunk_key(&self, row: u64, col: u64) -> ChunkKey {
        let level = self.level();
        let mut at: Vec<u64> = self.fixed.iter().zip(&level.chunk).map(|(f, c)| f / c).collect();
        at[self.dims[0]] = row;
        at[self.dims[1]] = col;
        ChunkKey { source: self.image.source, level: self.number as u16, number: level.chunk_number(&at) }
    }

    /// Bytes of one of its chunks, decoded.
    pub fn chunk_bytes(&self) -> u64 {
        self.level().chunk_voxels().saturating_mul(self.image.dtype.size() as u64)
    }

    /// The most chunks that one of its tiles may be cut from.
    pub fn most_chunks(&self) -> u64 {
        let extent = self.extent();
        (0..2)
            .map(|s| {
                let size = self.level().chunk[self.dims[s]];
                extent[s].div_ceil(size).min((PITCH - 1) / size + 2)
            })
            .product()
    }

    /// The chunks that a tile is cut from.
    pub fn chunks(&self, at: [u64; 2]) -> impl Iterator<Item = ChunkKey> + '_ {
        let [rows, cols] = self.chunk_range(at);
        (rows[0]..rows[1]).flat_map(move |r| (cols[0]..cols[1]).map(move |c| self.chunk_key(r, c)))
    }
}
