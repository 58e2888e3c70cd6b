//! Where the bricks of an image's levels lie along one axis, and which bricks of the next finer level are a
//! brick's own.
//!
//! Levels need not halve: a brick owns the finer bricks whose middles lie in it, and the first and the last own
//! what lies beyond them. So each finer brick has one owner, whatever the scales.

use super::grid::{BRICK, Block, STRIDE};

/// Bricks of a level whose spans are looked up; those of longer levels are computed.
const TABLE: u32 = 1024;

/// A brick along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// World interval that it and everything that it owns reaches over.
    pub reach: [f64; 2],
    /// What it owns of the next finer level, `[from, to)`; may be empty.
    pub owns: [u32; 2],
}

/// One axis, over all levels, finest first.
#[derive(Debug)]
pub(super) struct Axis {
    levels: Vec<Along>,
    /// All that any level covers: the outermost bricks reach to its ends.
    outer: [f64; 2],
}

/// One level along the axis.
#[derive(Debug)]
struct Along {
    bricks: u32,
    /// World units per voxel and world coordinate of voxel 0's centre.
    scale: f64,
    origin: f64,
    table: Vec<Span>,
}

impl Axis {
    /// The axis `side` (0 = z) of some levels of an image, finest first. `scene` is the world interval of an axis
    /// that the image lacks.
    pub fn of(blocks: &[Block], side: usize, scene: [f64; 2]) -> Self {
        let mut outer = [f64::INFINITY, f64::NEG_INFINITY];
        let mut levels = Vec::with_capacity(blocks.len());
        for block in blocks {
            let Some(d) = block.dims[side] else {
                outer = scene;
                levels.push(Along { bricks: 1, scale: 1.0, origin: 0.0, table: Vec::new() });
                continue;
            };
            let (scale, origin) = (block.level().scale[d], block.level().translation[d]);
            let end = origin + (block.extent()[side] as f64 - 0.5) * scale;
            outer = [outer[0].min(origin - 0.5 * scale), outer[1].max(end)];
            let bricks = block.bricks()[side].min(u64::from(u32::MAX)) as u32;
            levels.push(Along { bricks, scale, origin, table: Vec::new() });
        }
        let mut axis = Self { levels, outer };
        for level in 0..axis.levels.len() {
            // The finer levels' tables are there already.
            let table = (0..axis.levels[level].bricks.min(TABLE)).map(|b| axis.span(level, b)).collect();
            axis.levels[level].table = table;
        }
        axis
    }

    /// Bricks of a level.
    pub fn bricks(&self, level: usize) -> u32 {
        self.levels[level].bricks
    }

    /// World interval of all levels together.
    pub fn outer(&self) -> [f64; 2] {
        self.outer
    }

    /// A brick below [`Self::bricks`].
    pub fn span(&self, level: usize, brick: u32) -> Span {
        match self.levels[level].table.get(brick as usize) {
            Some(span) => *span,
            None => Span {
                reach: [self.reach(level, brick, 0), self.reach(level, brick, 1)],
                owns: self.owns(level, brick),
            },
        }
    }

    /// The bricks that a brick owns of the next finer level.
    fn owns(&self, level: usize, brick: u32) -> [u32; 2] {
        if level == 0 {
            return [0, 0];
        }
        let (coarse, fine) = (&self.levels[level], &self.levels[level - 1]);
        let first = |brick: u32| {
            if brick == 0 {
                return 0;
            }
            if brick >= coarse.bricks {
                return fine.bricks;
            }
            let edge = coarse.origin + f64::from(brick) * STRIDE as f64 * coarse.scale;
            let middle = (edge - fine.origin) / fine.scale - STRIDE as f64 / 2.0;
            // The conversion saturates.
            ((middle / STRIDE as f64).ceil() as u32).min(fine.bricks)
        };
        [first(brick), first(brick + 1)]
    }

    /// How far down (0) or up (1) a brick and what it owns reach.
    fn reach(&self, level: usize, brick: u32, end: usize) -> f64 {
        let along = &self.levels[level];
        if let Some(span) = along.table.get(brick as usize) {
            return span.reach[end];
        }
        let is_outermost = if end == 0 { brick == 0 } else { brick + 1 == along.bricks };
        let own = if is_outermost {
            self.outer[end]
        } else {
            let voxel = f64::from(brick) * STRIDE as f64 + if end == 0 { 0.0 } else { (BRICK - 1) as f64 };
            along.origin + voxel * along.scale
        };
        let [from, to] = self.owns(level, brick);
        if from >= to {
            return own;
        }
        let beyond = self.reach(level - 1, if end == 0 { from } else { to - 1 }, end);
        if end == 0 { own.min(beyond) } else { own.max(beyond) }
    }
}
