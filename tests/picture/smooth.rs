//! Cubic interpolation.

use crate::{
    common::{array::ArrayImage, device, picture, pixel, stills},
    rig::{canvas, check, go, pattern, rect, set},
};
use lucida_components::{
    controls::{Blending, ControlChange, Interpolation},
    dtype::Dtype,
};
use std::sync::Arc;

const CUBIC: ControlChange = ControlChange::Interpolation(Interpolation::Cubic);

#[test]
fn cubic_of_every_value_type_equals_the_twin() {
    let Some(device) = device() else { return };
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
        let shift = if matches!(dtype, Dtype::I16 | Dtype::F32) { 128.0 } else { 0.0 };
        let values = move |l: usize, at: &[u64]| pattern(l, at) - shift;
        let image = ArrayImage::new("zyx", &[3, 150, 171], dtype, Arc::new(values));
        let shot = picture(
            &device,
            image.open(),
            vec![
                canvas(208, 160),
                // Off the pixel grid, over the edges of tiles and beyond those of the image.
                rect(-7.3, 40.6, 190.7, 146.69),
                go("z", 1),
                set(0, CUBIC),
                set(0, ControlChange::ContrastLimits([10.0 - shift, 230.0 - shift])),
            ],
        );
        check(&format!("{dtype:?}"), &shot, values);
    }
}

#[test]
fn cubic_goes_through_a_parabola_as_the_formula_does() {
    let Some(device) = device() else { return };
    // Four texels of a parabola determine it, so between them there is no other answer.
    let curve = |y: f64, x: f64| 20.0 + 0.012 * (x - 70.0).powi(2) + 0.008 * (y - 60.0).powi(2);
    let values = move |_: usize, at: &[u64]| curve(at[0] as f64, at[1] as f64);
    let image = ArrayImage::new("yx", &[140, 140], Dtype::F32, Arc::new(values));
    let shot =
        picture(&device, image.open(), vec![canvas(400, 400), rect(99.7, 98.2, 37.0, 37.0), set(0, CUBIC)]);
    for y in (0..400).step_by(7) {
        for x in 0..400 {
            let at = |p: u32, edge: f64| edge + (f64::from(p) + 0.5) / 400.0 * 37.0;
            let want = curve(at(y, 98.2), at(x, 99.7));
            let got = f64::from(pixel(&shot, x, y)[0]);
            assert!((got - want).abs() <= 1.01, "({x}, {y}): {got} instead of {want}");
        }
    }
}

#[test]
fn cubic_beside_holes_is_the_nearest_value_and_holes_stay_holes() {
    let Some(device) = device() else { return };
    let holes = |at: &[u64]| match (at[0] / 8 + at[1] / 8) % 4 {
        0 => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][(at[0] % 3) as usize],
        n => 60.0 * n as f64,
    };
    let values = move |_: usize, at: &[u64]| if at[0] == 0 { 100.0 } else { holes(&at[1..]) };
    let image = ArrayImage::new("cyx", &[2, 64, 64], Dtype::F32, Arc::new(values));
    let changes =
        vec![canvas(128, 128), set(1, CUBIC), set(1, ControlChange::Blending(Blending::Translucent))];
    let shot = picture(&device, image.open(), changes);
    assert_eq!(pixel(&shot, 8, 8), [100; 3], "through the hole");
    check("holes", &shot, values);
}

#[test]
fn every_interpolation_of_a_constant_is_that_constant() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("yx", &[131, 131], Dtype::U8, Arc::new(|_: usize, _: &[u64]| 137.0));
    let mut stills = stills(&device, image.open());
    for interpolation in Interpolation::ALL {
        let changes = vec![
            canvas(256, 256),
            rect(-0.5, -0.5, 131.0, 131.0),
            set(0, ControlChange::Interpolation(*interpolation)),
        ];
        let shot = stills.draw(changes).expect("drawn");
        assert!(shot.rgba.chunks_exact(4).all(|p| p == [137, 137, 137, 255]), "{interpolation:?}");
    }
}
