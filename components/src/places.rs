//! One function that maps places: scene grid → world → any level of any layer, by voxel centres.
//!
//! Used for drawing and for the wire alike, so that a place survives level changes, an axis of depth 1
//! is no special case, and a layer on another grid lines up.

use crate::dataset::{Dataset, Multiscale};

/// World coordinate of the centre of scene voxel `value` along a scene axis.
pub fn world_of(dataset: &Dataset, axis: usize, value: i64) -> f64 {
    let (scale, origin) = dataset.placement(axis);
    origin + value as f64 * scale
}

/// The scene voxel whose centre is nearest to a world coordinate, clamped to the grid.
pub fn scene_of(dataset: &Dataset, axis: usize, world: f64) -> i64 {
    let (scale, origin) = dataset.placement(axis);
    nearest((world - origin) / scale).clamp(0, dataset.extent(axis) as i64 - 1)
}

/// The voxel of `level` of an image nearest to a world coordinate along a scene axis.
///
/// `None` where the coordinate lies more than one of the level's voxels outside the array: the layer has
/// nothing there. Within that, rounding of coarse levels is forgiven by clamping. An image without the
/// axis answers 0 everywhere.
pub fn level_voxel(image: &Multiscale, level: usize, axis: usize, world: f64) -> Option<i64> {
    let Some(dim) = image.dim_of(axis) else { return Some(0) };
    let level = &image.levels[level];
    let at = (world - level.translation[dim]) / level.scale[dim];
    let n = level.shape[dim] as f64;
    (at >= -1.5 && at < n + 0.5).then(|| nearest(at).clamp(0, level.shape[dim] as i64 - 1))
}

/// Scene index → index at a level of the reference image, clamped: what the wire calls `step`.
pub fn scene_to_level(dataset: &Dataset, level: usize, axis: usize, value: i64) -> i64 {
    let Some(image) = dataset.reference() else { return 0 };
    let world = world_of(dataset, axis, value);
    level_voxel(image, level, axis, world).unwrap_or(0)
}

/// Index at a level of the reference image → scene index, both clamped to their grids.
pub fn level_to_scene(dataset: &Dataset, level: usize, axis: usize, value: i64) -> i64 {
    let Some(image) = dataset.reference() else { return 0 };
    let Some(dim) = image.dim_of(axis) else { return 0 };
    let level = &image.levels[level];
    let value = value.clamp(0, level.shape[dim] as i64 - 1);
    scene_of(dataset, axis, level.translation[dim] + value as f64 * level.scale[dim])
}

/// Extent in voxels along a scene axis of a level of the reference image; 1 where it lacks the axis.
pub fn level_extent(dataset: &Dataset, level: usize, axis: usize) -> u64 {
    dataset.reference().and_then(|r| Some(r.levels.get(level)?.shape[r.dim_of(axis)?])).unwrap_or(1)
}

/// World interval covered along a scene axis: voxel edges, not centres.
pub fn world_extent(dataset: &Dataset, axis: usize) -> [f64; 2] {
    let (scale, origin) = dataset.placement(axis);
    [origin - 0.5 * scale, origin + (dataset.extent(axis) as f64 - 0.5) * scale]
}

/// World intervals, x, y, z, that the scene grid covers along three displayed axes (slowest first, as
/// [`crate::axes::Axes::displayed`] has them): voxel edges. Always finite, however the data is placed.
pub fn world_box(dataset: &Dataset, displayed: &[usize]) -> [[f64; 2]; 3] {
    let mut sides = [[-0.5, 0.5]; 3];
    for (side, &axis) in sides.iter_mut().zip(displayed.iter().rev()) {
        *side = world_extent(dataset, axis).map(|v| if v.is_nan() { 0.0 } else { v.clamp(-FAR, FAR) });
    }
    sides
}

/// No place that a volume is drawn at lies farther out, so that squares and products of places stay finite.
const FAR: f64 = 1e100;

/// The level of `image` that answers the reference image's `level` on the given axes: its coarsest level
/// that is nowhere coarser (2 % forgiven), or its finest where none is.
pub fn resolve_level(
    dataset: &Dataset,
    image: &Multiscale,
    level: usize,
    axes: impl AsRef<[usize]>,
) -> usize {
    let Some(reference) = dataset.reference() else { return 0 };
    if reference.source == image.source {
        return level.min(image.levels.len() - 1);
    }
    let fits = |l: usize| {
        axes.as_ref().iter().all(|&a| match (image.dim_of(a), reference.dim_of(a)) {
            (Some(i), Some(r)) => image.levels[l].scale[i] <= reference.levels[level].scale[r] * 1.02,
            _ => true,
        })
    };
    (0..image.levels.len()).rev().find(|&l| fits(l)).unwrap_or(0)
}

fn nearest(at: f64) -> i64 {
    (at + 0.5).floor() as i64
}
