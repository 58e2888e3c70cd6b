//! A lost device is opened again from ledger and caches, while the stream goes on.

use super::{common::device, is_grey, live::Live, stairs};
use lucida::{
    app::{
        rebuild::{Reopen, WorldFailed},
        world::WorldSettings,
    },
    gpu::device::{self, Device, DeviceError},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

fn settings(
    device: &Device,
    open: impl Fn() -> Result<Device, DeviceError> + Send + Sync + 'static,
) -> WorldSettings {
    let pauses = [1, 2, 3].map(Duration::from_millis);
    WorldSettings { reopen: Reopen::by(open, &pauses), ..WorldSettings::of(device) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_comes_back_after_the_device_is_lost() {
    let Some(device) = device() else { return };
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let settings = settings(&device, move || {
        count.fetch_add(1, Ordering::SeqCst);
        device::open()
    });
    let live = Live::start_with(&device, settings, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    for z in [10, 20] {
        let id = client.update("dims", "z", "scene_index", json!(z)).await;
        client.picture_of(|p| p.intents.contains(&id)).await;
    }
    let loaded = live.metrics().chunks_loaded;
    // In mid-stream: steps before, at and after the loss, none waited for.
    let mut ids = Vec::new();
    for n in 0..20 {
        if n == 7 {
            device.gpu.device.destroy();
        }
        // Another plane each time: what changes nothing in the end has no picture of its own.
        ids.push(client.update("dims", "z", "scene_index", json!(10 + n)).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut keyframes = 0;
    let mut answered = Vec::new();
    let last = loop {
        let shown = client.picture().await;
        keyframes += usize::from(shown.keyframe);
        answered.extend(shown.intents.clone());
        // Steps after it was noticed that the device is lost are answered by the new one.
        if answered.contains(&ids[19]) {
            break shown;
        }
    };
    let expected = 40.0 + 3.0 * 29.0;
    let at_end = last.intents.contains(&ids[19]) && is_grey(&last, expected);
    assert!(at_end, "{:?} is not {expected}", last.middle());
    // Every step was answered by a picture.
    for id in &ids {
        assert!(answered.contains(id), "{id} was never seen");
    }
    // The same session goes on, to places it has not seen too.
    let id = client.update("dims", "z", "scene_index", json!(55)).await;
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 40.0 + 3.0 * 55.0), "{:?}", shown.middle());
    assert!(!shown.keyframe, "the stream goes on as ever");

    assert_eq!(opened.load(Ordering::SeqCst), 1, "one loss, one device");
    assert!(keyframes >= 1, "a decoder could begin at the new device's first picture");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let metrics = live.metrics();
    assert_eq!(metrics.gpu_losses, 1);
    assert_eq!(metrics.faults, 0, "the ledger noticed nothing");
    // Plane 55 and what was read ahead of it lie in two chunks of depth 32, by 2 × 2: nothing twice.
    assert!(
        metrics.chunks_loaded <= loaded.max(4) + 4,
        "the host's cache was used: {}",
        metrics.chunks_loaded
    );
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_a_lost_device_is_noticed_with_the_next_picture() {
    let Some(device) = device() else { return };
    let live = Live::start(&device, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    while client.picture_within(Duration::from_millis(500)).await.is_some() {}
    device.gpu.device.destroy();
    for z in [3, 50] {
        let id = client.update("dims", "z", "scene_index", json!(z)).await;
        let shown = client.picture_of(|p| p.intents.contains(&id)).await;
        assert!(is_grey(&shown, 40.0 + 3.0 * f64::from(z)), "{:?}", shown.middle());
    }
    // A client that comes now begins as ever.
    let mut late = live.watcher().await;
    let shown = late.picture().await;
    assert!(shown.keyframe && is_grey(&shown, 190.0), "{:?}", shown.middle());
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_opens_at_the_third_attempt_is_waited_for() {
    let Some(device) = device() else { return };
    let tried = Arc::new(AtomicUsize::new(0));
    let count = tried.clone();
    let settings = settings(&device, move || match count.fetch_add(1, Ordering::SeqCst) {
        0 => Err(DeviceError::NoAdapter),
        1 => panic!("a driver that bites"),
        _ => device::open(),
    });
    let live = Live::start_with(&device, settings, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    device.gpu.lost.declare("for a test");
    let id = client.update("dims", "z", "scene_index", json!(5)).await;
    // Acknowledged although there is no device.
    let ack = client.ask("dims", "z", "scene_index", json!(6)).await;
    assert_eq!(ack["status"], "accepted");
    let shown = client.picture_of(|p| p.intents.contains(&id)).await;
    assert!(is_grey(&shown, 58.0) || is_grey(&shown, 55.0), "{:?}", shown.middle());
    assert_eq!(tried.load(Ordering::SeqCst), 3);
    live.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_device_comes_back_sessions_are_told_and_the_world_ends() {
    let Some(device) = device() else { return };
    let live = Live::start_with(&device, settings(&device, || Err(DeviceError::NoAdapter)), stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    device.gpu.lost.declare("for a test");
    let told = client.frame("session.goodbye").await;
    assert_eq!(told["payload"]["code"], "error", "{told}");
    assert_eq!(told["payload"]["reason"], "server_failed", "{told}");
    match live.failed().await {
        WorldFailed::GpuLost { attempts: 3, source: DeviceError::NoAdapter } => {}
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_lost_again_and_again_ends_the_world() {
    let Some(device) = device() else { return };
    let settings = settings(&device, || {
        let device = device::open()?;
        device.gpu.lost.declare("for a test, again");
        Ok(device)
    });
    let live = Live::start_with(&device, settings, stairs().open());
    let mut client = live.watcher().await;
    client.picture().await;
    device.gpu.lost.declare("for a test");
    client.frame("session.goodbye").await;
    match live.failed().await {
        WorldFailed::GpuUnstable { losses: 3 } => {}
        other => panic!("{other}"),
    }
}
