//! What went wrong by itself is told to those who asked, and to nobody else.

use super::rig::{ALL_FEATURES, BASE, Rig, slide, topics};
use lucida_components::{
    chunk::{Arrivals, ChunkFault, ChunkKey},
    ids::SessionId,
    incident::{Domain, Incident, Incidents, Severity},
    intent::Change,
    notice::{NoticeBody, Topic},
    session::Features,
};
use lucida_systems::render::device;
use std::sync::Arc;

const TOLD: Features = Features { incidents: true, ..BASE };

fn incidents(rig: &mut Rig, session: SessionId) -> Vec<Arc<Incident>> {
    let told = rig.read(session).notices.into_iter().filter_map(|n| match n.body {
        NoticeBody::Incident(incident) => {
            assert_eq!(n.topic, Topic::Incident(incident.domain));
            Some(incident)
        }
        _ => None,
    });
    told.collect()
}

fn fail(rig: &mut Rig, number: u64) {
    let source = rig.state().dataset.images[0].source;
    let key = ChunkKey { source, level: 0, number };
    let fault = ChunkFault { level: 0, number, reason: "/secret/place: cut off".into() };
    rig.world().resource_mut::<Arrivals>().0.push((key, Some(Err(fault))));
    rig.turn();
}

#[test]
fn chunks_that_cannot_be_read_are_told_once_of_an_image() {
    let mut rig = Rig::showing(slide());
    let (asked, other) = (rig.join(TOLD), rig.join(BASE));
    fail(&mut rig, 1);
    assert_eq!(rig.due(), Some(0));
    rig.turn();
    let told = incidents(&mut rig, asked);
    assert_eq!(told.len(), 1);
    let Incident { domain, code, message, severity } = &*told[0];
    assert_eq!((*domain, *code, *severity), (Domain::Data, "data.unreadable", Severity::Warning));
    assert!(message.contains("chunk 1 of level 0") && !message.contains("secret"), "{message}");
    assert!(rig.read(other).is_empty());

    fail(&mut rig, 0);
    fail(&mut rig, 1);
    rig.turn();
    assert!(incidents(&mut rig, asked).is_empty(), "once is enough");

    rig.ask(Change::Dataset(slide()));
    fail(&mut rig, 0);
    rig.turn();
    assert_eq!(incidents(&mut rig, asked).len(), 1, "of another image");
    rig.turn();
    assert!(incidents(&mut rig, asked).is_empty());
}

#[test]
fn a_lost_device_is_told_in_the_same_turn() {
    let mut rig = Rig::showing(slide());
    let session = rig.join(TOLD);
    device::take_away(rig.world());
    rig.turn();
    let told = incidents(&mut rig, session);
    assert_eq!(
        told.iter().map(|i| (i.code, i.severity)).collect::<Vec<_>>(),
        [("gpu.lost", Severity::Critical)]
    );
}

fn report(rig: &mut Rig, domain: Domain, code: &'static str) {
    let incident = Incident { domain, code, message: code.into(), severity: Severity::Info };
    rig.world().resource_mut::<Incidents>().report(incident);
}

#[test]
fn of_each_domain_the_newest_waits_and_another_image_does_not_push_it_out() {
    let mut rig = Rig::showing(slide());
    let session = rig.join(ALL_FEATURES);
    report(&mut rig, Domain::Gpu, "gpu.lost");
    report(&mut rig, Domain::Gpu, "gpu.back");
    report(&mut rig, Domain::Encoder, "encoder.failed");
    rig.turn();
    rig.ask(Change::Dataset(slide()));
    let notices = rig.read(session).notices;
    assert_eq!(
        topics(&notices)[..3],
        [Topic::Scene, Topic::Incident(Domain::Gpu), Topic::Incident(Domain::Encoder)]
    );
    let NoticeBody::Incident(newest) = &notices[1].body else { panic!() };
    assert_eq!(newest.code, "gpu.back");

    // What nobody was there to hear is not kept.
    report(&mut rig, Domain::Gpu, "gpu.lost");
    rig.turn();
    rig.read(session);
    let late = rig.join_unread(TOLD);
    rig.turn();
    rig.turn();
    assert!(incidents(&mut rig, late).is_empty());
}
