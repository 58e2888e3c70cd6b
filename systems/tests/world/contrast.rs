//! Automatic contrast, from chunks in the host's cache.

use super::rig::{ALL_FEATURES, Rig, is_applied, labelled, layer, slide, value};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkKey, ChunkValues},
    controls::{ControlChange, ControlKey},
    dtype::Dtype,
    fault::RejectCode,
    ids::LayerId,
    intent::Change,
    notice::{NoticeBody, Topic},
    value::Value,
};
use lucida_systems::residency::cache::ChunkCache;

fn auto(number: u32, percentiles: [f64; 2]) -> Change {
    Change::AutoContrast { layer: LayerId(number), percentiles }
}

/// Puts a chunk of 64 × 64 into the cache whose values are a function of row and column in it.
fn arrive(rig: &mut Rig, number: u64, value: impl Fn(u64, u64) -> u16) {
    let key = ChunkKey { source: rig.state().dataset.images[0].source, level: 0, number };
    let bytes: Vec<u8> = (0..64)
        .flat_map(|y| (0..64).map(move |x| (y, x)))
        .flat_map(|(y, x)| value(y, x).to_ne_bytes())
        .collect();
    let chunk = ChunkData { dtype: Dtype::U16, values: ChunkValues::Dense(bytes.into()), missing: false };
    rig.world().resource_mut::<ChunkCache>().insert(key, chunk, u64::MAX);
}

#[test]
fn it_is_a_change_of_the_contrast_limits_of_its_layer() {
    let mut rig = Rig::showing(slide());
    let session = rig.join(ALL_FEATURES);
    let why = rig.unchanged_by(|r| r.refused(auto(0, [0.0, 100.0])));
    assert_eq!(why.code, RejectCode::Error);
    assert!(why.message.contains("ask again"), "{why}");

    // 64 × 96 in two chunks; what stands beyond the image's edge must not count.
    arrive(&mut rig, 0, |y, x| (200 + y * 64 + x) as u16);
    arrive(&mut rig, 1, |_, x| if x < 32 { 150 } else { 60_000 });
    let (ack, told) = rig.answer(session, auto(0, [0.0, 100.0]));
    assert_eq!(value(&ack), (Value::Floats(vec![150.0, 4295.0]), 1));
    let notice = told.iter().find(|n| n.topic == Topic::Layer(LayerId(0))).unwrap();
    assert_eq!(notice.cause.as_ref(), Some(&ack.intent));
    match &notice.body {
        NoticeBody::Layer { changed, .. } => assert!(changed.iter().eq([&ControlKey::ContrastLimits])),
        other => panic!("{other:?}"),
    }
    rig.unchanged_by(|r| r.answer(session, auto(0, [0.0, 100.0])));

    // A third of the values is 150.
    let (ack, _) = rig.answer(session, auto(0, [20.0, 100.0]));
    assert_eq!(value(&ack), (Value::Floats(vec![150.0, 4295.0]), 1));
    let (ack, _) = rig.answer(session, auto(0, [50.0, 100.0]));
    let Value::Floats(limits) = value(&ack).0 else { panic!() };
    // Rank 3071.5 of 6144: between the 1023rd and the 1024th of the ramp.
    assert_eq!(limits, [200.0 + 1023.5, 4295.0]);
}

#[test]
fn what_failed_is_left_out_and_what_has_not_come_too() {
    let mut rig = Rig::showing(slide());
    let source = rig.state().dataset.images[0].source;
    arrive(&mut rig, 0, |_, x| 10 + x as u16);
    assert!(is_applied(&rig.ask(auto(0, [0.0, 100.0]))), "better than nothing");
    assert_eq!(rig.state().layers[0].controls.contrast_limits, [10.0, 73.0]);
    let key = ChunkKey { source, level: 0, number: 1 };
    let fault = ChunkFault { level: 0, number: 1, reason: "broken".into() };
    rig.world().resource_mut::<ChunkCache>().faults.failed(key, fault, std::time::Instant::now());
    assert!(is_applied(&rig.ask(auto(0, [50.0, 100.0]))));
    assert_eq!(rig.state().layers[0].controls.contrast_limits, [41.5, 73.0]);
}

#[test]
fn in_one_turn_the_last_word_counts() {
    let mut rig = Rig::showing(slide());
    arrive(&mut rig, 0, |_, _| 7);
    arrive(&mut rig, 1, |_, _| 9);
    let fixed = layer(0, ControlChange::ContrastLimits([1.0, 2.0]));
    rig.ask_all([auto(0, [0.0, 100.0]), fixed.clone()]);
    assert_eq!(rig.state().layers[0].controls.contrast_limits, [1.0, 2.0]);
    rig.ask_all([fixed, auto(0, [0.0, 100.0])]);
    assert_eq!(rig.state().layers[0].controls.contrast_limits, [7.0, 9.0]);
}

#[test]
fn labels_and_layers_that_are_not_there_are_refused() {
    let mut rig = Rig::showing(labelled());
    for (number, word, code) in [(1, "labels", RejectCode::Error), (5, "does not exist", RejectCode::Invalid)]
    {
        let why = rig.unchanged_by(|r| r.refused(auto(number, [0.5, 99.5])));
        assert_eq!(why.code, code);
        assert!(why.message.contains(word), "{why}");
    }
    assert!(Rig::empty().refused(auto(0, [0.5, 99.5])).message.contains("does not exist"));
}
