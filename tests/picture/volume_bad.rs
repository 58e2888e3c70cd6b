//! Volumes that nobody would ask for: each is a picture or a refusal, and the device lives on.

use crate::{
    common::{
        array::{ArrayImage, stack},
        device, stills,
    },
    rig::{canvas, set},
};
use lucida::{app::still::StillError, data::Opened, gpu::device::Device};
use lucida_components::{
    camera::{CameraDelta, CameraParts},
    clip::ClipParts,
    controls::{ControlChange, Rendering},
    dtype::Dtype,
    intent::Change,
};
use std::sync::Arc;

const MODES: [Rendering; 3] = [Rendering::Mip, Rendering::Translucent, Rendering::Iso];

fn image(shape: [u64; 3], dtype: Dtype, value: fn(&[u64]) -> f64) -> ArrayImage {
    ArrayImage::new("zyx", &shape, dtype, Arc::new(move |_, at| value(at)))
}

fn ramp(at: &[u64]) -> f64 {
    (40 + 3 * (at[0] + at[1] + at[2])).min(255) as f64
}

fn cube() -> Opened {
    image([20, 20, 20], Dtype::U8, ramp).open()
}

fn camera(parts: CameraParts) -> Change {
    Change::Camera(CameraDelta::Set(parts))
}

/// Whether anything but black was drawn; `None` where it was refused.
#[track_caller]
fn shows(device: &Device, name: &str, opened: Opened, changes: Vec<Change>) -> Option<bool> {
    let mut stills = stills(device, opened);
    let start = vec![canvas(32, 24), Change::Ndisplay(3)];
    let drawn = stills.draw(start.into_iter().chain(changes).collect());
    assert!(!device.gpu.lost.is_lost(), "{name}: the device is lost");
    match drawn {
        Ok(picture) => {
            assert_eq!(picture.rgba.len(), 32 * 24 * 4, "{name}");
            Some(picture.rgba.chunks_exact(4).any(|p| p[..3] != [0; 3]))
        }
        Err(StillError::Rejected(_)) => None,
        Err(other) => panic!("{name}: {other}"),
    }
}

#[test]
fn no_spacing_and_no_shape_is_too_odd() {
    let Some(device) = device() else { return };
    for scale in [1e-12, 1e12] {
        for axes in [vec![scale; 3], vec![scale, 1.0, 1.0]] {
            for mode in MODES {
                let mut made = image([20, 20, 20], Dtype::U8, ramp);
                made.scale.clone_from(&axes);
                let name = format!("{axes:?} {mode:?}");
                let shown = shows(&device, &name, made.open(), vec![set(0, ControlChange::Rendering(mode))]);
                // Cubes look alike at any size.
                assert!(axes[2] == 1.0 || shown == Some(true), "{name}: {shown:?}");
            }
        }
    }
    for shape in [[1, 20, 20], [20, 1, 20], [20, 20, 1], [1, 1, 20], [1, 1, 1]] {
        let opened = image(shape, Dtype::U8, |_| 200.0).open();
        assert_eq!(shows(&device, &format!("{shape:?}"), opened, Vec::new()), Some(true), "{shape:?}");
    }
}

#[test]
fn nothing_but_nan_is_black() {
    let Some(device) = device() else { return };
    for mode in MODES {
        let opened = image([20, 20, 20], Dtype::F32, |_| f64::NAN).open();
        let shown = shows(&device, "NaN", opened, vec![set(0, ControlChange::Rendering(mode))]);
        assert_eq!(shown, Some(false), "{mode:?}");
    }
}

#[test]
fn every_camera_gives_a_picture_or_is_refused() {
    let Some(device) = device() else { return };
    for (fov, drawn) in [(0.0, true), (179.9, true), (180.0, false), (-1.0, false), (f64::NAN, false)] {
        let change = camera(CameraParts { fov: Some(fov), ..CameraParts::default() });
        let shown = shows(&device, &format!("fov {fov}"), cube(), vec![change]);
        assert_eq!(shown.is_some(), drawn, "fov {fov}");
    }
    for distance in [1e-300, 1e-9, 1e9, 1e300] {
        for fov in [0.0, 60.0] {
            let parts = CameraParts { distance: Some(distance), fov: Some(fov), ..CameraParts::default() };
            shows(&device, &format!("distance {distance} fov {fov}"), cube(), vec![camera(parts)]);
        }
    }
}

#[test]
fn limits_and_boxes_without_an_inside_are_refused() {
    let Some(device) = device() else { return };
    let limits = set(0, ControlChange::ContrastLimits([7.0, 7.0]));
    assert_eq!(shows(&device, "no contrast", cube(), vec![limits]), None);
    for range in [[15.0, 5.0], [5.0, 5.0], [f64::NAN, 5.0]] {
        let parts = ClipParts { ranges: vec![("z".into(), Some(range))], planes: None };
        assert_eq!(shows(&device, "inside out", cube(), vec![Change::Clip(parts)]), None, "{range:?}");
    }
}

#[test]
fn two_hundred_layers_give_a_picture_or_a_refusal() {
    let Some(device) = device() else { return };
    let mut made = ArrayImage::new("czyx", &[200, 8, 8, 8], Dtype::U8, Arc::new(|_, _| 9.0));
    made.chunk = vec![200, 8, 8, 8];
    assert_ne!(shows(&device, "200 layers", made.open(), Vec::new()), Some(false));
    let both = stack(cube(), image([3, 300, 2], Dtype::U16, ramp).open());
    assert_eq!(shows(&device, "a needle in a cube", both, Vec::new()), Some(true));
}
