//! Pictures to watchers: one that lags is passed over, never holds up another, and gets the last picture.

use super::rig::{ALL_FEATURES, Rig};
use lucida_components::{
    ids::{IntentRef, SessionId, StreamId},
    intent::SessionEvent,
    notice::Topic,
    packet::{Answer, Packet},
    session::Watch,
    stream::{Canvas, StreamConfig},
};
use lucida_systems::{encode::Packets, ingest::WantsKeyframe, render::answers::Answers};
use std::{sync::Arc, time::Instant};

/// A rig with an encoder played by hand.
struct Room {
    rig: Rig,
    next: u64,
}

impl Room {
    fn new() -> Self {
        Self { rig: Rig::new(), next: 0 }
    }

    fn watcher(&mut self) -> SessionId {
        let session = self.rig.join(ALL_FEATURES);
        self.rig.event(SessionEvent::Watching { session });
        self.rig.turn();
        session
    }

    /// A picture leaves the encoder; a keyframe where anybody wants one, as the renderer does it.
    fn picture(&mut self) -> u64 {
        let wants = self.wanting();
        for session in &wants {
            let entity = self.rig.session_entity(*session).unwrap();
            self.rig.world().entity_mut(entity).remove::<WantsKeyframe>();
        }
        self.packet(StreamId::MAIN, !wants.is_empty(), None)
    }

    fn packet(&mut self, stream: StreamId, keyframe: bool, config: Option<Arc<StreamConfig>>) -> u64 {
        self.answering(stream, keyframe, config, Arc::new([]))
    }

    fn answering(
        &mut self,
        stream: StreamId,
        keyframe: bool,
        config: Option<Arc<StreamConfig>>,
        answered: Arc<[Answer]>,
    ) -> u64 {
        self.next += 1;
        let packet = Packet {
            stream,
            width: 1280,
            height: 720,
            keyframe,
            revision: self.next,
            answered,
            captured: 0.0,
            bytes: vec![0; 100].into(),
            config,
            encode_micros: 10,
        };
        self.rig.world().resource_mut::<Packets>().0.push(Arc::new(packet));
        self.rig.turn();
        self.next
    }

    fn wanting(&mut self) -> Vec<SessionId> {
        let mut query =
            self.rig.app.world_mut().query_filtered::<&SessionId, bevy_ecs::query::With<WantsKeyframe>>();
        query.iter(self.rig.app.world()).copied().collect()
    }

    fn watch(&mut self, session: SessionId) -> Watch {
        let entity = self.rig.session_entity(session).unwrap();
        *self.rig.world().get::<Watch>(entity).unwrap()
    }

    /// A session writes all that waits to its socket: which pictures, and which were keyframes.
    fn take(&mut self, session: SessionId) -> Vec<(u64, bool)> {
        let pictures = self.rig.read(session).pictures;
        for _ in &pictures {
            self.rig.event(SessionEvent::PictureTaken { session });
        }
        self.rig.turn();
        pictures.iter().map(|p| (p.revision, p.keyframe)).collect()
    }
}

#[test]
fn nothing_before_a_keyframe() {
    let mut room = Room::new();
    let session = room.watcher();
    assert_eq!(room.wanting(), [session], "joining asks for one");
    // Pictures of the time before the encoder heard of it.
    room.packet(StreamId::MAIN, false, None);
    room.packet(StreamId::MAIN, false, None);
    assert!(room.take(session).is_empty());
    assert_eq!(room.rig.metrics().pictures_dropped, 2);
    assert_eq!(room.picture(), 3);
    room.picture();
    assert_eq!(room.take(session), [(3, true), (4, false)]);
    let metrics = room.rig.metrics();
    assert_eq!((metrics.pictures_sent, metrics.picture_bytes, metrics.keyframes), (2, 200, 1));
    assert_eq!(metrics.encode_micros.count(), 4);
}

#[test]
fn a_second_watcher_gets_its_keyframe_and_the_first_goes_on() {
    let mut room = Room::new();
    let first = room.watcher();
    room.picture();
    room.picture();
    assert_eq!(room.take(first).len(), 2);
    let second = room.watcher();
    let key = room.picture();
    let next = room.picture();
    for session in [first, second] {
        assert_eq!(room.take(session), [(key, true), (next, false)]);
    }
}

#[test]
fn a_slow_watcher_never_slows_a_fast_one() {
    let mut room = Room::new();
    let (fast, slow) = (room.watcher(), room.watcher());
    room.picture();
    for n in 1..=100 {
        assert_eq!(room.take(fast).len(), 1, "picture {n}");
        room.picture();
    }
    assert_eq!(room.take(fast).len(), 1);
    let outbox_of_slow = room.rig.read(slow).pictures.len();
    assert_eq!(outbox_of_slow, Watch::MAX_IN_FLIGHT as usize, "what waits is bounded");
    assert_eq!(room.watch(slow).in_flight, Watch::MAX_IN_FLIGHT);
    assert_eq!(room.rig.metrics().keyframes, 1, "and it is not given keyframes that it has no room for");
    assert_eq!(room.rig.metrics().pictures_dropped, 101 - u64::from(Watch::MAX_IN_FLIGHT));
}

#[test]
fn the_last_picture_of_a_burst_reaches_a_slow_watcher() {
    let mut room = Room::new();
    let slow = room.watcher();
    for _ in 0..10 {
        room.picture();
    }
    // The burst is over and nothing follows: with room, a keyframe is asked for and a turn is due at once.
    assert!(room.wanting().is_empty());
    assert_eq!(room.take(slow), [(1, true), (2, false), (3, false)]);
    assert_eq!(room.wanting(), [slow]);
    assert_eq!(room.rig.due(), Some(0));
    let last = room.picture();
    assert_eq!(room.take(slow), [(last, true)]);
    assert!(room.wanting().is_empty() && !room.watch(slow).needs_keyframe);
    let next = room.picture();
    assert_eq!(room.take(slow), [(next, false)]);
}

#[test]
fn a_lagging_watcher_is_resynchronised_at_most_once_a_second() {
    let mut room = Room::new();
    let slow = room.watcher();
    let lag = |room: &mut Room| {
        for _ in 0..10 {
            room.picture();
        }
        room.take(slow);
    };
    lag(&mut room);
    assert_eq!(room.wanting(), [slow]);
    lag(&mut room);
    assert!(room.watch(slow).needs_keyframe && room.watch(slow).has_room());
    assert!(room.wanting().is_empty(), "not again so soon");
    assert_eq!(room.rig.due(), Some(1000));
    room.rig.wait(999);
    room.rig.turn();
    assert_eq!((room.wanting(), room.rig.due()), (vec![], Some(1)));
    room.rig.wait(1);
    room.rig.turn();
    assert_eq!(room.wanting(), [slow]);
    // Somebody else's keyframe would have done as well.
    let key = room.picture();
    assert_eq!(room.take(slow), [(key, true)]);
}

#[test]
fn another_streams_pictures_are_not_for_it() {
    let mut room = Room::new();
    let session = room.watcher();
    room.packet(StreamId(5), true, None);
    assert!(room.take(session).is_empty());
    assert_eq!(room.rig.metrics().pictures_dropped, 0);
}

#[test]
fn one_that_stopped_watching_gets_nothing() {
    let mut room = Room::new();
    let session = room.watcher();
    room.picture();
    room.take(session);
    room.rig.event(SessionEvent::Unwatching { session });
    room.picture();
    assert!(room.take(session).is_empty());
    // Watching again begins with a keyframe.
    room.rig.event(SessionEvent::Watching { session });
    room.rig.turn();
    room.packet(StreamId::MAIN, false, None);
    let key = room.picture();
    assert_eq!(room.take(session), [(key, true)]);
}

#[test]
fn new_parameter_sets_are_told_once_in_the_next_turn() {
    let mut room = Room::new();
    let (a, b) = (room.watcher(), room.rig.join(ALL_FEATURES));
    let config = |profile: &str| {
        Arc::new(StreamConfig {
            canvas: Canvas::default(),
            codec: profile.into(),
            avcc: vec![1],
            encoder: "by hand",
        })
    };
    room.packet(StreamId::MAIN, true, Some(config("avc1.42C01F")));
    assert_eq!(room.rig.due(), Some(0));
    room.rig.turn();
    for session in [a, b] {
        assert!(room.rig.read(session).notices.iter().any(|n| n.topic == Topic::Stream));
    }
    room.packet(StreamId::MAIN, true, Some(config("avc1.42C01F")));
    assert_eq!(room.rig.due(), None, "nothing is due for the same again");
    room.rig.turn();
    assert!(room.rig.read(a).notices.is_empty(), "the same again is nothing new");
    room.packet(StreamId::MAIN, true, Some(config("avc1.64001F")));
    room.rig.turn();
    assert_eq!(room.rig.read(a).notices[0].topic, Topic::Stream);
}

#[test]
fn what_a_withheld_picture_answered_the_next_one_does() {
    let mut room = Room::new();
    let (fast, slow) = (room.watcher(), room.watcher());
    room.picture();
    for _ in 0..3 {
        room.take(fast);
        room.picture();
    }
    room.take(fast);
    let answer = |op, session, name: &str| Answer {
        op,
        session,
        intent: IntentRef { intent_id: name.into(), frame_id: name.into() },
        arrived: Instant::now(),
    };
    let (own, other) = (answer(1, slow, "a"), answer(2, fast, "b"));
    room.answering(StreamId::MAIN, false, None, [own.clone(), other].into());
    assert_eq!(room.rig.due(), None, "there is nothing to draw for it while it lags");
    room.take(slow);
    let key = room.picture();
    assert_eq!(room.rig.due(), Some(0), "a keyframe that was drawn before leaves the answer owed");
    assert_eq!(room.take(slow), [(key, true)]);
    let world = room.rig.app.world_mut();
    let owed = world.query::<&mut Answers>().single_mut(world).unwrap().take(9);
    assert_eq!(*owed, [own], "the slow one's, and not that of the one that has its picture");
}
