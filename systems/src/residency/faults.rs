//! Chunks that could not be had: when they are tried again, and which of them came after all.

use lru::LruCache;
use lucida_components::chunk::{ChunkData, ChunkFault, ChunkKey};
use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

/// The first delay; each further failure doubles it.
pub const FIRST_DELAY: Duration = Duration::from_secs(1);

/// The longest delay.
pub const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// Faults that are remembered, and repairs; what was looked at longest ago is forgotten first.
const MOST: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");

/// The faults.
#[derive(Debug)]
pub struct Faults {
    known: LruCache<ChunkKey, Known>,
    /// Repaired since [`Faults::date`].
    fresh: Vec<ChunkKey>,
    /// Repaired, with the plan after which they were.
    repaired: LruCache<ChunkKey, u64>,
}

#[derive(Debug)]
struct Known {
    fault: Result<ChunkData, ChunkFault>,
    due: Instant,
    delay: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self { known: LruCache::new(MOST), fresh: Vec::new(), repaired: LruCache::new(MOST) }
    }
}

impl Faults {
    /// A chunk failed at `now`. Returns whether that is new. A fault that nobody asked about when it was due
    /// is forgotten: its delay begins anew.
    pub fn failed(&mut self, key: ChunkKey, fault: ChunkFault, now: Instant) -> bool {
        let before = self.known.pop(&key);
        let asked = before.as_ref().filter(|k| now.saturating_duration_since(k.due) <= k.delay);
        let delay = asked.map_or(FIRST_DELAY, |k| (k.delay * 2).min(LONGEST_DELAY));
        self.known.push(key, Known { fault: Err(fault), due: now + delay, delay });
        self.repaired.pop(&key);
        before.is_none()
    }

    /// A chunk came. Returns whether it had failed before.
    pub fn came(&mut self, key: ChunkKey) -> bool {
        let had_failed = self.known.pop(&key).is_some();
        if had_failed {
            self.fresh.push(key);
        }
        had_failed
    }

    /// What repairs there were since the last time came after the plan `stamp`.
    pub fn date(&mut self, stamp: u64) {
        for key in self.fresh.drain(..) {
            self.repaired.push(key, stamp);
        }
    }

    /// The fault of a chunk.
    pub fn get(&self, key: &ChunkKey) -> Option<&Result<ChunkData, ChunkFault>> {
        self.known.peek(key).map(|k| &k.fault)
    }

    /// When a chunk that failed is to be tried again.
    pub fn due(&mut self, key: &ChunkKey) -> Option<Instant> {
        self.known.get(key).map(|k| k.due)
    }

    /// Whether a chunk was repaired after what the plan `since` cut, and before the plan `now`.
    pub fn was_repaired(&mut self, key: &ChunkKey, since: u64, now: u64) -> bool {
        self.repaired.get(key).is_some_and(|at| (since..now).contains(at))
    }

    /// Chunks that failed and have not come since.
    pub fn count(&self) -> usize {
        self.known.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::dataset::SourceId;

    const KEY: ChunkKey = ChunkKey { source: SourceId(1), level: 0, number: 7 };

    fn fault() -> ChunkFault {
        ChunkFault { level: 0, number: 7, reason: "cut off".into() }
    }

    #[test]
    fn delays_double_to_a_minute_and_begin_anew_where_nobody_asked() {
        let (mut faults, mut now) = (Faults::default(), Instant::now());
        let mut delays = Vec::new();
        for _ in 0..9 {
            assert_eq!(faults.failed(KEY, fault(), now), delays.is_empty());
            let due = faults.due(&KEY).expect("failed");
            delays.push((due - now).as_secs());
            // The next attempt takes a little.
            now = due + Duration::from_millis(300);
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        now += Duration::from_mins(5);
        faults.failed(KEY, fault(), now);
        assert_eq!(faults.due(&KEY), Some(now + FIRST_DELAY));
        assert!(faults.get(&KEY).is_some_and(Result::is_err));
        assert_eq!(faults.count(), 1);
    }

    #[test]
    fn a_repair_is_known_to_tiles_that_were_cut_before_it() {
        let mut faults = Faults::default();
        assert!(!faults.came(KEY), "it never failed");
        faults.failed(KEY, fault(), Instant::now());
        assert!(faults.came(KEY));
        assert!(faults.due(&KEY).is_none() && faults.get(&KEY).is_none());
        faults.date(5);
        assert!(faults.was_repaired(&KEY, 5, 6) && faults.was_repaired(&KEY, 2, 9));
        assert!(!faults.was_repaired(&KEY, 6, 9), "cut after it");
        assert!(!faults.was_repaired(&KEY, 0, 3), "plans are counted from the start again");
        faults.failed(KEY, fault(), Instant::now());
        assert!(!faults.was_repaired(&KEY, 2, 9), "failed again");
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (mut faults, now) = (Faults::default(), Instant::now());
        for number in 0..MOST.get() as u64 + 10 {
            faults.failed(ChunkKey { number, ..KEY }, fault(), now);
        }
        assert_eq!(faults.count(), MOST.get());
        assert!(faults.due(&ChunkKey { number: 0, ..KEY }).is_none());
    }
}
