//! Pictures to encode: a smooth, grainy scene with sharp spots, like a fluorescence image, over which a
//! window moves. A picture is borrowed from the scene, so making one costs nothing.

use lucida::encode::I420;
use lucida_components::stream::Canvas;

/// How far the window can move, in pixels; even.
const ROOM: usize = 256;

/// The scene.
pub struct Scene {
    canvas: Canvas,
    stride: usize,
    planes: [Vec<u8>; 3],
}

impl Scene {
    /// A scene around windows of this size, always the same.
    pub fn new(canvas: Canvas) -> Self {
        let (width, height) = (canvas.width as usize + ROOM, canvas.height as usize + ROOM);
        let mut grain = 1u32;
        let mut y = Vec::with_capacity(width * height);
        for row in 0..height {
            for column in 0..width {
                grain ^= grain << 13;
                grain ^= grain >> 17;
                grain ^= grain << 5;
                let (a, b) = (row as f32, column as f32);
                let smooth =
                    90.0 + 35.0 * (a / 37.0).sin() * (b / 53.0).cos() + 25.0 * ((a + b) / 151.0).sin();
                let spot = if (row % 61) < 5 && (column % 47) < 5 { 60.0 } else { 0.0 };
                y.push((smooth + spot + (grain % 7) as f32 - 3.0) as u8);
            }
        }
        let chroma = |phase: f32| {
            let mut plane = Vec::with_capacity(width * height / 4);
            for row in 0..height / 2 {
                for column in 0..width / 2 {
                    let wave = (row as f32 / 41.0 + phase).sin() * (column as f32 / 29.0 + phase).sin();
                    plane.push((128.0 + 50.0 * wave) as u8);
                }
            }
            plane
        };
        Self { canvas, stride: width, planes: [y, chroma(0.3), chroma(1.7)] }
    }

    /// The picture that a drag shows at step `step`: four pixels to the side and two down each time.
    pub fn picture(&self, step: usize) -> I420<'_> {
        let bounce = |distance: usize| {
            let distance = distance % (2 * ROOM);
            distance.min(2 * ROOM - distance)
        };
        self.window(bounce(4 * step), bounce(2 * step))
    }

    /// The picture `x`, `y` pixels into the scene, both even.
    pub fn window(&self, x: usize, y: usize) -> I420<'_> {
        let from = |plane: usize, x: usize, y: usize, stride: usize| &self.planes[plane][y * stride + x..];
        let half = self.stride / 2;
        I420 {
            canvas: self.canvas,
            y: from(0, x, y, self.stride),
            u: from(1, x / 2, y / 2, half),
            v: from(2, x / 2, y / 2, half),
            stride: self.stride,
        }
    }
}
