//! Bricks are cut by several threads at once, straight into the memory that the GPU copies from.

use super::{
    staging::{BrickPlace, NoStaging},
    upload::Uploading,
};
use crate::residency::{
    bricks::{
        cut::{Cut, Cutter},
        grid::{Block, BrickKey},
        pools::Class,
        uniform::uniform,
    },
    cache::ChunkCache,
    plan::BrickJob,
};
use lucida_components::applied::{LayerState, ViewState};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    thread::{self, available_parallelism},
};

/// Threads that cut, at most: copying is bound by memory.
const MOST_THREADS: usize = 8;

/// Bricks that a thread cuts before the time is looked at again: about a millisecond.
const AT_ONCE: usize = 6;

/// What each thread cuts into; as many threads as there are of them.
#[derive(Debug)]
pub(super) struct Cutters(Vec<Cutter>);

impl Default for Cutters {
    /// Half of the cores: the others decode.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        Self::of(cores / 2)
    }
}

impl Cutters {
    /// So many, within bounds.
    pub fn of(threads: usize) -> Self {
        Self((0..threads.clamp(1, MOST_THREADS)).map(|_| Cutter::default()).collect())
    }
}

/// A brick with a place on the way to the GPU.
struct Pending<'a> {
    block: Block<'a>,
    layer: &'a LayerState,
    key: BrickKey,
    class: Class,
    place: BrickPlace,
    /// It stands on the GPU, with parts that were missing.
    is_there: bool,
    cut: Option<Cut>,
}

impl Pending<'_> {
    /// Whether it needs no memory because it looks the same everywhere. The coarsest level always has some, so that
    /// another contrast is answered at once.
    fn is_uniform(&self, cut: &Cut) -> bool {
        let is_coarsest = self.block.number + 1 == self.block.image.levels.len();
        !cut.missing && !is_coarsest && !self.is_there && uniform(cut.range, self.layer).is_some()
    }

    /// Cuts it, and writes what needs memory.
    fn run(&mut self, cutter: &mut Cutter, cache: &ChunkCache, strip: Option<&mut wgpu::BufferViewMut>) {
        let cut = cutter.cut(&self.block, self.key.at, |key| cache.peek(key));
        if let Some(strip) = strip.filter(|_| !self.is_uniform(&cut)) {
            let values = cutter.values(self.block.image.dtype);
            self.place.write(strip, values, bytemuck::cast_slice(&cut.cells));
        }
        self.cut = Some(cut);
    }
}

impl Uploading<'_> {
    /// Some of these bricks. Returns how many were dealt with, at least one: what could not be cut because a chunk
    /// was evicted since, or because there is no slot any more, is looked at again by the next plan.
    pub(super) fn bricks(
        &mut self,
        state: &ViewState,
        jobs: impl Iterator<Item = BrickJob>,
    ) -> Result<usize, NoStaging> {
        let mut pending: Vec<Pending> = Vec::new();
        let mut done = 0;
        for job in jobs.take(self.renderer.cutters.0.len() * AT_ONCE) {
            match self.prepare(state, &job, &pending) {
                Ok(brick) => pending.extend(brick),
                Err(NoStaging::Full) if !pending.is_empty() => break,
                Err(error) => return Err(error),
            }
            done += 1;
        }
        self.cut(&mut pending);
        for brick in pending {
            self.record(brick)?;
        }
        Ok(done)
    }

    /// A brick that is to be cut; `None` where there is nothing to do or nothing can be done.
    fn prepare<'s>(
        &mut self,
        state: &'s ViewState,
        job: &BrickJob,
        others: &[Pending],
    ) -> Result<Option<Pending<'s>>, NoStaging> {
        let layer = &state.layers[job.layer];
        let image = &state.dataset.images[layer.layer.image];
        let Some(block) = Block::of(state, image, layer.layer.channel, job.level) else { return Ok(None) };
        let (key, class) = (block.key(job.at), Class::of(image.dtype));
        let there = self.pools.bricks.peek(class, &key);
        let is_new = there.is_some_and(|slot| slot.cut == self.pools.plan());
        // Another view's plan, or another layer, may have it too.
        if is_new || others.iter().any(|other| other.key == key) {
            return Ok(None);
        }
        if block.chunks(job.at).any(|key| self.cache.get(&key).is_none()) {
            return Ok(None);
        }
        let place = self.renderer.staging.reserve_brick(self.gpu, class)?;
        // Before anything is cut in vain.
        self.renderer.bricks.pool(self.gpu, class, self.pools.bricks.layout(class))?;
        Ok(Some(Pending { block, layer, key, class, place, is_there: there.is_some(), cut: None }))
    }

    /// Cuts all of them. The bricks of a strip are one thread's.
    fn cut(&mut self, pending: &mut [Pending]) {
        let staging = &self.renderer.staging;
        let mut strips: BTreeMap<_, (Option<wgpu::BufferViewMut>, Vec<&mut Pending>)> = BTreeMap::new();
        for brick in pending {
            let place = brick.place;
            let strip = strips.entry(place.strip()).or_insert_with(|| (staging.strip(&place), Vec::new()));
            strip.1.push(brick);
        }
        let cache = &*self.cache;
        let cutters = &mut self.renderer.cutters.0;
        let share = strips.len().div_ceil(cutters.len()).max(1);
        let mut strips: Vec<_> = strips.into_values().collect();
        let run = |cutter: &mut Cutter, strips: &mut [(Option<wgpu::BufferViewMut>, Vec<&mut Pending>)]| {
            for (view, bricks) in strips {
                for brick in bricks {
                    brick.run(cutter, cache, view.as_mut());
                }
            }
        };
        thread::scope(|scope| {
            let mut shares = strips.chunks_mut(share).zip(cutters);
            let own = shares.next();
            for (n, (strips, cutter)) in shares.enumerate() {
                let thread = thread::Builder::new().name(format!("lucida-cut-{n}"));
                // Without a thread these bricks stay uncut, and the next plan has them again.
                if let Err(error) = thread.spawn_scoped(scope, move || run(cutter, strips)) {
                    tracing::debug!("no thread to cut bricks: {error}");
                }
            }
            if let Some((strips, cutter)) = own {
                run(cutter, strips);
            }
        });
    }

    /// Gives a brick its slot and records the copy.
    fn record(&mut self, brick: Pending) -> Result<(), NoStaging> {
        let Some(cut) = &brick.cut else { return Ok(()) };
        let (class, key) = (brick.class, brick.key);
        if brick.is_uniform(cut) {
            // Drawn from what is known of it.
            self.renderer.staging.release_brick(class, brick.place);
            self.pools.bricks.note(key, cut.range, false);
            self.metrics.bricks_uniform += 1;
            return Ok(());
        }
        let Some(slot) = self.pools.bricks.insert(class, key, cut.range, cut.missing) else {
            self.renderer.staging.release_brick(class, brick.place);
            return Ok(());
        };
        let pool = self.renderer.bricks.pool(self.gpu, class, self.pools.bricks.layout(class))?;
        let [x, y, z] = pool.origin(slot.number);
        let texels = wgpu::TexelCopyTextureInfo {
            texture: &pool.texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x, y, z },
            aspect: wgpu::TextureAspect::All,
        };
        let cells = (&*pool.cells, pool.cell_offset(slot.number));
        self.renderer.staging.copy_brick(self.encoder, &brick.place, texels, cells);
        self.metrics.bricks_uploaded += 1;
        Ok(())
    }
}
