//! Pictures: the shader against its twin on the CPU, against golden pictures, and against real arrays.

#[path = "picture/coarse.rs"]
mod coarse;
mod common;

use common::{array::ArrayImage, device, picture, pixel, real_images, stills};
use lucida::{
    app::still::Picture,
    data::{
        self,
        procedural::{ProceduralSpec, procedural, value_at},
    },
};
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts, Rect},
    controls::{Blending, ControlChange, Interpolation},
    dataset::ArrayAxis,
    dtype::Dtype,
    ids::{LayerId, StreamId},
    intent::{Change, Grid},
    stream::Canvas,
};
use lucida_systems::render::plane::twin;
use std::{path::Path, sync::Arc};

/// Colour steps of 255 by which the shader's f32 may differ from the twin's f64.
const TOLERANCE: f64 = 1.01;
/// Pixels whose centre lies on a texel's edge may fall to either side.
const EDGE_PIXELS: f64 = 0.004;

fn canvas(width: u32, height: u32) -> Change {
    Change::Canvas { stream: StreamId::MAIN, canvas: Canvas { width, height } }
}

fn rect(left: f64, bottom: f64, width: f64, height: f64) -> Change {
    let rect = Some(Rect { left, bottom, width, height });
    Change::Camera(CameraDelta::Set(CameraParts { rect, ..CameraParts::default() }))
}

fn set(layer: u32, control: ControlChange) -> Change {
    Change::Layer { layer: LayerId(layer), control }
}

fn go(axis: &str, value: i64) -> Change {
    Change::Index { axis: axis.into(), value, grid: Grid::Scene }
}

/// Array coordinates of a texel of a plane.
fn coordinates(plane: &lucida_systems::residency::tiles::Plane, row: u64, col: u64) -> Vec<u64> {
    let mut at = plane.fixed.clone();
    at[plane.dims[0]] = row;
    at[plane.dims[1]] = col;
    at
}

/// Compares a picture with the twin's.
fn check(name: &str, picture: &Picture, values: impl Fn(usize, &[u64]) -> f64) {
    let want =
        twin::draw(&picture.state, |_, plane, row, col| values(plane.number, &coordinates(plane, row, col)));
    compare(name, picture, &want);
}

fn compare(name: &str, picture: &Picture, want: &[[f64; 3]]) {
    assert_eq!(want.len() * 4, picture.rgba.len(), "{name}: size");
    assert_eq!(picture.residency.missing, 0, "{name}: nothing is missing");
    let differs = |(got, want): (&[u8], &[f64; 3])| {
        (0..3).any(|i| (f64::from(got[i]) - want[i] * 255.0).abs() > TOLERANCE)
    };
    let bad: Vec<usize> = picture
        .rgba
        .chunks_exact(4)
        .zip(want)
        .enumerate()
        .filter_map(|(n, p)| differs(p).then_some(n))
        .collect();
    let allowed = (want.len() as f64 * EDGE_PIXELS) as usize;
    if bad.len() > allowed {
        let n = bad[bad.len() / 2];
        let (x, y) = (n as u32 % picture.canvas.width, n as u32 / picture.canvas.width);
        panic!(
            "{name}: {} of {} pixels differ, for example ({x}, {y}): {:?} instead of {:?}",
            bad.len(),
            want.len(),
            pixel(picture, x, y),
            want[n].map(|c| c * 255.0)
        );
    }
    let lit = want.iter().filter(|c| c.iter().any(|v| *v > 0.02)).count();
    assert!(lit > want.len() / 50, "{name}: the picture shows something");
}

/// A pattern with structure at every scale that survives in 8 bits.
fn pattern(_: usize, at: &[u64]) -> f64 {
    let mut h = 0x9E37u64;
    for (d, v) in at.iter().enumerate() {
        h = h.wrapping_mul(31).wrapping_add(v / (3 + d as u64 % 3) * 17 + v);
    }
    (h % 256) as f64
}

#[test]
fn every_value_type_and_interpolation_equals_the_twin() {
    let Some(device) = device() else { return };
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
        for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
            // Signed values go below zero.
            let shift = if matches!(dtype, Dtype::I16 | Dtype::F32) { 128.0 } else { 0.0 };
            let values = move |l: usize, at: &[u64]| pattern(l, at) - shift;
            let image = ArrayImage::new("zyx", &[3, 150, 171], dtype, Arc::new(values));
            let shot = picture(
                &device,
                image.open(),
                vec![
                    canvas(208, 160),
                    // Off the pixel grid, beyond two edges of the image.
                    rect(-7.3, 40.6, 120.7, 121.9),
                    go("z", 1),
                    set(0, ControlChange::Interpolation(interpolation)),
                    set(0, ControlChange::ContrastLimits([10.0 - shift, 230.0 - shift])),
                ],
            );
            check(&format!("{dtype:?} {interpolation:?}"), &shot, values);
        }
    }
}

#[test]
fn every_blending_gamma_and_colormap_equals_the_twin() {
    let Some(device) = device() else { return };
    let image = || ArrayImage::new("cyx", &[3, 96, 96], Dtype::U8, Arc::new(pattern));
    for (n, blending) in Blending::ALL.iter().enumerate() {
        let maps = ["viridis", "#ff8000", "gray_r", "turbo"];
        let mut changes = vec![canvas(128, 96), rect(-10.0, -5.0, 128.0, 96.0)];
        for layer in 0..3 {
            changes.push(set(layer, ControlChange::Blending(*blending)));
            changes.push(set(layer, ControlChange::Colormap(maps[(n + layer as usize) % 4].into())));
            changes.push(set(layer, ControlChange::Opacity(0.3 + 0.3 * f64::from(layer))));
            changes.push(set(layer, ControlChange::Gamma([1.0, 0.5, 2.2][layer as usize])));
        }
        check(blending.as_str(), &picture(&device, image().open(), changes), pattern);
    }
}

#[test]
fn every_level_and_a_plane_of_other_axes_equal_the_twin() {
    let Some(device) = device() else { return };
    let spec = ProceduralSpec {
        shape: [2, 2, 24, 300, 400],
        chunk: [8, 64, 64],
        levels: 4,
        noise: 0.0,
        ..ProceduralSpec::default()
    };
    let values =
        |level: usize, at: &[u64]| value_at(&spec, level as u16, [at[0], at[1], at[2], at[3], at[4]]);
    let mut stills = stills(&device, procedural(spec.clone()));
    let state = stills.state().expect("applied");
    assert!(state.dataset.images[0].dims.contains(&ArrayAxis::Channel));
    for level in 0..4 {
        let shot = stills.draw(vec![canvas(160, 120), go("t", 1), Change::Level(level)]).expect("drawn");
        assert_eq!(shot.state.lod.level as i64, level);
        check(&format!("level {level}"), &shot, values);
    }
    // t y | z x: columns are x, rows are z.
    let shot = stills.draw(vec![Change::Order(vec![0, 2, 1, 3]), Change::Level(0)]).expect("drawn");
    assert_eq!(shot.state.plane_axes(), [1, 3]);
    check("x-z", &shot, values);
    // Columns are y, rows are x: transposed.
    let shot = stills.draw(vec![Change::Order(vec![0, 1, 3, 2]), Change::Level(1)]).expect("drawn");
    check("transposed", &shot, values);
}

#[test]
fn twenty_layers_are_drawn_in_one_pass() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("cyx", &[20, 64, 64], Dtype::U16, Arc::new(pattern));
    let dim = (0..20).map(|l| set(l, ControlChange::Opacity(if l % 7 == 3 { 0.2 } else { 0.05 })));
    let mut changes: Vec<Change> = dim.collect();
    changes.push(set(11, ControlChange::Colormap("magma".into())));
    changes.push(set(5, ControlChange::Visible(false)));
    changes.push(canvas(64, 64));
    check("twenty layers", &picture(&device, image.open(), changes), pattern);
}

#[test]
fn more_layers_than_uniform_buffers_hold_are_drawn() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("cyx", &[150, 32, 32], Dtype::U8, Arc::new(pattern));
    let mut changes: Vec<Change> =
        (0..150).map(|l| set(l, ControlChange::Opacity(0.002 + 0.0001 * f64::from(l)))).collect();
    changes.push(canvas(64, 64));
    check("150 layers", &picture(&device, image.open(), changes), pattern);
}

#[test]
fn row_0_is_on_top_and_column_0_on_the_left() {
    let Some(device) = device() else { return };
    let corner = |_: usize, at: &[u64]| if at[0] < 8 && at[1] < 8 { 255.0 } else { 30.0 };
    let image = ArrayImage::new("yx", &[32, 32], Dtype::U8, Arc::new(corner));
    let shot = picture(&device, image.open(), vec![canvas(32, 32)]);
    assert_eq!(pixel(&shot, 2, 2), [255; 3]);
    for (x, y) in [(29, 2), (2, 29), (29, 29)] {
        assert_eq!(pixel(&shot, x, y), [30; 3]);
    }
}

#[test]
fn what_is_not_a_number_is_drawn_as_nothing() {
    let Some(device) = device() else { return };
    let holes = |_: usize, at: &[u64]| match (at[0], at[1]) {
        (0..=7, _) => f64::NAN,
        (8..=15, _) => f64::INFINITY,
        (16..=23, _) => f64::NEG_INFINITY,
        _ => 200.0,
    };
    for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
        // The layer below shines through the holes of the one above.
        let values = move |l: usize, at: &[u64]| {
            if at[0] == 0 { 100.0 } else { holes(l, &at[1..]) }
        };
        let image = ArrayImage::new("cyx", &[2, 32, 32], Dtype::F32, Arc::new(values));
        let shot = picture(
            &device,
            image.open(),
            vec![
                canvas(64, 64),
                set(1, ControlChange::Interpolation(interpolation)),
                set(1, ControlChange::Blending(Blending::Translucent)),
            ],
        );
        for y in [4, 20, 40] {
            assert_eq!(pixel(&shot, 31, y), [100; 3], "{interpolation:?} row {y}");
        }
        assert_eq!(pixel(&shot, 31, 60), [200; 3]);
        check("holes", &shot, values);
    }
}

#[test]
fn chunks_that_cannot_be_read_are_missing_and_told() {
    let Some(device) = device() else { return };
    let mut image = ArrayImage::new("yx", &[64, 64], Dtype::U8, Arc::new(|_: usize, _: &[u64]| 200.0));
    image.broken = |_, number| number == 1;
    let shot = picture(&device, image.open(), vec![canvas(64, 64)]);
    assert!(shot.residency.missing > 0);
    assert_eq!(pixel(&shot, 10, 10), [200; 3]);
    assert_eq!(pixel(&shot, 50, 10), [0; 3], "the missing part is black");
    assert_eq!(pixel(&shot, 50, 50), [200; 3]);
}

/// Four million voxels on a side, 24 TiB a channel and time point.
fn huge() -> ProceduralSpec {
    ProceduralSpec {
        shape: [1, 1, 1, 4 << 20, 4 << 20],
        chunk: [1, 128, 128],
        levels: 16,
        noise: 0.0,
        ..ProceduralSpec::default()
    }
}

#[test]
fn a_plane_of_many_terabytes_is_drawn_at_every_zoom() {
    let Some(device) = device() else { return };
    let spec = huge();
    let values =
        |level: usize, at: &[u64]| value_at(&spec, level as u16, [at[0], at[1], at[2], at[3], at[4]]);
    let mut stills = stills(&device, procedural(spec.clone()));
    let whole = stills.draw(vec![canvas(128, 128)]).expect("drawn");
    assert!(whole.state.lod.level >= 14, "level {}", whole.state.lod.level);
    check("the whole plane", &whole, values);
    // Far from the origin, one voxel per pixel and less.
    let units = spec.spacing[3];
    let far = 3_900_000.0 * units;
    let deep = stills
        .draw(vec![
            rect(far, far, 100.0 * units, 100.0 * units),
            // Between the cells there is little light.
            set(0, ControlChange::ContrastLimits([90.0, 300.0])),
        ])
        .expect("drawn");
    assert_eq!(deep.state.lod.level, 0);
    check("deep in it", &deep, values);
    // Full resolution of everything does not fit: coarser, and told.
    let asked = stills.draw(vec![Change::Camera(CameraDelta::Reset), Change::Level(0)]).expect("drawn");
    assert!(asked.state.lod.downgraded && asked.state.lod.level > 3);
}

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

/// Reads one plane of a stored array with zarrs directly: the other path.
fn stored_plane<T: zarrs::array::ElementOwned>(
    path: &Path,
    array: &str,
    subset: &[std::ops::Range<u64>],
) -> Vec<T> {
    let store = Arc::new(zarrs::filesystem::FilesystemStore::new(path).expect("a store"));
    let array = zarrs::array::Array::open(store, array).expect("an array");
    let subset = zarrs::array::ArraySubset::new_with_ranges(subset);
    array.retrieve_array_subset::<Vec<T>>(&subset).expect("values")
}

/// A picture of one layer, one pixel per voxel, nothing scaled.
fn one_to_one(
    name: &str,
    layer: u32,
    limits: [f64; 2],
    index: &[(&str, i64)],
) -> Option<(Picture, Arc<ViewState>)> {
    let (device, data) = (device()?, real_images()?);
    let opened = data::open::open(&data.join(name)).expect("opens");
    let layers = opened.dataset.layers.len() as u32;
    let mut stills = stills(&device, opened);
    let state = stills.state().expect("applied");
    let [row, col] = state.plane_axes();
    let (h, w) = (state.dataset.extent(row) as u32, state.dataset.extent(col) as u32);
    let (sy, oy) = state.dataset.placement(row);
    let (sx, ox) = state.dataset.placement(col);
    // The canvas is even; a column beyond an odd image stays black.
    let (cw, ch) = (w.next_multiple_of(2).max(16), h.next_multiple_of(2).max(16));
    let mut changes = vec![
        canvas(cw, ch),
        rect(ox - 0.5 * sx, oy - 0.5 * sy, f64::from(cw) * sx, f64::from(ch) * sy),
        Change::Level(0),
    ];
    changes.extend(index.iter().map(|(axis, v)| go(axis, *v)));
    for l in 0..layers {
        changes.push(set(l, ControlChange::Visible(l == layer)));
    }
    changes.push(set(layer, ControlChange::Colormap("gray".into())));
    changes.push(set(layer, ControlChange::Interpolation(Interpolation::Nearest)));
    changes.push(set(layer, ControlChange::ContrastLimits(limits)));
    let shot = stills.draw(changes).expect("drawn");
    Some((shot, state))
}

fn check_plane(
    name: &str,
    shot: &Picture,
    width: usize,
    values: impl Iterator<Item = f64>,
    limits: [f64; 2],
) {
    let mut lit = 0;
    for (n, v) in values.enumerate() {
        let want = if v.is_finite() {
            ((v - limits[0]) / (limits[1] - limits[0])).clamp(0.0, 1.0) * 255.0
        } else {
            0.0
        };
        let got = pixel(shot, (n % width) as u32, (n / width) as u32);
        assert!(
            (f64::from(got[0]) - want).abs() <= 1.01,
            "{name}: texel {n}: {got:?} instead of {want} ({v})"
        );
        lit += usize::from(want > 1.0);
    }
    assert!(lit > 20, "{name}: the plane shows something");
}

#[test]
fn the_brain_is_what_its_array_holds() {
    let limits = [0.0, 255.0];
    for (layer, z) in [(0u32, 94u64), (1, 60), (2, 120)] {
        let Some((shot, _)) = one_to_one("brain-3ch-v04.ome.zarr", layer, limits, &[("z", z as i64)]) else {
            return;
        };
        let path = real_images().expect("there").join("brain-3ch-v04.ome.zarr");
        let c = u64::from(layer);
        let values: Vec<u8> = stored_plane(&path, "/s0", &[c..c + 1, z..z + 1, 0..233, 0..197]);
        check_plane("brain", &shot, 197, values.into_iter().map(f64::from), limits);
    }
}

#[test]
fn shards_floats_and_time_are_what_their_arrays_hold() {
    let Some(data) = real_images() else { return };
    let limits = [0.0, 255.0];
    if let Some((shot, _)) = one_to_one("brain-sharded-v05.ome.zarr", 0, limits, &[("z", 77)]) {
        let values: Vec<u8> =
            stored_plane(&data.join("brain-sharded-v05.ome.zarr"), "/s0", &[77..78, 0..233, 0..197]);
        check_plane("sharded", &shot, 197, values.into_iter().map(f64::from), limits);
    }
    let limits = [-6.0, 6.0];
    if let Some((shot, _)) = one_to_one("statistic-f32-v05.ome.zarr", 0, limits, &[("z", 20)]) {
        let values: Vec<f32> =
            stored_plane(&data.join("statistic-f32-v05.ome.zarr"), "/s0", &[20..21, 0..63, 0..53]);
        check_plane("statistic", &shot, 53, values.into_iter().map(f64::from), limits);
    }
    let limits = [0.0, 600.0];
    if let Some((shot, _)) = one_to_one("diffusion-time-i16-v04.ome.zarr", 0, limits, &[("t", 1), ("z", 12)])
    {
        let values: Vec<i16> = stored_plane(
            &data.join("diffusion-time-i16-v04.ome.zarr"),
            "/s0",
            &[1..2, 12..13, 0..96, 0..128],
        );
        check_plane("diffusion", &shot, 128, values.into_iter().map(f64::from), limits);
    }
}
