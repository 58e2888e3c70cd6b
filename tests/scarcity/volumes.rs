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
use std::{sync::Arc, time::Duration};

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
