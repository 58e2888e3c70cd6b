//! The order of a turn as data: schedules, sets, and what runs in them.

use crate::{
    encode, ingest, mirror, pace, reduce, render, residency, seats, spawn, streams, thumbnails, txn,
};
use bevy_app::{App, First, Last, MainScheduleOrder, Plugin, PreUpdate, Update};
use bevy_ecs::{
    error::{BevyError, ErrorContext, FallbackErrorHandler},
    prelude::*,
    schedule::{InternedScheduleLabel, ScheduleLabel, SingleThreadedExecutor},
};
use lucida_components::{
    applied::Revision,
    chunk::{Arrivals, Wants},
    clock::{Clock, NextWake},
    dataset::Scene,
    incident::Incidents,
    intent::Intent,
    lod::{Budgets, LodRules},
    metrics::Metrics,
    ops::Ops,
};

/// Runs [`RenderTxn`] once per dirty view.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transact;

/// One transaction of one view; the only place where requested becomes applied.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct RenderTxn;

/// Applied changes become acks and notices.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mirror;

/// Applied state becomes pictures.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct Render;

/// Pictures go to the encoder, packets come back.
#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
pub struct Encode;

/// Lucida's world: every resource, every system, in order.
pub struct LucidaPlugin;

impl Plugin for LucidaPlugin {
    fn build(&self, app: &mut App) {
        insert_schedules(app);
        app.insert_resource(FallbackErrorHandler(log_error));
        app.add_message::<Intent>();
        app.init_resource::<ingest::Inbox>()
            .init_resource::<ingest::Watchers>()
            .init_resource::<streams::LastStream>()
            .init_resource::<seats::LastView>()
            .init_resource::<Arrivals>()
            .init_resource::<Wants>()
            .init_resource::<Clock>()
            .init_resource::<NextWake>()
            .init_resource::<Scene>()
            .init_resource::<Ops>()
            .init_resource::<Revision>()
            .init_resource::<LodRules>()
            .init_resource::<Budgets>()
            .init_resource::<Metrics>()
            .init_resource::<Incidents>()
            .init_resource::<mirror::versions::Versions>()
            .init_resource::<mirror::history::History>()
            .init_resource::<residency::cache::ChunkCache>()
            .init_resource::<encode::Packets>()
            .init_resource::<render::job::Handover>()
            .init_resource::<render::job::Returned>()
            .init_resource::<render::job::Pieces>()
            .init_resource::<txn::Txn>();
        spawn::main_view(app.world_mut());

        app.add_systems(First, pace::observe)
            .add_systems(PreUpdate, (ingest::sessions, ingest::intents).chain())
            .add_systems(
                Update,
                (
                    reduce::seats::reduce,
                    reduce::dataset::reduce,
                    reduce::stream::reduce,
                    reduce::view::reduce,
                    reduce::dims::reduce,
                    reduce::lod::reduce,
                    reduce::camera::reduce,
                    reduce::clip::reduce,
                    reduce::layers::reduce,
                    reduce::volume::reduce,
                )
                    .chain(),
            )
            .add_systems(
                Transact,
                (
                    txn::transact,
                    seats::keep::begin,
                    seats::keep::follow,
                    seats::keep::disown,
                    seats::keep::close,
                )
                    .chain(),
            )
            .add_systems(
                RenderTxn,
                (
                    txn::begin::step(),
                    txn::dims::step(),
                    txn::level::step(),
                    txn::camera::step(),
                    txn::commit::commit,
                )
                    .chain(),
            )
            .add_systems(
                Mirror,
                (
                    reduce::stream::apply,
                    mirror::acks::acknowledge,
                    mirror::history::record,
                    thumbnails::forget,
                    mirror::notices::notify,
                    mirror::seats::notify,
                    mirror::incidents::tell,
                    mirror::telemetry::observe,
                    mirror::telemetry::tell,
                    mirror::retire,
                )
                    .chain(),
            )
            .add_systems(
                Render,
                (
                    streams::subscribe.run_if(streams::due::is_due),
                    residency::arrivals::take,
                    render::frame::take_returned,
                    thumbnails::make,
                    residency::plan::plan.run_if(resource_exists::<residency::pools::Pools>),
                    (render::frame::draw, render::pressure::relieve)
                        .chain()
                        .run_if(resource_exists::<render::gpu::Gpu>),
                )
                    .chain(),
            )
            .add_systems(Encode, encode::deliver::deliver)
            .add_systems(Last, pace::schedule_next);
    }
}

/// Puts our schedules into bevy's main order, and every one of them on the single-threaded executor:
/// the multi-threaded one costs about a microsecond a system, and feature unification can switch it on.
fn insert_schedules(app: &mut App) {
    let mut order = app.world_mut().resource_mut::<MainScheduleOrder>();
    order.insert_after(Update, Transact);
    order.insert_after(Transact, Mirror);
    order.insert_after(Mirror, Render);
    order.insert_after(Render, Encode);
    let labels: [InternedScheduleLabel; 9] = [
        First.intern(),
        PreUpdate.intern(),
        Update.intern(),
        Transact.intern(),
        RenderTxn.intern(),
        Mirror.intern(),
        Render.intern(),
        Encode.intern(),
        Last.intern(),
    ];
    for label in labels {
        app.init_schedule(label);
        app.edit_schedule(label, |s| {
            s.set_executor(SingleThreadedExecutor::new());
        });
    }
}

/// A system that fails or panics must not end the server: transactions notice by counting their steps,
/// everything else is logged here, once.
fn log_error(error: BevyError, context: ErrorContext) {
    tracing::error!(system = %context.name(), "a system failed: {error}");
}
