//! Any camera, any step, any contrast, whatever is resident: a picture without holes that need not be.

use crate::{
    common::device,
    volume_rig::{CANVAS, Dense, Drawn, Here, Scene, controls_of, pose},
};
use lucida_components::{
    controls::{Controls, Interpolation, Rendering},
    dtype::Dtype,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

/// Everything but the values and what is resident of them.
#[derive(Debug, Clone)]
struct Look {
    angles: [f64; 3],
    distance: f64,
    fov: f64,
    center: [f64; 3],
    step: f64,
    limits: [f64; 2],
    gamma: f64,
    interpolation: Interpolation,
}

fn looks() -> impl Strategy<Value = Look> {
    let angle = || -360.0..360.0_f64;
    let fov = prop_oneof![Just(0.0), 0.01..179.9_f64, Just(60.0)];
    let center = prop::array::uniform3(-0.3..1.3_f64);
    let interpolation = prop_oneof![Just(Interpolation::Nearest), Just(Interpolation::Linear)];
    (
        angle(),
        angle(),
        angle(),
        -2.0..4.0_f64,
        fov,
        center,
        0.3..4.0_f64,
        0.0..1.0_f64,
        0.1..4.0_f64,
        interpolation,
    )
        .prop_map(|(az, el, roll, distance, fov, center, step, lo, gamma, interpolation)| Look {
            angles: [az, el, roll],
            distance: 10.0_f64.powf(distance),
            fov,
            center,
            step,
            limits: [lo * 20_000.0, 20_001.0 + lo * 40_000.0],
            gamma,
            interpolation,
        })
}

const SHAPE: [u64; 3] = [80, 20, 130];

/// Bright everywhere, on all levels: a dark pixel within is a hole.
fn bright(rendering: Rendering) -> Scene {
    let controls = Controls { rendering, attenuation: 0.01, ..controls_of(Dtype::U16) };
    let fine = Dense::new(SHAPE, [1.0; 3], |[z, y, x]| 62_000.0 + (z + 3.0 * y + 7.0 * x) % 97.0);
    let middle = fine.halved();
    let coarse = middle.halved();
    Scene::new(vec![(Dtype::U16, vec![fine, middle, coarse], controls)])
}

#[test]
fn no_camera_and_no_resident_set_makes_a_hole() {
    let Some(device) = device() else { return };
    for (n, seeds) in [(Rendering::Mip, [1_u32, 2]), (Rendering::MinIp, [3, 4]), (Rendering::Average, [5, 6])]
    {
        for seed in seeds {
            let mut scene = bright(n);
            scene.resident = Box::new(move |_, level, [z, y, x]| {
                let word = (z * 31 + y * 7 + x)
                    .wrapping_mul(0x9E37_79B9)
                    .wrapping_add(seed.wrapping_mul(0x85EB_CA6B));
                let there = level == 2 || (word >> (7 + level)) % 3 > 0;
                if there { Here::Slot } else { Here::Missing }
            });
            let mut drawn = Drawn::new(&device, &scene);
            let mut runner = TestRunner::deterministic();
            for _ in 0..12 {
                let look = looks().new_tree(&mut runner).expect("a look").current();
                let size = [130.0, 20.0, 80.0];
                *scene.pose() = pose(size, look.angles, look.distance, look.fov);
                scene.pose().center = [0, 1, 2].map(|i| look.center[i] * size[i]);
                scene.controls(0, |c| {
                    c.sample_step = look.step;
                    c.contrast_limits = look.limits;
                    c.gamma = look.gamma;
                    c.interpolation = look.interpolation;
                });
                let got = drawn.picture(&scene);
                for (n, p) in (0..).zip(got.chunks_exact(4)) {
                    // All is above the upper limit: white where there is data, black where there is none.
                    assert!(p == [255; 4] || p == [0, 0, 0, 255], "pixel {n} is {p:?}: {look:?}");
                    let chord = scene.chord([n % CANVAS[0], n / CANVAS[0]]);
                    // Steps of the coarsest level are four voxels long.
                    let must = chord > 8.0 * look.step;
                    assert!(!must || p[0] == 255, "a hole at {n}, {chord} voxels deep: {look:?}");
                }
            }
        }
    }
}
