//! Golden pictures of the software driver.

use crate::{
    common::{
        array::{ArrayImage, stack},
        device, stills,
    },
    rig::{canvas, go, rect, set},
    thick::thicken,
};
use lucida::{
    app::still::Picture,
    data::procedural::{ProceduralSpec, procedural},
};
use lucida_components::{
    controls::{Blending, ControlChange, Interpolation, Projection, Rendering},
    dtype::Dtype,
    intent::Change,
    labels::LabelTable,
    stream::Canvas,
};
use std::{path::Path, sync::Arc};

#[test]
fn golden_pictures_of_the_software_driver() {
    let Some(device) = device() else { return };
    if !device.gpu.is_cpu {
        eprintln!("SKIPPED: golden pictures are the software driver's");
        return;
    }
    let spec =
        ProceduralSpec { shape: [2, 3, 16, 256, 320], chunk: [8, 64, 64], ..ProceduralSpec::default() };
    let mut stills = stills(&device, procedural(spec));
    let shot = stills.draw(vec![canvas(160, 120)]).expect("drawn");
    golden("home", &shot);
    let shot = stills
        .draw(vec![
            go("z", 3),
            rect(20.0, 15.0, 30.0, 20.0),
            set(0, ControlChange::Colormap("viridis".into())),
            set(1, ControlChange::Gamma(0.6)),
            set(2, ControlChange::Visible(false)),
        ])
        .expect("drawn");
    golden("close", &shot);
}

/// Cells over tissue: labels filled, outlined and alone, cubic, projected.
#[test]
fn golden_pictures_of_every_look() {
    let Some(device) = device() else { return };
    if !device.gpu.is_cpu {
        eprintln!("SKIPPED: golden pictures are the software driver's");
        return;
    }
    let spec =
        ProceduralSpec { shape: [1, 1, 16, 256, 320], chunk: [8, 64, 64], ..ProceduralSpec::default() };
    let unit = [spec.spacing[1], spec.spacing[2], spec.spacing[3]];
    // Rings of ids, on voxels twice as wide as the image's, shifted to the middle.
    let rings = |_: usize, at: &[u64]| {
        let from = |y: u64, x: u64| (at[1] as f64 - y as f64).hypot(at[2] as f64 - x as f64);
        match (from(40, 40), from(60, 90)) {
            (a, _) if a < 36.0 => 1.0 + (a / 9.0).floor(),
            (_, b) if b < 30.0 => 20.0 + (b / 8.0).floor(),
            _ => 0.0,
        }
    };
    let colours = [(1, [240, 60, 60, 255]), (20, [250, 220, 40, 160])].into();
    let labels = LabelTable { colours, ..LabelTable::default() };
    let mut made = ArrayImage::new("zyx", &[16, 100, 130], Dtype::U16, Arc::new(rings)).of_labels(labels);
    made.scale = vec![unit[0], 2.0 * unit[1], 2.0 * unit[2]];
    made.translation = vec![0.0, 30.0 * unit[1], 40.0 * unit[2]];
    let mut stills = stills(&device, stack(procedural(spec), made.open()));

    let start = vec![canvas(160, 120), set(0, ControlChange::Colormap("gray".into()))];
    golden("labels", &stills.draw(start).expect("drawn"));
    let outlined = vec![set(1, ControlChange::Contour(2)), set(1, ControlChange::Opacity(1.0))];
    golden("outlines", &stills.draw(outlined).expect("drawn"));
    let alone = vec![
        set(1, ControlChange::Contour(0)),
        set(1, ControlChange::SelectedLabel(2)),
        set(1, ControlChange::ShowSelectedLabel(true)),
        set(1, ControlChange::Blending(Blending::Additive)),
        set(0, ControlChange::Colormap("bop purple".into())),
    ];
    golden("alone", &stills.draw(alone).expect("drawn"));
    let thick = vec![
        set(1, ControlChange::Visible(false)),
        go("z", 8),
        thicken("z", 4.0, 4.0),
        set(0, ControlChange::Projection(Projection::Maximum)),
        set(0, ControlChange::Colormap("gist_earth".into())),
    ];
    golden("thick", &stills.draw(thick).expect("drawn"));
    let cubic = vec![
        set(0, ControlChange::Projection(Projection::None)),
        set(0, ControlChange::Interpolation(Interpolation::Cubic)),
        set(0, ControlChange::Colormap("twilight_r".into())),
        rect(245.0 * unit[2], 195.0 * unit[1], 56.0 * unit[2], 42.0 * unit[1]),
    ];
    golden("cubic", &stills.draw(cubic).expect("drawn"));
}

#[test]
fn golden_pictures_of_a_volume() {
    let Some(device) = device() else { return };
    if !device.gpu.is_cpu {
        eprintln!("SKIPPED: golden pictures are the software driver's");
        return;
    }
    let spec = ProceduralSpec { shape: [1, 1, 48, 96, 96], chunk: [32, 32, 32], ..ProceduralSpec::default() };
    let mut stills = stills(&device, procedural(spec));
    let start = vec![canvas(80, 60), Change::Ndisplay(3), set(0, ControlChange::Colormap("viridis".into()))];
    golden("volume", &stills.draw(start).expect("drawn"));
    let solid = vec![
        set(0, ControlChange::Rendering(Rendering::Translucent)),
        set(0, ControlChange::Attenuation(0.6)),
    ];
    golden("translucent", &stills.draw(solid).expect("drawn"));
}

/// Compares with the picture in `tests/golden`; `LUCIDA_BLESS=1` writes it instead.
fn golden(name: &str, picture: &Picture) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.png"));
    let Canvas { width, height } = picture.canvas;
    if std::env::var_os("LUCIDA_BLESS").is_some() {
        let file = std::fs::File::create(&path).expect("writable");
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().expect("header").write_image_data(&picture.rgba).expect("pixels");
        return;
    }
    let file = std::fs::File::open(&path)
        .unwrap_or_else(|_| panic!("{} is missing; LUCIDA_BLESS=1", path.display()));
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
    let mut want = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut want).expect("pixels");
    let worst = want.iter().zip(&picture.rgba).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst.is_some_and(|w| w <= 2), "{name} differs from its golden picture by {worst:?}");
}
