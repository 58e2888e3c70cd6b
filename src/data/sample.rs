//! Values of the coarsest level's middle plane, read to measure contrast.

use super::ChunkSource;
use lucida_components::{
    chunk::{ChunkFault, ChunkValues},
    dataset::{ArrayAxis, Multiscale, SceneAxis},
};

/// Chunks that may be read for all channels of one image together; at least one for each.
const MOST_CHUNKS: u64 = 256;

/// Values that are kept of one channel.
const MOST_VALUES: usize = 1 << 22;

/// Values of the plane that is spanned by y and x (else by the last two axes) in the middle of all other
/// axes. Where the plane has more chunks than may be read, every n-th of them.
///
/// # Errors
/// The first chunk that could not be read.
pub fn middle_plane(
    image: &Multiscale,
    axes: &[SceneAxis],
    source: &dyn ChunkSource,
    channel: u64,
    channels: u64,
) -> Result<Vec<f32>, ChunkFault> {
    let number = image.levels.len() - 1;
    let level = &image.levels[number];
    let plane = plane_axes(axes);
    // The chunk of the plane at its origin, and where in such chunks the plane lies.
    let mut middle = vec![0; level.shape.len()];
    let mut in_plane = Vec::new();
    for (d, what) in image.dims.iter().enumerate() {
        match what {
            ArrayAxis::Channel => middle[d] = channel,
            ArrayAxis::Scene(axis) if plane.contains(axis) => in_plane.push(d),
            ArrayAxis::Scene(_) => middle[d] = level.shape[d] / 2,
        }
    }
    let [row, column] = [in_plane[0], in_plane[1]];
    let grid: Vec<u64> = level.grid().collect();
    let count = grid[row] * grid[column];
    let stride = count.div_ceil((MOST_CHUNKS / channels).max(1));
    let mut values = Vec::new();
    // Start in the middle of the first stretch, so that a single chunk is not the corner.
    for n in (stride / 2..count).step_by(stride as usize) {
        let mut at: Vec<u64> = middle.iter().zip(&level.chunk).map(|(m, c)| m / c).collect();
        (at[row], at[column]) = (n / grid[column], n % grid[column]);
        let chunk = source.read(number as u16, level.chunk_number(&at))?;
        let inside = |d: usize| level.chunk[d].min(level.shape[d] - at[d] * level.chunk[d]) as usize;
        let offset = |y: usize, x: usize| {
            let place = |d: usize| match d {
                _ if d == row => y as u64,
                _ if d == column => x as u64,
                _ => middle[d] % level.chunk[d],
            };
            (0..at.len()).fold(0, |n, d| n * level.chunk[d] + place(d)) as usize
        };
        for y in 0..inside(row) {
            for x in 0..inside(column) {
                if values.len() >= MOST_VALUES {
                    return Ok(values);
                }
                values.push(match &chunk.values {
                    ChunkValues::Uniform(fill) => chunk.dtype.read(fill, 0) as f32,
                    ChunkValues::Dense(bytes) => chunk.dtype.read(bytes, offset(y, x)) as f32,
                });
            }
        }
    }
    Ok(values)
}

/// y and x where they are called so, else the last two.
fn plane_axes(axes: &[SceneAxis]) -> [usize; 2] {
    let named = |name: &str| axes.iter().position(|a| a.label.eq_ignore_ascii_case(name));
    match (named("y"), named("x")) {
        (Some(y), Some(x)) => [y, x],
        _ => [axes.len() - 2, axes.len() - 1],
    }
}
