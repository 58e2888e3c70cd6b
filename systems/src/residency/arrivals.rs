//! Chunks that the pool brought go into the host cache.

use super::{cache::ChunkCache, plan::Plan};
use bevy_ecs::prelude::*;
use lucida_components::{chunk::Arrivals, clock::Clock, lod::Budgets, metrics::Metrics};

/// Takes what arrived; views look again at what they can draw.
pub fn take(
    mut arrivals: ResMut<Arrivals>,
    mut cache: ResMut<ChunkCache>,
    mut plans: Query<&mut Plan>,
    budgets: Res<Budgets>,
    clock: Res<Clock>,
    mut metrics: ResMut<Metrics>,
) {
    if arrivals.0.is_empty() {
        return;
    }
    let budget = budgets.cache_bytes(cache.largest);
    cache.news += arrivals.0.len() as u64;
    for (key, chunk) in arrivals.0.drain(..) {
        match chunk {
            // Word that it comes later.
            None => cache.note_making(key),
            Some(Ok(chunk)) => {
                metrics.chunks_loaded += 1;
                if cache.faults.came(key) {
                    tracing::info!("chunk {} of level {} could be read again", key.number, key.level);
                }
                cache.insert(key, chunk, budget);
            }
            Some(Err(fault)) => {
                metrics.chunks_failed += 1;
                cache.forget_making_of(&key);
                let text = fault.to_string();
                // Said once; that it still cannot be read is no news.
                if cache.faults.failed(key, fault, clock.now) {
                    tracing::warn!("drawn as missing: {text}");
                } else {
                    tracing::debug!("still missing: {text}");
                }
            }
        }
    }
    metrics.cache_bytes = cache.bytes();
    for mut plan in &mut plans {
        plan.stale = true;
    }
}
