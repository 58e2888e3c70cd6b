//! Which thumbnails of a view are to be made, and when.

use super::picture;
use crate::residency::{cache::ChunkCache, slab::Span, wanted::Wanted};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    clock::{Clock, NextWake},
    controls::Projection,
    dataset::SourceId,
    ids::LayerId,
    thumbnail::Thumbnails,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// A layer's thumbnail is made at most this often.
pub const INTERVAL: Duration = Duration::from_millis(250);
/// What did not have its turn is due after this long: pictures come first.
const NEXT: Duration = Duration::from_millis(10);
/// Whatever it reads, a layer counts as so many values.
const LEAST: usize = 1 << 10;
/// Chunks that may be asked for, for one layer.
const MOST_CHUNKS: u64 = 256;

/// The thumbnails of a view in the making.
#[derive(Component, Debug, Default)]
pub struct Work {
    revision: u64,
    news: u64,
    layers: BTreeMap<LayerId, Sketch>,
    /// What is lacking has changed: the plan is to be made anew.
    pub(crate) asks: bool,
}

#[derive(Debug)]
struct Sketch {
    key: Key,
    due: bool,
    made: Option<Instant>,
    whole: bool,
    lacks: bool,
}

/// Planes of an image.
#[derive(Debug, Clone, PartialEq)]
struct Planes {
    source: SourceId,
    dims: [usize; 2],
    fixed: Vec<u64>,
    spans: Vec<Span>,
}

/// All that a thumbnail depends on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    planes: Option<Planes>,
    contrast: [f64; 2],
    gamma: f64,
    colormap: String,
    projection: Projection,
    label: Option<u32>,
}

impl Key {
    fn of(state: &ViewState, layer: &LayerState) -> Self {
        let c = &layer.controls;
        let planes = picture::slab(state, layer).map(|slab| {
            let first = slab.any();
            let (source, dims) = (first.image.source, first.dims);
            Planes { source, dims, fixed: first.fixed.clone(), spans: slab.spans().to_vec() }
        });
        Self {
            planes,
            contrast: c.contrast_limits,
            gamma: c.gamma,
            colormap: c.colormap.clone(),
            projection: c.projection,
            label: c.show_selected_label.then_some(c.selected_label),
        }
    }
}

impl Work {
    /// Looks for layers that look otherwise than their thumbnail. Hidden ones wait until they are shown.
    pub(super) fn look(&mut self, applied: &Applied, cache: &ChunkCache) {
        let state = &*applied.state;
        if self.revision != applied.revision {
            self.revision = applied.revision;
            self.layers.retain(|id, _| state.layer(*id).is_some());
            for layer in state.layers.iter().filter(|l| l.controls.visible) {
                let key = Key::of(state, layer);
                let made = match self.layers.get(&layer.id) {
                    Some(sketch) if sketch.key == key => continue,
                    known => known.and_then(|sketch| sketch.made),
                };
                let sketch = Sketch { key, due: true, made, whole: false, lacks: false };
                self.layers.insert(layer.id, sketch);
            }
        }
        if self.news != cache.news {
            self.news = cache.news;
            for sketch in self.layers.values_mut().filter(|s| !s.whole) {
                sketch.due = true;
            }
        }
    }

    /// Makes thumbnails that are due, as long as reads are `left` for this turn.
    pub(super) fn draw(
        &mut self,
        state: &ViewState,
        cache: &ChunkCache,
        clock: &Clock,
        wake: &mut NextWake,
        left: &mut usize,
        thumbnails: &mut Mut<Thumbnails>,
    ) {
        for (id, sketch) in self.layers.iter_mut().filter(|(_, s)| s.due) {
            let Some(layer) = state.layer(*id).filter(|l| l.controls.visible) else { continue };
            if let Some(at) = sketch.made.map(|at| at + INTERVAL).filter(|at| *at > clock.now) {
                wake.at(at);
                continue;
            }
            if *left == 0 {
                wake.after(clock, NEXT);
                return;
            }
            let picture = picture::draw(state, layer, cache);
            *left = left.saturating_sub(picture.reads.max(LEAST));
            self.asks |= picture.lacks != sketch.lacks;
            (sketch.due, sketch.whole, sketch.lacks) = (false, picture.whole, picture.lacks);
            let Some(thumbnail) = picture.thumbnail else { continue };
            sketch.made = Some(clock.now);
            if thumbnails.0.get(id).is_none_or(|t| **t != thumbnail) {
                thumbnails.0.insert(*id, Arc::new(thumbnail));
                // The mirror, which has already run in this turn, tells it.
                wake.at(clock.now);
            }
        }
    }

    /// Wants the chunks that thumbnails lack.
    pub(crate) fn read(&self, state: &ViewState, wanted: &mut Wanted) {
        let lacking = self.layers.iter().filter(|(_, s)| s.lacks).filter_map(|(id, _)| state.layer(*id));
        for layer in lacking.filter(|l| l.controls.visible) {
            let Some(slab) = picture::slab(state, layer) else { continue };
            let (first, extent) = (slab.any(), slab.any().extent());
            let grid = [0, 1].map(|side| extent[side].div_ceil(first.level().chunk[first.dims[side]]));
            if slab.count().saturating_mul(grid[0]).saturating_mul(grid[1]) > MOST_CHUNKS {
                continue;
            }
            for plane in slab.planes() {
                let at = (0..grid[0]).flat_map(|r| (0..grid[1]).map(move |c| [r, c]));
                for [row, column] in at {
                    if !wanted.ahead(&plane, plane.chunk_key(row, column)) {
                        return;
                    }
                }
            }
        }
    }
}
