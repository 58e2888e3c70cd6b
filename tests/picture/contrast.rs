//! Automatic contrast: percentiles of what is shown.

use crate::{
    common::{array::ArrayImage, device, stills},
    rig::{canvas, go, pattern, rect, set},
    thick::{project, thicken},
};
use lucida::app::still::{Picture, StillError};
use lucida_components::{
    controls::{ControlChange, Projection},
    dtype::Dtype,
    ids::LayerId,
    intent::Change,
};
use std::sync::Arc;

pub fn auto(layer: u32, percentiles: [f64; 2]) -> Change {
    Change::AutoContrast { layer: LayerId(layer), percentiles }
}

/// `numpy.percentile` by a full sort.
pub fn percentiles(mut values: Vec<f64>, p: [f64; 2]) -> [f64; 2] {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    p.map(|p| {
        let rank = p / 100.0 * (values.len() - 1) as f64;
        let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
        low + (high - low) * rank.fract()
    })
}

#[track_caller]
pub fn assert_limits(shot: &Picture, layer: usize, want: [f64; 2]) {
    let got = shot.state.layers[layer].controls.contrast_limits;
    let close = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    assert!(got.into_iter().zip(want).all(close), "{got:?} instead of {want:?}");
}

#[test]
fn limits_are_percentiles_of_the_plane_and_of_the_part_that_is_seen() {
    let Some(device) = device() else { return };
    let values = |l: usize, at: &[u64]| pattern(l, at) * if at[0] == 1 { 200.0 } else { 1.0 } + at[2] as f64;
    let image = ArrayImage::new("zyx", &[3, 150, 171], Dtype::U16, Arc::new(values));
    let mut stills = stills(&device, image.open());
    stills.draw(vec![canvas(320, 240), go("z", 1)]).expect("drawn");
    let part = |z: u64, rows: std::ops::Range<u64>, cols: std::ops::Range<u64>| -> Vec<f64> {
        rows.flat_map(|y| cols.clone().map(move |x| [z, y, x])).map(|at| values(0, &at)).collect()
    };
    for p in [[0.0, 100.0], [0.5, 99.5], [1.0, 99.8], [25.0, 26.0]] {
        let shot = stills.draw(vec![auto(0, p)]).expect("drawn");
        assert_limits(&shot, 0, percentiles(part(1, 0..150, 0..171), p));
    }
    // Voxels 20 to 59 and 100 to 139: those that the picture's edges cut through belong to it.
    stills.draw(vec![canvas(40, 40), rect(99.6, 19.7, 39.0, 39.0)]).expect("drawn");
    let shot = stills.draw(vec![auto(0, [2.0, 98.0])]).expect("drawn");
    assert_limits(&shot, 0, percentiles(part(1, 20..60, 100..140), [2.0, 98.0]));
    stills.draw(vec![go("z", 2)]).expect("drawn");
    let shot = stills.draw(vec![auto(0, [2.0, 98.0])]).expect("drawn");
    assert_limits(&shot, 0, percentiles(part(2, 20..60, 100..140), [2.0, 98.0]));
}

#[test]
fn a_thick_slice_is_measured_as_it_is_projected() {
    let Some(device) = device() else { return };
    let values =
        |l: usize, at: &[u64]| if at[2].is_multiple_of(11) { f64::NAN } else { pattern(l, at) - 90.0 };
    let image = ArrayImage::new("zyx", &[9, 60, 70], Dtype::F32, Arc::new(values));
    let mut stills = stills(&device, image.open());
    for projection in [Projection::Sum, Projection::Maximum] {
        let changes = vec![
            canvas(140, 120),
            go("z", 4),
            thicken("z", 2.0, 1.0),
            set(0, ControlChange::Projection(projection)),
        ];
        stills.draw(changes).expect("drawn");
        let mut projected = Vec::new();
        for y in 0..60 {
            for x in 0..70 {
                let column: Vec<f64> = (2..6).map(|z| values(0, &[z, y, x])).collect();
                projected.extend(project(projection, &column));
            }
        }
        let shot = stills.draw(vec![auto(0, [3.0, 97.0])]).expect("drawn");
        assert_limits(&shot, 0, percentiles(projected, [3.0, 97.0]));
    }
}

#[test]
fn a_plane_of_one_value_gets_limits_that_can_be_drawn() {
    let Some(device) = device() else { return };
    let mostly =
        |_: usize, at: &[u64]| if at[1] == 9 && at[2] == 9 { 12.0 } else { [7.0, 0.0, -3e9][at[0] as usize] };
    let image = ArrayImage::new("zyx", &[3, 64, 64], Dtype::F32, Arc::new(mostly));
    let mut stills = stills(&device, image.open());
    let mut at = |changes: Vec<Change>| {
        stills.draw(changes).expect("drawn");
        stills.draw(vec![auto(0, [5.0, 95.0])]).expect("drawn")
    };
    assert_limits(&at(vec![canvas(64, 64), go("z", 0)]), 0, [7.0, 12.0]);
    assert_limits(&at(vec![rect(20.0, 20.0, 30.0, 30.0)]), 0, [7.0, 14.0]);
    assert_limits(&at(vec![go("z", 1)]), 0, [0.0, 1.0]);
    assert_limits(&at(vec![go("z", 2)]), 0, [-3e9, 0.0]);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new(
        "cyx",
        &[2, 64, 64],
        Dtype::F32,
        Arc::new(|_: usize, at: &[u64]| if at[0] == 1 { f64::NAN } else { 3.0 }),
    );
    let mut stills = stills(&device, image.open());
    let mut refused = |changes: Vec<Change>| match stills.draw(changes) {
        Err(StillError::Rejected(why)) => why.message,
        other => panic!("{:?}", other.map(|p| p.canvas)),
    };
    assert!(refused(vec![auto(0, [0.5, 99.5])]).contains("nothing of layer-0 is here yet"));
    assert!(refused(vec![auto(7, [0.5, 99.5])]).contains("layer-7 does not exist"));
    for wrong in [[50.0, 50.0], [90.0, 10.0], [-1.0, 50.0], [0.0, 100.5], [f64::NAN, 50.0]] {
        assert!(refused(vec![auto(0, wrong)]).contains("percentiles"), "{wrong:?}");
    }
    stills.draw(vec![canvas(64, 64)]).expect("drawn");
    let mut refused = |changes: Vec<Change>| match stills.draw(changes) {
        Err(StillError::Rejected(why)) => why.message,
        other => panic!("{:?}", other.map(|p| p.canvas)),
    };
    assert!(refused(vec![auto(1, [0.5, 99.5])]).contains("no value"));
}
