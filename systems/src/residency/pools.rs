//! Which tile stands in which slot of the GPU pools. The memory itself is the renderer's.

use super::tiles::{PITCH, TileKey};
use bevy_ecs::prelude::*;
use lru::LruCache;

/// Value widths in bytes; there is a pool of each.
pub const WIDTHS: [usize; 3] = [1, 2, 4];

/// The pool of a value width.
pub fn pool_of(width: usize) -> usize {
    WIDTHS.iter().position(|w| *w == width).unwrap_or(WIDTHS.len() - 1)
}

/// Bytes of a tile of a value width, border included; a multiple of 4.
pub fn stride(width: usize) -> u64 {
    (PITCH * PITCH * width as u64).next_multiple_of(4)
}

/// One resident tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its place in the pool.
    pub number: u32,
    /// A chunk it was cut from could not be read.
    pub missing: bool,
    /// The plan it was cut for.
    pub cut: u64,
    /// The plan that last used it.
    stamp: u64,
}

/// The slots of one pool, least recently used out first.
#[derive(Debug)]
pub struct Slots {
    tiles: LruCache<TileKey, Slot>,
    free: Vec<u32>,
}

/// All pools.
#[derive(Resource, Debug)]
pub struct Pools {
    pools: [Slots; WIDTHS.len()],
    stamp: u64,
}

impl Pools {
    /// Pools of `bytes` each.
    pub fn new(bytes: u64) -> Self {
        let slots = |width| {
            let count = (bytes / stride(width)).clamp(1, u64::from(u32::MAX - 1)) as u32;
            // Unbounded in the map because it is bounded by the free list.
            Slots { tiles: LruCache::unbounded(), free: (0..count).rev().collect() }
        };
        Self { pools: WIDTHS.map(slots), stamp: 0 }
    }

    /// A new plan begins: what it touches from now on is not evicted by it.
    pub fn begin(&mut self) {
        self.stamp += 1;
    }

    /// The number of the present plan.
    pub fn plan(&self) -> u64 {
        self.stamp
    }

    /// Finds a tile and keeps it for this plan.
    pub fn touch(&mut self, width: usize, key: &TileKey) -> Option<Slot> {
        let stamp = self.stamp;
        let slot = self.pools[pool_of(width)].tiles.get_mut(key)?;
        slot.stamp = stamp;
        Some(*slot)
    }

    /// Finds a tile without keeping it.
    pub fn peek(&self, width: usize, key: &TileKey) -> Option<Slot> {
        self.pools[pool_of(width)].tiles.peek(key).copied()
    }

    /// Makes room for a tile; one that is there already keeps its place. `None` where everything is in use by this plan. The flag says whether
    /// another tile was evicted.
    pub fn insert(&mut self, width: usize, key: TileKey, missing: bool) -> Option<(Slot, bool)> {
        let stamp = self.stamp;
        let pool = &mut self.pools[pool_of(width)];
        let (number, evicted) = if let Some(old) = pool.tiles.pop(&key) {
            (old.number, false)
        } else if let Some(number) = pool.free.pop() {
            (number, false)
        } else {
            let (_, oldest) = pool.tiles.peek_lru()?;
            if oldest.stamp == stamp {
                return None;
            }
            (pool.tiles.pop_lru()?.1.number, true)
        };
        let slot = Slot { number, missing, cut: stamp, stamp };
        pool.tiles.put(key, slot);
        Some((slot, evicted))
    }

    /// Slots of the pool of a width that are taken.
    pub fn used(&self, width: usize) -> usize {
        self.pools[pool_of(width)].tiles.len()
    }
}
