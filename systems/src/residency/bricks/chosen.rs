//! What a volume is drawn from: the bricks that a plan chose, level by level.

use super::detail::Detail;

/// What one layer is drawn from.
#[derive(Debug, Clone)]
pub struct BrickLayer {
    /// Place in `ViewState::layers`.
    pub layer: usize,
    /// Which level is wanted where.
    pub detail: Detail,
    /// Levels with chosen bricks, finest first. The coarsest level of the image is always the last.
    pub levels: Vec<BrickLevel>,
}

/// The chosen bricks of one level.
#[derive(Debug, Clone, Default)]
pub struct BrickLevel {
    /// The level.
    pub level: usize,
    /// Encloses the bricks.
    pub window: Window,
    /// Their places along z, y, x; most urgent first.
    pub bricks: Vec<[u32; 3]>,
}

/// A box of bricks, `[from, to)` along z, y, x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// First brick.
    pub from: [u32; 3],
    /// Behind the last brick.
    pub to: [u32; 3],
}

impl Window {
    /// Bricks along z, y, x.
    pub fn extent(&self) -> [u32; 3] {
        [0, 1, 2].map(|i| self.to[i] - self.from[i])
    }

    /// Number of bricks.
    pub fn count(&self) -> usize {
        self.extent().iter().fold(1, |count: usize, n| count.saturating_mul(*n as usize))
    }

    /// The C-order place of a brick in the window; `None` outside.
    pub fn place(&self, at: [u32; 3]) -> Option<usize> {
        let n = self.extent();
        (0..3)
            .all(|i| (self.from[i]..self.to[i]).contains(&at[i]))
            .then(|| (0..3).fold(0, |place, i| place * n[i] as usize + (at[i] - self.from[i]) as usize))
    }

    /// Grows to hold a brick.
    pub fn include(&mut self, at: [u32; 3]) {
        if self.count() == 0 {
            *self = Self { from: at, to: at.map(|v| v + 1) };
            return;
        }
        for (i, at) in at.into_iter().enumerate() {
            self.from[i] = self.from[i].min(at);
            self.to[i] = self.to[i].max(at + 1);
        }
    }
}
