//! Tiles are cut and their upload is recorded.

use super::{frame::Renderer, gpu::Gpu};
use crate::residency::{
    cache::ChunkCache,
    cut,
    plan::{Plan, TileJob},
    pools::{self, Pools},
    slab::Slab,
};
use lucida_components::{applied::ViewState, lod::Budgets, metrics::Metrics};
use std::time::{Duration, Instant};

/// Cuts tiles and records their upload: the essential ones all, the others while the turn's time lasts.
#[expect(clippy::too_many_arguments, reason = "reads the cache, writes pools and commands")]
pub(super) fn upload(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    state: &ViewState,
    plan: &mut Plan,
    pools: &mut Pools,
    cache: &mut ChunkCache,
    budgets: &Budgets,
    metrics: &mut Metrics,
) {
    let started = Instant::now();
    let budget = Duration::from_micros(budgets.upload_micros);
    let jobs = std::mem::take(&mut plan.uploads);
    let mut done = 0;
    for (n, job) in jobs.iter().enumerate() {
        if n >= plan.essential && started.elapsed() >= budget {
            break;
        }
        done = n + 1;
        if upload_tile(renderer, gpu, encoder, state, job, pools, cache, metrics).is_none() {
            // The pool is full of what this picture needs, or a chunk was evicted meanwhile: the next
            // plan will see.
            plan.stale = true;
        }
    }
    if done > 0 {
        plan.stamp += 1;
        plan.stale = true;
    }
    plan.essential = plan.essential.saturating_sub(done);
    plan.uploads = jobs[done..].to_vec();
}

#[expect(clippy::too_many_arguments, reason = "see upload")]
fn upload_tile(
    renderer: &mut Renderer,
    gpu: &Gpu,
    encoder: &mut wgpu::CommandEncoder,
    state: &ViewState,
    job: &TileJob,
    pools: &mut Pools,
    cache: &mut ChunkCache,
    metrics: &mut Metrics,
) -> Option<()> {
    let layer = &state.layers[job.layer];
    let image = &state.dataset.images[layer.layer.image];
    let plane = Slab::of(state, layer, image, job.level)?.plane(job.plane);
    let chunks: Vec<_> =
        plane.chunks(job.at).map(|key| Some((key, cache.get(&key)?.clone()))).collect::<Option<_>>()?;
    let missing = chunks.iter().any(|(_, c)| c.is_err());
    let width = image.dtype.size();
    let (slot, evicted) = pools.insert(width, plane.key(job.at), missing)?;
    let stride = pools::stride(width);
    let target = renderer.buffers.pool_for_upload(gpu, pools::pool_of(width));
    let size = wgpu::BufferSize::new(stride)?;
    let mut view = renderer.belt.write_buffer(encoder, target, u64::from(slot.number) * stride, size);
    let mut tile = vec![0; stride as usize];
    cut::cut(&plane, job.at, image.dtype, &mut tile, |key| {
        chunks.iter().find(|(k, _)| k == key).map(|(_, c)| c)
    });
    view.copy_from_slice(&tile);
    metrics.tiles_uploaded += 1;
    metrics.tiles_evicted += u64::from(evicted);
    Some(())
}
