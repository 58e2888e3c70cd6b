//! Cameras, transforms, boxes, planes and pieces of volumes, against the twin.

use crate::{
    common::device,
    volume_rig::{CANVAS, Dense, Drawn, Scene, controls_of, pose, tissue, tissue_of},
};
use lucida_components::{
    clip::ClipPlane,
    controls::{Blending, Controls, Depiction, Rendering},
    dtype::Dtype,
};
use lucida_systems::render::volume::{params::Quality, record::Grid};

const SHAPE: [u64; 3] = [44, 52, 70];

fn scene(rendering: Rendering) -> Scene {
    let controls = Controls { rendering, ..controls_of(Dtype::U16) };
    Scene::new(vec![(Dtype::U16, vec![tissue_of(Dtype::U16, SHAPE, [1.0; 3])], controls)])
}

#[test]
fn from_everywhere_in_every_way() {
    let Some(device) = device() else { return };
    let size = [70.0, 52.0, 44.0];
    let poses = [
        ("orthographic", pose(size, [20.0, 40.0, 0.0], 80.0, 0.0)),
        ("along y", pose(size, [0.0, 0.0, 0.0], 90.0, 60.0)),
        ("along x, orthographic", pose(size, [90.0, 0.0, 0.0], 77.0, 0.0)),
        ("from above", pose(size, [0.0, 90.0, 0.0], 81.0, 0.0)),
        ("inside", pose(size, [50.0, 10.0, 0.0], 4.0, 70.0)),
        ("wide", pose(size, [50.0, 10.0, 0.0], 20.0, 150.0)),
        ("narrow", pose(size, [200.0, -30.0, 80.0], 90_000.0, 0.05)),
    ];
    for (name, pose) in poses {
        for rendering in [Rendering::Mip, Rendering::Translucent, Rendering::Iso] {
            let mut scene = scene(rendering);
            *scene.pose() = pose;
            scene.check(&device, &format!("{name} {rendering:?}"));
        }
    }
}

#[test]
fn poses_at_the_end_of_what_can_be_drawn_give_pictures() {
    let Some(device) = device() else { return };
    let size = [70.0, 52.0, 44.0];
    for (distance, fov) in [(40.0, 179.9), (1e-9, 60.0), (1e12, 60.0), (1e-9, 0.0), (1e30, 0.0), (40.0, 1e-6)]
    {
        for angles in [[0.0; 3], [90.0, 0.0, 0.0], [0.0, -90.0, 45.0], [33.0, 21.0, 7.0]] {
            let mut scene = scene(Rendering::Mip);
            *scene.pose() = pose(size, angles, distance, fov);
            let got = scene.draw(&device);
            assert!(got.chunks_exact(4).all(|p| p[3] == 255), "{distance} {fov}");
        }
    }
}

#[test]
fn voxels_that_are_no_cubes_and_axes_of_one_voxel() {
    let Some(device) = device() else { return };
    let shapes: [([u64; 3], [f64; 3]); 4] = [
        ([20, 52, 70], [3.5, 1.0, 0.7]),
        ([1, 52, 70], [9.0, 1.0, 1.0]),
        ([52, 1, 1], [1.0, 8.0, 9.0]),
        ([1, 1, 1], [30.0; 3]),
    ];
    for (shape, scale) in shapes {
        for rendering in [Rendering::Mip, Rendering::Translucent, Rendering::Additive] {
            let controls = Controls { rendering, attenuation: 0.7, ..controls_of(Dtype::U16) };
            // One voxel is the middle of the first spot.
            let place =
                |at: [f64; 3]| [0, 1, 2].map(|i| if shape[i] == 1 { [0.35, 0.4, 0.3][i] } else { at[i] });
            let mut dense = Dense::new(shape, scale, |at| 2_000.0 + 38_000.0 * tissue(place(at), shape));
            dense.values.iter_mut().for_each(|v| *v = v.round());
            let scene = Scene::new(vec![(Dtype::U16, vec![dense], controls)]);
            scene.check(&device, &format!("{shape:?} {rendering:?}"));
        }
    }
}

#[test]
fn a_crop_box_and_free_planes_cut() {
    let Some(device) = device() else { return };
    let plane = |position, normal| ClipPlane { position, normal };
    for rendering in [Rendering::Mip, Rendering::Translucent, Rendering::Average] {
        let mut scene = scene(rendering);
        let uncut = scene.draw(&device);
        scene.state.clip.ranges = vec![Some([5.0, 30.0]), None, Some([20.25, 400.0])];
        let boxed = scene.check(&device, &format!("box {rendering:?}"));
        scene.state.clip.planes = vec![
            plane([35.0, 26.0, 22.0], [1.0, -2.0, 0.5]),
            plane([35.0, 10.0, 22.0], [0.0, 1e-9, 0.0]),
            plane([35.0, 26.0, 40.0], [0.0, 0.0, -1e9]),
        ];
        let cut = scene.check(&device, &format!("box and planes {rendering:?}"));
        assert!(uncut != boxed && boxed != cut);
        // Nothing is left.
        scene.state.clip.ranges = vec![Some([500.0, 600.0])];
        assert!(scene.draw(&device).chunks_exact(4).all(|p| p == [0, 0, 0, 255]));
    }
}

#[test]
fn a_slab_is_what_is_near_its_plane() {
    let Some(device) = device() else { return };
    for (thickness, position, normal) in [
        (1.0, None, [0.0, 0.0, 1.0]),
        (6.0, Some([30.0, 30.0, 14.0]), [1.0, 2.0, -0.5]),
        (20.0, None, [0.0, -7.0, 0.0]),
    ] {
        for rendering in [Rendering::Mip, Rendering::Average] {
            let mut scene = scene(rendering);
            scene.controls(0, |c| {
                c.depiction = Depiction::Plane;
                c.plane_thickness = thickness;
                c.plane_position = position;
                c.plane_normal = normal;
                c.contrast_limits[1] = 30_000.0;
            });
            scene.check(&device, &format!("{thickness} {rendering:?}"));
        }
    }
}

#[test]
fn layers_on_grids_of_their_own_join_in_every_blending() {
    let Some(device) = device() else { return };
    for blending in Blending::ALL {
        let layer = |dtype, shape, scale, rendering, colormap: &str| {
            let controls = Controls {
                rendering,
                blending: *blending,
                colormap: colormap.into(),
                opacity: 0.8,
                gamma: 0.7,
                ..controls_of(dtype)
            };
            (dtype, vec![tissue_of(dtype, shape, scale)], controls)
        };
        let mut moved = layer(Dtype::U8, [30, 40, 30], [1.5, 1.0, 2.0], Rendering::Translucent, "viridis");
        moved.1[0].translation = [6.0, -8.0, 11.5];
        let mut labels =
            (Dtype::U32, vec![tissue_of(Dtype::U32, [22, 26, 35], [2.0; 3])], controls_of(Dtype::U32));
        labels.2.blending = *blending;
        let scene = Scene::new(vec![
            layer(Dtype::U16, SHAPE, [1.0; 3], Rendering::Mip, "green"),
            moved,
            layer(Dtype::F32, SHAPE, [1.0; 3], Rendering::Additive, "magma"),
            labels,
            layer(Dtype::I16, [20, 20, 20], [2.0; 3], Rendering::Iso, "magenta"),
        ]);
        scene.check(&device, blending.as_str());
    }
}

#[test]
fn many_layers_are_drawn_out_of_storage_buffers() {
    let Some(device) = device() else { return };
    let layers = (0..70).map(|n| {
        let controls = Controls {
            blending: Blending::Additive,
            opacity: 0.02,
            rendering: if n % 9 == 0 { Rendering::Average } else { Rendering::Mip },
            ..controls_of(Dtype::U8)
        };
        let mut dense = tissue_of(Dtype::U8, [10, 9, 11], [4.0; 3]);
        dense.translation = [0.1 * f64::from(n), 0.0, 0.2 * f64::from(n)];
        (Dtype::U8, vec![dense], controls)
    });
    Scene::new(layers.collect()).check(&device, "seventy layers");
    let mut hidden = scene(Rendering::Mip);
    hidden.controls(0, |c| c.visible = false);
    let mut none = Drawn::new(&device, &hidden);
    none.hide();
    assert!(none.picture(&hidden).chunks_exact(4).all(|p| p == [0, 0, 0, 255]), "no layer: black");
}

#[test]
fn pieces_make_the_whole_and_fewer_pixels_stand_for_their_places() {
    let Some(device) = device() else { return };
    let mut scene = scene(Rendering::Translucent);
    let mut drawn = Drawn::new(&device, &scene);
    let whole = drawn.picture(&scene);
    assert_eq!(whole, drawn.picture(&scene), "the same picture again");
    let mut pieces = Vec::new();
    for y in (0..CANVAS[1]).step_by(13) {
        for x in (0..CANVAS[0]).step_by(17) {
            pieces.push(Grid { from: [x, y], count: [17, 13], ..scene.grid });
        }
    }
    assert_eq!(whole, drawn.pieces(&scene, &pieces));
    scene.grid = Grid { size: [24, 20], count: [24, 20], ..scene.grid };
    scene.quality = Quality { nearest: true, step: 2.0, ..Quality::FULL };
    scene.check(&device, "fewer pixels, longer steps");
}
