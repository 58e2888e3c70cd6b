//! Starting and stopping leaves nothing behind, nor does a storm. Alone in its process, so that it can count;
//! one after the other, because both count.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../stream/live.rs"]
#[expect(dead_code, reason = "shared with the stream tests")]
mod live;
mod storm;

use common::{array::ArrayImage, device};
use live::Live;
use lucida_components::dtype::Dtype;
use std::{fs, sync::Arc};

/// One at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Threads of worlds. The driver's own have the name of the thread that opened the device.
fn threads() -> usize {
    let names = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|t| fs::read_to_string(t.ok()?.path().join("comm")).ok());
    names.filter(|n| n.starts_with("lucida-") && !n.starts_with("lucida-gpu")).count()
}

/// Open files, sockets included.
fn files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn flat() -> ArrayImage {
    ArrayImage::new("zyx", &[3, 64, 64], Dtype::U8, Arc::new(|_: usize, _: &[u64]| 100.0))
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_and_stopping_leaves_nothing_behind() {
    let _alone = ALONE.lock().await;
    let Some(device) = device() else { return };
    let before = threads();
    let mut counts = Vec::new();
    for _ in 0..4 {
        let live = Live::start(&device, flat().open());
        let mut client = live.watcher().await;
        client.picture().await;
        live.end().await;
        drop(client);
        counts.push(files());
    }
    assert_eq!(threads(), before, "threads of a stopped world");
    assert!(counts[3] <= counts[0] + 1, "open files grow: {counts:?}");
}
