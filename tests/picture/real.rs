//! Real images against their arrays, read by another path.

use crate::{
    common::{device, pixel, real_images, stills},
    rig::{canvas, go, rect, set},
};
use lucida::{app::still::Picture, data};
use lucida_components::{
    applied::ViewState,
    controls::{ControlChange, Interpolation},
    intent::Change,
};
use std::{path::Path, sync::Arc};

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
