//! Chunks that the pool brought enter the cache.

use super::{cache::ChunkCache, plan::Plan};
use bevy_ecs::prelude::*;
use lucida_components::{chunk::Arrivals, lod::Budgets, metrics::Metrics};

/// Takes what arrived; views look again at what they can draw.
pub fn take(
    mut arrivals: ResMut<Arrivals>,
    mut cache: ResMut<ChunkCache>,
    mut plans: Query<&mut Plan>,
    budgets: Res<Budgets>,
    mut metrics: ResMut<Metrics>,
) {
    if arrivals.0.is_empty() {
        return;
    }
    let budget = budgets.cache_bytes(cache.largest);
    for (key, chunk) in arrivals.0.drain(..) {
        let Some(chunk) = chunk else {
            cache.note_making(key);
            continue;
        };
        match &chunk {
            Ok(_) => metrics.chunks_loaded += 1,
            Err(fault) => {
                metrics.chunks_failed += 1;
                tracing::warn!("drawn as missing: {fault}");
            }
        }
        cache.insert(key, chunk, budget);
    }
    metrics.cache_bytes = cache.bytes();
    for mut plan in &mut plans {
        plan.stale = true;
    }
}
