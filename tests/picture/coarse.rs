//! An image without a pyramid, seen whole: what is drawn are the means of its blocks.

use crate::common::{array::ArrayImage, device, pixel, stills};
use lucida::data::{
    ChunkSource, Opened,
    coarse::{Shelf, with_levels},
};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkValues},
    dtype::Dtype,
};
use lucida_systems::render::plane::twin;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

const SIDE: u64 = 8192;
const CHUNK: u64 = 512;

/// A slope with noise on it.
fn value(row: u64, col: u64) -> u8 {
    let noise =
        (row.wrapping_mul(0x9E37_79B9) ^ col.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35) >> 20;
    ((row + 2 * col) / 160 + noise % 90) as u8
}

/// The stored level. Counts what is read of it.
struct Plane(AtomicU64);

impl ChunkSource for Plane {
    fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
        assert_eq!(level, 0);
        self.0.fetch_add(1, Ordering::Relaxed);
        let (row, col) = (number / (SIDE / CHUNK) * CHUNK, number % (SIDE / CHUNK) * CHUNK);
        let rows = row..row + CHUNK;
        let values: Vec<u8> = rows.flat_map(|r| (col..col + CHUNK).map(move |c| value(r, c))).collect();
        Ok(ChunkData { dtype: Dtype::U8, values: ChunkValues::Dense(values.into()), missing: false })
    }

    fn fingerprint(&self) -> Option<String> {
        Some("a slope".into())
    }
}

/// Opens it with a disk cache, as another process would.
fn slope(cache: &std::path::Path) -> (Opened, Arc<Plane>) {
    let array = ArrayImage::new("yx", &[SIDE, SIDE], Dtype::U8, Arc::new(|_, _| 0.0));
    let mut opened = ArrayImage { chunk: vec![CHUNK, CHUNK], ..array }.open();
    let plane = Arc::new(Plane(AtomicU64::new(0)));
    opened.sources[0].1 = plane.clone();
    let shelf = Arc::new(Shelf::new(Some(cache.to_owned()), 1 << 30));
    (with_levels(opened, &shelf), plane)
}

#[test]
fn seen_whole_it_shows_the_means_of_its_blocks() {
    let Some(device) = device() else { return };
    let cache = tempfile::tempdir().expect("a folder");
    let (opened, plane) = slope(cache.path());
    let picture = stills(&device, opened).draw(Vec::new()).expect("drawn");
    let reads = plane.0.load(Ordering::Relaxed);
    assert!(reads >= (SIDE / CHUNK).pow(2), "all of it was read: {reads}");
    assert!(picture.residency.missing == 0 && picture.state.lod.level > 1, "{:?}", picture.state.lod);

    let mean = |level: usize, row: u64, col: u64| {
        let side = 1 << level;
        let block =
            (row * side..(row + 1) * side).flat_map(|r| (col * side..(col + 1) * side).map(move |c| (r, c)));
        block.map(|(r, c)| f64::from(value(r, c))).sum::<f64>() / (side * side) as f64
    };
    let want = twin::draw(&picture.state, |_, plane, row, col| mean(plane.number, row, col));
    let (width, height) = (picture.canvas.width, picture.canvas.height);
    let mut lit = 0;
    let mut far = 0;
    for (n, want) in want.iter().enumerate() {
        let (x, y) = (n as u32 % width, n as u32 / width);
        let got = f64::from(pixel(&picture, x, y)[0]);
        // Each level rounds, and so does the picture.
        far += usize::from((got - want[0] * 255.0).abs() > 2.6);
        lit += usize::from(want[0] > 0.0);
    }
    assert!(lit as u32 > height * height / 2, "{lit} pixels are lit");
    // Pixels whose centre lies on a voxel's edge may fall to either side.
    assert!(far < lit / 250, "{far} of {lit} pixels are not the means");

    let (again, plane) = slope(cache.path());
    let second = stills(&device, again).draw(Vec::new()).expect("drawn");
    assert_eq!(plane.0.load(Ordering::Relaxed), 0, "everything was kept");
    assert!(second.rgba == picture.rgba);
}
