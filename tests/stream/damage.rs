//! A damaged chunk on disk, seen by a client: the rest of the picture stands, what is missing is told, and
//! once the file is repaired the picture is whole without anybody asking.

use super::{
    common::device,
    live::{Live, Shown},
};
use lucida::data::open::open;
use serde_json::json;
use std::{fs, path::Path};

/// 64 × 128 voxels of value 200 in two chunks, side by side.
fn image(root: &Path) {
    let axes = ["y", "x"].map(|name| json!({"name": name, "type": "space"}));
    let datasets =
        json!([{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}]);
    let window = json!({"start": 0, "end": 255, "min": 0, "max": 255});
    let ome = json!({
        "version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}],
        "omero": {"channels": [{"color": "FFFFFF", "window": window}]},
    });
    let group = json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}});
    let array = json!({
        "zarr_format": 3, "node_type": "array", "shape": [64, 128], "data_type": "uint8", "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [64, 64]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 1, "checksum": false}}],
    });
    fs::create_dir_all(root.join("0/c/0")).unwrap();
    fs::write(root.join("zarr.json"), group.to_string()).unwrap();
    fs::write(root.join("0/zarr.json"), array.to_string()).unwrap();
    for chunk in ["0", "1"] {
        fs::write(root.join("0/c/0").join(chunk), sound()).unwrap();
    }
}

fn sound() -> Vec<u8> {
    zstd::bulk::compress(&[200; 64 * 64], 1).unwrap()
}

/// Grey in the middle of the left and of the right half.
fn halves(shown: &Shown) -> [f64; 2] {
    let at = |x: u32| shown.rgb[(shown.height / 2 * shown.width + x) as usize][1];
    [at(shown.width / 4), at(shown.width * 3 / 4)]
}

fn is(grey: f64, value: f64) -> bool {
    (grey - value).abs() < 8.0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_is_shown_the_damage_is_told_and_its_repair_appears_by_itself() {
    let Some(device) = device() else { return };
    let dir = tempfile::tempdir().unwrap();
    image(dir.path());
    let damaged = dir.path().join("0/c/0/1");
    // 16 bytes that claim a terabyte.
    let bomb = [&0xfd2f_b528u32.to_le_bytes()[..], &[0xe0], &(1u64 << 40).to_le_bytes(), &[1, 0, 0]].concat();
    fs::write(&damaged, bomb).unwrap();

    let live = Live::start(&device, open(dir.path()).unwrap());
    let mut client = live.watcher().await;
    let shown = client.picture_of(|shown| is(halves(shown)[0], 200.0)).await;
    assert!(is(halves(&shown)[1], 0.0), "{:?}", halves(&shown));
    loop {
        let told = client.frame("notify.residency").await;
        if told["payload"]["missing"] == 1 {
            assert_eq!(told["payload"]["resident"], told["payload"]["wanted"]);
            break;
        }
    }
    assert!(live.metrics().chunks_failed >= 1);

    fs::write(dir.path().join("repaired"), sound()).unwrap();
    fs::rename(dir.path().join("repaired"), &damaged).unwrap();
    let shown = client.picture_of(|shown| is(halves(shown)[1], 200.0)).await;
    assert!(is(halves(&shown)[0], 200.0), "{:?}", halves(&shown));
    while client.frame("notify.residency").await["payload"]["missing"] != 0 {}
    live.end().await;
}
