//! Which levels an image is to have beyond those that are stored, and how they are cut into chunks.

use lucida_components::{
    axes::AxisKind,
    dataset::{Level, LevelKind, Multiscale, SceneAxis},
    dtype::Dtype,
};

/// A coarsest level larger than this along y or x is followed by virtual ones.
pub const SMALL: u64 = 1024;

/// What the extents of chunks along y and x tend to: small enough that a picture refines in steps, large
/// enough that the files of the disk cache are not many.
const EXTENT: u64 = 256;

/// Chunks of the level before along one axis, for one chunk.
const MOST_PARENTS: u64 = 8;

/// Smaller chunks grow only as long as they have no more bytes than this.
const GROWN_BYTES: u64 = 4 << 20;

/// Most voxels of a chunk. Making one takes up to 9 bytes of memory each, beside one chunk of the level before.
const MOST_VOXELS: u64 = 1 << 24;

/// The same where chunks do not become smaller from level to level: one of each level is made at a time.
const MOST_VOXELS_KEPT: u64 = 1 << 22;

/// The virtual levels that follow the stored ones of an image, finest first. Each halves y and x, and z where
/// that brings voxels closer to cubes. At most 63.
pub fn levels(image: &Multiscale, axes: &[SceneAxis]) -> Vec<Level> {
    let Some(plane) = plane_dims(image, axes) else { return Vec::new() };
    let mut levels: Vec<Level> = Vec::new();
    while let Some(last) = levels.last().or(image.levels.last()) {
        if plane.iter().all(|&d| last.shape[d] <= SMALL) {
            break;
        }
        let next = halve(last, &halved(image, axes, last, plane), plane, image.dtype);
        if !next.scale.iter().chain(&next.translation).all(|v| v.is_finite()) {
            break;
        }
        levels.push(next);
    }
    levels
}

/// Array dimensions of y and x; where none are called so, of the last two axes.
fn plane_dims(image: &Multiscale, axes: &[SceneAxis]) -> Option<[usize; 2]> {
    let named = |name: &str| axes.iter().position(|a| a.label.eq_ignore_ascii_case(name));
    let [row, column] = match (named("y"), named("x")) {
        (Some(y), Some(x)) => [y, x],
        _ => [axes.len().checked_sub(2)?, axes.len() - 1],
    };
    Some([image.dim_of(row)?, image.dim_of(column)?])
}

/// Which dimensions the level after `last` halves.
fn halved(image: &Multiscale, axes: &[SceneAxis], last: &Level, plane: [usize; 2]) -> Vec<bool> {
    let mut halved: Vec<bool> =
        (0..last.shape.len()).map(|d| plane.contains(&d) && last.shape[d] > 1).collect();
    let unit =
        |d: usize| axes.iter().enumerate().find(|(a, _)| image.dim_of(*a) == Some(d)).map(|(_, a)| &a.unit);
    for (number, axis) in axes.iter().enumerate() {
        let Some(d) = image.dim_of(number).filter(|d| !plane.contains(d)) else { continue };
        // Of the ratios z : x and z : 2x the one that is closer to 1.
        let is_flat = plane.iter().all(|&p| last.scale[d] < last.scale[p] * std::f64::consts::SQRT_2);
        let same_unit = plane.iter().all(|&p| unit(p) == Some(&axis.unit));
        halved[d] = axis.kind == AxisKind::Space && is_flat && same_unit && last.shape[d] > 1;
    }
    halved
}

/// The level after `last`. A voxel lies in the middle of those that it is made of.
fn halve(last: &Level, halved: &[bool], plane: [usize; 2], dtype: Dtype) -> Level {
    let dims = 0..halved.len();
    let shape: Vec<u64> =
        dims.clone().map(|d| if halved[d] { last.shape[d].div_ceil(2) } else { last.shape[d] }).collect();
    Level {
        path: String::new(),
        chunk: chunk(last, &shape, halved, plane, dtype),
        shape,
        scale: dims.clone().map(|d| if halved[d] { last.scale[d] * 2.0 } else { last.scale[d] }).collect(),
        translation: dims
            .map(|d| if halved[d] { last.translation[d] + last.scale[d] / 2.0 } else { last.translation[d] })
            .collect(),
        kind: LevelKind::Virtual,
    }
}

/// Extents of the chunks of a level of this shape: those of the level before, along y and x halved or doubled
/// towards [`EXTENT`], so that a chunk is made of few whole chunks.
fn chunk(last: &Level, shape: &[u64], halved: &[bool], plane: [usize; 2], dtype: Dtype) -> Vec<u64> {
    let before: Vec<u64> = last.chunk.iter().zip(&last.shape).map(|(c, s)| *c.min(s)).collect();
    let mut chunk: Vec<u64> = before.iter().zip(shape).map(|(c, s)| *c.min(s)).collect();
    for d in plane.into_iter().filter(|d| halved[*d]) {
        let is_whole = before[d] == last.shape[d];
        if before[d] > EXTENT && (is_whole || before[d].is_multiple_of(2)) {
            chunk[d] = before[d].div_ceil(2);
        }
    }
    for d in plane.into_iter().cycle().take(16).filter(|d| halved[*d]) {
        let grown = chunk[d] * 2;
        let bytes = chunk.iter().product::<u64>() * dtype.size() as u64 * 2;
        if grown <= EXTENT && grown * 2 <= before[d] * MOST_PARENTS && bytes <= GROWN_BYTES {
            chunk[d] = grown.min(shape[d]);
        }
    }
    let is_smaller = plane.iter().all(|&d| chunk[d] * 2 <= before[d] + 1);
    let most = if is_smaller { MOST_VOXELS } else { MOST_VOXELS_KEPT };
    while chunk.iter().product::<u64>() > most {
        let Some(longest) = chunk.iter_mut().max() else { break };
        *longest = longest.div_ceil(2);
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucida_components::{
        dataset::{ArrayAxis, SourceId},
        dtype::StoredType,
    };

    fn image(labels: &str, shape: &[u64], chunk: &[u64], scale: &[f64]) -> (Multiscale, Vec<SceneAxis>) {
        let mut axes: Vec<SceneAxis> = Vec::new();
        let mut dims = Vec::new();
        for label in labels.chars() {
            if label == 'c' {
                dims.push(ArrayAxis::Channel);
                continue;
            }
            dims.push(ArrayAxis::Scene(axes.len()));
            let kind = if label == 't' { AxisKind::Time } else { AxisKind::Space };
            axes.push(SceneAxis { label: label.into(), kind, unit: None });
        }
        let level = Level {
            path: "0".into(),
            shape: shape.to_vec(),
            chunk: chunk.to_vec(),
            scale: scale.to_vec(),
            translation: vec![0.0; shape.len()],
            kind: LevelKind::Stored,
        };
        let (stored, dtype) = (StoredType::U16, Dtype::U16);
        (Multiscale { source: SourceId(1), stored, dtype, dims, levels: vec![level] }, axes)
    }

    fn of(labels: &str, shape: &[u64], chunk: &[u64], scale: &[f64]) -> Vec<Level> {
        let (image, axes) = image(labels, shape, chunk, scale);
        levels(&image, &axes)
    }

    #[test]
    fn levels_halve_until_they_are_small_and_lie_where_their_voxels_are() {
        assert_eq!(of("yx", &[1024, 1024], &[64, 64], &[1.0, 1.0]), []);
        let levels = of("tcyx", &[3, 2, 5001, 2000], &[1, 1, 512, 512], &[9.0, 1.0, 0.5, 0.5]);
        let shapes: Vec<_> = levels.iter().map(|l| l.shape.clone()).collect();
        assert_eq!(shapes, [[3, 2, 2501, 1000], [3, 2, 1251, 500], [3, 2, 626, 250]]);
        assert_eq!(levels[2].scale, [9.0, 1.0, 4.0, 4.0]);
        // The centre of the first eight voxels of 0.5.
        assert_eq!(levels[2].translation, [0.0, 0.0, 1.75, 1.75]);
        let chunks: Vec<_> = levels.iter().map(|l| l.chunk.clone()).collect();
        assert_eq!(chunks, [[1, 1, 256, 256], [1, 1, 256, 256], [1, 1, 256, 250]]);
        assert!(levels.iter().all(Level::is_virtual));
    }

    #[test]
    fn z_halves_where_that_makes_voxels_more_like_cubes() {
        let z = |scale: f64| {
            let levels = of("zyx", &[64, 4096, 4096], &[16, 64, 64], &[scale, 1.0, 1.0]);
            levels.iter().map(|l| l.shape[0]).collect::<Vec<_>>()
        };
        assert_eq!(z(1.0), [32, 16]);
        assert_eq!(z(2.0), [64, 32]);
        assert_eq!(z(5.0), [64, 64]);
        assert_eq!(z(0.1), [32, 16]);
        // Units that differ say nothing.
        let (image, mut axes) = image("zyx", &[64, 4096, 4096], &[16, 64, 64], &[1.0; 3]);
        axes[0].unit = Some("millimeter".into());
        assert!(levels(&image, &axes).iter().all(|l| l.shape[0] == 64));
    }

    #[test]
    fn hostile_shapes_and_chunks_are_bounded() {
        for (shape, chunk) in [
            ([1 << 62, 1], [1, 1]),
            ([1 << 31, 1 << 31], [1, 1]),
            ([1 << 31, 1 << 31], [1, 1 << 27]),
            ([1 << 31, 3], [u64::MAX >> 8, 1]),
            ([100_001, 99_999], [10_001, 13_421]),
        ] {
            let (image, axes) = image("yx", &shape, &chunk, &[1.0, 1.0]);
            let made = levels(&image, &axes);
            assert!((1..=63).contains(&made.len()), "{}", made.len());
            let mut before = &image.levels[0];
            let at_once: u64 = made.iter().map(Level::chunk_voxels).sum();
            assert!(at_once <= 4 * MOST_VOXELS, "{shape:?}: {at_once} voxels are made at once");
            for level in &made {
                assert!(level.chunk_voxels() <= MOST_VOXELS && level.chunk.iter().all(|c| *c > 0));
                let extent = |d: usize| before.chunk[d].min(before.shape[d]);
                let parents = (0..2).map(|d| (2 * level.chunk[d]).div_ceil(extent(d)) + 1);
                assert!(parents.product::<u64>() <= (MOST_PARENTS + 1).pow(2));
                before = level;
            }
        }
        assert!(of("yx", &[1 << 40, 1 << 20], &[256, 256], &[1e305, 1.0]).len() < 40, "scales stay finite");
    }
}
