//! Chunks that the pool brought go into the host cache.

use super::{cache::ChunkCache, plan::Plan};
use bevy_ecs::prelude::*;
use lucida_components::{
    chunk::{Arrivals, ChunkKey},
    clock::{Clock, NextWake},
    dataset::SourceId,
    incident::{Domain, Incident, Incidents, Severity},
    lod::Budgets,
    metrics::Metrics,
};
use std::collections::VecDeque;

/// Images of which is remembered that something of them could not be read.
const TOLD: usize = 64;

/// Takes what arrived; views look again at what they can draw.
#[expect(clippy::too_many_arguments, reason = "where chunks come in, all that depends on them is told")]
pub fn take(
    mut arrivals: ResMut<Arrivals>,
    mut cache: ResMut<ChunkCache>,
    mut plans: Query<&mut Plan>,
    budgets: Res<Budgets>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut incidents: ResMut<Incidents>,
    mut told: Local<VecDeque<SourceId>>,
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
                    if note(&mut told, key.source) {
                        incidents.report(unreadable(key));
                        wake.at(clock.now);
                    }
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

/// Whether it is the first time that something of an image cannot be read. Notes it.
fn note(told: &mut VecDeque<SourceId>, source: SourceId) -> bool {
    if told.contains(&source) {
        return false;
    }
    if told.len() == TOLD {
        told.pop_front();
    }
    told.push_back(source);
    true
}

/// Said once of an image; why is in the log, because it may name files.
fn unreadable(key: ChunkKey) -> Incident {
    Incident {
        domain: Domain::Data,
        code: "data.unreadable",
        message: format!(
            "chunk {} of level {} cannot be read: it is drawn as missing and tried again",
            key.number, key.level
        ),
        severity: Severity::Warning,
    }
}
