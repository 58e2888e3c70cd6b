//! Values of the coarsest stored level's middle plane, read to measure contrast.

use super::ChunkSource;
use lucida_components::{
    chunk::{ChunkFault, ChunkValues},
    dataset::{ArrayAxis, Multiscale, SceneAxis},
};

/// Chunks that may be read for all channels of one image together; at least one for each.
const MOST_CHUNKS: u64 = 256;

/// Values that are kept of one channel.
const MOST_VALUES: usize = 1 << 22;

/// Bytes that may be decoded for one channel; at least one chunk.
const MOST_BYTES: u64 = 1 << 28;

/// Values of the plane that is spanned by y and x (else by the last two axes) in the middle of all other
/// axes. Where the plane has more chunks than may be read, some that are spread evenly over it.
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
    let in_chunk = level.chunk[row].min(level.shape[row]) * level.chunk[column].min(level.shape[column]);
    let most = (MOST_CHUNKS / channels)
        .min(MOST_VALUES as u64 / in_chunk)
        .min(MOST_BYTES / (level.chunk_voxels() * image.stored.size() as u64))
        .max(1);
    let mut values = Vec::new();
    for [r, c] in spread([grid[row], grid[column]], most) {
        let mut at: Vec<u64> = middle.iter().zip(&level.chunk).map(|(m, c)| m / c).collect();
        (at[row], at[column]) = (r, c);
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

/// At most `most` (at least one) places spread evenly over a grid, each in the middle of its share.
fn spread(grid: [u64; 2], most: u64) -> impl Iterator<Item = [u64; 2]> {
    let [rows, columns] = grid;
    let even = (most as f64 * columns as f64 / rows as f64).sqrt() as u64;
    let across = even.max(most / rows).clamp(1, most.min(columns));
    let down = (most / across).clamp(1, rows);
    let middle = |n: u64, count: u64, of: u64| {
        ((2 * u128::from(n) + 1) * u128::from(of) / (2 * u128::from(count))) as u64
    };
    (0..down).flat_map(move |r| (0..across).map(move |c| [middle(r, down, rows), middle(c, across, columns)]))
}

/// y and x where they are called so, else the last two.
fn plane_axes(axes: &[SceneAxis]) -> [usize; 2] {
    let named = |name: &str| axes.iter().position(|a| a.label.eq_ignore_ascii_case(name));
    match (named("y"), named("x")) {
        (Some(y), Some(x)) => [y, x],
        _ => [axes.len() - 2, axes.len() - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn places_are_all_there_are_or_spread_over_all() {
        for (grid, most) in [([3, 5], 15), ([3, 5], 200), ([1, 1], 1), ([7, 1], 9)] {
            let places: HashSet<_> = spread(grid, most).collect();
            assert_eq!(places.len() as u64, grid[0] * grid[1], "{grid:?}");
        }
        assert_eq!(spread([400, 300], 1).collect::<Vec<_>>(), [[200, 150]]);
        for grid in [[512, 512], [1, 1 << 40], [1 << 40, 2], [391, 391], [10, 100_000]] {
            let places: Vec<_> = spread(grid, 64).collect();
            assert!((32..=64).contains(&places.len()), "{grid:?}: {}", places.len());
            assert_eq!(places.iter().collect::<HashSet<_>>().len(), places.len());
            for side in 0..2 {
                let at: HashSet<_> = places.iter().map(|p| p[side]).collect();
                let is_thin = grid[1 - side] / grid[side] >= 32;
                assert!(is_thin || at.len() > 1, "{grid:?}: not one line of it");
                assert!(at.iter().all(|a| *a < grid[side]));
            }
        }
    }
}
