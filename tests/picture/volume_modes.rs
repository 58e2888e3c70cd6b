//! Every mode of volumes, of every value type, nearest and linear, against the twin.

use crate::{
    common::device,
    volume_rig::{CANVAS, Scene, compare, controls_of, tissue_of},
};
use lucida_components::{
    controls::{Controls, Interpolation, Rendering},
    dtype::Dtype,
};

const SMALL: [u64; 3] = [40, 36, 50];

fn small(dtype: Dtype, change: impl FnOnce(&mut Controls)) -> Scene {
    let mut controls = controls_of(dtype);
    change(&mut controls);
    let mut dense = tissue_of(dtype, SMALL, [1.0; 3]);
    if controls.rendering == Rendering::MinIp {
        let [lo, hi] = controls.contrast_limits;
        dense.values.iter_mut().for_each(|v| *v = lo + hi - *v);
    }
    Scene::new(vec![(dtype, vec![dense], controls)])
}

#[test]
fn every_mode_is_the_twins_for_every_type_nearest_and_linear() {
    let Some(device) = device() else { return };
    let mut wrong = Vec::new();
    let mut see = |name: String, scene: Scene| {
        let compared = compare(&scene.draw(&device), &scene.want(), CANVAS[0]);
        wrong.extend(compared.err().map(|why| format!("{name}: {why}")));
    };
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32] {
        for rendering in Rendering::ALL {
            for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
                let scene = small(dtype, |c| {
                    c.rendering = *rendering;
                    c.interpolation = interpolation;
                });
                see(format!("{dtype:?} {rendering:?} {interpolation:?}"), scene);
            }
        }
    }
    see("labels".into(), small(Dtype::U32, |_| ()));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
