//! Volumes with too little of everything.

use super::{
    common::{array::ArrayImage, device},
    live::{Client, Live, Shown},
};
use lucida::{
    app::world::WorldSettings,
    data::procedural::{ProceduralSpec, procedural},
};
use lucida_components::{dtype::Dtype, lod::Budgets};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

async fn into_the_volume(client: &mut Client) -> Shown {
    client.ask("stream", "main", "canvas", json!([96, 64])).await;
    let id = client.update("view", "main", "ndisplay", json!(3)).await;
    client.picture_of(|p| p.width == 96 && p.intents.contains(&id)).await
}

#[track_caller]
fn is_lit(shown: &Shown, what: &str) {
    let middle: f64 = shown.middle().iter().sum();
    assert!(middle > 30.0, "{what}: {:?}", shown.middle());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orbit_goes_on_after_the_device_is_lost() {
    let Some(device) = device() else { return };
    let made = ArrayImage::new("zyx", &[30, 30, 30], Dtype::U8, Arc::new(|_, _| 120.0));
    let live = Live::start(&device, made.open());
    let mut client = live.watcher().await;
    is_lit(&into_the_volume(&mut client).await, "the first");
    let mut ids = Vec::new();
    for n in 0..12 {
        if n == 4 {
            device.gpu.device.destroy();
        }
        let orbit = json!({"d_az_deg": 7, "d_el_deg": 2});
        ids.push(client.update("camera", "main", "orbit", orbit).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut answered = Vec::new();
    while !answered.contains(&ids[11]) {
        let shown = client.picture().await;
        is_lit(&shown, "while it is lost");
        answered.extend(shown.intents);
    }
    for id in &ids {
        assert!(answered.contains(id), "{id} was never seen");
    }
    let id = client.update("camera", "main", "orbit", json!({"d_az_deg": 90, "d_el_deg": 0})).await;
    is_lit(&client.picture_of(|p| p.intents.contains(&id)).await, "after it");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let metrics = live.metrics();
    assert_eq!((metrics.gpu_losses, metrics.faults), (1, 0));
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orbit_about_more_than_the_bricks_budget_is_never_black() {
    const BRICKS: u64 = 16 << 20;
    let Some(device) = device() else { return };
    let spec = ProceduralSpec {
        shape: [1, 1, 512, 512, 512],
        chunk: [64, 64, 64],
        levels: 4,
        noise: 0.0,
        ..ProceduralSpec::default()
    };
    let settings = WorldSettings {
        budgets: Budgets { brick_bytes: BRICKS, ..Budgets::default() },
        ..WorldSettings::of(&device)
    };
    let live = Live::start_with(&device, settings, procedural(spec));
    let mut client = live.watcher().await;
    client.ask("layer", "layer-0", "contrast_limits", json!([0, 200])).await;
    is_lit(&into_the_volume(&mut client).await, "the first");
    // Nearer, so that finer bricks are wanted than there is room for.
    client.ask("camera", "main", "zoom", json!({"factor": 0.3, "anchor_px": [48, 32]})).await;
    for n in 0..8 {
        let orbit = json!({"d_az_deg": 45, "d_el_deg": if n % 2 == 0 { 15 } else { -15 }});
        let id = client.update("camera", "main", "orbit", orbit).await;
        let shown = client.picture_of(|p| p.intents.contains(&id)).await;
        is_lit(&shown, &format!("turn {n}"));
        let bytes = live.metrics().brick_bytes;
        assert!(bytes <= BRICKS, "{bytes} bytes of bricks");
    }
    let metrics = live.metrics();
    assert!(metrics.bricks_uploaded > 0, "{metrics:?}");
    assert_eq!(metrics.gpu_refusals, 0);
    live.end().await;
}

async fn orbit(client: &mut Client) -> Shown {
    let id = client.update("camera", "main", "orbit", json!({"d_az_deg": 15, "d_el_deg": 3})).await;
    client.picture_of(|p| p.intents.contains(&id)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_coarse_stands_until_what_is_fine_is_delivered() {
    let Some(device) = device() else { return };
    let starved = Arc::new(AtomicBool::new(false));
    let still = starved.clone();
    let value = move |level: usize, _: &[u64]| {
        while level == 0 && still.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if level == 0 { 200.0 } else { 120.0 }
    };
    let mut made = ArrayImage::new("zyx", &[40, 64, 64], Dtype::U8, Arc::new(value));
    made.levels = 2;
    let live = Live::start(&device, made.open());
    let mut client = live.watcher().await;
    client.picture().await;
    // The plane comes to rest, so that no reader is held up before what is coarse is here.
    while client.picture_within(Duration::from_millis(500)).await.is_some() {}
    starved.store(true, Ordering::Release);
    into_the_volume(&mut client).await;
    client.ask("multiscale", "main", "level", json!(0)).await;
    for _ in 0..3 {
        let shown = orbit(&mut client).await;
        assert!(super::is_grey(&shown, 120.0), "{:?}", shown.middle());
    }
    loop {
        let told = client.frame("notify.residency").await;
        if told["payload"]["resident"].as_u64() < told["payload"]["wanted"].as_u64() {
            break;
        }
    }
    starved.store(false, Ordering::Release);
    client.picture_of(|p| super::is_grey(p, 200.0)).await;
    loop {
        let told = client.frame("notify.residency").await;
        if told["payload"]["resident"] == told["payload"]["wanted"] {
            break;
        }
    }
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_files_are_told_and_their_repair_appears_by_itself() {
    let Some(device) = device() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("image");
    let spec = ProceduralSpec {
        shape: [6, 1, 32, 64, 64],
        chunk: [32, 32, 64],
        levels: 1,
        noise: 0.0,
        ..ProceduralSpec::default()
    };
    lucida::data::demo::write(spec, &root, &|_, _| ()).expect("written");
    let live = Live::start(&device, lucida::data::open::open(&root).expect("opens"));
    let mut client = live.watcher().await;
    client.ask("layer", "layer-0", "contrast_limits", json!([0, 200])).await;
    client.ask("dims", "t", "scene_index", json!(0)).await;
    is_lit(&into_the_volume(&mut client).await, "the first");
    // One of two chunks of the last time, which nobody has seen.
    let damaged = chunk_of(&root, 5);
    let sound = std::fs::read(&damaged).expect("a chunk");
    std::fs::write(&damaged, b"damaged").expect("written");
    client.ask("dims", "t", "scene_index", json!(5)).await;
    while client.frame("notify.residency").await["payload"]["missing"].as_u64() < Some(1) {}
    for _ in 0..2 {
        is_lit(&orbit(&mut client).await, "damaged");
    }
    std::fs::write(dir.path().join("repaired"), sound).expect("written");
    std::fs::rename(dir.path().join("repaired"), &damaged).expect("renamed");
    while client.frame("notify.residency").await["payload"]["missing"] != 0 {}
    is_lit(&orbit(&mut client).await, "repaired");
    live.end().await;
}

/// The file of the first chunk of a time, t/c/z/y/x in the only level.
fn chunk_of(root: &Path, time: u64) -> PathBuf {
    let of_time = format!("{time}/0/0/0/0");
    ["0", "s0", "0/c", "s0/c"]
        .map(|level| root.join(level).join(&of_time))
        .into_iter()
        .find(|path| path.is_file())
        .expect("a file of the chunk")
}
