//! Which of the wanted chunks have to be made, and which of them are being made now.

use lucida_components::chunk::ChunkKey;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The wishes that a source could not answer at once, the most urgent first. Bounded by the list of wishes.
#[derive(Debug, Default)]
pub struct Making {
    /// Place in the last list of wishes.
    ranks: HashMap<ChunkKey, usize>,
    /// Wishes that have to be made, by that place.
    unmade: BTreeSet<(usize, ChunkKey)>,
    /// Those of them that a thread is at, and those that it is to give up because nobody wants them any more.
    busy: HashSet<ChunkKey>,
}

impl Making {
    /// Takes a new list of wishes, the most urgent first. What is not in it needs no more making.
    pub fn renew(&mut self, wishes: impl Iterator<Item = ChunkKey>) {
        let ranks: HashMap<ChunkKey, usize> = wishes.zip(0..).collect();
        let still = self.unmade.iter().filter_map(|(_, key)| Some((*ranks.get(key)?, *key)));
        self.unmade = still.collect();
        self.ranks = ranks;
    }

    /// Whether a wish is known to need making.
    pub fn holds(&self, key: &ChunkKey) -> bool {
        self.ranks.get(key).is_some_and(|rank| self.unmade.contains(&(*rank, *key)))
    }

    /// A wish turned out to need making. Whether it is still wanted.
    pub fn add(&mut self, key: ChunkKey) -> bool {
        let Some(rank) = self.ranks.get(&key) else { return false };
        self.unmade.insert((*rank, key));
        true
    }

    /// The most urgent one that nobody is at, among the `most` most urgent ones of all.
    pub fn next(&mut self, most: usize) -> Option<ChunkKey> {
        let (_, key) = *self.unmade.iter().take(most).find(|(_, key)| !self.busy.contains(key))?;
        self.busy.insert(key);
        Some(key)
    }

    /// Whether the making of this one is to go on: it is still among the `most` most urgent ones.
    pub fn goes_on(&self, key: &ChunkKey, most: usize) -> bool {
        self.unmade.iter().take(most).any(|(_, k)| k == key)
    }

    /// A thread has given up.
    pub fn stopped(&mut self, key: &ChunkKey) {
        self.busy.remove(key);
    }

    /// One is made, or nobody can make it.
    pub fn done(&mut self, key: &ChunkKey) {
        self.busy.remove(key);
        if let Some(rank) = self.ranks.get(key) {
            self.unmade.remove(&(*rank, *key));
        }
    }

    /// No more wishes.
    pub fn clear(&mut self) {
        self.ranks.clear();
        self.unmade.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::dataset::SourceId;

    fn key(number: u64) -> ChunkKey {
        ChunkKey { source: SourceId(1), level: 3, number }
    }

    #[test]
    fn the_most_urgent_is_made_and_gives_way_to_one_that_is_more_urgent() {
        let mut making = Making::default();
        making.renew([1, 2, 3].map(key).into_iter());
        assert!(!making.add(key(9)), "nobody wants it");
        assert!(making.add(key(3)) && making.next(1) == Some(key(3)));
        assert!(making.add(key(2)), "found out later");
        assert!(!making.goes_on(&key(3), 1) && making.goes_on(&key(3), 2));
        assert_eq!(making.next(1), Some(key(2)));
        assert_eq!(making.next(1), None, "one thread has one");
        making.stopped(&key(3));
        making.done(&key(2));
        assert!(!making.holds(&key(2)) && making.holds(&key(3)));
        assert_eq!(making.next(1), Some(key(3)), "what gave way is taken up again");
    }

    #[test]
    fn a_new_list_keeps_what_is_known_of_its_wishes_and_forgets_the_rest() {
        let mut making = Making::default();
        making.renew([1, 2].map(key).into_iter());
        assert!(making.add(key(1)) && making.add(key(2)));
        assert_eq!(making.next(1), Some(key(1)));
        making.renew([5, 2].map(key).into_iter());
        assert!(!making.goes_on(&key(1), 8) && !making.holds(&key(1)));
        making.stopped(&key(1));
        assert_eq!((making.next(1), making.next(1)), (Some(key(2)), None));
        making.clear();
        assert!(!making.goes_on(&key(2), 8));
    }
}
