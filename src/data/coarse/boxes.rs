//! Where the voxels of a chunk of a virtual level lie in the chunks of the level before it.

use lucida_components::dataset::Level;
use std::ops::Range;

/// One chunk of a level that halves some dimensions of the level before.
pub struct Boxes<'a> {
    /// The level before.
    pub parent: &'a Level,
    child: &'a Level,
    /// Which dimensions are halved: 1 where they are, else 0.
    shift: Vec<u32>,
    /// First voxel of the chunk, and behind its last one within the level.
    from: Vec<u64>,
    to: Vec<u64>,
}

/// Voxels of the level before that lie side by side along the last dimension, in one of its chunks.
pub struct Row {
    /// The first of them in the chunk of the level before.
    pub source: usize,
    /// How many.
    pub len: usize,
    /// Where the first of them goes in the chunk that is made.
    pub target: usize,
    /// Whether two of them make one.
    pub halves: bool,
    /// Whether the first of them is the second of two.
    pub is_odd: bool,
    /// Whether the row is the first of those that make the same voxels.
    pub is_first: bool,
}

/// Neighbouring voxels of the chunk that is made that cover equally many voxels.
pub struct Run {
    /// Which ones, counted in the chunk.
    pub voxels: Range<usize>,
    /// Voxels of the level before that each covers.
    pub count: i32,
}

impl Row {
    /// Calls `f` with every voxel's target and its number in the row.
    pub fn each(&self, mut f: impl FnMut(usize, usize)) {
        let odd = usize::from(self.is_odd);
        for i in 0..self.len {
            let n = if self.halves { (i + odd) >> 1 } else { i };
            f(self.target + n, i);
        }
    }

    /// Whether the voxel of this number is the first of those along the row that make the same voxel.
    pub fn is_first_at(&self, i: usize) -> bool {
        !self.halves || (i + usize::from(self.is_odd)).is_multiple_of(2)
    }
}

impl<'a> Boxes<'a> {
    /// The chunk `number` of `child`, whose dimensions are those of `parent` or half as long (rounded up).
    pub fn new(parent: &'a Level, child: &'a Level, number: u64) -> Self {
        let shift = parent.shape.iter().zip(&child.shape).map(|(p, c)| u32::from(p != c)).collect();
        let from: Vec<u64> =
            child.chunk_at(number).iter().zip(&child.chunk).map(|(at, extent)| at * extent).collect();
        let to = from.iter().zip(&child.chunk).zip(&child.shape).map(|((f, c), s)| (f + c).min(*s)).collect();
        Self { parent, child, shift, from, to }
    }

    /// Voxels of the chunk, its padding included.
    pub fn voxels(&self) -> usize {
        self.child.chunk_voxels() as usize
    }

    /// What it covers of the level before.
    fn covered(&self, d: usize) -> Range<u64> {
        self.from[d] << self.shift[d]..(self.to[d] << self.shift[d]).min(self.parent.shape[d])
    }

    /// The chunks of the level before that it touches.
    pub fn parents(&self) -> Vec<u64> {
        let ranges: Vec<Range<u64>> = (0..self.shift.len())
            .map(|d| {
                let (covered, extent) = (self.covered(d), self.parent.chunk[d]);
                covered.start / extent..(covered.end - 1) / extent + 1
            })
            .collect();
        places(&ranges).map(|at| self.parent.chunk_number(&at)).collect()
    }

    /// The rows that a chunk of the level before has in it.
    pub fn rows(&self, number: u64) -> impl Iterator<Item = Row> + '_ {
        let parent = self.parent;
        let origin: Vec<u64> =
            parent.chunk_at(number).iter().zip(&parent.chunk).map(|(at, extent)| at * extent).collect();
        let inside = |d: usize| {
            let covered = self.covered(d);
            covered.start.max(origin[d])..covered.end.min(origin[d] + parent.chunk[d])
        };
        let last = self.shift.len() - 1;
        let mut ranges: Vec<Range<u64>> = (0..=last).map(inside).collect();
        let along = ranges[last].clone();
        ranges[last] = along.start..along.start + 1;
        places(&ranges).map(move |at| {
            let source = (0..=last).fold(0, |n, d| n * parent.chunk[d] + at[d] - origin[d]);
            let target =
                (0..=last).fold(0, |n, d| n * self.child.chunk[d] + (at[d] >> self.shift[d]) - self.from[d]);
            let is_second = |d: usize| self.shift[d] == 1 && at[d] % 2 == 1;
            Row {
                source: source as usize,
                len: along.end.saturating_sub(along.start) as usize,
                target: target as usize,
                halves: self.shift[last] == 1,
                is_odd: is_second(last),
                is_first: !(0..last).any(is_second),
            }
        })
    }

    /// How many voxels of the level before each voxel covers; padding is left out.
    pub fn counts(&self) -> impl Iterator<Item = Run> + '_ {
        let last = self.shift.len() - 1;
        let ranges: Vec<Range<u64>> =
            (0..=last).map(|d| self.from[d]..if d == last { self.from[d] + 1 } else { self.to[d] }).collect();
        let covers = |d: usize, at: u64| {
            if self.shift[d] == 0 { 1 } else { (self.parent.shape[d] - 2 * at).min(2) as i32 }
        };
        places(&ranges).flat_map(move |at| {
            let outer: i32 = (0..last).map(|d| covers(d, at[d])).product();
            let start = (0..=last).fold(0, |n, d| n * self.child.chunk[d] + at[d] - self.from[d]) as usize;
            let len = (self.to[last] - self.from[last]) as usize;
            let (first, end) = (covers(last, self.from[last]), covers(last, self.to[last] - 1));
            // Only the last one can lie at an odd edge.
            [
                Run { voxels: start..start + len - 1, count: outer * first },
                Run { voxels: start + len - 1..start + len, count: outer * end },
            ]
        })
    }
}

/// Every place in a box, in C order.
fn places(ranges: &[Range<u64>]) -> impl Iterator<Item = Vec<u64>> + use<> {
    let ranges = ranges.to_vec();
    let is_empty = ranges.iter().any(Range::is_empty);
    let mut next = (!is_empty).then(|| ranges.iter().map(|r| r.start).collect::<Vec<u64>>());
    std::iter::from_fn(move || {
        let at = next.take()?;
        let mut following = at.clone();
        for d in (0..ranges.len()).rev() {
            following[d] += 1;
            if following[d] < ranges[d].end {
                next = Some(following);
                break;
            }
            following[d] = ranges[d].start;
        }
        Some(at)
    })
}
