//! A layer as the choice of bricks sees it.

use super::{
    axis::Axis,
    detail::Detail,
    grid::{Block, BrickKey},
    pools::Class,
    region::{Box3, Region},
};
use lucida_components::{
    applied::{LayerState, ViewState},
    dataset::Multiscale,
    places,
};
use std::sync::Arc;

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
    pub(super) axes: Arc<[Axis; 3]>,
    pub(super) region: Region,
    /// The longest side of a voxel, by level.
    voxel: Vec<f64>,
    /// The first brick of each level.
    keys: Vec<BrickKey>,
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
    pub(super) fn reach(&self, block: usize, from: [u32; 3], to: [u32; 3]) -> Box3 {
        std::array::from_fn(|i| {
            if from[i] + 1 == to[i] {
                self.axes[i].span(block, from[i]).reach
            } else {
                self.axes[i].reach(block, [from[i], to[i]])
            }
        })
    }

    /// Whether a finer level is wanted where a pixel covers `pixel` world units.
    pub(super) fn is_coarse(&self, block: usize, pixel: f64) -> bool {
        block > 0 && self.detail.wanted(pixel) <= self.blocks[block - 1].number
    }

    /// How urgent a level is where a pixel covers `pixel` world units: how many times too coarse the answer is
    /// without it, twice as urgent in the middle as in the corners of the picture.
    pub(super) fn urgency(&self, without: usize, seen: &Box3, pixel: f64) -> f64 {
        self.voxel[without] / pixel / (1.0 + self.region.aside(seen))
    }
}
