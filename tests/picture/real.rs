//! Real images against their arrays, read by another path.

use crate::{
    common::{device, pixel, real_images, stills},
    contrast::{assert_limits, auto, percentiles},
    rig::{canvas, go, rect, set},
    thick::{PROJECTIONS, project, thicken},
};
use lucida::{
    app::still::{Picture, Stills},
    data,
};
use lucida_components::{
    applied::ViewState,
    controls::{ControlChange, Interpolation, Projection},
    intent::Change,
    layer::LayerKind,
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
    let (mut stills, state) = one_to_one_stills(name, layer, limits, index)?;
    Some((stills.draw(Vec::new()).expect("drawn"), state))
}

/// The same, to be asked for more.
fn one_to_one_stills(
    name: &str,
    layer: u32,
    limits: [f64; 2],
    index: &[(&str, i64)],
) -> Option<(Stills, Arc<ViewState>)> {
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
    stills.draw(changes).expect("drawn");
    Some((stills, state))
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

/// One unit per pixel: voxels of 1 × 1 × 1.
const BRAIN: &str = "brain-3ch-v04.ome.zarr";

#[test]
fn labels_of_the_brain_have_the_colours_that_their_metadata_gives() {
    let (Some(device), Some(data)) = (device(), real_images()) else { return };
    let tissue = data.join(BRAIN).join("labels/tissue");
    let opened = data::open::open(&data.join(BRAIN)).expect("opens");
    let layers = opened.dataset.layers.len() as u32 - 1;
    assert_eq!(opened.dataset.layers[layers as usize].kind, LayerKind::Labels);
    assert!(!opened.dataset.layers[layers as usize].controls.visible, "hidden over an image at first");
    let mut stills = stills(&device, opened);
    let mut changes = vec![
        canvas(198, 234),
        rect(-0.5, -0.5, 198.0, 234.0),
        Change::Level(0),
        go("z", 80),
        set(layers, ControlChange::Opacity(1.0)),
        set(layers, ControlChange::Visible(true)),
    ];
    changes.extend((0..layers).map(|l| set(l, ControlChange::Visible(false))));
    let shot = stills.draw(changes).expect("drawn");
    let ids: Vec<u8> = stored_plane(&tissue, "/s0", &[80..81, 0..233, 0..197]);
    let mut counts = [0; 3];
    for (n, id) in ids.iter().enumerate() {
        counts[usize::from(*id)] += 1;
        let want = [[0, 0, 0], [230, 159, 0], [86, 180, 233]][usize::from(*id)];
        assert_eq!(pixel(&shot, n as u32 % 197, n as u32 / 197), want, "voxel {n}");
    }
    assert!(counts[1] > 1000 && counts[2] > 1000, "{counts:?}");

    // An outline of one: what has a neighbour of another id, looked up in the array.
    let shot = stills.draw(vec![set(layers, ControlChange::Contour(1))]).expect("drawn");
    let id = |x: i64, y: i64| {
        ((0..197).contains(&x) && (0..233).contains(&y)).then(|| ids[(y * 197 + x) as usize])
    };
    for (n, own) in ids.iter().enumerate() {
        let (x, y) = ((n % 197) as i64, (n / 197) as i64);
        let beside = [id(x - 1, y), id(x + 1, y), id(x, y - 1), id(x, y + 1)];
        let drawn = *own != 0 && beside.into_iter().flatten().any(|other| other != *own);
        assert_eq!(pixel(&shot, x as u32, y as u32) != [0; 3], drawn, "({x}, {y})");
    }
}

#[test]
fn slabs_of_the_brain_are_what_its_array_gives() {
    let range = 90..101;
    let Some((mut stills, _)) = one_to_one_stills(BRAIN, 0, [0.0, 255.0], &[("z", 95)]) else { return };
    let path = real_images().expect("there").join(BRAIN);
    let voxels: Vec<u8> = stored_plane(&path, "/s0", &[0..1, range.clone(), 0..233, 0..197]);
    let planes: Vec<&[u8]> = voxels.chunks_exact(233 * 197).collect();
    assert_eq!(planes.len(), range.count());
    for projection in PROJECTIONS {
        let most = if projection == Projection::Sum { 255.0 * 11.0 } else { 255.0 };
        let changes = vec![
            thicken("z", 5.0, 5.0),
            set(0, ControlChange::Projection(projection)),
            set(0, ControlChange::ContrastLimits([0.0, most])),
        ];
        let shot = stills.draw(changes).expect("drawn");
        let values = (0..233 * 197).map(|n| {
            let column: Vec<f64> = planes.iter().map(|p| f64::from(p[n])).collect();
            project(projection, &column).expect("bytes are finite")
        });
        check_plane(projection.as_str(), &shot, 197, values, [0.0, most]);
    }
}

#[test]
fn volumes_of_a_time_series_are_averaged_over_time() {
    let name = "fmri-time-i16-v05.ome.zarr";
    let limits = [0.0, 1500.0];
    let Some((mut stills, _)) = one_to_one_stills(name, 0, limits, &[("t", 4), ("z", 1)]) else { return };
    let path = real_images().expect("there").join(name);
    let voxels: Vec<i16> = stored_plane(&path, "/s0", &[2..12, 1..2, 0..21, 0..17]);
    let frames: Vec<&[i16]> = voxels.chunks_exact(21 * 17).collect();
    let changes = vec![thicken("t", 2.0, 7.0), set(0, ControlChange::Projection(Projection::Mean))];
    let shot = stills.draw(changes).expect("drawn");
    let mean = |n: usize| frames.iter().map(|f| f64::from(f[n])).sum::<f64>() / 10.0;
    check_plane("mean of time", &shot, 17, (0..21 * 17).map(mean), limits);
}

#[test]
fn a_statistic_has_its_holes_in_every_interpolation_and_projection() {
    let name = "statistic-f32-v05.ome.zarr";
    let limits = [-6.0, 6.0];
    // The first voxels of the first plane are NaN, +Inf, −Inf.
    let Some((mut stills, _)) = one_to_one_stills(name, 0, limits, &[("z", 0)]) else { return };
    let path = real_images().expect("there").join(name);
    let voxels: Vec<f32> = stored_plane(&path, "/s0", &[0..3, 0..63, 0..53]);
    let planes: Vec<&[f32]> = voxels.chunks_exact(63 * 53).collect();
    assert!(planes[0][..3].iter().all(|v| !v.is_finite()), "{:?}", &planes[0][..3]);
    for interpolation in Interpolation::ALL {
        let shot = stills.draw(vec![set(0, ControlChange::Interpolation(*interpolation))]).expect("drawn");
        for x in 0..3 {
            assert_eq!(pixel(&shot, x, 0), [0; 3], "{interpolation:?} column {x}");
        }
    }
    for projection in PROJECTIONS {
        let changes = vec![
            thicken("z", 0.0, 2.0),
            set(0, ControlChange::Interpolation(Interpolation::Nearest)),
            set(0, ControlChange::Projection(projection)),
        ];
        let shot = stills.draw(changes).expect("drawn");
        let values = (0..63 * 53).map(|n| {
            let column: Vec<f64> = planes.iter().map(|p| f64::from(p[n])).collect();
            project(projection, &column).unwrap_or(f64::NAN)
        });
        check_plane(projection.as_str(), &shot, 53, values, limits);
    }
}

#[test]
fn contrast_of_the_brain_is_that_of_its_array() {
    let Some((mut stills, _)) = one_to_one_stills(BRAIN, 0, [0.0, 255.0], &[("z", 94)]) else { return };
    let path = real_images().expect("there").join(BRAIN);
    let plane: Vec<u8> = stored_plane(&path, "/s0", &[0..1, 94..95, 0..233, 0..197]);
    let shot = stills.draw(vec![auto(0, [1.0, 99.5])]).expect("measured");
    assert_limits(&shot, 0, percentiles(plane.into_iter().map(f64::from).collect(), [1.0, 99.5]));
}
