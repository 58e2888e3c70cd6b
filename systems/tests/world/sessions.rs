//! Sessions come and go, also several of these in one turn.

use super::rig::{ALL_FEATURES, Rig, go, topics};
use lucida_components::{
    ids::{SessionId, StreamId},
    intent::SessionEvent,
    notice::Topic,
    session::{Session, Watch},
};
use lucida_systems::ingest::WantsKeyframe;

fn count(rig: &mut Rig) -> usize {
    let mut sessions = rig.world().query::<&Session>();
    sessions.iter(rig.app.world()).count()
}

fn watch(rig: &mut Rig, session: SessionId) -> Option<Watch> {
    let entity = rig.session_entity(session)?;
    rig.world().get::<Watch>(entity).copied()
}

fn wants_keyframe(rig: &mut Rig, session: SessionId) -> bool {
    let entity = rig.session_entity(session).unwrap();
    rig.world().get::<WantsKeyframe>(entity).is_some()
}

#[test]
fn joining_and_watching_in_one_turn_is_watching() {
    let mut rig = Rig::new();
    let session = rig.join_unread(ALL_FEATURES);
    rig.event(SessionEvent::Watching { session });
    rig.turn();
    assert_eq!(watch(&mut rig, session), Some(Watch::joined(StreamId::MAIN, 1)));
    assert!(wants_keyframe(&mut rig, session));
}

#[test]
fn joining_and_leaving_in_one_turn_leaves_nothing() {
    let mut rig = Rig::new();
    let session = rig.join_unread(ALL_FEATURES);
    rig.event(SessionEvent::Left { session });
    rig.turn();
    assert_eq!((count(&mut rig), rig.metrics().sessions), (0, 0));
}

#[test]
fn what_is_said_of_an_unknown_session_is_nothing() {
    let mut rig = Rig::new();
    let session = SessionId(77);
    for event in [
        SessionEvent::Watching { session },
        SessionEvent::Unwatching { session },
        SessionEvent::PictureTaken { session },
        SessionEvent::KeyframeRequested { session },
        SessionEvent::Left { session },
    ] {
        rig.event(event);
    }
    rig.unchanged_by(Rig::turn);
    assert_eq!((count(&mut rig), rig.metrics().sessions), (0, 0));
}

#[test]
fn a_keyframe_is_for_those_who_watch() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.event(SessionEvent::KeyframeRequested { session });
    rig.turn();
    assert!(!wants_keyframe(&mut rig, session), "it watches nothing");
    rig.event(SessionEvent::Watching { session });
    rig.turn();
    let entity = rig.session_entity(session).unwrap();
    rig.world().entity_mut(entity).remove::<WantsKeyframe>();
    rig.event(SessionEvent::KeyframeRequested { session });
    rig.turn();
    assert!(wants_keyframe(&mut rig, session));
    rig.event(SessionEvent::Unwatching { session });
    rig.turn();
    assert!(!wants_keyframe(&mut rig, session) && watch(&mut rig, session).is_none());
    assert_eq!(rig.metrics().sessions, 1);
}

#[test]
fn what_a_session_that_left_asked_for_is_forgotten() {
    let mut rig = Rig::new();
    let (gone, stays) = (rig.join(ALL_FEATURES), rig.join(ALL_FEATURES));
    rig.send(gone, go("z", 3));
    rig.event(SessionEvent::Left { session: gone });
    let acks = rig.metrics().acks;
    rig.unchanged_by(Rig::turn);
    assert!(rig.session_entity(gone).is_none());
    assert_eq!(rig.metrics().acks, acks);
    assert_eq!(rig.metrics().sessions, 1);
    let told = rig.read(stays);
    assert!(told.acks.is_empty());
    assert_eq!(topics(&told.notices), [Topic::Seats], "it is not here any more");
    rig.event(SessionEvent::Left { session: gone });
    rig.turn();
    assert_eq!(rig.metrics().sessions, 1, "leaving twice is leaving once");
}
