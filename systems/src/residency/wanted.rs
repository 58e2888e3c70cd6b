//! The one list of wanted chunks, most urgent first, within what the host's memory has room for.

use super::{
    cache::{ChunkCache, OVERHEAD},
    tiles::Plane,
};
use lucida_components::chunk::{ChunkKey, Priority, Want};
use std::collections::HashSet;

/// Chunks that may be wanted ahead of need.
const AHEAD: usize = 1024;

/// How the chunks of a tile stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// All are in the cache.
    Here,
    /// Some are wanted, or will be as soon as there is room for them.
    Coming,
    /// They do not fit into the cache, not even alone.
    TooLarge,
}

/// What a plan wants. A chunk that a tile waits for is kept in the cache, so the chunks of all tiles that
/// wait together never have more than the cache: what is over is wanted when others have become tiles.
pub(super) struct Wanted<'c> {
    cache: &'c mut ChunkCache,
    pub list: Vec<Want>,
    seen: HashSet<ChunkKey>,
    /// What the cache may hold.
    capacity: u64,
    /// What of it no tile waits for.
    room: u64,
    ahead: usize,
}

impl<'c> Wanted<'c> {
    pub fn new(cache: &'c mut ChunkCache, capacity: u64) -> Self {
        Self { cache, list: Vec::new(), seen: HashSet::new(), capacity, room: capacity, ahead: 0 }
    }

    /// Looks at the chunks of a tile that is not on the GPU, and keeps or wants them.
    pub fn need(&mut self, plane: &Plane, at: [u64; 2]) -> Chunks {
        let (all, more) = self.cost(plane, at);
        if all > self.capacity {
            return Chunks::TooLarge;
        }
        if more > self.room {
            return Chunks::Coming;
        }
        self.room -= more;
        if self.keep_or_want(plane, at) { Chunks::Here } else { Chunks::Coming }
    }

    /// Nothing is wanted any more by what is seen: half of what is left may be read ahead.
    pub fn begin_ahead(&mut self) {
        self.room /= 2;
    }

    /// Looks at the chunks of a tile that may be needed next. Returns false where there is no more room.
    pub fn ahead(&mut self, plane: &Plane, at: [u64; 2]) -> bool {
        let (_, more) = self.cost(plane, at);
        if more > self.room || self.ahead >= AHEAD {
            return false;
        }
        self.room -= more;
        let before = self.list.len();
        self.keep_or_want(plane, at);
        self.ahead += self.list.len() - before;
        true
    }

    /// Bytes of a tile's chunks, and of those that this plan did not count yet.
    fn cost(&self, plane: &Plane, at: [u64; 2]) -> (u64, u64) {
        let bytes = plane.chunk_bytes() + OVERHEAD;
        plane.chunks(at).fold((0_u64, 0), |(all, more), key| {
            let bytes = self.cache.cost_of(&key).unwrap_or(bytes);
            (all.saturating_add(bytes), if self.seen.contains(&key) { more } else { more + bytes })
        })
    }

    /// Keeps what is in the cache and wants the rest; whether there is no rest.
    fn keep_or_want(&mut self, plane: &Plane, at: [u64; 2]) -> bool {
        let mut here = true;
        for key in plane.chunks(at) {
            if self.cache.get(&key).is_some() {
                self.seen.insert(key);
                continue;
            }
            here = false;
            if self.seen.insert(key) {
                let priority = Priority(self.list.len() as u32);
                self.list.push(Want { key, priority, bytes: plane.chunk_bytes() });
            }
        }
        here
    }
}
