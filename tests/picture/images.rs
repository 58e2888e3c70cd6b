//! Images: value types, interpolation, blending, levels, holes, sizes.

use crate::{
    common::{array::ArrayImage, device, picture, pixel, stills},
    rig::{canvas, check, go, pattern, rect, set},
};
use lucida::data::procedural::{ProceduralSpec, procedural, value_at};
use lucida_components::{
    camera::CameraDelta,
    controls::{Blending, ControlChange, Interpolation},
    dataset::ArrayAxis,
    dtype::Dtype,
    intent::Change,
};
use std::sync::Arc;

#[test]
fn every_value_type_and_interpolation_equals_the_twin() {
    let Some(device) = device() else { return };
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
        for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
            // Signed values go below zero.
            let shift = if matches!(dtype, Dtype::I16 | Dtype::F32) { 128.0 } else { 0.0 };
            let values = move |l: usize, at: &[u64]| pattern(l, at) - shift;
            let image = ArrayImage::new("zyx", &[3, 150, 171], dtype, Arc::new(values));
            let shot = picture(
                &device,
                image.open(),
                vec![
                    canvas(208, 160),
                    // Off the pixel grid, beyond two edges of the image.
                    rect(-7.3, 40.6, 120.7, 121.9),
                    go("z", 1),
                    set(0, ControlChange::Interpolation(interpolation)),
                    set(0, ControlChange::ContrastLimits([10.0 - shift, 230.0 - shift])),
                ],
            );
            check(&format!("{dtype:?} {interpolation:?}"), &shot, values);
        }
    }
}

#[test]
fn every_blending_gamma_and_colormap_equals_the_twin() {
    let Some(device) = device() else { return };
    let image = || ArrayImage::new("cyx", &[3, 96, 96], Dtype::U8, Arc::new(pattern));
    for (n, blending) in Blending::ALL.iter().enumerate() {
        let maps = ["viridis", "#ff8000", "gray_r", "turbo"];
        let mut changes = vec![canvas(128, 96), rect(-10.0, -5.0, 128.0, 96.0)];
        for layer in 0..3 {
            changes.push(set(layer, ControlChange::Blending(*blending)));
            changes.push(set(layer, ControlChange::Colormap(maps[(n + layer as usize) % 4].into())));
            changes.push(set(layer, ControlChange::Opacity(0.3 + 0.3 * f64::from(layer))));
            changes.push(set(layer, ControlChange::Gamma([1.0, 0.5, 2.2][layer as usize])));
        }
        check(blending.as_str(), &picture(&device, image().open(), changes), pattern);
    }
}

#[test]
fn every_level_and_a_plane_of_other_axes_equal_the_twin() {
    let Some(device) = device() else { return };
    let spec = ProceduralSpec {
        shape: [2, 2, 24, 300, 400],
        chunk: [8, 64, 64],
        levels: 4,
        noise: 0.0,
        ..ProceduralSpec::default()
    };
    let values =
        |level: usize, at: &[u64]| value_at(&spec, level as u16, [at[0], at[1], at[2], at[3], at[4]]);
    let mut stills = stills(&device, procedural(spec.clone()));
    let state = stills.state().expect("applied");
    assert!(state.dataset.images[0].dims.contains(&ArrayAxis::Channel));
    for level in 0..4 {
        let shot = stills.draw(vec![canvas(160, 120), go("t", 1), Change::Level(level)]).expect("drawn");
        assert_eq!(shot.state.lod.level as i64, level);
        check(&format!("level {level}"), &shot, values);
    }
    // t y | z x: columns are x, rows are z.
    let shot = stills.draw(vec![Change::Order(vec![0, 2, 1, 3]), Change::Level(0)]).expect("drawn");
    assert_eq!(shot.state.plane_axes(), [1, 3]);
    check("x-z", &shot, values);
    // Columns are y, rows are x: transposed.
    let shot = stills.draw(vec![Change::Order(vec![0, 1, 3, 2]), Change::Level(1)]).expect("drawn");
    check("transposed", &shot, values);
}

#[test]
fn twenty_layers_are_drawn_in_one_pass() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("cyx", &[20, 64, 64], Dtype::U16, Arc::new(pattern));
    let dim = (0..20).map(|l| set(l, ControlChange::Opacity(if l % 7 == 3 { 0.2 } else { 0.05 })));
    let mut changes: Vec<Change> = dim.collect();
    changes.push(set(11, ControlChange::Colormap("magma".into())));
    changes.push(set(5, ControlChange::Visible(false)));
    changes.push(canvas(64, 64));
    check("twenty layers", &picture(&device, image.open(), changes), pattern);
}

#[test]
fn more_layers_than_uniform_buffers_hold_are_drawn() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("cyx", &[150, 32, 32], Dtype::U8, Arc::new(pattern));
    let mut changes: Vec<Change> =
        (0..150).map(|l| set(l, ControlChange::Opacity(0.002 + 0.0001 * f64::from(l)))).collect();
    changes.push(canvas(64, 64));
    check("150 layers", &picture(&device, image.open(), changes), pattern);
}

#[test]
fn three_layers_are_drawn_after_more_than_a_uniform_buffer_may_have() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("cyx", &[700, 16, 16], Dtype::U8, Arc::new(pattern));
    let mut stills = stills(&device, image.open());
    let faint = (0..700).map(|l| set(l, ControlChange::Opacity(0.001)));
    let all = stills.draw(faint.chain([canvas(32, 32)]).collect()).expect("drawn");
    check("700 layers", &all, pattern);
    let three = (0..3).map(|l| set(l, ControlChange::Opacity(0.3)));
    let hidden = (3..700).map(|l| set(l, ControlChange::Visible(false)));
    check("3 layers", &stills.draw(three.chain(hidden).collect()).expect("drawn"), pattern);
}

#[test]
fn row_0_is_on_top_and_column_0_on_the_left() {
    let Some(device) = device() else { return };
    let corner = |_: usize, at: &[u64]| if at[0] < 8 && at[1] < 8 { 255.0 } else { 30.0 };
    let image = ArrayImage::new("yx", &[32, 32], Dtype::U8, Arc::new(corner));
    let shot = picture(&device, image.open(), vec![canvas(32, 32)]);
    assert_eq!(pixel(&shot, 2, 2), [255; 3]);
    for (x, y) in [(29, 2), (2, 29), (29, 29)] {
        assert_eq!(pixel(&shot, x, y), [30; 3]);
    }
}

#[test]
fn what_is_not_a_number_is_drawn_as_nothing() {
    let Some(device) = device() else { return };
    let holes = |_: usize, at: &[u64]| match (at[0], at[1]) {
        (0..=7, _) => f64::NAN,
        (8..=15, _) => f64::INFINITY,
        (16..=23, _) => f64::NEG_INFINITY,
        _ => 200.0,
    };
    for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
        // The layer below shines through the holes of the one above.
        let values = move |l: usize, at: &[u64]| {
            if at[0] == 0 { 100.0 } else { holes(l, &at[1..]) }
        };
        let image = ArrayImage::new("cyx", &[2, 32, 32], Dtype::F32, Arc::new(values));
        let shot = picture(
            &device,
            image.open(),
            vec![
                canvas(64, 64),
                set(1, ControlChange::Interpolation(interpolation)),
                set(1, ControlChange::Blending(Blending::Translucent)),
            ],
        );
        for y in [4, 20, 40] {
            assert_eq!(pixel(&shot, 31, y), [100; 3], "{interpolation:?} row {y}");
        }
        assert_eq!(pixel(&shot, 31, 60), [200; 3]);
        check("holes", &shot, values);
    }
}

#[test]
fn chunks_that_cannot_be_read_are_missing_and_told() {
    let Some(device) = device() else { return };
    let mut image = ArrayImage::new("yx", &[64, 64], Dtype::U8, Arc::new(|_: usize, _: &[u64]| 200.0));
    image.broken = |_, number| number == 1;
    let shot = picture(&device, image.open(), vec![canvas(64, 64)]);
    assert!(shot.residency.missing > 0);
    assert_eq!(pixel(&shot, 10, 10), [200; 3]);
    assert_eq!(pixel(&shot, 50, 10), [0; 3], "the missing part is black");
    assert_eq!(pixel(&shot, 50, 50), [200; 3]);
}

/// Four million voxels on a side, 24 TiB a channel and time point.
fn huge() -> ProceduralSpec {
    ProceduralSpec {
        shape: [1, 1, 1, 4 << 20, 4 << 20],
        chunk: [1, 128, 128],
        levels: 16,
        noise: 0.0,
        ..ProceduralSpec::default()
    }
}

#[test]
fn a_plane_of_many_terabytes_is_drawn_at_every_zoom() {
    let Some(device) = device() else { return };
    let spec = huge();
    let values =
        |level: usize, at: &[u64]| value_at(&spec, level as u16, [at[0], at[1], at[2], at[3], at[4]]);
    let mut stills = stills(&device, procedural(spec.clone()));
    let whole = stills.draw(vec![canvas(128, 128)]).expect("drawn");
    assert!(whole.state.lod.level >= 14, "level {}", whole.state.lod.level);
    check("the whole plane", &whole, values);
    // Far from the origin, one voxel per pixel and less.
    let units = spec.spacing[3];
    let far = 3_900_000.0 * units;
    let deep = stills
        .draw(vec![
            rect(far, far, 100.0 * units, 100.0 * units),
            // Between the cells there is little light.
            set(0, ControlChange::ContrastLimits([90.0, 300.0])),
        ])
        .expect("drawn");
    assert_eq!(deep.state.lod.level, 0);
    check("deep in it", &deep, values);
    // Full resolution of everything does not fit: coarser, and told.
    let asked = stills.draw(vec![Change::Camera(CameraDelta::Reset), Change::Level(0)]).expect("drawn");
    assert!(asked.state.lod.downgraded && asked.state.lod.level > 3);
}
