//! Which tile or brick stands in which slot of the GPU pools. The memory itself is the renderer's.

use super::{
    bricks::pools::BrickPools,
    tiles::{PITCH, TileKey},
};
use bevy_ecs::prelude::*;
use lru::LruCache;
use lucida_components::lod::Budgets;
use std::{collections::HashSet, hash::Hash};

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

/// One resident tile or brick.
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
pub struct Slots<K: Eq + Hash> {
    resident: LruCache<K, Slot>,
    free: Vec<u32>,
    /// What this plan may have and is not there: with what is there never more than there are slots, so that none
    /// of it puts another out.
    granted: HashSet<K>,
    /// What of that which is there this plan has claimed.
    kept: usize,
    /// The present plan.
    plan: u64,
    count: usize,
}

/// What a plan gets of a pool for a tile or brick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is there, and stays for this plan.
    Resident(Slot),
    /// There is a slot for it.
    Room,
    /// Every slot is another's of this plan.
    Full,
}

impl<K: Copy + Eq + Hash> Slots<K> {
    /// Empty slots.
    pub fn new(count: u32) -> Self {
        // Unbounded in the map because it is bounded by the free list.
        let free = (0..count).rev().collect();
        Self {
            resident: LruCache::unbounded(),
            free,
            granted: HashSet::new(),
            kept: 0,
            plan: 0,
            count: count as usize,
        }
    }

    /// The plan of this number begins: what it claims from now on is not evicted by it.
    pub fn begin(&mut self, plan: u64) {
        self.granted.clear();
        (self.kept, self.plan) = (0, plan);
    }

    /// Claims a slot, whether its content is there or to come. Claimed twice it counts once.
    pub fn claim(&mut self, key: K) -> Claim {
        let is_full = self.left() == 0;
        match self.resident.get_mut(&key) {
            // Claimed, or put there after it was.
            Some(slot) if slot.stamp == self.plan => Claim::Resident(*slot),
            Some(_) | None if is_full && !self.granted.contains(&key) => Claim::Full,
            Some(slot) => {
                slot.stamp = self.plan;
                self.kept += 1;
                Claim::Resident(*slot)
            }
            None => {
                self.granted.insert(key);
                Claim::Room
            }
        }
    }

    /// Whether this plan has claimed it.
    pub fn is_claimed(&self, key: &K) -> bool {
        self.resident.peek(key).is_some_and(|slot| slot.stamp == self.plan) || self.granted.contains(key)
    }

    /// Slots there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Slots that this plan has not claimed yet.
    pub fn left(&self) -> usize {
        self.count.saturating_sub(self.granted.len() + self.kept)
    }

    /// Slots that are taken.
    pub fn used(&self) -> usize {
        self.resident.len()
    }

    /// Finds a slot without keeping it.
    pub fn peek(&self, key: &K) -> Option<Slot> {
        self.resident.peek(key).copied()
    }

    /// Makes room; what is there keeps its place. `None` where everything is in use by this plan. Otherwise what
    /// was evicted for it.
    pub fn insert(&mut self, key: K, missing: bool) -> Option<(Slot, Option<K>)> {
        let stamp = self.plan;
        if let Some(slot) = self.resident.get_mut(&key) {
            (slot.missing, slot.cut, slot.stamp) = (missing, stamp, stamp);
            return Some((*slot, None));
        }
        let (number, evicted) = if let Some(number) = self.free.pop() {
            (number, None)
        } else {
            let (_, oldest) = self.resident.peek_lru()?;
            if oldest.stamp == stamp {
                return None;
            }
            let (key, slot) = self.resident.pop_lru()?;
            (slot.number, Some(key))
        };
        let slot = Slot { number, missing, cut: stamp, stamp };
        self.resident.put(key, slot);
        Some((slot, evicted))
    }
}

/// All pools.
#[derive(Resource, Debug)]
pub struct Pools {
    tiles: [Slots<TileKey>; WIDTHS.len()],
    /// Those of volumes.
    pub bricks: BrickPools,
    stamp: u64,
}

impl Pools {
    /// Empty pools within the budgets.
    pub fn new(budgets: &Budgets) -> Self {
        let slots =
            |width| Slots::new((budgets.pool_bytes / stride(width)).clamp(1, u64::from(u32::MAX - 1)) as u32);
        Self { tiles: WIDTHS.map(slots), bricks: BrickPools::new(budgets.brick_bytes), stamp: 0 }
    }

    /// A new plan begins: what it claims from now on is not evicted by it.
    pub fn begin(&mut self) {
        self.stamp += 1;
        for tiles in &mut self.tiles {
            tiles.begin(self.stamp);
        }
        self.bricks.begin(self.stamp);
    }

    /// The number of the present plan.
    pub fn plan(&self) -> u64 {
        self.stamp
    }

    /// Claims a slot for a tile, whether it is there or to come. Claimed twice it counts once.
    pub fn claim(&mut self, width: usize, key: TileKey) -> Claim {
        self.tiles[pool_of(width)].claim(key)
    }

    /// Whether this plan has claimed a tile.
    pub fn is_claimed(&self, width: usize, key: &TileKey) -> bool {
        self.tiles[pool_of(width)].is_claimed(key)
    }

    /// Slots of the pool of a width.
    pub fn slots(&self, width: usize) -> usize {
        self.tiles[pool_of(width)].count()
    }

    /// Slots that this plan has not claimed yet.
    pub fn left(&self, width: usize) -> usize {
        self.tiles[pool_of(width)].left()
    }

    /// Finds a tile without keeping it.
    pub fn peek(&self, width: usize, key: &TileKey) -> Option<Slot> {
        self.tiles[pool_of(width)].peek(key)
    }

    /// Makes room for a tile; one that is there keeps its place. `None` where everything is in use by this
    /// plan. The flag says whether another tile was evicted.
    pub fn insert(&mut self, width: usize, key: TileKey, missing: bool) -> Option<(Slot, bool)> {
        let (slot, evicted) = self.tiles[pool_of(width)].insert(key, missing)?;
        Some((slot, evicted.is_some()))
    }

    /// Slots of the pool of a width that are taken.
    pub fn used(&self, width: usize) -> usize {
        self.tiles[pool_of(width)].used()
    }
}
