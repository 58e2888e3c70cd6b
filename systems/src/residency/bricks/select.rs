//! Which bricks a view draws from: a search from the coarsest level down, the most urgent brick first.
//!
//! It starts with the coarsest level of every layer. What was chosen is refined where a finer level is wanted at
//! its nearest point, so that the bricks above a chosen brick are always chosen too and answer while it is missing.
//! The search ends when everything that is wanted was chosen, or when the pools are full.

use super::{
    chosen::{BrickLayer, BrickLevel, Window},
    grid::BrickKey,
    layer::Layer,
    pools::Class,
    queue::{Candidate, Queue},
    region::Box3,
    uniform::uniform,
};

/// Bricks chosen at most, those that need no memory included.
const MOST: usize = 1 << 16;

/// Bricks of a box that are looked at one by one; larger boxes are halved.
const AT_ONCE: u64 = 64;

/// The largest box that encloses the chosen bricks of a level: its page table is written for every picture.
const LARGEST_WINDOW: usize = 1 << 20;

/// A chosen brick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Place in the list of layers that was searched.
    pub layer: u16,
    /// Place in [`Layer::blocks`].
    pub block: u16,
    /// Along z, y, x.
    pub at: [u32; 3],
    /// Place among the chosen of the brick that it refines; its own where it is of the coarsest level.
    pub parent: u32,
    /// Some of it is seen at its own level, however much is there.
    pub is_drawn: bool,
    /// It looks the same everywhere and needs no memory.
    pub is_uniform: bool,
}

/// What was chosen.
#[derive(Debug, Default)]
pub struct Selection {
    /// The bricks, most urgent first: the coarsest level of every layer, then what refines it.
    pub bricks: Vec<Chosen>,
    /// How many of them are of the coarsest level.
    pub coarsest: usize,
    /// Bricks that there is no room for, of coarsest levels and of finer ones, at most: boxes of them are counted and
    /// not looked into. What would refine these is not counted.
    pub withheld: [u64; 2],
}

/// Chooses bricks of `layers` within `room` slots of each class. `known` is the smallest and largest value of a
/// brick that was seen before.
pub fn select(
    layers: &[Layer],
    mut room: [u64; Class::ALL.len()],
    known: impl Fn(&BrickKey) -> Option<[f32; 2]>,
) -> Selection {
    let mut selection = Selection::default();
    let mut queue = Queue::default();
    let mut windows: Vec<Vec<Window>> =
        layers.iter().map(|layer| vec![Window::default(); layer.blocks.len()]).collect();
    // Bricks, and boxes of them, that would refine a chosen one and are not chosen yet.
    let mut open: Vec<u32> = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let block = layer.blocks.len() - 1;
        let to = [0, 1, 2].map(|i| layer.axes[i].bricks(block));
        let all = Candidate {
            layer: number as u16,
            block: block as u16,
            from: [0; 3],
            to,
            parent: 0,
            is_coarse: false,
        };
        expand(layer, &all, true, &mut queue);
    }
    for class in Class::ALL {
        // What no layer is of counts as full.
        if layers.iter().all(|layer| layer.class() != class) {
            room[class as usize] = 0;
        }
    }
    // Where nothing has any room, the rest is counted and not looked at.
    while room.iter().any(|slots| *slots > 0) {
        let Some((next, is_coarsest)) = queue.pop() else { break };
        let (number, block) = (usize::from(next.layer), usize::from(next.block));
        let layer = &layers[number];
        let class = layer.class() as usize;
        let withheld = &mut selection.withheld[usize::from(!is_coarsest)];
        if selection.bricks.len() >= MOST {
            *withheld = withheld.saturating_add(next.count());
            continue;
        }
        if next.count() > 1 {
            if room[class] == 0 {
                *withheld = withheld.saturating_add(next.count());
                continue;
            }
            let taken = expand(layer, &next, is_coarsest, &mut queue);
            if !is_coarsest {
                let parent = next.parent as usize;
                open[parent] = open[parent] + taken.count - 1;
                selection.bricks[parent].is_drawn |= taken.is_seen_coarser;
            }
            continue;
        }
        let range = known(&layer.key(block, next.from));
        // The coarsest level is there whatever the contrast, so that a changed one is answered at once.
        let is_constant = |range: &[f32; 2]| !is_coarsest || range[0] >= range[1];
        let is_uniform = range.filter(is_constant).is_some_and(|r| uniform(r, layer.state).is_some());
        let mut window = windows[number][block];
        window.include(next.from);
        if (room[class] == 0 && !is_uniform) || window.count() > LARGEST_WINDOW {
            *withheld = withheld.saturating_add(1);
            continue;
        }
        windows[number][block] = window;
        room[class] -= u64::from(!is_uniform);
        let place = selection.bricks.len() as u32;
        if is_coarsest {
            selection.coarsest += 1;
        } else {
            open[next.parent as usize] -= 1;
        }
        let parent = if is_coarsest { place } else { next.parent };
        let taken = refine(layer, &next, place, &mut queue);
        open.push(taken.count);
        let is_drawn = taken.is_seen_coarser || taken.count == 0;
        let brick =
            Chosen { layer: next.layer, block: next.block, at: next.from, parent, is_drawn, is_uniform };
        selection.bricks.push(brick);
    }
    for (candidate, is_coarsest) in queue.rest() {
        let withheld = &mut selection.withheld[usize::from(!is_coarsest)];
        *withheld = withheld.saturating_add(candidate.count());
    }
    for (brick, open) in selection.bricks.iter_mut().zip(open) {
        brick.is_drawn |= open > 0;
    }
    selection
}

/// What came of taking bricks in.
#[derive(Debug, Default, Clone, Copy)]
struct Taken {
    /// Bricks and boxes that are to be looked at.
    count: u32,
    /// Some that is seen is not wanted: what it would refine is drawn there.
    is_seen_coarser: bool,
}

/// Takes in what a chosen brick owns of the next finer level.
fn refine(layer: &Layer, of: &Candidate, place: u32, queue: &mut Queue) -> Taken {
    if !of.is_coarse {
        return Taken { count: 0, is_seen_coarser: true };
    }
    let owns = [0, 1, 2].map(|i| layer.axes[i].span(usize::from(of.block), of.from[i]).owns);
    if owns.iter().any(|[from, to]| from >= to) {
        return Taken::default();
    }
    let (from, to) = (owns.map(|side| side[0]), owns.map(|side| side[1]));
    expand(layer, &Candidate { block: of.block - 1, from, to, parent: place, ..*of }, false, queue)
}

/// Takes in the bricks of a box that are seen and wanted; of a large one its halves along the longest side, so that
/// a coarse brick that owns very many is searched like any.
fn expand(layer: &Layer, of: &Candidate, is_coarsest: bool, queue: &mut Queue) -> Taken {
    let mut taken = Taken::default();
    if of.count() > AT_ONCE {
        let side = (0..3).max_by_key(|&i| of.to[i] - of.from[i]).unwrap_or(0);
        let middle = of.from[side].midpoint(of.to[side]);
        let (mut first, mut second) = (*of, *of);
        (first.to[side], second.from[side]) = (middle, middle);
        for half in [first, second] {
            let reach = layer.reach(usize::from(of.block), half.from, half.to);
            take(layer, half, &reach, is_coarsest, queue, &mut taken);
        }
        return taken;
    }
    let block = usize::from(of.block);
    for k in of.from[0]..of.to[0] {
        let depth = layer.axes[0].span(block, k).reach;
        for j in of.from[1]..of.to[1] {
            let height = layer.axes[1].span(block, j).reach;
            for i in of.from[2]..of.to[2] {
                let reach = [depth, height, layer.axes[2].span(block, i).reach];
                let brick = Candidate { from: [k, j, i], to: [k + 1, j + 1, i + 1], ..*of };
                take(layer, brick, &reach, is_coarsest, queue, &mut taken);
            }
        }
    }
    taken
}

/// Takes in one brick or box, if it is seen and wanted.
fn take(
    layer: &Layer,
    mut candidate: Candidate,
    reach: &Box3,
    is_coarsest: bool,
    queue: &mut Queue,
    taken: &mut Taken,
) {
    let Some(seen) = layer.region.seen(reach) else { return };
    let block = usize::from(candidate.block);
    let pixel = layer.region.pixel(&seen);
    if !is_coarsest && layer.detail.wanted(pixel) > layer.blocks[block].number {
        taken.is_seen_coarser = true;
        return;
    }
    candidate.is_coarse = layer.is_coarse(block, pixel);
    // Without it what it refines is drawn.
    let without = if is_coarsest { block } else { block + 1 };
    queue.push(is_coarsest, layer.urgency(without, &seen, pixel), candidate);
    taken.count += 1;
}

impl Selection {
    /// What drawing reads: by layer and level.
    pub fn by_level(&self, layers: &[Layer]) -> Vec<BrickLayer> {
        let mut found: Vec<BrickLayer> = layers
            .iter()
            .map(|layer| BrickLayer {
                layer: layer.index,
                detail: layer.detail.clone(),
                levels: (layer.blocks.iter())
                    .map(|block| BrickLevel { level: block.number, ..BrickLevel::default() })
                    .collect(),
            })
            .collect();
        for brick in &self.bricks {
            let level = &mut found[usize::from(brick.layer)].levels[usize::from(brick.block)];
            level.window.include(brick.at);
            level.bricks.push(brick.at);
        }
        for layer in &mut found {
            layer.levels.retain(|level| !level.bricks.is_empty());
        }
        found.retain(|layer| !layer.levels.is_empty());
        found
    }
}
