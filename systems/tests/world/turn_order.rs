//! The order of a turn, as it is scheduled.

use super::rig::Rig;
use bevy_app::{First, Last, MainScheduleOrder, PreUpdate, Update};
use bevy_ecs::{
    prelude::*,
    schedule::{ScheduleLabel, Schedules},
};
use lucida_systems::{
    encode, ingest, mirror, pace, reduce, render, residency, schedule, seats, streams, thumbnails, txn,
};
use std::{any::TypeId, fmt::Write};

/// Names of the systems by type: bevy names them only with a feature that costs time.
fn names() -> Vec<(TypeId, &'static str)> {
    fn of<M>(system: impl IntoSystem<(), (), M>) -> TypeId {
        IntoSystem::into_system(system).system_type()
    }
    vec![
        (of(pace::observe), "pace::observe"),
        (of(ingest::sessions), "ingest::sessions"),
        (of(ingest::intents), "ingest::intents"),
        (of(reduce::seats::reduce), "reduce::seats"),
        (of(reduce::dataset::reduce), "reduce::dataset"),
        (of(reduce::stream::reduce), "reduce::stream"),
        (of(reduce::view::reduce), "reduce::view"),
        (of(reduce::dims::reduce), "reduce::dims"),
        (of(reduce::lod::reduce), "reduce::lod"),
        (of(reduce::camera::reduce), "reduce::camera"),
        (of(reduce::clip::reduce), "reduce::clip"),
        (of(reduce::layers::reduce), "reduce::layers"),
        (of(reduce::volume::reduce), "reduce::volume"),
        (of(txn::transact), "txn::transact"),
        (of(seats::keep::begin), "seats::begin"),
        (of(seats::keep::follow), "seats::follow"),
        (of(seats::keep::disown), "seats::disown"),
        (of(seats::keep::close), "seats::close"),
        // All four have the type of `guarded`'s closure; their order among themselves is tested by faults.
        (of(txn::begin::step()), "txn step"),
        (of(txn::commit::commit), "txn::commit"),
        (of(reduce::stream::apply), "reduce::stream::apply"),
        (of(mirror::acks::acknowledge), "mirror::acks"),
        (of(mirror::history::record), "mirror::history"),
        (of(thumbnails::forget), "thumbnails::forget"),
        (of(mirror::notices::notify), "mirror::notices"),
        (of(mirror::seats::notify), "mirror::seats"),
        (of(mirror::incidents::tell), "mirror::incidents"),
        (of(mirror::telemetry::observe), "telemetry::observe"),
        (of(mirror::telemetry::tell), "telemetry::tell"),
        (of(mirror::retire), "mirror::retire"),
        (of(streams::subscribe), "streams::subscribe"),
        (of(residency::arrivals::take), "residency::arrivals"),
        (of(render::frame::take_returned), "render::take_returned"),
        (of(thumbnails::make), "thumbnails::make"),
        (of(residency::plan::plan), "residency::plan"),
        (of(render::frame::draw), "render::draw"),
        (of(encode::deliver::deliver), "encode::deliver"),
        (of(pace::schedule_next), "pace::schedule_next"),
    ]
}

#[test]
fn the_turn_is_the_one_that_lib_rs_declares() {
    let mut rig = Rig::new();
    let names = names();
    let order = &rig.world().resource::<MainScheduleOrder>().labels;
    let ours = ["First", "PreUpdate", "Update", "Transact", "Mirror", "Render", "Encode", "Last"];
    let main: Vec<String> =
        order.iter().map(|l| format!("{l:?}")).filter(|l| ours.contains(&l.as_str())).collect();
    let mut turn = format!("main: {}\n", main.join(" "));

    let schedules = rig.world().resource::<Schedules>();
    let labels = [
        First.intern(),
        PreUpdate.intern(),
        Update.intern(),
        schedule::Transact.intern(),
        schedule::RenderTxn.intern(),
        schedule::Mirror.intern(),
        schedule::Render.intern(),
        schedule::Encode.intern(),
        Last.intern(),
    ];
    for label in labels {
        let systems = schedules.get(label).unwrap().systems().unwrap();
        let known: Vec<&str> = systems
            .filter_map(|(_, s)| names.iter().find(|(t, _)| *t == s.system_type()).map(|(_, n)| *n))
            .collect();
        writeln!(turn, "{label:?}: {}", known.join(" → ")).unwrap();
    }
    assert_eq!(
        turn,
        "\
main: First PreUpdate Update Transact Mirror Render Encode Last
First: pace::observe
PreUpdate: ingest::sessions → ingest::intents
Update: reduce::seats → reduce::dataset → reduce::stream → reduce::view → reduce::dims → reduce::lod → \
reduce::camera → reduce::clip → reduce::layers → reduce::volume
Transact: txn::transact → seats::begin → seats::follow → seats::disown → seats::close
RenderTxn: txn step → txn step → txn step → txn step → txn::commit
Mirror: reduce::stream::apply → mirror::acks → mirror::history → thumbnails::forget → mirror::notices → mirror::seats → \
mirror::incidents → telemetry::observe → telemetry::tell → mirror::retire
Render: streams::subscribe → residency::arrivals → render::take_returned → thumbnails::make → residency::plan → render::draw
Encode: encode::deliver
Last: pace::schedule_next
"
    );
}
