//! Which bricks a view draws from: a search from the coarsest level down, the most urgent brick first.
//!
//! It starts with the coarsest level of every layer. What was chosen is refined where a finer level is wanted at
//! its nearest point, so that the bricks above a chosen brick are always chosen too and answer while it is missing.
//! The search ends when everything that is wanted was chosen, or when the pools are full.

use super::{
    axis::Axis,
    chosen::{BrickLayer, BrickLevel, Window},
    detail::Detail,
    grid::{Block, BrickKey},
    pools::Class,
    region::{Box3, Region},
    uniform::uniform,
};
use lucida_components::{
    applied::{LayerState, ViewState},
    dataset::Multiscale,
    places,
};
use std::{collections::BinaryHeap, sync::Arc};

/// Bricks chosen at most, those that need no memory included.
const MOST: usize = 1 << 16;

/// The largest box that encloses the chosen bricks of a level: its page table is written for every picture.
const LARGEST_WINDOW: usize = 1 << 20;

/// A layer that is to be drawn.
#[derive(Debug)]
pub struct Layer<'a> {
    /// Place in `ViewState::layers`.
    pub index: usize,
    /// The layer.
    pub state: &'a LayerState,
    /// Its image.
    pub image: &'a Multiscale,
    /// Which level is wanted where.
    pub detail: Detail,
    /// The levels that have something at the view's place, finest first.
    pub blocks: Vec<Block<'a>>,
    /// Shared by the layers of an image.
    axes: Arc<[Axis; 3]>,
    region: Region,
    /// The longest side of a voxel, by level.
    voxel: Vec<f64>,
    /// The first brick of each level.
    keys: Vec<BrickKey>,
}

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
    /// Bricks that there is no room for, of coarsest levels and of finer ones. What would refine these is not
    /// counted.
    pub withheld: [u64; 2],
}

impl<'a> Layer<'a> {
    /// The layers of a view that shows a volume, of which something is drawn.
    pub fn all(state: &'a ViewState) -> Vec<Self> {
        let mut layers: Vec<Self> = Vec::new();
        for index in 0..state.layers.len() {
            let image = state.layers[index].layer.image;
            let axes = layers.iter().find(|l| l.state.layer.image == image).map(|l| l.axes.clone());
            layers.extend(Self::of(state, index, axes));
        }
        layers
    }

    fn of(state: &'a ViewState, index: usize, axes: Option<Arc<[Axis; 3]>>) -> Option<Self> {
        let layer = &state.layers[index];
        if !layer.controls.visible || layer.controls.opacity == 0.0 {
            return None;
        }
        let image = state.dataset.images.get(layer.layer.image)?;
        let blocks: Vec<Block> = (0..image.levels.len())
            .filter_map(|level| Block::of(state, image, layer.layer.channel, level))
            .collect();
        let finest = blocks.first()?;
        let scene = |side: usize| places::world_extent(&state.dataset, state.displayed()[side]);
        let axes =
            axes.unwrap_or_else(|| Arc::new([0, 1, 2].map(|side| Axis::of(&blocks, side, scene(side)))));
        let longest = |block: &Block| {
            let sides = block.dims.iter().flatten().map(|&d| block.level().scale[d]);
            sides.fold(f64::MIN_POSITIVE, f64::max)
        };
        // An axis that the image lacks is one voxel as large as the scene.
        let lacking = (0..3).filter(|s| finest.dims[*s].is_none()).map(|s| scene(s)[1] - scene(s)[0]);
        let voxel = lacking.fold(longest(finest), f64::max);
        let region = Region::of(state, layer, [0, 1, 2].map(|s| axes[s].outer()), voxel);
        Some(Self {
            index,
            state: layer,
            image,
            detail: Detail::of(state, image),
            voxel: blocks.iter().map(longest).collect(),
            keys: blocks.iter().map(|block| block.key([0; 3])).collect(),
            blocks,
            axes,
            region,
        })
    }

    /// The class of its bricks.
    pub fn class(&self) -> Class {
        Class::of(self.image.dtype)
    }

    /// The name of a brick.
    pub fn key(&self, block: usize, at: [u32; 3]) -> BrickKey {
        BrickKey { at, ..self.keys[block] }
    }

    /// World box that bricks `[from, to)` of a level and all that refines them reach over; along z, y, x.
    fn reach(&self, block: usize, from: [u32; 3], to: [u32; 3]) -> Box3 {
        std::array::from_fn(|i| {
            if from[i] + 1 == to[i] {
                self.axes[i].span(block, from[i]).reach
            } else {
                self.axes[i].reach(block, [from[i], to[i]])
            }
        })
    }

    /// Whether a finer level is wanted where a pixel covers `pixel` world units.
    fn is_coarse(&self, block: usize, pixel: f64) -> bool {
        block > 0 && self.detail.wanted(pixel) <= self.blocks[block - 1].number
    }

    /// How urgent a level is where a pixel covers `pixel` world units: how many times too coarse the answer is
    /// without it, twice as urgent in the middle as in the corners of the picture.
    fn urgency(&self, without: usize, seen: &Box3, pixel: f64) -> f64 {
        self.voxel[without] / pixel / (1.0 + self.region.aside(seen))
    }
}

/// What is to be looked at: a brick, or a box of bricks of the coarsest level.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    layer: u16,
    block: u16,
    from: [u32; 3],
    to: [u32; 3],
    /// Place among the chosen of what it refines.
    parent: u32,
    /// A finer level is wanted somewhere in it.
    is_coarse: bool,
}

impl Candidate {
    fn count(&self) -> u64 {
        (0..3).fold(1, |n: u64, i| n.saturating_mul(u64::from(self.to[i] - self.from[i])))
    }
}

/// Candidates, the most urgent out first. In one number each: the coarsest level before all others, then by
/// urgency, then in the order in which they came, which depends on nothing but what is seen.
#[derive(Debug, Default)]
struct Queue {
    heap: BinaryHeap<u64>,
    candidates: Vec<Candidate>,
}

impl Queue {
    fn push(&mut self, is_coarsest: bool, urgency: f64, candidate: Candidate) {
        // Bits of floats that are not negative rise with them.
        let urgency = u64::from((urgency as f32).max(0.0).to_bits());
        let place = self.candidates.len() as u32;
        self.heap.push(u64::from(is_coarsest) << 63 | urgency << 32 | u64::from(!place));
        self.candidates.push(candidate);
    }

    /// What was not taken out, in any order.
    fn rest(&self) -> impl Iterator<Item = (&Candidate, bool)> {
        self.heap.iter().map(|key| (&self.candidates[!(*key as u32) as usize], key >> 63 == 1))
    }

    /// The most urgent, and whether it is of the coarsest level.
    fn pop(&mut self) -> Option<(Candidate, bool)> {
        let key = self.heap.pop()?;
        Some((self.candidates[!(key as u32) as usize], key >> 63 == 1))
    }
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
    // Bricks that would refine a chosen one and are not chosen yet.
    let mut open: Vec<u32> = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let block = layer.blocks.len() - 1;
        let to = [0, 1, 2].map(|i| layer.axes[i].bricks(block));
        push_box(layer, number as u16, block as u16, [0; 3], to, &mut queue);
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
            } else {
                split(layer, &next, &mut queue);
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
        let (refined, is_seen_coarser) = refine(layer, &next, place, &mut queue);
        open.push(refined);
        let is_drawn = is_seen_coarser || refined == 0;
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

/// Takes in what a chosen brick owns of the next finer level, is seen and wanted. Returns how many these are, and
/// whether some that is seen is not wanted.
fn refine(layer: &Layer, of: &Candidate, place: u32, queue: &mut Queue) -> (u32, bool) {
    let coarse = usize::from(of.block);
    if !of.is_coarse {
        return (0, true);
    }
    let fine = coarse - 1;
    let level = layer.blocks[fine].number;
    let [z, y, x] = [0, 1, 2].map(|i| layer.axes[i].span(coarse, of.from[i]).owns);
    let (mut refined, mut is_seen_coarser) = (0, false);
    for k in z[0]..z[1] {
        let depth = layer.axes[0].span(fine, k).reach;
        for j in y[0]..y[1] {
            let height = layer.axes[1].span(fine, j).reach;
            for i in x[0]..x[1] {
                let reach = [depth, height, layer.axes[2].span(fine, i).reach];
                let Some(seen) = layer.region.seen(&reach) else { continue };
                let pixel = layer.region.pixel(&seen);
                if layer.detail.wanted(pixel) > level {
                    is_seen_coarser = true;
                    continue;
                }
                refined += 1;
                let from = [k, j, i];
                let to = from.map(|v| v + 1);
                let is_coarse = layer.is_coarse(fine, pixel);
                let candidate =
                    Candidate { layer: of.layer, block: fine as u16, from, to, parent: place, is_coarse };
                queue.push(false, layer.urgency(coarse, &seen, pixel), candidate);
            }
        }
    }
    (refined, is_seen_coarser)
}

/// Takes in a box of bricks of the coarsest level, if any of it is seen.
fn push_box(layer: &Layer, number: u16, block: u16, from: [u32; 3], to: [u32; 3], queue: &mut Queue) {
    let level = usize::from(block);
    if let Some(seen) = layer.region.seen(&layer.reach(level, from, to)) {
        let pixel = layer.region.pixel(&seen);
        let is_coarse = layer.is_coarse(level, pixel);
        let candidate = Candidate { layer: number, block, from, to, parent: 0, is_coarse };
        queue.push(true, layer.urgency(level, &seen, pixel), candidate);
    }
}

/// Halves a box along its longest side.
fn split(layer: &Layer, of: &Candidate, queue: &mut Queue) {
    let side = (0..3).max_by_key(|&i| of.to[i] - of.from[i]).unwrap_or(0);
    let middle = of.from[side].midpoint(of.to[side]);
    let (mut to, mut from) = (of.to, of.from);
    to[side] = middle;
    from[side] = middle;
    push_box(layer, of.layer, of.block, of.from, to, queue);
    push_box(layer, of.layer, of.block, from, of.to, queue);
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
