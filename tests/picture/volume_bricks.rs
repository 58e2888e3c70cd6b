//! Volumes of many bricks, some of them missing, against the same arrays without bricks.

use crate::{
    common::device,
    volume_rig::{CANVAS, Dense, Here, Scene, compare, controls_of, tissue_of},
};
use lucida_components::{
    controls::{Controls, Interpolation, Rendering},
    dtype::Dtype,
    lod::LodPolicy,
};

const MANY: [u64; 3] = [100, 130, 150];

fn pyramid(dtype: Dtype, levels: usize, change: impl FnOnce(&mut Controls)) -> Scene {
    let mut controls = controls_of(dtype);
    change(&mut controls);
    let mut all = vec![tissue_of(dtype, MANY, [1.0; 3])];
    while all.len() < levels {
        all.push(all[all.len() - 1].halved());
    }
    Scene::new(vec![(dtype, all, controls)])
}

/// Level 0 in a chequered half of its bricks, level 1 in most, level 2 everywhere.
fn holes(_: usize, level: usize, [z, y, x]: [u32; 3]) -> Here {
    let there = match level {
        0 => (z + y + x) % 2 == 0,
        1 => (z + y + x) % 3 != 1,
        _ => true,
    };
    if there { Here::Slot } else { Here::Missing }
}

const MODES: [Rendering; 7] = [
    Rendering::Mip,
    Rendering::MinIp,
    Rendering::AttenuatedMip,
    Rendering::Average,
    Rendering::Translucent,
    Rendering::Additive,
    Rendering::Iso,
];

#[test]
fn many_bricks_are_the_dense_array() {
    let Some(device) = device() else { return };
    for rendering in MODES {
        let scene = pyramid(Dtype::U16, 1, |c| c.rendering = rendering);
        let got = scene.draw(&device);
        // The smallest of a field with nothing around it shows nothing.
        if rendering != Rendering::MinIp {
            compare(&got, &scene.want(), CANVAS[0]).unwrap_or_else(|why| panic!("{rendering:?}: {why}"));
        }
    }
    pyramid(Dtype::U32, 1, |_| ()).check(&device, "labels");
    pyramid(Dtype::F32, 1, |c| c.interpolation = Interpolation::Nearest).check(&device, "nearest");
}

#[test]
fn where_fine_bricks_are_missing_coarser_ones_answer() {
    let Some(device) = device() else { return };
    for rendering in MODES {
        let mut scene = pyramid(Dtype::U16, 3, |c| c.rendering = rendering);
        scene.resident = Box::new(holes);
        for policy in [LodPolicy::Locked, LodPolicy::Auto] {
            scene.state.lod.policy = policy;
            // Near enough that all three levels are wanted somewhere.
            scene.pose().distance = if policy == LodPolicy::Auto { 75.0 } else { 180.0 };
            if rendering != Rendering::MinIp {
                scene.check(&device, &format!("{rendering:?} {policy:?}"));
            }
        }
    }
    let mut labels = pyramid(Dtype::U32, 3, |_| ());
    labels.images[0][1] = decimated(&labels.images[0][0]);
    labels.images[0][2] = decimated(&labels.images[0][1]);
    labels.resident = Box::new(holes);
    labels.state.lod.policy = LodPolicy::Locked;
    labels.check(&device, "labels");
}

#[test]
fn what_is_nowhere_is_a_gap_and_no_more() {
    let Some(device) = device() else { return };
    for rendering in [Rendering::Mip, Rendering::Average, Rendering::Translucent, Rendering::Iso] {
        let mut scene = pyramid(Dtype::U16, 1, |c| c.rendering = rendering);
        // The middle of three bricks along x, and a corner.
        scene.resident = Box::new(
            |_, _, [z, y, x]| {
                if x == 1 || (z, y, x) == (0, 0, 0) { Here::Missing } else { Here::Slot }
            },
        );
        for angles in [[35.0, 25.0, 10.0], [90.0, 0.0, 0.0], [-70.0, 10.0, 0.0]] {
            scene.pose().angles = angles;
            scene.check(&device, &format!("{rendering:?} {angles:?}"));
        }
    }
}

/// Every second voxel: a mean of names is no name.
fn decimated(dense: &Dense) -> Dense {
    let mut half = dense.halved();
    let [_, ny, nx] = half.shape;
    for (n, v) in half.values.iter_mut().enumerate() {
        let n = n as u64;
        *v = dense.at([n / (ny * nx), n / nx % ny, n % nx].map(|c| 2 * c));
    }
    half
}

#[test]
fn what_is_known_of_values_changes_no_picture() {
    let Some(device) = device() else { return };
    for (dtype, modes) in [(Dtype::U16, &MODES[..]), (Dtype::F32, &MODES[..]), (Dtype::U32, &MODES[..1])] {
        for rendering in modes {
            let mut scene = pyramid(dtype, 1, |c| c.rendering = *rendering);
            let with = scene.draw(&device);
            scene.told = false;
            let without = scene.draw(&device);
            let differ = with.iter().zip(&without).filter(|(a, b)| a.abs_diff(**b) > 1).count();
            assert_eq!(differ, 0, "{dtype:?} {rendering:?}");
        }
    }
}

#[test]
fn bricks_of_one_value_need_no_slot() {
    let Some(device) = device() else { return };
    // A ruffled end, a quarter that is empty, and four bricks at the other end that are full.
    let value = |[z, y, x]: [f64; 3]| {
        if z >= 63.0 && y >= 63.0 && x >= 189.0 {
            40_900.0
        } else if x < 60.0 {
            900.0 + 40_000.0 * ((x / 7.0).sin() * (y / 9.0).cos() * (z / 8.0).sin()).abs()
        } else {
            900.0
        }
    };
    for rendering in MODES {
        let controls = Controls { rendering, ..controls_of(Dtype::U16) };
        let dense = Dense::new([130, 130, 230], [1.0; 3], value);
        let mut scene = Scene::new(vec![(Dtype::U16, vec![dense], controls)]);
        let whole = scene.draw(&device);
        // A surface lies around what is full.
        let is_surface = rendering == Rendering::Iso;
        scene.resident = Box::new(move |_, _, [z, y, x]| {
            let flat = x == 1 || (x == 3 && z > 0 && y > 0 && !is_surface);
            if flat { Here::Known } else { Here::Slot }
        });
        let part = scene.draw(&device);
        let differ = whole.iter().zip(&part).filter(|(a, b)| a.abs_diff(**b) > 1).count();
        assert!(differ <= 8, "{rendering:?}: {differ}");
    }
}

#[test]
fn no_seam_between_bricks() {
    let Some(device) = device() else { return };
    // A slope across bricks, in a thin sheet seen from the front: brightness steps evenly from pixel to pixel.
    for interpolation in [Interpolation::Linear, Interpolation::Nearest] {
        let controls = Controls {
            interpolation,
            contrast_limits: [0.0, 65_000.0],
            rendering: Rendering::Average,
            ..controls_of(Dtype::U16)
        };
        let dense = Dense::new([130, 8, 190], [1.0; 3], |[_, _, x]| x * 340.0);
        let mut scene = Scene::new(vec![(Dtype::U16, vec![dense.clone(), dense.halved()], controls)]);
        scene.state.lod.policy = LodPolicy::Locked;
        for mixed in [false, true] {
            if mixed && interpolation == Interpolation::Nearest {
                continue;
            }
            scene.resident = Box::new(
                move |_, level, [_, _, x]| {
                    if mixed && level == 0 && x == 1 { Here::Missing } else { Here::Slot }
                },
            );
            *scene.pose() = crate::volume_rig::pose([190.0, 8.0, 130.0], [0.0; 3], 150.0, 0.0);
            let got = scene.check(&device, &format!("{interpolation:?}, mixed: {mixed}"));
            let row = &got[64 * 24 * 4..64 * 25 * 4];
            let steps: Vec<i32> = row
                .chunks_exact(4)
                .map(|p| i32::from(p[0]))
                .collect::<Vec<_>>()
                .windows(2)
                .map(|w| w[1] - w[0])
                .collect();
            assert!(steps[6..56].iter().all(|s| (2..=8).contains(s)), "{interpolation:?} {mixed}: {steps:?}");
        }
    }
}
