//! The thick slice: projections over the index's margins.

use crate::{
    common::{array::ArrayImage, device, pixel, stills},
    rig::{canvas, check, go, pattern, rect, set},
};
use lucida_components::{
    controls::{ControlChange, Interpolation, Projection},
    dtype::Dtype,
    intent::Change,
};
use lucida_systems::residency::slab::MOST_PLANES;
use std::sync::Arc;

pub fn thicken(axis: &str, before: f64, after: f64) -> Change {
    Change::Margins { axis: axis.into(), margins: [before, after] }
}

pub const PROJECTIONS: [Projection; 4] =
    [Projection::Sum, Projection::Mean, Projection::Minimum, Projection::Maximum];

/// As numpy's nan-functions do it, over a list.
pub fn project(projection: Projection, values: &[f64]) -> Option<f64> {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    let sum = finite.iter().sum::<f64>();
    Some(match projection {
        Projection::None => values[0],
        Projection::Sum => sum,
        Projection::Mean => sum / finite.len() as f64,
        Projection::Minimum => finite.iter().copied().fold(f64::INFINITY, f64::min),
        Projection::Maximum => finite.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

#[test]
fn every_projection_and_interpolation_of_every_type_equals_the_twin() {
    let Some(device) = device() else { return };
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
        let shift = if matches!(dtype, Dtype::I16 | Dtype::F32) { 128.0 } else { 0.0 };
        let values = move |l: usize, at: &[u64]| match pattern(l, at) {
            v if dtype == Dtype::F32 && v > 200.0 => f64::NAN,
            v => v - shift,
        };
        let mut stills =
            stills(&device, ArrayImage::new("zyx", &[9, 150, 140], dtype, Arc::new(values)).open());
        stills
            .draw(vec![canvas(128, 96), rect(60.2, 70.1, 90.0, 67.5), go("z", 4), thicken("z", 2.0, 3.0)])
            .expect("drawn");
        for projection in PROJECTIONS {
            for interpolation in Interpolation::ALL {
                let n = if projection == Projection::Sum { 6.0 } else { 1.0 };
                let limits = [(20.0 - shift) * n, (235.0 - shift) * n];
                let changes = vec![
                    set(0, ControlChange::Projection(projection)),
                    set(0, ControlChange::Interpolation(*interpolation)),
                    set(0, ControlChange::ContrastLimits(limits)),
                ];
                let shot = stills.draw(changes).expect("drawn");
                check(&format!("{dtype:?} {projection:?} {interpolation:?}"), &shot, values);
            }
        }
    }
}

#[test]
fn a_projection_is_that_of_the_voxels_within_the_margins() {
    let Some(device) = device() else { return };
    // Every plane has its own value; NaN and infinity on some.
    let planes = [10.0, 20.0, f64::NAN, 40.0, 5.0, f64::INFINITY, 70.0, 3.0];
    let values = move |_: usize, at: &[u64]| planes[at[0] as usize];
    let mut stills =
        stills(&device, ArrayImage::new("zyx", &[8, 32, 32], Dtype::F32, Arc::new(values)).open());
    stills.draw(vec![canvas(32, 32)]).expect("drawn");
    // Place, margins, and the planes that they hold.
    let cases: [(i64, [f64; 2], std::ops::Range<usize>); 8] = [
        (3, [0.0, 0.0], 3..4),
        (3, [1.0, 1.0], 2..5),
        (3, [0.9, 1.9], 3..5),
        (1, [5.0, 0.0], 0..2),
        (6, [2.0, 9.0], 4..8),
        (2, [0.0, 0.0], 2..3),
        (0, [0.0, 1e9], 0..8),
        (7, [1e300, 0.0], 0..8),
    ];
    for (z, [before, after], held) in cases {
        for projection in PROJECTIONS {
            let changes = vec![
                go("z", z),
                thicken("z", before, after),
                set(0, ControlChange::Projection(projection)),
                set(0, ControlChange::ContrastLimits([0.0, 255.0])),
            ];
            let shot = stills.draw(changes).expect("drawn");
            let want = project(projection, &planes[held.clone()]).unwrap_or(0.0);
            let got = f64::from(pixel(&shot, 16, 16)[0]);
            assert!((got - want).abs() <= 1.01, "z {z}, {held:?}, {projection:?}: {got} instead of {want}");
        }
    }
    // Without a projection the margins mean nothing.
    let shot =
        stills.draw(vec![go("z", 3), set(0, ControlChange::Projection(Projection::None))]).expect("drawn");
    assert_eq!(pixel(&shot, 16, 16), [40; 3]);
}

#[test]
fn two_axes_are_projected_at_once_and_the_channel_is_not() {
    let Some(device) = device() else { return };
    let value = |at: &[u64]| (at[0] * 40 + at[1] * 9 + at[2] * 3 + at[4] % 4) as f64;
    let values = move |_: usize, at: &[u64]| value(at);
    let image = ArrayImage::new("tczyx", &[4, 2, 5, 32, 32], Dtype::U16, Arc::new(values));
    let mut stills = stills(&device, image.open());
    let changes = vec![
        canvas(32, 32),
        go("t", 1),
        go("z", 2),
        thicken("t", 1.0, 1.0),
        thicken("z", 1.0, 2.0),
        // The plane's own axes have no thickness.
        thicken("y", 3.0, 3.0),
        set(0, ControlChange::Projection(Projection::Sum)),
        set(0, ControlChange::ContrastLimits([0.0, 1000.0])),
        set(1, ControlChange::Projection(Projection::Maximum)),
    ];
    let shot = stills.draw(changes).expect("drawn");
    let x = 7;
    let mut sum = 0.0;
    for t in 0..3 {
        for z in 1..5 {
            sum += value(&[t, 0, z, 0, x]);
        }
    }
    let want = (sum / 1000.0 * 255.0 + value(&[2, 1, 4, 0, x])).min(255.0);
    let got = f64::from(pixel(&shot, x as u32, 9)[0]);
    assert!((got - want).abs() <= 1.6, "{got} instead of {want}");
    check("t and z", &shot, values);
}

#[test]
fn sixteen_bits_of_256_planes_are_summed_exactly() {
    let Some(device) = device() else { return };
    let values = |_: usize, at: &[u64]| (65_535 - at[0] % 3 - at[2] % 2) as f64;
    let image = ArrayImage::new("zyx", &[300, 16, 16], Dtype::U16, Arc::new(values));
    let sum = |x: u64| (0..256).map(|z| values(0, &[z, 0, x])).sum::<f64>();
    let middle = f64::midpoint(sum(0), sum(1));
    let changes = vec![
        canvas(16, 16),
        go("z", 0),
        thicken("z", 0.0, 255.0),
        set(0, ControlChange::Projection(Projection::Sum)),
        set(0, ControlChange::ContrastLimits([middle - 512.0, middle + 512.0])),
    ];
    let mut stills = stills(&device, image.open());
    let shot = stills.draw(changes).expect("drawn");
    for x in 0..2 {
        let want = (sum(u64::from(x)) - middle + 512.0) / 1024.0 * 255.0;
        let got = f64::from(pixel(&shot, x, 3)[0]);
        assert!((got - want).abs() <= 1.01, "column {x}: {got} instead of {want}");
    }
    // More planes than that are too many: the margins become smaller, and that is what is applied.
    let shot = stills.draw(vec![go("z", 150), thicken("z", 150.0, 149.0)]).expect("drawn");
    assert_eq!(shot.state.index.margins[0], [75.0, 74.0]);
    const { assert!(75 + 74 < MOST_PLANES) };
}

#[test]
fn every_level_projects_its_own_voxels() {
    let Some(device) = device() else { return };
    let values = |level: usize, at: &[u64]| (pattern(level, at) / 2.0).floor() + level as f64 * 30.0;
    let mut image = ArrayImage::new("zyx", &[6, 200, 200], Dtype::U8, Arc::new(values));
    image.levels = 3;
    let mut stills = stills(&device, image.open());
    for level in 0..3 {
        let changes = vec![
            canvas(160, 160),
            go("z", 2),
            thicken("z", 1.0, 2.0),
            set(0, ControlChange::Projection(Projection::Mean)),
            Change::Level(level),
        ];
        let shot = stills.draw(changes).expect("drawn");
        assert_eq!(shot.state.lod.level as i64, level);
        check(&format!("level {level}"), &shot, values);
    }
}

#[test]
fn more_planes_than_fit_at_a_level_make_it_coarser() {
    let Some(device) = device() else { return };
    let values = |level: usize, at: &[u64]| (at[0] + level as u64 * 20) as f64;
    // One tile of 4 bytes is 70 kB; 64 tiles × 200 planes are 890 MB: too many at level 0.
    let mut image = ArrayImage::new("zyx", &[200, 1024, 1024], Dtype::F32, Arc::new(values));
    image.chunk = vec![1, 256, 256];
    image.levels = 4;
    let mut stills = stills(&device, image.open());
    let shot = stills.draw(vec![canvas(64, 64), Change::Level(0)]).expect("drawn");
    assert_eq!((shot.state.lod.level, shot.state.lod.downgraded), (0, false));
    let changes = vec![
        go("z", 100),
        thicken("z", 100.0, 100.0),
        set(0, ControlChange::Projection(Projection::Maximum)),
    ];
    let shot = stills.draw(changes).expect("drawn");
    assert!(shot.state.lod.level > 0 && shot.state.lod.downgraded, "level {}", shot.state.lod.level);
    assert_eq!(shot.state.index.margins[0], [100.0, 100.0], "they fit at the coarser level");
    assert_eq!(f64::from(pixel(&shot, 32, 32)[0]), 199.0 + shot.state.lod.level as f64 * 20.0);
}
