//! Sessions come and go, also several of these in one turn.

use super::rig::{ALL_FEATURES, BASE, Rig, go, topics};
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
fn keyframes_that_are_asked_for_without_end_disturb_nobody() {
    let mut rig = Rig::new();
    let (calm, eager, other) = (rig.join(BASE), rig.join(BASE), rig.join(BASE));
    for session in [calm, eager, other] {
        rig.event(SessionEvent::Watching { session });
    }
    rig.turn();
    let mut asks = |who: &[SessionId], after: u64| {
        for session in [calm, eager, other] {
            let entity = rig.session_entity(session).unwrap();
            let mut session = rig.world().entity_mut(entity);
            session.remove::<WantsKeyframe>();
            session.get_mut::<Watch>().unwrap().needs_keyframe = false;
        }
        rig.wait(after);
        for session in who {
            rig.event(SessionEvent::KeyframeRequested { session: *session });
        }
        rig.turn();
        ([calm, eager, other].map(|s| wants_keyframe(&mut rig, s)), rig.due())
    };
    assert_eq!(asks(&[eager], 1000), ([false, true, false], None), "the first at once");
    for n in 1..25 {
        assert_eq!(asks(&[eager], 10), ([false; 3], Some(250 - 10 * n)), "soon after it it waits");
    }
    // One for all who ask, when it is time, though nobody says anything then.
    assert_eq!(asks(&[other], 5), ([false; 3], Some(5)));
    assert_eq!(asks(&[], 5), ([false, true, true], None));
    assert_eq!(asks(&[calm, other], 250), ([true, false, true], None));
    assert_eq!(asks(&[], 250), ([false; 3], None), "and no more than was asked for");
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
