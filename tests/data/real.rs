//! Real images that other programs wrote, where they are present. The expected numbers were computed from
//! the same arrays with `zarr-python` and `NumPy`.

use crate::image::{Voxels, places, values};
use lucida::data::{Opened, open::open};
use lucida_components::{chunk::ChunkValues, controls::Blending, dtype::Dtype};
use std::path::PathBuf;

/// The image of this name, or `None`, said loudly, where the folder of real images is not present.
fn real(name: &str) -> Option<Opened> {
    let shared = std::env::var_os("LUCIDA_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let path = shared.join("data").join(name);
    if !path.exists() {
        eprintln!(
            "SKIPPED: {} is not there; set LUCIDA_SHARED to the folder that has data/{name}",
            path.display()
        );
        return None;
    }
    Some(open(&path).unwrap_or_else(|e| panic!("{e}")))
}

/// The sum over all finite voxels of a level, chunk by chunk.
fn sum(opened: &Opened, level: usize) -> f64 {
    let voxels = Voxels(opened);
    let geometry = voxels.level(level);
    (0..geometry.grid().product::<u64>())
        .map(|number| {
            let data = opened.sources[0].1.read(level as u16, number).expect("chunk");
            let at = geometry.chunk_at(number);
            let first: Vec<u64> = at.iter().zip(&geometry.chunk).map(|(a, c)| a * c).collect();
            let inside = |within: &Vec<u64>| {
                within.iter().zip(&first).zip(&geometry.shape).all(|((w, f), s)| f + w < *s)
            };
            let value = |(n, _): (usize, Vec<u64>)| match &data.values {
                ChunkValues::Dense(bytes) => data.dtype.read(bytes, n),
                ChunkValues::Uniform(fill) => data.dtype.read(fill, 0),
            };
            let all = places(&geometry.chunk).enumerate().filter(|(_, within)| inside(within));
            all.map(value).filter(|v| v.is_finite()).sum::<f64>()
        })
        .sum()
}

fn window(opened: &Opened, layer: usize) -> [f64; 2] {
    opened.dataset.layers[layer].controls.contrast_limits
}

fn near(got: [f64; 2], want: [f64; 2]) {
    assert!(
        got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-3 * w.abs().max(1.0)),
        "{got:?} for {want:?}"
    );
}

#[test]
fn brain_of_three_channels() {
    let Some(brain) = real("brain-3ch-v04.ome.zarr") else { return };
    let dataset = &brain.dataset;
    assert_eq!((dataset.name.as_str(), dataset.format.as_str()), ("brain-3ch-v04", "ome-zarr 0.4"));
    assert_eq!(dataset.warnings, Vec::<String>::new());
    let names: Vec<&str> = dataset.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["T1", "grey matter", "white matter", "tissue"]);
    let colours: Vec<&str> = dataset.layers.iter().map(|l| l.controls.colormap.as_str()).collect();
    assert_eq!(colours, ["gray", "#00ff00", "#ff00ff", "labels"]);
    assert_eq!((window(&brain, 0), window(&brain, 1)), ([0.0, 255.0], [20.0, 255.0]));
    assert!(dataset.layers[..3].iter().all(|l| l.controls.blending == Blending::Additive));
    let tissue = dataset.layers[3].labels.as_deref().expect("a table");
    assert_eq!((tissue.colours[&1], tissue.colours[&2]), ([230, 159, 0, 255], [86, 180, 233, 255]));
    // The labels have a grid of their own, without channels; zarrs reads the same array by itself.
    let store = zarrs::filesystem::FilesystemStore::new(&dataset.locator).unwrap();
    let array = zarrs::array::Array::open(std::sync::Arc::new(store), "/labels/tissue/s2").unwrap();
    let stored: Vec<u8> = array.retrieve_array_subset(&array.subset_all()).unwrap();
    let all: Vec<Vec<u64>> = places(array.shape()).collect();
    let slabs = all.chunk_by(|a, b| a[0] / 64 == b[0] / 64);
    let read: Vec<u8> = slabs.flat_map(|s| values(&brain, 1, 2, s)).map(|v| v as u8).collect();
    assert!(read == stored && stored.contains(&2), "the labels are read");
    let voxels = Voxels(&brain);
    let shapes: Vec<&[u64]> = (0..3).map(|l| voxels.level(l).shape.as_slice()).collect();
    assert_eq!(shapes, [[3, 189, 233, 197], [3, 189, 116, 98], [3, 189, 58, 49]]);
    assert!((voxels.level(1).scale[2] - 2.008_620_689_655).abs() < 1e-9);
    assert!((voxels.level(2).translation[3] - 1.510_204_081_632).abs() < 1e-9);
    assert_eq!(voxels.at(0, &[1, 97, 146, 56]), 128.0);
    assert_eq!(voxels.at(2, &[1, 97, 36, 14]), 151.0);
    assert_eq!([sum(&brain, 1), sum(&brain, 2)], [190_393_982.0, 47_594_481.0]);
}

#[test]
fn brain_in_shards() {
    let Some(brain) = real("brain-sharded-v05.ome.zarr") else { return };
    let voxels = Voxels(&brain);
    assert_eq!(brain.dataset.format, "ome-zarr 0.5");
    assert_eq!(voxels.level(0).chunk, [32, 32, 32]);
    assert_eq!([sum(&brain, 0), sum(&brain, 2)], [333_468_829.0, 20_842_992.0]);
    near(window(&brain, 0), [0.0, 232.0]);
    assert_eq!(brain.dataset.layers[0].range, [0.0, 255.0]);
    assert_eq!(brain.dataset.layers[0].controls.blending, Blending::Translucent);
}

#[test]
fn statistic_with_values_that_are_no_numbers() {
    let Some(map) = real("statistic-f32-v05.ome.zarr") else { return };
    let voxels = Voxels(&map);
    assert_eq!(voxels.dtype(), Dtype::F32);
    assert!(voxels.at(0, &[0, 0, 0]).is_nan());
    assert_eq!([voxels.at(0, &[0, 0, 1]), voxels.at(0, &[0, 0, 2])], [f64::INFINITY, f64::NEG_INFINITY]);
    assert!((voxels.at(0, &[37, 29, 27]) + 1.181_735).abs() < 1e-6);
    assert!((sum(&map, 0) - 3_460.168_992_704).abs() < 1e-6);
    near(window(&map, 0), [-3.086_173, 7.933_916]);
    near(map.dataset.layers[0].range, [-6.058_883, 7.941_345]);
}

#[test]
fn time_series_of_signed_integers() {
    if let Some(fmri) = real("fmri-time-i16-v05.ome.zarr") {
        let labels: Vec<&str> = fmri.dataset.axes.iter().map(|a| a.label.as_str()).collect();
        assert_eq!((labels, fmri.dataset.extent(0)), (vec!["t", "z", "y", "x"], 20));
        assert_eq!(Voxels(&fmri).at(0, &[9, 1, 13, 4]), 3742.0);
        assert_eq!(sum(&fmri, 0), 77_902_532.0);
        near(window(&fmri, 0), [2959.36, 5164.92]);
    }
    if let Some(diffusion) = real("diffusion-time-i16-v04.ome.zarr") {
        assert_eq!(Voxels(&diffusion).dtype(), Dtype::I16);
        assert_eq!(Voxels(&diffusion).at(1, &[0, 12, 30, 18]), 618.0);
        assert_eq!([sum(&diffusion, 0), sum(&diffusion, 1)], [101_985_356.0, 25_476_336.0]);
        near(window(&diffusion, 0), [0.0, 718.805]);
    }
}

#[test]
fn histology_in_red_green_and_blue() {
    let Some(histology) = real("histology-rgb-v04.ome.zarr") else { return };
    let colours: Vec<&str> = histology.dataset.layers.iter().map(|l| l.controls.colormap.as_str()).collect();
    assert_eq!(colours, ["#ff0000", "#00ff00", "#0000ff"]);
    assert_eq!(Voxels(&histology).at(0, &[2, 240, 263]), 218.0);
    assert_eq!([sum(&histology, 0), sum(&histology, 2)], [126_084_883.0, 7_896_082.0]);
}

#[test]
fn real_images_are_opened_fast_and_described() {
    let Some(_) = real("brain-3ch-v04.ome.zarr") else { return };
    let began = std::time::Instant::now();
    let info = lucida::data::info::describe(&real("brain-3ch-v04.ome.zarr").expect("there"));
    assert!(began.elapsed().as_millis() < 300, "{:?}", began.elapsed());
    assert_eq!((info.dtype.as_str(), info.drawn_as), ("uint8", "uint8"));
    assert_eq!(info.dimensions, ["c", "z", "y", "x"]);
    assert_eq!(info.levels[0].bytes, 3 * 189 * 233 * 197);
    let text = info.to_string();
    assert!(text.contains("3 × 189 × 116 × 98") && text.contains("grey matter"), "{text}");
}
