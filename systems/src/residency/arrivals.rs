//! Chunks that the pool brought enter the cache.

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
    for (key, chunk) in arrivals.0.drain(..) {
        match chunk {
            Ok(chunk) => {
                metrics.chunks_loaded += 1;
                if cache.faults.came(key) {
                    tracing::info!("chunk {} of level {} could be read again", key.number, key.level);
                }
                cache.insert(key, chunk, budgets.host_bytes);
            }
            Err(fault) => {
                metrics.chunks_failed += 1;
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
