//! A real image as a volume, against its arrays read by another path and marched on the CPU.

use crate::{
    common::{device, real_images, stills},
    rig::{canvas, set},
    volume_rig::compare,
};
use lucida::data;
use lucida_components::{
    controls::{ControlChange, Rendering},
    intent::Change,
};
use lucida_systems::render::volume::{
    params::Quality,
    record::Grid,
    twin::{self, Field},
};
use std::{path::Path, sync::Arc};

const CANVAS: [u32; 2] = [96, 64];

/// The first channel, all of its levels.
struct Channel(Vec<([u64; 3], Vec<u8>)>);

impl Channel {
    fn read(path: &Path, levels: &[String]) -> Self {
        let store = Arc::new(zarrs::filesystem::FilesystemStore::new(path).expect("a store"));
        let level = |name: &String| {
            let array = zarrs::array::Array::open(store.clone(), &format!("/{name}")).expect("an array");
            let shape: [u64; 3] = array.shape()[1..].try_into().expect("c, z, y, x");
            let subset =
                zarrs::array::ArraySubset::new_with_ranges(&[0..1, 0..shape[0], 0..shape[1], 0..shape[2]]);
            (shape, array.retrieve_array_subset::<Vec<u8>>(&subset).expect("values"))
        };
        Self(levels.iter().map(level).collect())
    }
}

impl Field for Channel {
    fn voxel(&self, _: usize, level: usize, [z, y, x]: [u64; 3]) -> Option<f64> {
        let ([_, rows, columns], values) = &self.0[level];
        Some(f64::from(values[((z * rows + y) * columns + x) as usize]))
    }

    fn answers(&self, _: usize, wanted: usize, _: [f64; 3]) -> Option<usize> {
        Some(wanted)
    }
}

#[test]
fn the_brain_is_the_volume_that_its_array_holds() {
    let (Some(device), Some(data)) = (device(), real_images()) else { return };
    let path = data.join("brain-3ch-v04.ome.zarr");
    let opened = data::open::open(&path).expect("opens");
    let names: Vec<String> = opened.dataset.images[0].levels.iter().map(|l| l.path.clone()).collect();
    let layers = opened.dataset.layers.len() as u32;
    let stored = Channel::read(&path, &names);
    let mut stills = stills(&device, opened);
    let mut changes = vec![
        canvas(CANVAS[0], CANVAS[1]),
        Change::Ndisplay(3),
        set(0, ControlChange::Colormap("gray".into())),
        set(0, ControlChange::ContrastLimits([0.0, 255.0])),
        set(0, ControlChange::IsoThreshold(90.5)),
        set(0, ControlChange::Attenuation(0.02)),
    ];
    changes.extend((1..layers).map(|l| set(l, ControlChange::Visible(false))));
    for rendering in [Rendering::Mip, Rendering::Translucent, Rendering::Iso] {
        changes.push(set(0, ControlChange::Rendering(rendering)));
        let shot = stills.draw(std::mem::take(&mut changes)).expect("drawn");
        assert_eq!(shot.residency.missing, 0);
        let want = twin::draw(&shot.state, &Grid::whole(CANVAS), Quality::FULL, &stored);
        compare(&shot.rgba, &want, CANVAS[0]).unwrap_or_else(|why| panic!("{rendering:?}: {why}"));
    }
}
