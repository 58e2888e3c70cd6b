//! Odd values in volumes: holes, infinities, contrast that leaves nothing between, colours.

use crate::{
    common::device,
    volume_rig::{Dense, Scene, controls_of, tissue, tissue_of},
};
use lucida_components::{
    controls::{Blending, Controls, Interpolation, Rendering},
    dtype::Dtype,
};

const SHAPE: [u64; 3] = [44, 56, 60];

fn floats(rendering: Rendering, interpolation: Interpolation, value: impl Fn([f64; 3]) -> f64) -> Scene {
    let controls = Controls { rendering, interpolation, ..controls_of(Dtype::F32) };
    Scene::new(vec![(Dtype::F32, vec![Dense::new(SHAPE, [1.0; 3], value)], controls)])
}

/// Tissue with holes of several kinds and sizes.
fn torn([z, y, x]: [f64; 3]) -> f64 {
    let at = [z, y, x];
    if x < 5.0 || (z + 2.0 * y + x) % 31.0 == 0.0 {
        return f64::NAN;
    }
    if (y - 20.0).hypot(z - 30.0) < 5.0 {
        return if x > 20.0 { f64::INFINITY } else { f64::NEG_INFINITY };
    }
    f64::from((tissue(at, SHAPE) * 7.5 - 2.0) as f32)
}

#[test]
fn holes_are_left_out_in_every_mode() {
    let Some(device) = device() else { return };
    for rendering in Rendering::ALL {
        for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
            let value = |at| if *rendering == Rendering::MinIp { 3.5 - torn(at) } else { torn(at) };
            let scene = floats(*rendering, interpolation, value);
            scene.check(&device, &format!("{rendering:?} {interpolation:?}"));
        }
    }
}

#[test]
fn a_layer_without_numbers_leaves_what_is_below() {
    let Some(device) = device() else { return };
    for rendering in Rendering::ALL {
        let below = |over: bool| {
            let base = (Dtype::U8, vec![tissue_of(Dtype::U8, SHAPE, [1.0; 3])], controls_of(Dtype::U8));
            let nothing =
                Controls { rendering: *rendering, blending: Blending::Opaque, ..controls_of(Dtype::F32) };
            let holes = (Dtype::F32, vec![Dense::new(SHAPE, [1.0; 3], |_| f64::NAN)], nothing);
            Scene::new(if over { vec![base, holes] } else { vec![base] })
        };
        assert_eq!(below(true).draw(&device), below(false).draw(&device), "{rendering:?}");
    }
}

#[test]
fn contrast_may_leave_nothing_between_its_limits() {
    let Some(device) = device() else { return };
    for limits in [[41_000.0, 50_000.0], [-9.0, 1.0], [20_000.0, 20_000.001], [0.0, 1e30]] {
        for rendering in Rendering::ALL {
            let controls = Controls {
                rendering: *rendering,
                contrast_limits: limits,
                colormap: "viridis".into(),
                ..controls_of(Dtype::U16)
            };
            let dense = tissue_of(Dtype::U16, SHAPE, [1.0; 3]);
            let scene = Scene::new(vec![(Dtype::U16, vec![dense], controls)]);
            if *rendering == Rendering::Translucent && limits[0] > 40_000.0 || limits[1] > 1e20 {
                // Nothing shines.
                let got = scene.draw(&device);
                assert!(got.chunks_exact(4).all(|p| p[3] == 255), "{limits:?} {rendering:?}");
            } else {
                scene.check(&device, &format!("{limits:?} {rendering:?}"));
            }
        }
    }
}

#[test]
fn numbers_at_the_end_of_floats_give_pictures() {
    let Some(device) = device() else { return };
    let value = |[z, y, x]: [f64; 3]| {
        [f64::from(f32::MAX), f64::from(f32::MIN), 1e-40, 0.0, 3e38][(z + 2.0 * y + 3.0 * x) as usize % 5]
    };
    for rendering in Rendering::ALL {
        for limits in [[-3e38, 3e38], [0.0, 1e-300], [-1e308, 1e308]] {
            let mut scene = floats(*rendering, Interpolation::Linear, value);
            scene.controls(0, |c| c.contrast_limits = limits);
            let got = scene.draw(&device);
            assert!(got.chunks_exact(4).all(|p| p[3] == 255), "{limits:?} {rendering:?}");
        }
    }
}

#[test]
fn gamma_colours_attenuation_and_steps_are_the_twins() {
    let Some(device) = device() else { return };
    for rendering in Rendering::ALL {
        for (gamma, colormap, attenuation, sample_step) in
            [(0.5, "viridis", 0.0, 1.0), (2.2, "#ff8000", 0.3, 0.4), (1.0, "gray_r", 2.0, 3.0)]
        {
            let controls = Controls {
                rendering: *rendering,
                gamma,
                colormap: colormap.into(),
                attenuation,
                sample_step,
                ..controls_of(Dtype::I16)
            };
            let dense = tissue_of(Dtype::I16, SHAPE, [1.0; 3]);
            let scene = Scene::new(vec![(Dtype::I16, vec![dense], controls)]);
            let is_dark = match rendering {
                Rendering::Translucent | Rendering::Additive => attenuation == 0.0,
                Rendering::MinIp => colormap == "#ff8000",
                Rendering::Iso => colormap == "gray_r",
                _ => false,
            };
            if !is_dark {
                scene.check(&device, &format!("{rendering:?} {gamma} {colormap}"));
            }
        }
    }
}

#[test]
fn one_label_alone() {
    let Some(device) = device() else { return };
    for id in [1, 70_000, 3_000_000_000] {
        let controls = Controls { selected_label: id, show_selected_label: true, ..controls_of(Dtype::U32) };
        let dense = tissue_of(Dtype::U32, SHAPE, [1.0; 3]);
        Scene::new(vec![(Dtype::U32, vec![dense], controls)]).check(&device, &format!("{id}"));
    }
}
