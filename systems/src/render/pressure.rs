//! The GPU refuses memory: pools become smaller, and levels coarser, instead of the picture failing.

use super::{bricks::BrickPool, gpu::Gpu, memory::Refused, renderer::Renderer};
use crate::{
    residency::{plan::Plan, pools::Pools},
    txn::level::LevelClock,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    clock::{Clock, NextWake},
    incident::{Domain, Incident, Incidents, Severity},
    lod::Budgets,
    metrics::Metrics,
};
use std::time::Duration;

/// A pool is not made smaller than this: some sixty tiles of the widest values.
pub const LEAST_POOL: u64 = 4 << 20;

/// Brick pools together are not made smaller than this: sixteen bricks of the widest values.
pub const LEAST_BRICKS: u64 = 16 << 20;

/// Where even the smallest pools find no room it is tried again after this long.
const RETRY: Duration = Duration::from_secs(1);

/// After drawing: where memory was refused, halves the pools' budget and begins anew with empty pools. Views
/// choose their levels again; tiles come back out of the host's cache.
#[expect(clippy::too_many_arguments, reason = "everything that a pool's size touches")]
pub fn relieve(
    gpu: Res<Gpu>,
    mut renderer: ResMut<Renderer>,
    mut pools: ResMut<Pools>,
    mut budgets: ResMut<Budgets>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut metrics: ResMut<Metrics>,
    mut incidents: ResMut<Incidents>,
    mut views: Query<(&mut Plan, &mut LevelClock), With<Applied>>,
) {
    metrics.gpu_bytes = gpu.memory.used();
    (metrics.pool_bytes, metrics.brick_bytes) = (budgets.pool_bytes, budgets.brick_bytes);
    let Some(refused) = renderer.refused.take() else { return };
    metrics.gpu_refusals += 1;
    match smaller(&budgets, &refused, !renderer.bricks.is_empty()) {
        None => {
            if !std::mem::replace(&mut renderer.exhausted, true) {
                tracing::error!("{refused}, and no pool can be smaller: pictures stand until there is");
                incidents.report(no_room(Severity::Critical, "the last picture stands until there is"));
                wake.at(clock.now);
            }
            renderer.retry = Some(clock.now + RETRY);
            wake.at(clock.now + RETRY);
        }
        Some(less) => {
            tracing::warn!(
                "{refused}: tile pools of {} and brick pools of {} instead of {} and {} bytes",
                less.pool_bytes,
                less.brick_bytes,
                budgets.pool_bytes,
                budgets.brick_bytes
            );
            incidents.report(no_room(Severity::Warning, "it is drawn coarser"));
            *budgets = less;
            wake.at(clock.now);
        }
    }
    (metrics.pool_bytes, metrics.brick_bytes) = (budgets.pool_bytes, budgets.brick_bytes);
    renderer.forget_tiles();
    *pools = Pools::new(&budgets);
    for (mut plan, mut level) in &mut views {
        plan.forget();
        level.recheck = true;
    }
}

/// After there was none for the smallest pools.
pub(super) fn has_room() -> Incident {
    let message = "the GPU has room again".into();
    Incident { domain: Domain::Gpu, code: "gpu.room", message, severity: Severity::Info }
}

fn no_room(severity: Severity, then: &str) -> Incident {
    let message = format!("the GPU has no room for what is seen: {then}");
    Incident { domain: Domain::Gpu, code: "gpu.memory", message, severity }
}

/// The budgets with one of them halved: that of the brick pools where memory for these was refused, or where they
/// hold some and tile pools have less; otherwise that of the tile pools. `None` where neither can be smaller.
fn smaller(budgets: &Budgets, refused: &Refused, has_bricks: bool) -> Option<Budgets> {
    let half = |bytes: u64, least: u64| (bytes > least).then(|| (bytes / 2).max(least) & !3);
    let tiles = half(budgets.pool_bytes, LEAST_POOL).map(|pool_bytes| Budgets { pool_bytes, ..*budgets });
    let bricks =
        half(budgets.brick_bytes, LEAST_BRICKS).map(|brick_bytes| Budgets { brick_bytes, ..*budgets });
    let is_for_tiles = refused.what.starts_with("pool");
    if BrickPool::PARTS.contains(&refused.what)
        || (has_bricks && !is_for_tiles && budgets.brick_bytes > budgets.pool_bytes)
    {
        bricks.or(tiles)
    } else if has_bricks {
        tiles.or(bricks)
    } else {
        tiles
    }
}
