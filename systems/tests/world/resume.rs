//! A client that was cut off and comes back with its tokens: it is told what it missed, and ends with what holds.

use super::rig::{ALL_FEATURES, BASE, Rig, brain, go, layer, slide, topics};
use bevy_ecs::prelude::*;
use lucida_components::{
    controls::{ControlChange, ControlKey},
    dataset::Dataset,
    ids::{LayerId, SessionId, ViewId},
    intent::{Change, SessionEvent},
    notice::{Cursors, Mark, Notice, NoticeBody, Topic},
    outbox::Outbox,
    session::{Features, Newcomer, Resume},
    snapshot::Snapshot,
    stream::{Canvas, ConfigCount, Stream, StreamConfig},
    thumbnail::{Thumbnail, Thumbnails},
    value::Value,
};
use lucida_systems::mirror::history::{History, KEPT, KEPT_FOR, MOST};
use proptest::{collection::vec, prelude::*};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const SMALL: Features = Features { thumbnails: true, ..BASE };

/// A client that believes what it is told of layers, and nothing else.
#[derive(Debug, Clone, Default)]
struct Client {
    /// While it is connected.
    session: Option<SessionId>,
    /// The image that it was told of last.
    image: Option<String>,
    controls: BTreeMap<(LayerId, ControlKey), Value>,
    /// Of the last frame of layers.
    mark: Option<Mark>,
    /// Controls that it was told in this connection.
    told: BTreeSet<(LayerId, ControlKey)>,
}

impl Client {
    fn join(&mut self, rig: &mut Rig) {
        let resume = Resume { layers: self.mark.as_ref().map(|m| m.token.clone()), ..Resume::default() };
        self.session = Some(rig.join_later(Newcomer { resume, ..Newcomer::new(SMALL) }));
        self.told.clear();
        // It counts from where it is told to.
        if let Some(mark) = &mut self.mark {
            mark.seq = 0;
        }
        rig.turn();
        rig.turn();
    }

    fn leave(&mut self, rig: &mut Rig) {
        rig.event(SessionEvent::Left { session: self.session.take().unwrap() });
        rig.turn();
    }

    fn hear(&mut self, notice: &Notice) {
        match &notice.body {
            NoticeBody::Scene { applied, .. } => {
                let image = Some(applied.state.dataset.locator.clone());
                if self.image != image {
                    self.controls.clear();
                    self.image = image;
                }
                assert_eq!(notice.mark.as_ref().map(|m| m.seq), Some(0), "of a scene");
            }
            NoticeBody::Layer { applied, changed } => {
                let Topic::Layer(id) = notice.topic else { panic!() };
                for key in changed {
                    let value = applied.state.layer(id).unwrap().controls.value(*key);
                    self.controls.insert((id, *key), value);
                    self.told.insert((id, *key));
                }
                self.note(notice);
            }
            // Of the same topic on the wire.
            NoticeBody::Thumbnail(_) => self.note(notice),
            _ => {}
        }
    }

    fn note(&mut self, notice: &Notice) {
        let mark = notice.mark.clone().unwrap();
        assert!(self.mark.as_ref().is_none_or(|m| m.seq <= mark.seq), "{:?} then {mark:?}", self.mark);
        self.mark = Some(mark);
    }

    /// Takes this many frames off its socket.
    fn read(&mut self, rig: &mut Rig, most: usize) -> Vec<Notice> {
        let mut outbox = rig.read(self.session.unwrap());
        let rest = outbox.notices.split_off(most.min(outbox.notices.len()));
        let entity = rig.session_entity(self.session.unwrap()).unwrap();
        rig.world().get_mut::<Outbox>(entity).unwrap().notices = rest;
        outbox.notices.iter().for_each(|n| self.hear(n));
        outbox.notices
    }

    /// Comes back, reads everything, and goes.
    fn come_back(&mut self, rig: &mut Rig) -> Vec<Notice> {
        self.join(rig);
        let notices = self.read(rig, usize::MAX);
        self.leave(rig);
        notices
    }
}

fn truth(rig: &mut Rig) -> BTreeMap<(LayerId, ControlKey), Value> {
    let state = rig.state();
    let layers = state.layers.iter();
    layers.flat_map(|l| ControlKey::ALL.map(|key| ((l.id, key), l.controls.value(key)))).collect()
}

/// The brain with as many layers.
fn layered(count: usize) -> Arc<Dataset> {
    let mut dataset = (*brain()).clone();
    dataset.layers = dataset.layers.iter().cycle().take(count).cloned().collect();
    Arc::new(dataset)
}

#[derive(Debug, Clone)]
enum Step {
    /// One turn of these.
    Changes(Vec<Change>),
    /// A client reads so many frames; it joins first where it is away.
    Read(usize, usize),
    /// A client is cut off.
    Cut(usize),
    /// Another image.
    Open(usize),
    /// Another thumbnail of a layer.
    Thumbnail(u32),
}

fn control() -> impl Strategy<Value = ControlChange> {
    // Few values, so that some are set again, or back.
    prop_oneof![
        any::<bool>().prop_map(ControlChange::Visible),
        (0..3).prop_map(|n| ControlChange::Opacity(f64::from(n) / 2.0)),
        (1..3).prop_map(|n| ControlChange::Gamma(f64::from(n))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let one = prop_oneof![
        6 => (0_u32..4, control()).prop_map(|(n, c)| layer(n, c)),
        1 => control().prop_map(Change::Volume),
        1 => (0_i64..8).prop_map(|z| go("z", z)),
    ];
    prop_oneof![
        10 => vec(one, 1..4).prop_map(Step::Changes),
        8 => (0_usize..3, 1_usize..5).prop_map(|(client, frames)| Step::Read(client, frames)),
        3 => (0_usize..3).prop_map(Step::Cut),
        1 => (1_usize..5).prop_map(Step::Open),
        2 => (0_u32..4).prop_map(Step::Thumbnail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_a_client_was_cut_off_it_ends_with_what_holds(steps in vec(step(), 1..60)) {
        let mut rig = Rig::showing(layered(4));
        let mut clients = vec![Client::default(); 3];
        // What each client was after each frame that it read: it may have been cut off there.
        let mut cut: Vec<Client> = Vec::new();
        for step in steps {
            match step {
                Step::Changes(changes) => {
                    rig.ask_all(changes);
                }
                Step::Read(number, frames) => {
                    let client = &mut clients[number];
                    if client.session.is_none() {
                        client.join(&mut rig);
                    }
                    for _ in 0..frames {
                        client.read(&mut rig, 1);
                        let mut here = client.clone();
                        cut.push(here.clone());
                        here.come_back(&mut rig);
                        prop_assert_eq!(&here.controls, &truth(&mut rig), "at once");
                    }
                }
                Step::Cut(number) if clients[number].session.is_some() => clients[number].leave(&mut rig),
                Step::Cut(_) => {}
                Step::Open(layers) => {
                    rig.ask(Change::Dataset(layered(layers)));
                }
                Step::Thumbnail(layer) => {
                    let view = rig.entity(ViewId::MAIN);
                    if let Some(mut all) = rig.world().get_mut::<Thumbnails>(view) {
                        let another = Thumbnail { size: [1, 1], pixels: vec![[0.0; 4]] };
                        all.0.insert(id(layer), Arc::new(another));
                    }
                    rig.turn();
                }
            }
        }
        let truth = truth(&mut rig);
        for mut client in clients {
            if client.session.is_none() {
                client.join(&mut rig);
            }
            client.read(&mut rig, usize::MAX);
            prop_assert_eq!(&client.controls, &truth, "it stayed");
        }
        for mut client in cut {
            client.come_back(&mut rig);
            prop_assert_eq!(&client.controls, &truth, "it came back at the end");
        }
    }
}

fn opacity(number: u32, value: f64) -> Change {
    layer(number, ControlChange::Opacity(value))
}

fn layers(notices: &[Notice]) -> Vec<(LayerId, Vec<ControlKey>, u64)> {
    let of_layers = notices.iter().filter_map(|n| match (&n.topic, &n.body) {
        (Topic::Layer(id), NoticeBody::Layer { changed, .. }) => {
            Some((*id, changed.iter().copied().collect(), n.mark.as_ref().unwrap().seq))
        }
        _ => None,
    });
    of_layers.collect()
}

const fn id(number: u32) -> LayerId {
    LayerId(number)
}

#[test]
fn what_was_missed_is_told_and_nothing_else() {
    let mut rig = Rig::showing(layered(3));
    let mut client = Client::default();
    let baseline = client.come_back(&mut rig);
    let all = ControlKey::ALL.to_vec();
    assert_eq!(layers(&baseline), [0, 1, 2].map(|n| (id(n), all.clone(), 0)));

    rig.ask(opacity(2, 0.5));
    rig.ask(opacity(0, 0.4));
    rig.ask(layer(2, ControlChange::Gamma(2.0)));
    rig.ask(opacity(2, 0.6));
    rig.ask(opacity(2, 0.6));
    let notices = client.come_back(&mut rig);
    assert_eq!(
        topics(&notices),
        [Topic::Scene, Topic::Dims, Topic::Layer(id(2)), Topic::Layer(id(0)), Topic::Camera]
    );
    let missed =
        [(id(2), vec![ControlKey::Opacity, ControlKey::Gamma], 1), (id(0), vec![ControlKey::Opacity], 4)];
    assert_eq!(layers(&notices), missed);
    assert_eq!(client.controls, truth(&mut rig));

    // What it knows now is all there is: it is told as if it were new.
    assert_eq!(client.mark, Some(rig.world().resource::<History>().mark(4)));
    assert_eq!(layers(&client.come_back(&mut rig)).len(), 3);
    // An axis is no control.
    rig.ask(go("z", 7));
    assert_eq!(layers(&client.come_back(&mut rig)).len(), 3);
    // While it is here it is told one by one.
    client.join(&mut rig);
    client.read(&mut rig, usize::MAX);
    rig.ask(opacity(1, 0.1));
    assert_eq!(layers(&client.read(&mut rig, 9)), [(id(1), vec![ControlKey::Opacity], 5)]);
}

#[test]
fn a_baseline_that_was_cut_off_is_told_again() {
    let mut rig = Rig::showing(layered(3));
    rig.ask(opacity(1, 0.5));
    for frames in 0..3 {
        let mut client = Client::default();
        client.join(&mut rig);
        client.read(&mut rig, 2 + frames);
        client.leave(&mut rig);
        assert_eq!(client.told.len(), frames * ControlKey::ALL.len());
        assert_eq!(layers(&client.come_back(&mut rig)).len(), 3, "after {frames} layers");
    }
}

#[test]
fn tokens_that_say_nothing_are_answered_with_everything() {
    let mut rig = Rig::showing(layered(3));
    let mut client = Client::default();
    client.come_back(&mut rig);
    let good = client.mark.clone().unwrap().token;
    rig.ask(opacity(1, 0.5));
    let scene = rig.world().resource::<History>().scene_mark().token;
    let stranger = {
        let mut other = Rig::showing(layered(3));
        let mut client = Client::default();
        client.come_back(&mut other);
        client.mark.unwrap().token
    };
    let count = |rig: &mut Rig, token: &str| {
        let mut client = Client { mark: Some(Mark { seq: 0, token: token.into() }), ..Client::default() };
        layers(&client.come_back(rig)).len()
    };
    assert_eq!(count(&mut rig, &good), 1);
    let wrong = [
        scene,
        stranger,
        good.to_uppercase(),
        good[..31].into(),
        good.clone() + "0",
        "0".repeat(32),
        "f".repeat(32),
        "x".repeat(1 << 20),
        String::new(),
        "🦀".repeat(8),
    ];
    // A token without letters is its own capitals.
    for token in wrong.into_iter().filter(|t| *t != good) {
        assert_eq!(count(&mut rig, &token), 3, "{token:.40}");
    }
    rig.ask(Change::Dataset(layered(3)));
    rig.ask(opacity(1, 0.5));
    assert_eq!(count(&mut rig, &good), 3, "of another image");
}

#[test]
fn as_much_is_remembered_as_is_promised() {
    let mut rig = Rig::showing(layered(2));
    let mut marks = vec![rig.world().resource::<History>().mark(0).token];
    let mut flips = 0;
    let mut flip = |rig: &mut Rig, count: usize| {
        let mut last = Vec::new();
        for _ in 0..count {
            flips += 1;
            rig.ask(opacity(0, f64::from(flips % 2) / 2.0));
            let history = rig.world().resource::<History>();
            last.push(history.mark(history.seq()).token);
        }
        last
    };
    let is_known = |rig: &mut Rig, token: &String| {
        let resume = Resume { layers: Some(token.clone()), ..Resume::default() };
        rig.world().resource::<History>().missed_by(&resume).is_some()
    };
    marks.extend(flip(&mut rig, MOST));
    assert_eq!(rig.world().resource::<History>().seq(), MOST as u64);
    assert!(is_known(&mut rig, &marks[0]));
    marks.extend(flip(&mut rig, 1));
    assert!(!is_known(&mut rig, &marks[0]) && is_known(&mut rig, &marks[1]), "no more than so many");

    rig.wait(KEPT_FOR.as_millis() as u64);
    marks.extend(flip(&mut rig, 1));
    assert!(is_known(&mut rig, &marks[2]));
    rig.wait(1);
    marks.extend(flip(&mut rig, 1));
    let newest = marks.len() - 1;
    let oldest = newest - KEPT;
    assert!(!is_known(&mut rig, &marks[oldest - 1]), "they are old");
    assert!(is_known(&mut rig, &marks[oldest]), "they are kept whatever their age");
    assert!(is_known(&mut rig, &marks[newest - 1]) && !is_known(&mut rig, &marks[newest]));
}

#[test]
fn a_turn_that_changes_more_layers_than_are_remembered_is_told_whole() {
    let count = MOST + 10;
    let mut rig = Rig::showing(layered(count));
    let mut client = Client::default();
    client.join(&mut rig);
    client.read(&mut rig, usize::MAX);
    let mark = client.mark.clone();
    rig.ask(Change::Volume(ControlChange::Attenuation(0.7)));
    let told = layers(&client.read(&mut rig, usize::MAX));
    assert_eq!(told.len(), count);
    assert_ne!(client.mark, mark);
    assert_eq!(client.controls, truth(&mut rig));
}

#[test]
fn places_go_on_with_another_image() {
    let mut rig = Rig::showing(layered(2));
    let session = rig.join(BASE);
    rig.ask(opacity(0, 0.5));
    let cursors = |rig: &mut Rig| rig.world().resource::<History>().cursors();
    let before = cursors(&mut rig);
    rig.read(session);
    rig.ask(Change::Dataset(slide()));
    let notices = rig.read(session).notices;
    assert_eq!(notices[0].mark, cursors(&mut rig).scene);
    assert_eq!(
        notices.iter().find(|n| n.topic == Topic::Layer(id(0))).unwrap().mark,
        cursors(&mut rig).layers
    );
    let after = cursors(&mut rig);
    assert_eq!((before.layers.as_ref().unwrap().seq, after.layers.as_ref().unwrap().seq), (1, 1));
    assert!(before.scene != after.scene && before.layers != after.layers);
    assert_eq!(Rig::empty().world().resource::<History>().cursors(), Cursors::default());
}

/// The main stream's configuration, the `count`-th.
fn configure(rig: &mut Rig, profile: u8, count: u64) {
    let (canvas, codec) = (Canvas::default(), "avc1.42C01F".into());
    let config = StreamConfig { canvas, codec, avcc: vec![profile], encoder: "by hand" };
    let world = rig.world();
    let stream = world.query_filtered::<Entity, With<Stream>>().single(world).unwrap();
    world.entity_mut(stream).insert((config, ConfigCount(count)));
}

#[test]
fn a_configuration_that_a_client_has_is_not_told_again() {
    let mut rig = Rig::showing(slide());
    configure(&mut rig, 1, 3);
    let of_stream = |notices: Vec<Notice>| notices.into_iter().find(|n| n.topic == Topic::Stream);
    let join = |rig: &mut Rig, stream: Option<String>| {
        let resume = Resume { stream, ..Resume::default() };
        let session = rig.join_later(Newcomer { resume, ..Newcomer::new(ALL_FEATURES) });
        rig.turn();
        rig.turn();
        (session, of_stream(rig.read(session).notices))
    };
    let (first, told) = join(&mut rig, None);
    let Mark { seq, token } = told.unwrap().mark.unwrap();
    assert_eq!(seq, 3);
    let (again, told) = join(&mut rig, Some(token.clone()));
    assert!(told.is_none());
    assert!(join(&mut rig, Some(token.clone() + "0")).1.is_some());

    configure(&mut rig, 2, 4);
    rig.turn();
    for session in [first, again] {
        let mark = of_stream(rig.read(session).notices).unwrap().mark.unwrap();
        assert_eq!(mark.seq, 4);
        assert_ne!(mark.token, token);
    }
    assert!(join(&mut rig, Some(token)).1.is_some(), "an old one");

    // Another stream may have had fewer.
    configure(&mut rig, 9, 1);
    rig.turn();
    assert_eq!(of_stream(rig.read(first).notices).unwrap().mark.unwrap().seq, 5);
}

#[test]
fn who_hears_nothing_is_told_nothing() {
    let mut rig = Rig::new();
    let deaf = rig.join_later(Newcomer { hears: false, ..Newcomer::new(Features::default()) });
    rig.turn();
    rig.turn();
    rig.ask(opacity(0, 0.5));
    assert!(rig.read(deaf).is_empty());
}

#[test]
fn that_nothing_is_open_is_told_once_and_the_scene_when_it_comes() {
    let mut rig = Rig::empty();
    let session = rig.join_unread(ALL_FEATURES);
    rig.turn();
    rig.turn();
    let notices = rig.read(session).notices;
    assert_eq!(topics(&notices), [Topic::Scene, Topic::Seats]);
    assert!(matches!(notices[0].body, NoticeBody::Idle));
    let mark = notices[0].mark.clone().unwrap();
    assert_eq!(mark.seq, 0);
    rig.turn();
    assert!(rig.read(session).is_empty());

    rig.ask(Change::Dataset(slide()));
    let notices = rig.read(session).notices;
    assert_eq!(topics(&notices)[0], Topic::Scene);
    assert!(matches!(notices[0].body, NoticeBody::Scene { .. }));
    assert_ne!(notices[0].mark, Some(mark));

    // Unread, the scene takes its place.
    let mut rig = Rig::empty();
    let session = rig.join_unread(ALL_FEATURES);
    rig.turn();
    rig.turn();
    rig.ask(Change::Dataset(slide()));
    let notices = rig.read(session).notices;
    assert_eq!(notices.iter().filter(|n| n.topic == Topic::Scene).count(), 1);
    assert!(matches!(notices[0].body, NoticeBody::Scene { .. }));
}

#[test]
fn the_layers_of_a_snapshot_are_those_of_every_view() {
    let mut rig = Rig::new();
    let second = rig.second_view();
    let snapshot = Snapshot::of(ViewId::MAIN, &rig.applied_of(ViewId::MAIN).unwrap());
    rig.ask(opacity(1, 0.25));
    let session = rig.join(BASE);
    let seq = rig.world().resource::<History>().seq();
    rig.ask(Change::Restore(Box::new(snapshot)));
    assert_eq!(rig.state().layers[1].controls.opacity, 1.0);
    assert_eq!(rig.applied_of(second).unwrap().state.layers, rig.state().layers);
    assert_eq!(layers(&rig.read(session).notices), [(id(1), vec![ControlKey::Opacity], seq + 1)]);
    // One entry, however many views.
    assert_eq!(rig.world().resource::<History>().seq(), seq + 1);
}
