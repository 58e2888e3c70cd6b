//! Golden pictures of the software driver.

use crate::{
    common::{device, stills},
    rig::{canvas, go, rect, set},
};
use lucida::{
    app::still::Picture,
    data::procedural::{ProceduralSpec, procedural},
};
use lucida_components::{controls::ControlChange, stream::Canvas};
use std::path::Path;

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
