//! Images larger than any memory, through the whole server, within budgets.

use super::{
    common::device,
    live::{Client, Live, Shown},
};
use lucida::{
    app::world::WorldSettings,
    data::procedural::{ProceduralSpec, procedural},
};
use lucida_components::{dtype::Dtype, lod::Budgets};
use serde_json::{Value, json};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// What a session may have: less than the chunks and tiles of its pictures.
const BUDGETS: Budgets =
    Budgets { host_bytes: 16 * MIB, brick_bytes: 64 << 20, pool_bytes: 8 * MIB, upload_micros: 3_000 };

/// Staging, a ring of 320 × 200 pixels, and parameters.
const BESIDE_THE_POOL: u64 = 26 * MIB;

/// 24 TiB.
fn stack() -> ProceduralSpec {
    ProceduralSpec {
        shape: [2, 3, 512, 65_536, 65_536],
        chunk: [4, 64, 64],
        levels: 11,
        noise: 0.0,
        ..ProceduralSpec::default()
    }
}

/// 100,000² of one byte.
fn slide() -> ProceduralSpec {
    ProceduralSpec {
        shape: [1, 1, 1, 100_000, 100_000],
        chunk: [1, 128, 128],
        levels: 10,
        dtype: Dtype::U8,
        noise: 0.0,
        ..ProceduralSpec::default()
    }
}

/// A session that looks everywhere; no picture is black, and no moment has more than the budgets.
async fn wander(spec: ProceduralSpec, background: f64) {
    let Some(device) = device() else { return };
    let settings = WorldSettings { budgets: BUDGETS, ..WorldSettings::of(&device) };
    let live = Live::start_with(&device, settings, procedural(spec.clone()));
    let mut client = live.watcher().await;
    client.ask("stream", "main", "canvas", json!([320, 200])).await;
    let unit = spec.spacing[3];
    let [height, width] = [spec.shape[3], spec.shape[4]].map(|s| s as f64);
    let depth = spec.shape[2];
    // Twice the background is white: whatever is looked at, what is drawn is grey at least.
    for layer in 0..spec.shape[1] {
        let target = format!("layer-{layer}");
        client.ask("layer", &target, "contrast_limits", json!([0.0, 2.0 * background])).await;
        client.ask("layer", &target, "colormap", json!("gray")).await;
    }
    let rect =
        |x: f64, y: f64, size: f64| json!({"rect": [x * unit, y * unit, size * unit, size * unit * 0.625]});
    let mut places: Vec<(&str, &str, Value)> = vec![
        ("camera", "reset", json!({})),
        ("camera", "set", rect(0.0, 0.0, 320.0)),
        ("camera", "set", rect(width - 900.0, height - 600.0, 800.0)),
        ("camera", "set", rect(width / 2.0, height / 3.0, 20_000.0)),
        ("camera", "pan", json!({"dx_px": 200, "dy_px": -100})),
        ("camera", "set", rect(width / 2.0, height / 3.0, 40.0)),
        ("camera", "reset", json!({})),
    ];
    if depth > 1 {
        for z in [0, depth - 1, depth / 2] {
            places.push(("dims", "scene_index", json!(z)));
        }
    }
    for (scope, key, value) in places {
        let target = if scope == "dims" { "z" } else { "main" };
        let id = client.update(scope, target, key, value.clone()).await;
        let shown = client.picture_of(|p| p.intents.contains(&id)).await;
        is_lit(&shown, &format!("{key} {value}"));
        let last = settled(&mut client, shown).await;
        is_lit(&last, &format!("{key} {value}, settled"));
    }
    // The finest level of everything has no room: coarser, told, and at rest.
    let ack = client.ask("multiscale", "main", "level", json!(0)).await;
    assert_eq!(ack["status"], "accepted", "{ack}");
    let shown = client.picture().await;
    is_lit(&settled(&mut client, shown).await, "everything");
    let metrics = live.metrics();
    assert!(metrics.level_downgrades > 0);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let later = live.metrics();
    assert_eq!(later.tiles_uploaded, metrics.tiles_uploaded, "it comes to rest");

    assert!(later.chunks_loaded > 50 && later.tiles_evicted + later.tiles_uploaded > 100, "{later:?}");
    assert!(later.host_peak_bytes <= BUDGETS.host_bytes, "{} bytes on the host", later.host_peak_bytes);
    let gpu = device.gpu.memory.peak();
    assert!(gpu <= BUDGETS.pool_bytes + BESIDE_THE_POOL, "{gpu} bytes on the GPU");
    assert_eq!(later.gpu_refusals, 0);
    live.end().await;
}

#[track_caller]
fn is_lit(shown: &Shown, what: &str) {
    let middle: f64 = shown.middle().iter().sum();
    assert!(middle > 60.0, "{what}: {:?}", shown.middle());
}

/// The last picture before it comes to rest.
async fn settled(client: &mut Client, mut last: Shown) -> Shown {
    while let Some(next) = client.picture_within(Duration::from_millis(500)).await {
        last = next;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_of_24_tebibytes_stays_within_the_budgets() {
    wander(stack(), 100.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slide_of_ten_gigapixels_stays_within_the_budgets() {
    wander(slide(), 6.0).await;
}
