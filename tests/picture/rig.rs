//! What the tests of pictures share: changes, and comparing a picture with the twin's.

use crate::common::pixel;
use lucida::app::still::Picture;
use lucida_components::{
    camera::{CameraDelta, CameraParts, Rect},
    controls::ControlChange,
    ids::LayerId,
    intent::{Change, Grid},
    stream::Canvas,
};
use lucida_systems::{render::plane::twin, residency::tiles::Plane};

/// Colour steps of 255 by which the shader's f32 may differ from the twin's f64.
pub const TOLERANCE: f64 = 1.01;
/// Pixels whose centre lies on a texel's edge may fall to either side.
const EDGE_PIXELS: f64 = 0.004;

pub fn canvas(width: u32, height: u32) -> Change {
    Change::Canvas(Canvas { width, height })
}

pub fn rect(left: f64, bottom: f64, width: f64, height: f64) -> Change {
    let rect = Some(Rect { left, bottom, width, height });
    Change::Camera(CameraDelta::Set(CameraParts { rect, ..CameraParts::default() }))
}

pub fn set(layer: u32, control: ControlChange) -> Change {
    Change::Layer { layer: LayerId(layer), control }
}

pub fn go(axis: &str, value: i64) -> Change {
    Change::Index { axis: axis.into(), value, grid: Grid::Scene }
}

/// Array coordinates of a texel of a plane.
pub fn coordinates(plane: &Plane, row: u64, col: u64) -> Vec<u64> {
    let mut at = plane.fixed.clone();
    at[plane.dims[0]] = row;
    at[plane.dims[1]] = col;
    at
}

/// Compares a picture with the twin's.
pub fn check(name: &str, picture: &Picture, values: impl Fn(usize, &[u64]) -> f64) {
    let want =
        twin::draw(&picture.state, |_, plane, row, col| values(plane.number, &coordinates(plane, row, col)));
    compare(name, picture, &want);
}

pub fn compare(name: &str, picture: &Picture, want: &[[f64; 3]]) {
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
pub fn pattern(_: usize, at: &[u64]) -> f64 {
    let mut h = 0x9E37u64;
    for (d, v) in at.iter().enumerate() {
        h = h.wrapping_mul(31).wrapping_add(v / (3 + d as u64 % 3) * 17 + v);
    }
    (h % 256) as f64
}
