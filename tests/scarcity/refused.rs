//! A GPU that has no room: pools become smaller, levels coarser, the picture stays.

use super::{common::device, is_grey, live::Live, stairs};
use lucida::data::procedural::{ProceduralSpec, procedural};
use serde_json::json;
use std::time::Duration;

/// Larger than the canvas at its finest level, so that it has levels to fall back on.
fn wide() -> ProceduralSpec {
    ProceduralSpec {
        shape: [1, 3, 1, 4096, 4096],
        chunk: [1, 256, 256],
        levels: 6,
        ..ProceduralSpec::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_with_little_room_shows_coarser_levels() {
    let Some(device) = device() else { return };
    // The ring takes 8 MiB, staging 4 and more, so pools of 96 MiB have no room, nor have those of 24.
    device.gpu.memory.limit(28 << 20);
    let live = Live::start(&device, procedural(wide()));
    let mut client = live.watcher().await;
    client.picture().await;
    // At three data pixels per screen pixel of level 0, level 0 asked for: 3 × 33 × 33 tiles, 110 MB.
    client.ask("multiscale", "main", "level", json!(0)).await;
    let shown = settled(&mut client).await;
    assert!(shown.middle().iter().sum::<f64>() > 3.0, "black: {:?}", shown.middle());
    let metrics = live.metrics();
    assert!(metrics.gpu_refusals >= 1);
    assert!(metrics.level_downgrades >= 1, "it is told");
    assert!(metrics.pool_bytes < 28 << 20 && metrics.pool_bytes >= 4 << 20, "{}", metrics.pool_bytes);
    assert!(device.gpu.memory.peak() <= 28 << 20);
    // It comes to rest: nothing is refused or uploaded again and again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = live.metrics();
    assert_eq!(later.gpu_refusals, metrics.gpu_refusals);
    assert_eq!(later.tiles_uploaded, metrics.tiles_uploaded);
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_without_any_room_is_waited_for() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    // No room for a larger picture, whatever is given up for it.
    device.gpu.memory.limit(1 << 20);
    client.ask("stream", "main", "canvas", json!([1920, 1080])).await;
    let id = client.update("dims", "z", "scene_index", json!(9)).await;
    let ack = client.ask("dims", "z", "scene_index", json!(12)).await;
    assert_eq!(ack["status"], "accepted", "the ledger goes on");
    assert!(client.picture_within(Duration::from_millis(300)).await.is_none_or(|p| p.width != 1920));
    device.gpu.memory.limit(u64::MAX);
    let shown = client.picture_of(|p| p.width == 1920 && p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 40.0 + 36.0), "{:?}", shown.middle());
    live.end().await;
}

/// The last picture before it comes to rest.
async fn settled(client: &mut super::live::Client) -> super::live::Shown {
    let mut last = client.picture().await;
    while let Some(next) = client.picture_within(Duration::from_millis(700)).await {
        last = next;
    }
    last
}
