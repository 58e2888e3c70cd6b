//! Levels of an image as the wire tells them: along the scene's axes, channels left out.

use lucida_components::{
    applied::ViewState,
    dataset::{Dataset, Multiscale},
    places,
};
use serde_json::{Value, json};

/// Extents of a level along the scene's axes; 1 where the image lacks one.
pub fn shape(dataset: &Dataset, image: &Multiscale, level: usize) -> Vec<u64> {
    along(dataset, image, 1, |d| image.levels[level].shape[d])
}

/// Voxel sizes of a level along the scene's axes.
pub fn scale(dataset: &Dataset, image: &Multiscale, level: usize) -> Vec<f64> {
    along(dataset, image, 1.0, |d| image.levels[level].scale[d])
}

/// World coordinates of the centre of a level's voxel 0.
pub fn translation(dataset: &Dataset, image: &Multiscale, level: usize) -> Vec<f64> {
    along(dataset, image, 0.0, |d| image.levels[level].translation[d])
}

fn along<T: Copy>(dataset: &Dataset, image: &Multiscale, absent: T, of: impl Fn(usize) -> T) -> Vec<T> {
    (0..dataset.axes.len()).map(|axis| image.dim_of(axis).map_or(absent, &of)).collect()
}

/// Voxel size over that of level 0.
fn downsample(dataset: &Dataset, image: &Multiscale, level: usize) -> Vec<f64> {
    along(dataset, image, 1.0, |d| image.levels[level].scale[d] / image.levels[0].scale[d])
}

/// One object per level, without its place in the list.
pub fn plain(dataset: &Dataset, image: &Multiscale) -> Vec<Value> {
    (0..image.levels.len())
        .map(|level| {
            let mut told = json!({
                "shape": shape(dataset, image, level),
                "downsample": downsample(dataset, image, level),
            });
            let path = &image.levels[level].path;
            if !path.is_empty() {
                told["path"] = json!(path);
            }
            told
        })
        .collect()
}

/// One object per level of the reference image, numbered.
pub fn numbered(dataset: &Dataset) -> Vec<Value> {
    let mut levels = dataset.reference().map_or_else(Vec::new, |image| plain(dataset, image));
    for (index, level) in levels.iter_mut().enumerate() {
        level["index"] = json!(index);
    }
    levels
}

/// The same, with a mark on those that are made, not stored: for sessions with `lucida.view`.
pub fn marked(dataset: &Dataset) -> Vec<Value> {
    let mut levels = numbered(dataset);
    for (told, level) in levels.iter_mut().zip(dataset.reference().iter().flat_map(|image| &image.levels)) {
        if level.is_virtual() {
            told["virtual"] = json!(true);
        }
    }
    levels
}

/// Shapes of the reference image's levels.
pub fn shapes(dataset: &Dataset) -> Vec<Vec<u64>> {
    dataset
        .reference()
        .map_or_else(Vec::new, |image| (0..image.levels.len()).map(|l| shape(dataset, image, l)).collect())
}

/// The index in steps of the level that is shown.
pub fn step(state: &ViewState) -> Vec<i64> {
    let (dataset, level) = (&*state.dataset, state.lod.level);
    let places = state.index.value.iter().enumerate();
    places.map(|(axis, value)| places::scene_to_level(dataset, level, axis, *value)).collect()
}
