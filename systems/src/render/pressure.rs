//! The GPU refuses memory: pools become smaller, and levels coarser, instead of the picture failing.

use super::{gpu::Gpu, renderer::Renderer};
use crate::{
    residency::{plan::Plan, pools::Pools},
    txn::level::LevelClock,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    clock::{Clock, NextWake},
    lod::Budgets,
    metrics::Metrics,
};
use std::time::Duration;

/// A pool is not made smaller than this: some sixty tiles of the widest values.
pub const LEAST_POOL: u64 = 4 << 20;

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
    mut views: Query<(&mut Plan, &mut LevelClock), With<Applied>>,
) {
    metrics.gpu_bytes = gpu.memory.used();
    metrics.pool_bytes = budgets.pool_bytes;
    let Some(refused) = renderer.refused.take() else { return };
    metrics.gpu_refusals += 1;
    if budgets.pool_bytes <= LEAST_POOL {
        if !std::mem::replace(&mut renderer.exhausted, true) {
            tracing::error!("{refused}, and tile pools cannot be smaller: pictures stand until there is");
        }
        renderer.retry = Some(clock.now + RETRY);
        wake.at(clock.now + RETRY);
    } else {
        let before = budgets.pool_bytes;
        budgets.pool_bytes = (before / 2).max(LEAST_POOL) & !3;
        tracing::warn!("{refused}: tile pools of {} instead of {before} bytes", budgets.pool_bytes);
        wake.at(clock.now);
    }
    metrics.pool_bytes = budgets.pool_bytes;
    renderer.forget_tiles();
    *pools = Pools::new(&budgets);
    for (mut plan, mut level) in &mut views {
        plan.forget();
        level.recheck = true;
    }
}
