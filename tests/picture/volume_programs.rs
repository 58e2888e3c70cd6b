//! Programs of volumes are wished for before they are needed, and are those that are needed.

use crate::{
    common::device,
    volume_rig::{Drawn, Scene, controls_of, tissue_of},
};
use lucida_components::{
    controls::{Controls, Interpolation, Rendering},
    dtype::Dtype,
};
use lucida_systems::render::{
    programs::{Programs, Spec},
    volume::program,
};

fn scene() -> Scene {
    let layer = |dtype, rendering, interpolation, visible| {
        let controls = Controls { rendering, interpolation, visible, ..controls_of(dtype) };
        (dtype, vec![tissue_of(dtype, [8; 3], [1.0; 3])], controls)
    };
    Scene::new(vec![
        layer(Dtype::U8, Rendering::Mip, Interpolation::Cubic, true),
        layer(Dtype::U32, Rendering::Iso, Interpolation::Nearest, true),
        layer(Dtype::F32, Rendering::Iso, Interpolation::Nearest, true),
    ])
}

#[test]
fn the_likely_program_is_the_one_that_is_needed() {
    let Some(device) = device() else { return };
    let scene = scene();
    assert_eq!(program::Spec::likely(&scene.state), Drawn::new(&device, &scene).spec(&scene));
    let mut hidden = scene;
    hidden.controls(0, |c| c.visible = false);
    hidden.controls(1, |c| c.opacity = 0.0);
    assert_eq!(program::Spec::likely(&hidden.state).layers.len(), 1, "what is not seen needs no program");
}

#[test]
fn what_is_wished_for_is_compiled_once_and_a_refused_wish_again() {
    let Some(device) = device() else { return };
    let gpu = &device.gpu.device;
    let likely = program::Spec::likely(&scene().state);
    let spec = Spec::Volume(likely.clone());
    let mut programs = Programs::default();
    programs.expect(gpu, &spec);
    assert!(programs.take_wishes().is_empty(), "who compiles at once wishes for nothing");
    programs.compile_beside();
    programs.expect(gpu, &spec);
    assert!(programs.get(gpu, &spec).is_none(), "not there yet");
    let wishes = programs.take_wishes();
    let nearest = likely.layers.iter().map(|l| program::LayerSpec { linear: false, ..*l }).collect();
    let nearest = Spec::Volume(program::Spec { layers: nearest, large: false });
    assert_eq!(wishes.iter().map(|w| w.spec.clone()).collect::<Vec<_>>(), [spec.clone(), nearest.clone()]);
    programs.refuse(&nearest);
    for wish in wishes.into_iter().take(1) {
        programs.put(gpu, wish.compile());
    }
    assert!(programs.get(gpu, &spec).is_some());
    programs.expect(gpu, &spec);
    assert!(programs.take_wishes().is_empty(), "it is there");
    programs.expect(gpu, &nearest);
    assert_eq!(programs.take_wishes().len(), 1, "what was refused may be wished for again");
}
