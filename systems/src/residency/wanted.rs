//! The one list of wanted chunks, most urgent first, within what the host's memory has room for.

use super::{
    bricks::grid::Block,
    cache::{ChunkCache, OVERHEAD},
    pools::Slot,
    tiles::Plane,
};
use lucida_components::chunk::{ChunkKey, Priority, Want};
use std::{collections::HashSet, time::Instant};

/// Chunks that may be wanted ahead of need.
const AHEAD: usize = 1024;

/// With more wanted than this, no more chunks of bricks are: others have to become bricks first.
const MANY: usize = 2048;

/// What tiles or bricks are cut from.
pub(crate) trait Chunked {
    /// The place of a tile or brick.
    type At: Copy;

    /// Bytes of one chunk, decoded.
    fn chunk_bytes(&self) -> u64;

    /// The chunks that the tile or brick at a place is cut from.
    fn chunks(&self, at: Self::At) -> impl Iterator<Item = ChunkKey>;
}

impl Chunked for Plane<'_> {
    type At = [u64; 2];

    fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes()
    }

    fn chunks(&self, at: [u64; 2]) -> impl Iterator<Item = ChunkKey> {
        self.chunks(at)
    }
}

impl Chunked for Block<'_> {
    type At = [u32; 3];

    fn chunk_bytes(&self) -> u64 {
        self.chunk_bytes()
    }

    fn chunks(&self, at: [u32; 3]) -> impl Iterator<Item = ChunkKey> {
        self.chunks(at)
    }
}

/// How the chunks of a tile or brick stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// What became of all of them is known.
    Here,
    /// Some are wanted, or will be as soon as there is room for them.
    Coming,
    /// Some are wanted, and all of these are being made.
    Making,
    /// They do not fit into the cache, not even alone.
    TooLarge,
}

/// What a plan wants. A chunk that a tile waits for is kept in the cache, so the chunks of all tiles that
/// wait together never have more than the cache: what is over is wanted when others have become tiles.
pub(crate) struct Wanted<'c> {
    cache: &'c mut ChunkCache,
    list: Vec<Want>,
    seen: HashSet<ChunkKey>,
    /// What the cache may hold.
    capacity: u64,
    /// What of it no tile waits for.
    room: u64,
    /// What is left when as much was read ahead as may be.
    spare: u64,
    ahead: usize,
    /// Chunks that failed and are due to be tried again: after everything else.
    again: Vec<Want>,
    /// When the first of the others is due, of the view at hand.
    pub retry_at: Option<Instant>,
    now: Instant,
}

impl<'c> Wanted<'c> {
    pub fn new(cache: &'c mut ChunkCache, capacity: u64, now: Instant) -> Self {
        Self {
            cache,
            list: Vec::new(),
            seen: HashSet::new(),
            capacity,
            room: capacity,
            spare: 0,
            ahead: 0,
            again: Vec::new(),
            retry_at: None,
            now,
        }
    }

    /// Looks at the chunks of a tile or brick that is not on the GPU, and keeps or wants them.
    pub fn need<S: Chunked>(&mut self, of: &S, at: S::At) -> Chunks {
        let (all, more) = self.cost(of, at);
        if all > self.capacity {
            return Chunks::TooLarge;
        }
        if more > self.room {
            return Chunks::Coming;
        }
        self.room -= more;
        self.keep_or_want(of, at)
    }

    /// Tries the failed chunks of a tile on the GPU again when that is due. Returns whether one of them came
    /// since the tile was cut, so that it is to be cut anew. `plan` is the number of the present plan.
    pub fn mend<S: Chunked>(&mut self, of: &S, at: S::At, slot: &Slot, plan: u64) -> bool {
        let mut mended = false;
        for key in of.chunks(at) {
            match self.cache.faults.due(&key) {
                Some(due) if due <= self.now => self.again.push(want(of, key)),
                Some(due) => self.retry_at = Some(self.retry_at.map_or(due, |at| at.min(due))),
                None => {}
            }
            mended |= self.cache.faults.was_repaired(&key, slot.cut, plan);
        }
        mended
    }

    /// Whether so much is wanted that bricks are not looked at any more.
    pub fn is_long(&self) -> bool {
        self.list.len() >= MANY
    }

    /// What the cache may hold.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Nothing is wanted any more by what is seen: half of what is left may be read ahead.
    pub fn begin_ahead(&mut self) {
        self.spare = self.room.div_ceil(2);
        self.room /= 2;
    }

    /// Nothing more is read ahead: half of what is still left may be read for what is small and comes last.
    pub fn begin_last(&mut self) {
        self.room = self.spare / 2;
        self.ahead = 0;
    }

    /// Looks at a chunk that may be needed next. Returns false where there is no more room.
    pub fn ahead<S: Chunked>(&mut self, of: &S, key: ChunkKey) -> bool {
        if self.seen.contains(&key) {
            return true;
        }
        let known = self.cache.cost_of(&key);
        let bytes = known.unwrap_or(of.chunk_bytes() + OVERHEAD);
        if bytes > self.room || self.ahead >= AHEAD {
            return false;
        }
        self.room -= bytes;
        if known.is_some() {
            // Noted as used.
            self.cache.get(&key);
            self.seen.insert(key);
        } else {
            self.push(want(of, key));
            self.ahead += 1;
        }
        true
    }

    /// The list. What is being made and is not on it is made no more.
    pub fn finish(mut self) -> Vec<Want> {
        // What is looked at and known to have failed counts as seen, so these are told apart by themselves.
        let mut tried = HashSet::new();
        for mut want in std::mem::take(&mut self.again) {
            if tried.insert(want.key) {
                self.seen.insert(want.key);
                want.priority = Priority(self.list.len() as u32);
                self.list.push(want);
            }
        }
        self.cache.forget_making(|key| self.seen.contains(key));
        self.list
    }

    /// Bytes of a tile's chunks, and of those that this plan did not count yet.
    fn cost<S: Chunked>(&self, of: &S, at: S::At) -> (u64, u64) {
        let bytes = of.chunk_bytes() + OVERHEAD;
        of.chunks(at).fold((0_u64, 0), |(all, more), key| {
            let bytes = self.cache.cost_of(&key).unwrap_or(bytes);
            (all.saturating_add(bytes), if self.seen.contains(&key) { more } else { more + bytes })
        })
    }

    /// Keeps what is in the cache and wants the rest.
    fn keep_or_want<S: Chunked>(&mut self, of: &S, at: S::At) -> Chunks {
        let (mut here, mut making) = (true, true);
        for key in of.chunks(at) {
            if self.cache.get(&key).is_some() {
                self.seen.insert(key);
                continue;
            }
            here = false;
            making &= self.cache.is_making(&key);
            self.push(want(of, key));
        }
        match (here, making) {
            (true, _) => Chunks::Here,
            (false, true) => Chunks::Making,
            (false, false) => Chunks::Coming,
        }
    }

    fn push(&mut self, mut want: Want) {
        if self.seen.insert(want.key) {
            want.priority = Priority(self.list.len() as u32);
            self.list.push(want);
        }
    }
}

/// A wish without its place.
fn want(of: &impl Chunked, key: ChunkKey) -> Want {
    Want { key, priority: Priority(0), bytes: of.chunk_bytes() }
}
