//! A lost device leaves the world, another comes. The ledger, the host's cache and the sessions stay.

use super::{effort::Effort, gpu::Gpu, job::Handover, pictures::Pictures, renderer::Renderer};
use crate::{
    residency::{plan::Plan, pools::Pools},
    txn::level::LevelClock,
};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    incident::{Domain, Incident, Incidents, Severity},
    lod::Budgets,
    metrics::Metrics,
    notice::Residency,
};

/// Takes away everything that lived on the device. Nothing is planned or drawn until [`put_in`]; clients are
/// told that they wait. Slots that still come back belong to rings that are gone, and the answers of their
/// frames are owed.
pub fn take_away(world: &mut World) {
    world.remove_resource::<Gpu>();
    world.remove_resource::<Renderer>();
    world.remove_resource::<Pools>();
    world.resource_mut::<Handover>().0.clear();
    let mut metrics = world.resource_mut::<Metrics>();
    metrics.gpu_losses += 1;
    metrics.gpu_bytes = 0;
    world.resource_mut::<Incidents>().report(Incident {
        domain: Domain::Gpu,
        code: "gpu.lost",
        message: "the GPU was lost: the last picture stands until it is opened again".into(),
        severity: Severity::Critical,
    });
    for (mut pictures, mut effort) in world.query::<(&mut Pictures, &mut Effort)>().iter_mut(world) {
        pictures.forget();
        effort.forget();
    }
    for (mut plan, mut residency) in
        world.query_filtered::<(&mut Plan, &mut Residency), With<Applied>>().iter_mut(world)
    {
        plan.forget();
        let waiting = Residency { waiting: true, ..*residency };
        residency.set_if_neq(waiting);
    }
}

/// Puts another device in its place: pools are empty and filled out of the host's cache, levels are chosen
/// again where the budgets differ.
pub fn put_in(world: &mut World, gpu: Gpu, renderer: Renderer, budgets: Budgets) {
    world.insert_resource(Pools::new(&budgets));
    world.insert_resource(renderer);
    world.insert_resource(gpu);
    world.resource_mut::<Incidents>().report(Incident {
        domain: Domain::Gpu,
        code: "gpu.back",
        message: "the GPU is there again".into(),
        severity: Severity::Info,
    });
    let before = std::mem::replace(&mut *world.resource_mut::<Budgets>(), budgets);
    for (mut plan, mut level) in
        world.query_filtered::<(&mut Plan, &mut LevelClock), With<Applied>>().iter_mut(world)
    {
        plan.forget();
        level.recheck |= before != budgets;
    }
}
