//! Tiles and bricks are cut and their upload is recorded.

use super::{
    gpu::Gpu,
    memory::Refused,
    renderer::Renderer,
    staging::{NoStaging, Purpose},
};
use crate::residency::{
    cache::ChunkCache,
    cut,
    plan::{Plan, TileJob, Upload},
    pools::{self, Pools},
    slab::Slab,
};
use lucida_components::{applied::ViewState, lod::Budgets, metrics::Metrics};
use std::time::{Duration, Instant};

/// The most time that a turn cuts refinements for while nothing moves; more is waited for by nobody, and an intent
/// must not wait for less.
const AT_REST: Duration = Duration::from_millis(12);

/// Where tiles and bricks come from and go to.
pub(super) struct Uploading<'a> {
    pub renderer: &'a mut Renderer,
    pub gpu: &'a Gpu,
    pub encoder: &'a mut wgpu::CommandEncoder,
    pub pools: &'a mut Pools,
    pub cache: &'a mut ChunkCache,
    pub budgets: &'a Budgets,
    pub metrics: &'a mut Metrics,
    /// Nothing moves.
    pub is_at_rest: bool,
}

impl Uploading<'_> {
    /// Cuts tiles and bricks and records their upload, while there is room on the way to the GPU: the essential
    /// ones of a plan that is ready whatever time it takes, the others while the turn's time lasts. What remains
    /// stays in the plan.
    ///
    /// # Errors
    /// [`Refused`]: the GPU has no room for a pool.
    pub fn run(&mut self, state: &ViewState, plan: &mut Plan) -> Result<(), Refused> {
        let started = Instant::now();
        let budget = Duration::from_micros(self.budgets.upload_micros);
        let budget = if self.is_at_rest { budget.max(budget.saturating_mul(4).min(AT_REST)) } else { budget };
        let hurry = if plan.ready { plan.essential } else { 0 };
        if !plan.volume.is_empty() {
            // A pool that is to have another size gives its memory back before any asks for more.
            let bricks = &self.pools.bricks;
            self.renderer.bricks.fit(|class| bricks.layout(class));
        }
        let jobs = std::mem::take(&mut plan.uploads);
        let mut done = 0;
        while let Some(job) = jobs.get(done) {
            if done >= hurry && started.elapsed() >= budget {
                break;
            }
            let outcome = match job {
                Upload::Tile(job) => self.tile(state, job).map(|_| 1),
                Upload::Brick(_) => self.bricks(state, jobs[done..].iter().map_while(|job| job.brick())),
            };
            match outcome {
                // What could not be cut is looked at again by the next plan.
                Ok(count) => done += count,
                Err(NoStaging::Full) => break,
                Err(NoStaging::Refused(refused)) => return Err(refused),
            }
        }
        if done > 0 {
            plan.stamp += 1;
            plan.stale = true;
        }
        plan.essential = plan.essential.saturating_sub(done);
        plan.uploads = jobs[done..].to_vec();
        Ok(())
    }

    /// One tile. `None` where a chunk was evicted since the plan was made.
    fn tile(&mut self, state: &ViewState, job: &TileJob) -> Result<Option<()>, NoStaging> {
        let layer = &state.layers[job.layer];
        let image = &state.dataset.images[layer.layer.image];
        let Some(slab) = Slab::of(state, layer, image, job.level) else { return Ok(None) };
        let plane = slab.plane(job.plane);
        let key = |key| Some((key, self.cache.get(&key)?.clone()));
        let Some(chunks) = plane.chunks(job.at).map(key).collect::<Option<Vec<_>>>() else { return Ok(None) };
        let missing = chunks.iter().any(|(_, c)| c.as_ref().map_or(true, |data| data.missing));
        let width = image.dtype.size();
        let there = self.pools.peek(width, &plane.key(job.at));
        if there.is_some_and(|slot| slot.cut == self.pools.plan()) {
            // Another view's plan had it too.
            return Ok(Some(()));
        }
        let stride = pools::stride(width);
        self.renderer.staging.reserve(self.gpu, Purpose::Tiles, stride)?;
        let bytes = self.budgets.pool_bytes;
        let target = self.renderer.buffers.pool_for_upload(self.gpu, pools::pool_of(width), bytes)?;
        let Some((slot, evicted)) = self.pools.insert(width, plane.key(job.at), missing) else {
            return Ok(None);
        };
        let mut tile = vec![0; stride as usize];
        cut::cut(&plane, job.at, image.dtype, &mut tile, |key| {
            chunks.iter().find(|(k, _)| k == key).map(|(_, c)| c)
        });
        let target = (target, u64::from(slot.number) * stride);
        self.renderer.staging.write(self.gpu, self.encoder, target, Purpose::Tiles, &tile)?;
        self.metrics.tiles_uploaded += 1;
        self.metrics.tiles_evicted += u64::from(evicted);
        Ok(Some(()))
    }
}
