//! Labels: colours, outlines, one alone, other grids.

use crate::{
    common::{
        array::{ArrayImage, stack},
        device, picture, pixel, stills,
    },
    rig::{canvas, compare, coordinates, go, rect, set},
};
use lucida::{app::still::Picture, data::Opened};
use lucida_components::{
    controls::{Blending, ControlChange, Controls},
    dtype::Dtype,
    intent::Change,
    labels::{LabelTable, hashed_colour},
    layer::LayerKind,
};
use lucida_systems::render::plane::twin;
use std::sync::Arc;

/// Round cells on a grid, ids from 1; the last one's id is `largest`.
fn cells(at: &[u64], largest: u32) -> u32 {
    let [y, x] = [at[at.len() - 2], at[at.len() - 1]];
    let (row, col) = (y / 24, x / 24);
    let from_middle = (y % 24).abs_diff(12).pow(2) + (x % 24).abs_diff(12).pow(2);
    if from_middle > 110 {
        return 0;
    }
    let id = (row * 9 + col + 1) as u32;
    if id.is_multiple_of(7) { largest - id } else { id % 250 + 1 }
}

fn grey(at: &[u64]) -> f64 {
    let [y, x] = [at[at.len() - 2], at[at.len() - 1]];
    ((y * 3 + x * 5) % 200) as f64
}

fn some_colours(largest: u32) -> LabelTable {
    let colours = [
        (0, [255, 0, 0, 255]),
        (2, [255, 128, 0, 255]),
        (3, [0, 200, 100, 128]),
        (5, [9, 9, 9, 0]),
        (largest - 7, [10, 20, 250, 255]),
    ];
    LabelTable { colours: colours.into(), ..LabelTable::default() }
}

/// Grey below, labels above.
fn cells_over_grey(dtype: Dtype, largest: u32, table: LabelTable) -> Opened {
    let image = ArrayImage::new("yx", &[200, 230], Dtype::U8, Arc::new(|_: usize, at: &[u64]| grey(at)));
    let labels = move |_: usize, at: &[u64]| f64::from(cells(at, largest));
    stack(image.open(), ArrayImage::new("yx", &[200, 230], dtype, Arc::new(labels)).of_labels(table).open())
}

fn check(name: &str, shot: &Picture, largest: u32) {
    let want = twin::draw(&shot.state, |layer, plane, row, col| {
        let at = coordinates(plane, row, col);
        match layer.layer.kind {
            LayerKind::Image => grey(&at),
            LayerKind::Labels => f64::from(cells(&at, largest)),
        }
    });
    compare(name, shot, &want);
}

#[test]
fn given_and_hashed_colours_of_every_type_equal_the_twin() {
    let Some(device) = device() else { return };
    for (dtype, largest) in [(Dtype::U8, 255), (Dtype::U16, 65_535), (Dtype::U32, u32::MAX)] {
        for table in [LabelTable::default(), some_colours(largest)] {
            for blending in [Blending::Translucent, Blending::Additive, Blending::Opaque] {
                let changes = vec![
                    canvas(320, 288),
                    rect(-9.3, 20.4, 213.4, 192.06),
                    set(1, ControlChange::Blending(blending)),
                    set(1, ControlChange::Opacity(if blending == Blending::Opaque { 1.0 } else { 0.6 })),
                    // Neither has a meaning for labels.
                    set(1, ControlChange::Gamma(2.0)),
                    set(1, ControlChange::ContrastLimits([3.0, 4.0])),
                ];
                let shot = picture(&device, cells_over_grey(dtype, largest, table.clone()), changes);
                check(&format!("{dtype:?} {blending:?} {}", table.colours.len()), &shot, largest);
            }
        }
    }
}

#[test]
fn a_colour_is_what_the_image_gives_and_else_the_documented_hash() {
    let Some(device) = device() else { return };
    // Four blocks of 16: background, a given colour, ids that an f32 could not tell apart.
    let ids = [0, 7, 16_777_216, 16_777_217];
    let values = move |_: usize, at: &[u64]| f64::from(ids[(at[1] / 16) as usize]);
    let colours = [(0, [255; 4]), (7, [230, 159, 0, 255])];
    let table = LabelTable { colours: colours.into(), ..LabelTable::default() };
    let image = ArrayImage::new("yx", &[16, 64], Dtype::U32, Arc::new(values)).of_labels(table);
    let shot = picture(&device, image.open(), vec![canvas(64, 16), set(0, ControlChange::Opacity(1.0))]);
    assert_eq!(pixel(&shot, 8, 8), [0; 3], "the background is never drawn");
    assert_eq!(pixel(&shot, 24, 8), [230, 159, 0]);
    for (x, id) in [(40, 16_777_216), (56, 16_777_217)] {
        let want = hashed_colour(id).map(|c| (c * 255.0).round() as i32);
        let got = pixel(&shot, x, 8).map(i32::from);
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() <= 1), "{id}: {got:?} {want:?}");
    }
    assert_ne!(pixel(&shot, 40, 8), pixel(&shot, 56, 8));
}

#[test]
fn outlines_of_any_thickness_equal_the_twin_and_reach_over_tiles_and_picture_edges() {
    let Some(device) = device() else { return };
    let largest = 255;
    let mut stills = stills(&device, cells_over_grey(Dtype::U8, largest, some_colours(largest)));
    for contour in [1, 2, 3, 8] {
        let changes = vec![
            canvas(256, 256),
            rect(-20.0, -20.0, 256.0, 256.0),
            set(1, ControlChange::Contour(contour)),
            set(1, ControlChange::Opacity(1.0)),
        ];
        check(&format!("outline {contour}"), &stills.draw(changes).expect("drawn"), largest);
        // The picture ends at a tile's edge: what lies beyond decides what is seen.
        let changes = vec![canvas(64, 64), rect(124.3, 124.3, 4.0, 4.0)];
        let corner = stills.draw(changes).expect("drawn");
        let want = twin::draw(&corner.state, |layer, plane, row, col| {
            let at = coordinates(plane, row, col);
            if layer.layer.kind == LayerKind::Labels { f64::from(cells(&at, largest)) } else { grey(&at) }
        });
        compare(&format!("corner {contour}"), &corner, &want);
    }
}

#[test]
fn an_outline_is_where_another_id_is_within_its_thickness() {
    let Some(device) = device() else { return };
    // A square of 8 × 8 in the middle of 32 × 32.
    let square =
        |_: usize, at: &[u64]| f64::from(u8::from((12..20).contains(&at[0]) && (12..20).contains(&at[1])));
    let image =
        ArrayImage::new("yx", &[32, 32], Dtype::U16, Arc::new(square)).of_labels(LabelTable::default());
    let mut stills = stills(&device, image.open());
    for (contour, lit) in [(0, 64), (1, 28), (2, 48), (3, 60), (4, 64)] {
        let shot = stills.draw(vec![canvas(32, 32), set(0, ControlChange::Contour(contour))]).expect("drawn");
        let drawn = shot.rgba.chunks_exact(4).filter(|p| p[..3] != [0; 3]).count();
        assert_eq!(drawn, lit, "thickness {contour}");
    }
}

#[test]
fn what_lies_beyond_the_picture_decides_its_outlines() {
    let Some(device) = device() else { return };
    // Two ids that meet where two tiles meet; the picture shows one side of it.
    for dim in [0, 1] {
        let values = move |_: usize, at: &[u64]| if at[dim] < 128 { 1.0 } else { 2.0 };
        let image = ArrayImage::new("yx", &[256, 256], Dtype::U8, Arc::new(values));
        let mut stills = stills(&device, image.of_labels(LabelTable::default()).open());
        for contour in [1, 3, 8] {
            let changes = vec![
                canvas(64, 64),
                // Texels 96 to 127 on both sides.
                rect(95.5, 95.5, 32.0, 32.0),
                set(0, ControlChange::Contour(contour)),
            ];
            let shot = stills.draw(changes).expect("drawn");
            let lit = shot.rgba.chunks_exact(4).filter(|p| p[..3] != [0; 3]).count();
            assert_eq!(lit, 2 * contour as usize * 64, "thickness {contour} along {dim}");
        }
    }
}

#[test]
fn one_id_is_shown_alone() {
    let Some(device) = device() else { return };
    let largest = 65_535;
    let mut stills = stills(&device, cells_over_grey(Dtype::U16, largest, some_colours(largest)));
    for (id, contour) in [(2, 0), (largest - 7, 0), (30, 2)] {
        let changes = vec![
            canvas(230, 200),
            set(0, ControlChange::Visible(false)),
            set(1, ControlChange::ShowSelectedLabel(true)),
            set(1, ControlChange::SelectedLabel(id)),
            set(1, ControlChange::Contour(contour)),
            set(1, ControlChange::Opacity(1.0)),
        ];
        let shot = stills.draw(changes).expect("drawn");
        let mut seen: Vec<&[u8]> = shot.rgba.chunks_exact(4).map(|p| &p[..3]).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2, "{id}: its colour and the background");
        let want = twin::draw(&shot.state, |_, plane, row, col| {
            f64::from(cells(&coordinates(plane, row, col), largest))
        });
        let lit = |rgb: &[f64; 3]| rgb.iter().any(|c| *c > 0.0);
        let count = want.iter().filter(|c| lit(c)).count();
        let got = shot.rgba.chunks_exact(4).filter(|p| p[..3] != [0; 3]).count();
        assert!(count > 50 && got.abs_diff(count) <= count / 50, "{id}: {got} of {count}");
    }
}

#[test]
fn labels_on_another_grid_lie_where_the_world_says() {
    let Some(device) = device() else { return };
    let image = || {
        let mut image =
            ArrayImage::new("zyx", &[4, 200, 240], Dtype::U8, Arc::new(|_: usize, at: &[u64]| grey(at)));
        image.scale = vec![2.0, 0.5, 0.5];
        image.levels = 3;
        image
    };
    // Voxels of 4 × 1.5 × 1.5, shifted, cropped; two levels. Ids by world place.
    let id = |w: [f64; 2]| f64::from(((w[0] / 12.0).floor() * 8.0 + (w[1] / 15.0).floor()) as u32 % 200 + 1);
    let labels = move |level: usize, at: &[u64]| {
        let f = f64::from(1 << level);
        let world = [1, 2].map(|d| [0.0, 10.0, 20.0][d] + 1.5 * (f - 1.0) / 2.0 + at[d] as f64 * 1.5 * f);
        id(world)
    };
    let made = move || {
        let mut made = ArrayImage::new("zyx", &[2, 50, 60], Dtype::U16, Arc::new(labels))
            .of_labels(LabelTable::default());
        (made.scale, made.translation, made.levels) = (vec![4.0, 1.5, 1.5], vec![1.0, 10.0, 20.0], 2);
        made
    };
    let mut stills = stills(&device, stack(image().open(), made().open()));
    for (level, own) in [(0, 0), (1, 0), (2, 0)] {
        let shot = stills.draw(vec![canvas(240, 200), go("z", 2), Change::Level(level)]).expect("drawn");
        let want = twin::draw(&shot.state, |layer, plane, row, col| {
            let at = coordinates(plane, row, col);
            if layer.layer.kind == LayerKind::Image {
                return grey(&at);
            }
            assert_eq!(plane.number, own, "level {level}");
            labels(plane.number, &at)
        });
        compare(&format!("other grid, level {level}"), &shot, &want);
    }
    // The same by the world alone: the labels' full resolution, without the twin's geometry.
    let shot = stills
        .draw(vec![set(0, ControlChange::Visible(false)), set(1, ControlChange::Opacity(1.0))])
        .expect("drawn");
    let rect = shot.state.rect();
    let (mut inside, mut right) = (0, 0);
    for y in 0..200 {
        for x in 0..240 {
            let at = |p: u32, edge: f64| edge + (f64::from(p) + 0.5) / shot.state.camera.plane.zoom;
            let world = [at(y, rect.bottom), at(x, rect.left)];
            let voxel = [(world[0] - 10.0) / 1.5, (world[1] - 20.0) / 1.5].map(f64::round);
            let hit = (0.0..50.0).contains(&voxel[0]) && (0.0..60.0).contains(&voxel[1]);
            let want = if hit {
                hashed_colour(id([10.0 + voxel[0] * 1.5, 20.0 + voxel[1] * 1.5]) as u32)
                    .map(|c| (c * 255.0).round() as i32)
            } else {
                [0; 3]
            };
            inside += usize::from(hit);
            let got = pixel(&shot, x, y).map(i32::from);
            right += usize::from(got.iter().zip(want).all(|(a, b)| (a - b).abs() <= 1));
        }
    }
    assert!(inside > 5000, "{inside}");
    assert!(right >= 240 * 200 * 99 / 100, "{right}");
}

#[test]
fn labels_start_as_labels_whatever_the_image_says() {
    let Some(device) = device() else { return };
    let ids = |_: usize, at: &[u64]| (at[0] / 8) as f64;
    let image = ArrayImage::new("yx", &[32, 32], Dtype::U8, Arc::new(ids)).of_labels(LabelTable::default());
    let mut opened = image.open();
    let mut dataset = (*opened.dataset).clone();
    // As a careless opener would leave them.
    dataset.layers[0].controls = Controls::default();
    opened.dataset = Arc::new(dataset);
    let state = stills(&device, opened).state().expect("applied");
    assert_eq!(state.layers[0].controls.fault(LayerKind::Labels), None);
}
