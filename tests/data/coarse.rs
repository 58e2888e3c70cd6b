//! Virtual levels: their values against means computed from the whole array, what is made of broken chunks,
//! how much is read, and images that declare more than anybody could make.

use crate::{
    array::Array,
    image::{Voxels, multiscales, places, put_image, put_json, v2},
};
use lucida::data::{
    Opened,
    coarse::{Shelf, with_levels},
    open::open,
};
use lucida_components::{
    chunk::ChunkValues,
    dataset::{Level, LevelKind},
    dtype::Dtype,
    layer::LayerKind,
};
use serde_json::{Value, json};
use std::{
    cell::Cell,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

fn in_memory() -> Arc<Shelf> {
    Arc::new(Shelf::new(None, 0))
}

/// Numbers that look like noise.
fn noise(at: &[u64]) -> u64 {
    let n = at.iter().fold(7u64, |n, a| (n ^ a).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29));
    n >> 20
}

/// The values of the level after one of `shape`, where some dimensions halve, from all of its values.
fn halve(values: &[f64], shape: &[u64], coarse: &[u64], dtype: Dtype, kind: LayerKind) -> Vec<f64> {
    let halves = |d: usize| shape[d] != coarse[d];
    places(coarse)
        .map(|at| {
            let corner: Vec<u64> =
                (0..shape.len()).map(|d| if halves(d) { 2 * at[d] } else { at[d] }).collect();
            let block: Vec<u64> = (0..shape.len()).map(|d| if halves(d) { 2 } else { 1 }).collect();
            let covered: Vec<f64> = places(&block)
                .map(|inside| corner.iter().zip(&inside).map(|(c, i)| c + i).collect::<Vec<u64>>())
                .filter(|at| at.iter().zip(shape).all(|(a, s)| a < s))
                .map(|at| values[at.iter().zip(shape).fold(0, |n, (a, s)| n * s + a) as usize])
                .collect();
            if kind == LayerKind::Labels {
                return covered[0];
            }
            let finite: Vec<f64> = covered.into_iter().filter(|v| v.is_finite()).collect();
            let mean = finite.iter().sum::<f64>() / finite.len() as f64;
            match dtype {
                Dtype::F32 => f64::from(mean as f32),
                _ => mean.round_ties_even(),
            }
        })
        .collect()
}

/// Opens an array with virtual levels and compares every voxel of each.
#[track_caller]
fn check(array: Array) -> Opened {
    let (dtype, kind) = (array.dtype, array.kind);
    let (mut values, mut shape) = (array.values.to_vec(), array.shape.clone());
    let opened = with_levels(array.open().0, &in_memory());
    let levels = &opened.dataset.images[0].levels;
    assert!(levels.len() > 1 && levels[0].kind == LevelKind::Stored);
    for (number, level) in levels.iter().enumerate().skip(1) {
        assert_eq!(level.kind, LevelKind::Virtual);
        values = halve(&values, &shape, &level.shape, dtype, kind);
        shape.clone_from(&level.shape);
        let at: Vec<Vec<u64>> = places(&shape).collect();
        for ((got, want), at) in Voxels(&opened).all(number, &at).into_iter().zip(&values).zip(&at) {
            assert!(
                got == *want || (got.is_nan() && want.is_nan()),
                "level {number} at {at:?}: {got}, not {want}"
            );
        }
    }
    opened
}

#[test]
fn a_voxel_is_the_mean_of_those_that_it_covers() {
    let byte = |at: &[u64]| (noise(at) % 256) as f64;
    check(Array::new("yx", &[1100, 300], &[64, 64], Dtype::U8, byte));
    // Odd extents, chunks that cover each other in many ways, and one that is larger than the array.
    check(Array::new("yx", &[1031, 203], &[125, 33], Dtype::U8, byte));
    check(Array::new("yx", &[203, 2051], &[300, 1], Dtype::U8, byte));
    check(Array::new("yx", &[1025, 31], &[2000, 31], Dtype::U8, byte));
    check(Array::new("yx", &[1, 4099], &[1, 512], Dtype::U8, byte));
}

#[test]
fn all_axes_and_channels_go_along() {
    let word = |at: &[u64]| (noise(at) % 60_000) as f64;
    let opened = check(Array::new("tczyx", &[2, 2, 5, 1030, 9], &[1, 1, 1, 256, 9], Dtype::U16, word));
    // Voxels are cubes, so z halves too.
    assert_eq!(opened.dataset.images[0].levels[1].shape, [2, 2, 3, 515, 5]);
    assert_eq!(opened.dataset.images[0].levels[1].translation, [0.0, 0.0, 0.5, 0.5, 0.5]);
    check(Array::new("czyx", &[2, 7, 20, 1100], &[2, 3, 7, 50], Dtype::U16, word));
    check(Array::new("xyc", &[1100, 40, 3], &[100, 40, 3], Dtype::U16, word));
}

#[test]
fn sums_do_not_overflow_and_signs_stay() {
    let high = |at: &[u64]| 65_535.0 - (noise(at) % 3) as f64;
    check(Array::new("zyx", &[4, 1026, 20], &[4, 256, 20], Dtype::U16, high));
    let signed = |at: &[u64]| (noise(at) % 65_536) as f64 - 32_768.0;
    check(Array::new("yx", &[1027, 50], &[100, 50], Dtype::I16, signed));
    check(Array::new("yx", &[1027, 50], &[100, 50], Dtype::I16, |at| -32_768.0 + (at[0] % 2) as f64));
    check(Array::new("yx", &[1027, 50], &[100, 50], Dtype::U32, |at| {
        f64::from(u32::MAX) - (noise(at) % 9) as f64
    }));
}

#[test]
fn what_is_no_number_is_left_out_of_a_mean() {
    let holes = |at: &[u64]| match noise(at) % 5 {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 if at[1] > 20 => f64::NEG_INFINITY,
        n => f64::from(n as f32 * 0.37 - 1.0),
    };
    let opened = check(Array::new("yx", &[1500, 41], &[128, 41], Dtype::F32, holes));
    let at: Vec<Vec<u64>> = places(&opened.dataset.images[0].levels[1].shape).collect();
    let nans = Voxels(&opened).all(1, &at).iter().filter(|v| v.is_nan()).count();
    assert!(nans > 10 && nans < at.len() / 3, "{nans} blocks without a number");
}

#[test]
fn a_label_is_the_first_of_those_that_it_covers() {
    for dtype in [Dtype::U8, Dtype::U16, Dtype::U32] {
        let id = |at: &[u64]| (noise(at) % 250) as f64;
        let labels = Array::new("zyx", &[3, 1033, 77], &[1, 125, 33], dtype, id);
        check(Array { kind: LayerKind::Labels, ..labels });
    }
}

#[test]
fn an_empty_image_costs_nothing() {
    let (opened, _) = Array::new("yx", &[4096, 600], &[256, 256], Dtype::U16, |_| 7.0).open();
    let opened = with_levels(opened, &in_memory());
    // Padding stands in no whole chunk of the first rows.
    let chunk = opened.sources[0].1.read(1, 0).unwrap();
    assert!(matches!(chunk.values, ChunkValues::Dense(_)), "what was read as values stays so");

    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.4", multiscales("yx", &[("0", vec![1.0, 1.0])]), Value::Null);
    let mut meta = v2(&[4096, 4096], &[256, 256], "<u2");
    meta["fill_value"] = json!(513);
    put_json(&dir.path().join("0"), ".zarray", &meta);
    let opened = with_levels(open(dir.path()).unwrap(), &in_memory());
    let chunk = opened.sources[0].1.read(2, 0).unwrap();
    assert!(matches!(chunk.values, ChunkValues::Uniform([1, 2, ..])), "{chunk:?}");
}

#[test]
fn what_cannot_be_read_is_left_out_and_told() {
    let byte = |at: &[u64]| 10.0 + (noise(at) % 200) as f64;
    let whole = Array::new("yx", &[2048, 256], &[256, 256], Dtype::U8, byte);
    let (broken, _) = Array { broken: 1..2, ..whole.clone() }.open();
    let broken = with_levels(broken, &in_memory());
    let whole = with_levels(whole.open().0, &in_memory());
    let chunks = |opened: &Opened, level: u16| {
        let grid = opened.dataset.images[0].levels[usize::from(level)].grid().product::<u64>();
        (0..grid).map(|n| opened.sources[0].1.read(level, n).unwrap()).collect::<Vec<_>>()
    };
    let bytes = |chunk: &ChunkValues| match chunk {
        ChunkValues::Dense(bytes) => bytes.to_vec(),
        ChunkValues::Uniform(_) => panic!("there are many values"),
    };
    let got = chunks(&broken, 1);
    assert_eq!(got.iter().map(|c| c.missing).collect::<Vec<_>>(), [true, false, false, false]);
    let want = chunks(&whole, 1);
    let (got, want) = (bytes(&got[0].values), bytes(&want[0].values));
    // Its upper half comes from the chunk that is there, the lower half has nothing.
    let half = got.len() / 2;
    assert!(got[..half] == want[..half] && got[half..].iter().all(|v| *v == 0));

    let (gone, _) =
        Array { broken: 0..2, ..Array::new("yx", &[2048, 256], &[256, 256], Dtype::U8, byte) }.open();
    let gone = with_levels(gone, &in_memory());
    let fault = gone.sources[0].1.read(1, 0).unwrap_err();
    assert!(fault.reason.contains("broken on purpose"), "{fault}");
    assert!(gone.sources[0].1.read(1, 1).is_ok());
    assert!(gone.sources[0].1.read(1, 99).unwrap_err().reason.contains("no such chunk"));
}

#[test]
fn making_stops_when_it_is_told_and_goes_on_where_it_was() {
    let (opened, reads) =
        Array::new("yx", &[8192, 64], &[64, 64], Dtype::U8, |at| (at[0] % 251) as f64).open();
    let opened = with_levels(opened, &in_memory());
    let source = &opened.sources[0].1;
    let coarsest = opened.dataset.images[0].levels.len() as u16 - 1;
    assert!(source.look(coarsest, 0).is_none(), "it is not there, and looking does not make it");
    assert_eq!(reads.load(Ordering::Relaxed), 0);
    assert!(source.look(0, 0).is_some_and(|c| c.is_ok()), "stored ones are read");

    reads.store(0, Ordering::Relaxed);
    let asked = Cell::new(0);
    let most = 24;
    let goes_on = || {
        asked.set(asked.get() + 1);
        asked.get() < most
    };
    assert!(source.make(coarsest, 0, &goes_on).is_none());
    let before = reads.load(Ordering::Relaxed);
    assert!(before < most && before > most / 2, "{before} chunks were read");
    let whole = source.read(coarsest, 0).unwrap();
    let all = opened.dataset.images[0].levels[coarsest as usize].chunk[0] << coarsest;
    let again = reads.load(Ordering::Relaxed) - before;
    assert!(again < all / 64, "{again} of {} chunks were read again", all / 64);
    assert!(source.look(coarsest, 0).is_some_and(|c| c.is_ok()), "now it is there");
    assert!(!whole.missing);
}

#[test]
fn an_image_that_is_coarse_enough_is_left_as_it_is() {
    let (opened, _) = Array::new("yx", &[1024, 1024], &[256, 256], Dtype::U8, |_| 0.0).open();
    let dataset = opened.dataset.clone();
    let same = with_levels(opened, &in_memory());
    assert!(Arc::ptr_eq(&dataset, &same.dataset));
}

#[test]
fn an_image_that_declares_more_than_anybody_could_make_opens_at_once() {
    for (shape, chunk) in
        [([1u64 << 31, 1 << 31], [256u64, 256]), ([1 << 31, 1 << 31], [1, 1]), ([1 << 62, 1], [1 << 28, 1])]
    {
        let dir = tempfile::tempdir().unwrap();
        put_image(dir.path(), "0.4", multiscales("yx", &[("0", vec![1.0, 1.0])]), Value::Null);
        put_json(&dir.path().join("0"), ".zarray", &v2(&shape, &chunk, "|u1"));
        let began = Instant::now();
        let opened = with_levels(open(dir.path()).unwrap(), &in_memory());
        let levels: &Vec<Level> = &opened.dataset.images[0].levels;
        assert!((10..=64).contains(&levels.len()), "{} levels", levels.len());
        let asked = Cell::new(0);
        let goes_on = || {
            asked.set(asked.get() + 1);
            asked.get() < 50
        };
        let coarsest = levels.len() as u16 - 1;
        assert!(opened.sources[0].1.make(coarsest, 0, &goes_on).is_none());
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }
}
