//! Where the bricks of an image's levels lie along one axis, and which bricks of the next finer level are a
//! brick's own.
//!
//! Levels need not halve: a brick owns the finer bricks whose middles lie in it, and the first and the last own
//! what lies beyond them. So each finer brick has one owner, whatever the scales.

use super::grid::{Block, STRIDE};

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
    /// World coordinate of the middle of the last brick, which may be shorter than the others.
    last_middle: f64,
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
                let middle = f64::midpoint(scene[0], scene[1]);
                levels.push(Along {
                    bricks: 1,
                    scale: 1.0,
                    origin: 0.0,
                    last_middle: middle,
                    table: Vec::new(),
                });
                continue;
            };
            let (scale, origin) = (block.level().scale[d], block.level().translation[d]);
            let end = origin + (block.extent()[side] as f64 - 0.5) * scale;
            outer = [outer[0].min(origin - 0.5 * scale), outer[1].max(end)];
            let bricks = block.bricks()[side].min(u64::from(u32::MAX)) as u32;
            let last = f64::from(bricks - 1) * STRIDE as f64;
            let last_middle = origin + f64::midpoint(last, block.extent()[side] as f64 - 1.0) * scale;
            levels.push(Along { bricks, scale, origin, last_middle, table: Vec::new() });
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
                reach: self.reach(level, [brick, brick + 1]),
                owns: self.owns(level, [brick, brick + 1]),
            },
        }
    }

    /// World interval that bricks `[from, to)` of a level and everything that they own reach over.
    pub fn reach(&self, level: usize, bricks: [u32; 2]) -> [f64; 2] {
        let mut reach = [f64::INFINITY, f64::NEG_INFINITY];
        let (mut level, mut bricks) = (level, bricks);
        while bricks[0] < bricks[1] {
            let own = self.own(level, bricks);
            reach = [reach[0].min(own[0]), reach[1].max(own[1])];
            bricks = self.owns(level, bricks);
            level = level.saturating_sub(1);
        }
        reach
    }

    /// World interval that bricks `[from, to)` themselves cover.
    fn own(&self, level: usize, [from, to]: [u32; 2]) -> [f64; 2] {
        let along = &self.levels[level];
        let edge = |voxel: f64| along.origin + voxel * along.scale;
        let (first, last) = (f64::from(from) * STRIDE as f64, f64::from(to - 1) * STRIDE as f64);
        [
            if from == 0 { self.outer[0] } else { edge(first) },
            if to >= along.bricks { self.outer[1] } else { edge(last + STRIDE as f64) },
        ]
    }

    /// What bricks `[from, to)` own of the next finer level, `[from, to)`.
    fn owns(&self, level: usize, [from, to]: [u32; 2]) -> [u32; 2] {
        if level == 0 {
            return [0, 0];
        }
        let (coarse, fine) = (&self.levels[level], &self.levels[level - 1]);
        // The first that lies in a brick or behind it.
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
            let first = (middle / STRIDE as f64).ceil() as u32;
            if first < fine.bricks - 1 {
                return first;
            }
            if fine.last_middle < edge { fine.bricks } else { fine.bricks - 1 }
        };
        [first(from), first(to)]
    }
}
