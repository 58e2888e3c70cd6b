//! Small pictures of layers: what they show, when they are made, and who is told.

use super::rig::{ALL_FEATURES, BASE, Rig, brain, go, labelled, layer, pan, slide, topics};
use lucida_components::{
    chunk::{Arrivals, ChunkData, ChunkFault, ChunkKey, ChunkValues, Wants},
    controls::ControlChange,
    dataset::LayerSource,
    dtype::Dtype,
    ids::{LayerId, SessionId, ViewId},
    intent::{Change, SessionEvent},
    labels::{LabelTable, hashed_colour},
    lod::Budgets,
    notice::{Notice, NoticeBody, Topic},
    session::Features,
    thumbnail::{Thumbnail, Thumbnails},
};
use lucida_systems::{
    residency::{cache::ChunkCache, pools::Pools},
    thumbnails::{READS, work::INTERVAL},
};
use std::sync::Arc;

const SMALL: Features = Features { thumbnails: true, ..BASE };
const MILLIS: u64 = INTERVAL.as_millis() as u64;

/// A chunk of 64 × 64 voxels of 16 bits arrives; its values are a function of row and column in the image of
/// [`slide`].
fn bring(rig: &mut Rig, image: usize, number: u64, value: impl Fn(u64, u64) -> u32) {
    let image = &rig.state().dataset.images[image];
    let key = ChunkKey { source: image.source, level: 0, number };
    let dtype = image.dtype;
    let places = (0..64).flat_map(|y| (0..64).map(move |x| (y, x + 64 * number)));
    let bytes: Vec<u8> =
        places.flat_map(|(y, x)| value(y, x).to_ne_bytes()[..dtype.size()].to_vec()).collect();
    let chunk = ChunkData { dtype, values: ChunkValues::Dense(bytes.into()), missing: false };
    rig.world().resource_mut::<Arrivals>().0.push((key, Some(Ok(chunk))));
}

fn ramp(y: u64, x: u64) -> u32 {
    (200 + 30 * y + 10 * x) as u32
}

/// Turns until nothing is due at once.
fn settle(rig: &mut Rig) {
    for _ in 0..50 {
        rig.turn();
        if rig.due() != Some(0) {
            return;
        }
    }
    panic!("it never comes to rest");
}

fn made(rig: &mut Rig) -> Vec<LayerId> {
    let entity = rig.entity(ViewId::MAIN);
    let made = rig.world().get::<Thumbnails>(entity);
    made.map(|t| t.0.keys().copied().collect()).unwrap_or_default()
}

fn told(rig: &mut Rig, session: SessionId, number: u32) -> Option<Arc<Thumbnail>> {
    let notices = rig.read(session).notices;
    notices.into_iter().find(|n| n.topic == Topic::Thumbnail(LayerId(number))).map(|n| {
        assert!(n.mark.is_some());
        match n.body {
            NoticeBody::Thumbnail(thumbnail) => thumbnail,
            other => panic!("{other:?}"),
        }
    })
}

/// The mean of a function over the part of an image of `extent` that pixel `n` of `pixels` covers, along both sides.
fn mean(at: [usize; 2], size: [usize; 2], extent: [f64; 2], value: impl Fn(u64, u64) -> u32) -> f64 {
    const FINE: usize = 50;
    let place = |side: usize, n: usize| {
        let part = (n as f64 + 0.5) / FINE as f64;
        ((at[side] as f64 + part) * extent[side] / size[side] as f64).floor() as u64
    };
    let values = (0..FINE * FINE).map(|n| f64::from(value(place(1, n / FINE), place(0, n % FINE))));
    values.sum::<f64>() / (FINE * FINE) as f64
}

#[test]
fn it_is_the_coarsest_level_through_contrast_gamma_and_colormap() {
    let mut rig = Rig::showing(slide());
    let session = rig.join(SMALL);
    rig.ask_all([
        layer(0, ControlChange::ContrastLimits([300.0, 2500.0])),
        layer(0, ControlChange::Gamma(2.0)),
        layer(0, ControlChange::Colormap("#ff8000".into())),
        layer(0, ControlChange::Opacity(0.1)),
    ]);
    assert!(told(&mut rig, session, 0).is_none(), "nothing is there");
    bring(&mut rig, 0, 0, ramp);
    bring(&mut rig, 0, 1, ramp);
    settle(&mut rig);
    let thumbnail = told(&mut rig, session, 0).unwrap();
    assert_eq!(thumbnail.size, [32, 21], "96 × 64");
    assert_eq!(thumbnail.pixels.len(), 32 * 21);
    for (n, pixel) in thumbnail.pixels.iter().enumerate() {
        let value = mean([n % 32, n / 32], thumbnail.size, [96.0, 64.0], ramp);
        let t = ((value - 300.0) / 2200.0).clamp(0.0, 1.0).powi(2);
        let want = [t, t * 128.0 / 255.0, 0.0, 1.0];
        for (got, want) in pixel.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 0.02, "{n}: {pixel:?} {want:?} of {value}");
        }
    }
}

#[test]
fn labels_have_their_colours_and_no_background() {
    let mut dataset = (*labelled()).clone();
    let table = LabelTable { colours: [(3, [255, 0, 51, 128])].into(), ..LabelTable::default() };
    dataset.layers[1] = LayerSource { labels: Some(Arc::new(table)), ..dataset.layers[1].clone() };
    let mut rig = Rig::showing(Arc::new(dataset));
    let session = rig.join(SMALL);
    // Columns of 32: nothing, object 3, object 70000.
    let id = |x: u64| [0, 3, 70_000][(x / 32) as usize];
    bring(&mut rig, 1, 0, |_, x| id(x));
    bring(&mut rig, 1, 1, |_, x| id(x.min(95)));
    settle(&mut rig);
    let pixels = told(&mut rig, session, 1).unwrap().pixels.clone();
    let at = |pixels: &[[f32; 4]], column: usize| pixels[10 * 32 + column];
    let [r, g, b] = hashed_colour(70_000).map(|c| c as f32);
    assert_eq!(at(&pixels, 2), [0.0; 4]);
    assert_eq!(at(&pixels, 15), [1.0, 0.0, 0.2, 128.0 / 255.0]);
    assert_eq!(at(&pixels, 30), [r, g, b, 1.0]);

    rig.wait(MILLIS);
    rig.ask_all([
        layer(1, ControlChange::SelectedLabel(3)),
        layer(1, ControlChange::ShowSelectedLabel(true)),
    ]);
    settle(&mut rig);
    let pixels = told(&mut rig, session, 1).unwrap().pixels.clone();
    assert_eq!(at(&pixels, 15)[0], 1.0);
    assert_eq!(at(&pixels, 30), [0.0; 4]);
}

#[test]
fn half_of_it_must_be_there_and_the_rest_follows() {
    let mut rig = Rig::showing(slide());
    let session = rig.join(SMALL);
    bring(&mut rig, 0, 1, ramp);
    settle(&mut rig);
    assert!(told(&mut rig, session, 0).is_none(), "a third");

    let mut rig = Rig::showing(slide());
    let session = rig.join(SMALL);
    bring(&mut rig, 0, 0, ramp);
    settle(&mut rig);
    let some = told(&mut rig, session, 0).unwrap();
    assert_eq!((some.pixels[0][3], some.pixels[31][3]), (1.0, 0.0));
    bring(&mut rig, 0, 1, ramp);
    settle(&mut rig);
    assert!(told(&mut rig, session, 0).is_none(), "not so soon");
    assert_eq!(rig.due(), Some(u128::from(MILLIS)));
    rig.wait(MILLIS);
    settle(&mut rig);
    assert_eq!(told(&mut rig, session, 0).unwrap().pixels[31][3], 1.0);
}

#[test]
fn what_cannot_be_read_is_left_out() {
    let mut rig = Rig::showing(slide());
    let session = rig.join(SMALL);
    bring(&mut rig, 0, 0, ramp);
    let source = rig.state().dataset.images[0].source;
    let fault = ChunkFault { level: 0, number: 1, reason: "broken".into() };
    let key = ChunkKey { source, level: 0, number: 1 };
    rig.world().resource_mut::<Arrivals>().0.push((key, Some(Err(fault))));
    settle(&mut rig);
    assert_eq!(told(&mut rig, session, 0).unwrap().pixels[31], [0.0; 4]);
    // It could be read after all.
    rig.wait(MILLIS);
    bring(&mut rig, 0, 1, ramp);
    settle(&mut rig);
    assert_eq!(told(&mut rig, session, 0).unwrap().pixels[31][3], 1.0);
}

/// The brain, all of which is 1000.
fn uniform(rig: &mut Rig) {
    let image = &rig.state().dataset.images[0];
    let (source, level) = (image.source, &image.levels[3]);
    let all = level.grid().product::<u64>();
    let chunk =
        || ChunkData { dtype: Dtype::U16, values: ChunkValues::Uniform([232, 3, 0, 0]), missing: false };
    let keys = (0..all).map(|number| ChunkKey { source, level: 3, number });
    rig.world().resource_mut::<Arrivals>().0.extend(keys.map(|key| (key, Some(Ok(chunk())))));
}

#[test]
fn what_does_not_change_it_makes_none_anew() {
    let mut rig = Rig::new();
    let session = rig.join(SMALL);
    uniform(&mut rig);
    settle(&mut rig);
    assert!(told(&mut rig, session, 0).is_some());
    let same = [
        pan(30.0, 0.0),
        layer(0, ControlChange::Opacity(0.3)),
        Change::Level(0),
        layer(0, ControlChange::Attenuation(0.3)),
        // All of the image is the same.
        go("z", 20),
        Change::Ndisplay(3),
    ];
    for change in same {
        rig.wait(MILLIS);
        rig.ask(change.clone());
        settle(&mut rig);
        assert!(told(&mut rig, session, 0).is_none(), "{change:?}");
    }
    for change in [
        ControlChange::ContrastLimits([0.0, 1001.0]),
        ControlChange::Gamma(7.0),
        ControlChange::Colormap("red".into()),
    ] {
        rig.wait(MILLIS);
        rig.ask(layer(0, change.clone()));
        settle(&mut rig);
        assert!(told(&mut rig, session, 0).is_some(), "{change:?}");
    }
}

#[test]
fn a_hand_that_drags_makes_four_a_second() {
    let mut rig = Rig::new();
    let session = rig.join(SMALL);
    uniform(&mut rig);
    settle(&mut rig);
    rig.read(session);
    let mut count = 0;
    for n in 0..100 {
        rig.wait(10);
        rig.ask(layer(0, ControlChange::ContrastLimits([0.0, 1100.0 + f64::from(n)])));
        rig.turn();
        count += u32::from(told(&mut rig, session, 0).is_some());
    }
    assert!((3..=4).contains(&count), "{count}");
    // The last of them is made.
    rig.wait(MILLIS);
    settle(&mut rig);
    let entity = rig.entity(ViewId::MAIN);
    let last = rig.world().get::<Thumbnails>(entity).unwrap().0[&LayerId(0)].clone();
    assert!((f64::from(last.pixels[0][0]) - 1000.0 / 1199.0).abs() < 1e-6);
}

#[test]
fn many_layers_take_some_turns_and_hidden_ones_wait() {
    let mut dataset = (*brain()).clone();
    dataset.layers = dataset.layers.iter().cycle().take(11).cloned().collect();
    let mut rig = Rig::showing(Arc::new(dataset));
    rig.ask(layer(10, ControlChange::Visible(false)));
    let session = rig.join(SMALL);
    uniform(&mut rig);
    // 512 × 256 texels: 32 × 16 pixels of 16 samples each.
    let most = READS.div_ceil(32 * 16 * 16);
    let mut before = 0;
    loop {
        rig.turn();
        let now = made(&mut rig).len();
        assert!(now <= before + most, "{now} after {before}");
        if now == 10 && before > 0 {
            break;
        }
        assert!(now > before);
        before = now;
        assert!(rig.due().is_some_and(|due| due <= 10));
        rig.wait(10);
    }
    settle(&mut rig);
    assert_eq!(rig.due(), None);
    assert!(!made(&mut rig).contains(&LayerId(10)));
    rig.read(session);
    rig.ask(layer(10, ControlChange::Visible(true)));
    settle(&mut rig);
    assert!(told(&mut rig, session, 10).is_some());
}

fn scene_thumbnails(notices: &[Notice]) -> usize {
    match &notices[0].body {
        NoticeBody::Scene { thumbnails, .. } => thumbnails.0.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_asked_is_told_with_the_scene_what_there_is() {
    let mut rig = Rig::new();
    uniform(&mut rig);
    rig.turn();
    let plain = rig.join(BASE);
    settle(&mut rig);
    assert!(made(&mut rig).is_empty(), "nobody asked");
    let first = rig.join(SMALL);
    settle(&mut rig);
    assert_eq!(rig.read(first).notices.len(), 2);
    let second = rig.join_unread(SMALL);
    settle(&mut rig);
    let notices = rig.read(second).notices;
    assert_eq!(scene_thumbnails(&notices), 2);
    assert!(!topics(&notices).contains(&Topic::Thumbnail(LayerId(0))), "once is enough");
    assert!(rig.read(plain).is_empty());

    // Another image begins without any, although it has the same layers.
    rig.ask(Change::Dataset(brain()));
    let notices = rig.read(first).notices;
    assert_eq!(scene_thumbnails(&notices), 0);
    assert!(made(&mut rig).is_empty());
    uniform(&mut rig);
    settle(&mut rig);
    assert_eq!(rig.read(second).notices.iter().filter(|n| matches!(n.topic, Topic::Thumbnail(_))).count(), 2);

    for session in [first, second] {
        rig.event(SessionEvent::Left { session });
    }
    rig.turn();
    assert!(made(&mut rig).is_empty(), "nobody asks any more");
}

fn wanted(rig: &mut Rig) -> Vec<ChunkKey> {
    rig.world().resource::<Wants>().list.iter().map(|want| want.key).collect()
}

#[test]
fn chunks_that_are_not_there_any_more_are_asked_for_after_everything_else() {
    let mut rig = Rig::empty();
    rig.app.insert_resource(Pools::new(&Budgets::default()));
    rig.ask(Change::Dataset(slide()));
    assert!(wanted(&mut rig).is_empty(), "nobody watches");
    let session = rig.join(SMALL);
    settle(&mut rig);
    let source = rig.state().dataset.images[0].source;
    let key = |number| ChunkKey { source, level: 0, number };
    assert_eq!(wanted(&mut rig), [key(0), key(1)]);
    bring(&mut rig, 0, 0, ramp);
    bring(&mut rig, 0, 1, ramp);
    settle(&mut rig);
    assert!(told(&mut rig, session, 0).is_some());

    // They went out of the cache; nobody needs them until the thumbnail is to be made anew.
    rig.world().resource_mut::<ChunkCache>().shrink(0);
    rig.wait(MILLIS);
    rig.ask(pan(1.0, 0.0));
    settle(&mut rig);
    assert!(wanted(&mut rig).is_empty());
    rig.ask(layer(0, ControlChange::Gamma(2.0)));
    settle(&mut rig);
    assert_eq!(wanted(&mut rig), [key(0), key(1)]);

    // Where no session wants thumbnails nothing is wanted for them.
    rig.event(SessionEvent::Left { session });
    let _ = rig.join(ALL_FEATURES);
    rig.event(SessionEvent::Left { session: SessionId(2) });
    rig.turn();
    assert!(made(&mut rig).is_empty());
}
