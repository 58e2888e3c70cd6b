//! Opening: the metadata of a plate, and an image of many channels until its first frame is drawn.

use super::{
    draw::{Bench, spec},
    stats::{Row, percentile},
};
use lucida::{
    data::{open::open, procedural::procedural},
    gpu::device::Device,
};
use lucida_components::applied::Revision;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// Rows and columns of the plate.
const PLATE: [u64; 2] = [16, 24];
/// Channels of the image.
const CHANNELS: u64 = 50;

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let dir = tempfile::tempdir().unwrap();
    let times = if full { 25 } else { 1 };
    vec![
        plate(&dir.path().join("plate.ome.zarr"), times),
        channels(&dir.path().join("many.ome.zarr"), device, full),
    ]
}

fn plate(root: &Path, times: usize) -> Row {
    let names = |n: u64| (0..n).map(|i| json!({"name": i.to_string()})).collect::<Vec<_>>();
    let places = (0..PLATE[0]).flat_map(|row| (0..PLATE[1]).map(move |column| (row, column)));
    let wells: Vec<Value> = places
        .clone()
        .map(|(row, column)| json!({"path": format!("{row}/{column}"), "rowIndex": row, "columnIndex": column}))
        .collect();
    let plate =
        json!({"version": "0.4", "rows": names(PLATE[0]), "columns": names(PLATE[1]), "wells": wells});
    put(root, ".zattrs", &json!({"plate": plate}));
    for (row, column) in places {
        let well = root.join(format!("{row}/{column}"));
        put(&well, ".zattrs", &json!({"well": {"version": "0.4", "images": [{"path": "0"}]}}));
        image(&well.join("0"), 1, 64);
    }
    let mut took: Vec<Duration> = (0..times)
        .map(|_| {
            let started = Instant::now();
            assert!(open(root).unwrap().dataset.contents.is_some());
            started.elapsed()
        })
        .collect();
    let p50 = percentile(&mut took, 50.0);
    let what = format!("open a plate of {} wells", PLATE[0] * PLATE[1]);
    Row::new(&what, "300 ms", format!("{p50:.1} ms (n {times})"), p50 <= 300.0)
}

fn channels(root: &Path, device: &Device, full: bool) -> Row {
    let (size, times) = if full { (1024, 25) } else { (64, 1) };
    image(root, CHANNELS, size);
    let mut bench = Bench::new(device);
    let mut took = Vec::new();
    for _ in 0..times {
        bench.show(procedural(spec()));
        bench.settle();
        let before = revision(&bench);
        let started = Instant::now();
        bench.show(open(root).unwrap());
        loop {
            if bench.turn().is_some_and(|(job, _)| job.revision > before) {
                break;
            }
            bench.receive();
        }
        took.push(started.elapsed());
    }
    let p50 = percentile(&mut took, 50.0);
    let what = format!("open an image of {CHANNELS} channels → first frame drawn");
    Row::new(&what, "200 ms", format!("{p50:.0} ms (n {times})"), p50 <= 200.0)
}

/// The revision that is shown.
fn revision(bench: &Bench) -> u64 {
    bench.app.world().resource::<Revision>().0
}

/// An image of three levels without OMERO's settings, so that contrast has to be measured. Plain chunks.
fn image(root: &Path, channels: u64, size: u64) {
    let axis = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let mut datasets = Vec::new();
    for level in 0..3u32 {
        let (size, scale) = (size >> level, f64::from(1 << level));
        datasets.push(json!({"path": level.to_string(), "coordinateTransformations": [
            {"type": "scale", "scale": [1.0, scale, scale]}]}));
        let folder = root.join(level.to_string());
        let chunk = size.min(512);
        put(
            &folder,
            ".zarray",
            &json!({
                "zarr_format": 2, "shape": [channels, size, size], "chunks": [1, chunk, chunk], "dtype": "<u2",
                "fill_value": 0, "order": "C", "filters": null, "dimension_separator": "/", "compressor": null,
            }),
        );
        for channel in 0..channels {
            let values: Vec<u8> =
                (0..chunk * chunk).flat_map(|n| ((n % 997 * (channel + 1)) as u16).to_le_bytes()).collect();
            for row in 0..size / chunk {
                let folder = folder.join(format!("{channel}/{row}"));
                fs::create_dir_all(&folder).unwrap();
                (0..size / chunk).for_each(|c| fs::write(folder.join(c.to_string()), &values).unwrap());
            }
        }
    }
    put(
        root,
        ".zattrs",
        &json!({"multiscales": [{
            "version": "0.4", "datasets": datasets,
            "axes": [axis("c", "channel"), axis("y", "space"), axis("x", "space")],
        }]}),
    );
}

fn put(folder: &Path, name: &str, value: &Value) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), value.to_string()).unwrap();
}
