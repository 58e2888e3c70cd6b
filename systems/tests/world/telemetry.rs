//! The level and the cost of pictures, for sessions that asked.

use super::rig::{BASE, Rig, set_zoom};
use lucida_components::{
    ids::{SessionId, StreamId},
    intent::{Change, SessionEvent},
    notice::{Mark, NoticeBody, Telemetry, Topic},
    packet::Packet,
    session::{Features, Newcomer},
};
use lucida_systems::{
    encode::Packets,
    mirror::{history::History, telemetry::INTERVAL},
    render::job::{Returned, SlotReturned},
};
use std::sync::Arc;

#[test]
fn the_level_is_told_when_it_changes() {
    let mut rig = Rig::new();
    let (asked, other) = (rig.join(Features { level: true, ..BASE }), rig.join(BASE));
    let told = |rig: &mut Rig, session: SessionId| {
        let notice = rig.read(session).notices.into_iter().find(|n| n.topic == Topic::Level)?;
        let NoticeBody::Applied(applied) = notice.body else { panic!() };
        Some((applied.state.lod.level, notice.mark.unwrap()))
    };
    let token = rig.world().resource::<History>().scene_mark().token;
    rig.ask(set_zoom(2.0));
    assert_eq!(told(&mut rig, asked), Some((0, Mark { seq: 1, token: token.clone() })));
    assert_eq!(told(&mut rig, other), None);
    rig.ask(set_zoom(2.1));
    assert_eq!(told(&mut rig, asked), None);
    rig.ask(Change::Level(3));
    rig.ask(Change::Level(2));
    assert_eq!(told(&mut rig, asked), Some((2, Mark { seq: 3, token })), "the newest");
}

/// A picture comes out of the encoder of a stream.
fn picture(rig: &mut Rig, stream: StreamId, draw: Option<f64>, encode_micros: u32) {
    let packet = Packet {
        stream,
        width: 1280,
        height: 720,
        keyframe: true,
        revision: 1,
        answered: Arc::new([]),
        captured: 0.0,
        bytes: vec![0; 100].into(),
        config: None,
        encode_micros,
    };
    let slot =
        SlotReturned { stream, slot: 0, ring: 0, failed: false, answered: Arc::new([]), gpu_micros: draw };
    rig.world().resource_mut::<Returned>().0.push(slot);
    rig.world().resource_mut::<Packets>().0.push(Arc::new(packet));
    rig.turn();
}

#[test]
fn costs_are_told_once_a_second_while_pictures_come() {
    let mut rig = Rig::new();
    let features = Features { telemetry: true, ..BASE };
    let [asked, blind, other] = [features, features, BASE].map(|f| rig.join(f));
    let deaf = rig.join_as(Newcomer { hears: false, ..Newcomer::new(features) });
    for session in [asked, other, deaf] {
        rig.event(SessionEvent::Watching { session });
    }
    rig.turn();
    rig.turn();
    let told = |rig: &mut Rig, session| {
        let notice = rig.read(session).notices.into_iter().find(|n| n.topic == Topic::Telemetry)?;
        match notice.body {
            NoticeBody::Telemetry(telemetry) => Some(telemetry),
            other => panic!("{other:?}"),
        }
    };
    rig.wait(5000);
    rig.turn();
    assert_eq!(told(&mut rig, asked), None, "no picture");
    picture(&mut rig, StreamId::MAIN, Some(2500.0), 4000);
    assert_eq!(told(&mut rig, asked), Some(Telemetry { draw: 2.5, encode: 4.0, in_flight: 0 }));
    for session in [blind, other, deaf] {
        assert_eq!(told(&mut rig, session), None);
    }
    picture(&mut rig, StreamId::MAIN, Some(7000.0), 6000);
    assert_eq!(told(&mut rig, asked), None, "not so soon");
    rig.wait(INTERVAL.as_millis() as u64);
    rig.turn();
    assert_eq!(told(&mut rig, asked), None, "no picture");
    picture(&mut rig, StreamId(7), Some(1.0), 1);
    assert_eq!(told(&mut rig, asked), None, "of another stream");
    // What drawing cost is not known of this one: it is that of the last.
    picture(&mut rig, StreamId::MAIN, None, 8000);
    assert_eq!(told(&mut rig, asked), Some(Telemetry { draw: 7.0, encode: 8.0, in_flight: 2 }));
}
