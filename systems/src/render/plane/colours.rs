//! Given colours of labels, as the shader looks them up.

use lru::LruCache;
use lucida_components::{
    dataset::SourceId,
    labels::{LabelTable, MOST_COLOURS, scramble},
};
use std::{num::NonZeroUsize, sync::Arc};

/// Tables kept: as many as labels images that are looked at in turn.
const KEPT: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");

/// Hash tables of the labels images that were drawn last.
#[derive(Debug)]
pub struct Colours(LruCache<SourceId, Arc<[u32]>>);

impl Default for Colours {
    fn default() -> Self {
        Self(LruCache::new(KEPT))
    }
}

impl Colours {
    /// The table of a labels image, made once; `None` where it gives no colour.
    pub fn of(&mut self, source: SourceId, labels: &LabelTable) -> Option<Arc<[u32]>> {
        // 0 is the background: it has no colour.
        labels
            .colours
            .keys()
            .any(|id| *id != 0)
            .then(|| self.0.get_or_insert(source, || table(labels).into()).clone())
    }
}

/// A hash table, at most half full: its mask, the most places to look at for an id, then for each place an id
/// (0: free) and a colour, red in the lowest byte. An id stands at the place of its [`scramble`] or behind it.
fn table(labels: &LabelTable) -> Vec<u32> {
    let given: Vec<_> = labels.colours.iter().filter(|(id, _)| **id != 0).take(MOST_COLOURS).collect();
    let places = (2 * given.len()).next_power_of_two();
    let mask = places - 1;
    let mut out = vec![0; 2 + 2 * places];
    let mut probes = 1;
    for (id, rgba) in given {
        let home = scramble(*id) as usize;
        let free = (0..places).find(|k| out[2 + 2 * ((home + k) & mask)] == 0);
        let Some(k) = free else { continue };
        let entry = 2 + 2 * ((home + k) & mask);
        out[entry] = *id;
        out[entry + 1] = u32::from_le_bytes(*rgba);
        probes = probes.max(k + 1);
    }
    out[0] = mask as u32;
    out[1] = probes as u32;
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shader's way to look an id up.
    fn find(table: &[u32], id: u32) -> Option<[u8; 4]> {
        let (mask, probes) = (table[0], table[1]);
        (0..probes).find_map(|k| {
            let entry = 2 + 2 * (scramble(id).wrapping_add(k) & mask) as usize;
            (table[entry] == id).then(|| table[entry + 1].to_le_bytes())
        })
    }

    #[test]
    fn every_given_colour_is_found_and_no_other() {
        let colour = |id: u32| id.wrapping_mul(2_654_435_761).to_le_bytes();
        for ids in [vec![7], (0..1000).collect(), (0..5000).map(|n| n * 65_536).collect::<Vec<u32>>()] {
            let colours = ids.iter().map(|id| (*id, colour(*id))).collect();
            let table = table(&LabelTable { colours, ..LabelTable::default() });
            assert!(table[1] < 64, "{} places to look at", table[1]);
            for id in ids.iter().filter(|id| **id != 0) {
                assert_eq!(find(&table, *id), Some(colour(*id)), "{id}");
            }
            assert_eq!(find(&table, 3_000_000_001), None);
        }
    }

    #[test]
    fn tables_are_bounded_and_made_once() {
        let many: LabelTable = LabelTable {
            colours: (0..(MOST_COLOURS as u32 + 10)).map(|id| (id, [1; 4])).collect(),
            ..LabelTable::default()
        };
        let mut colours = Colours::default();
        let first = colours.of(SourceId(1), &many).expect("a table");
        assert_eq!(first.len(), 2 + 4 * MOST_COLOURS);
        assert!(Arc::ptr_eq(&first, &colours.of(SourceId(1), &many).expect("a table")));
        let background = LabelTable { colours: [(0, [9; 4])].into(), ..LabelTable::default() };
        assert!(colours.of(SourceId(2), &background).is_none());
    }
}
