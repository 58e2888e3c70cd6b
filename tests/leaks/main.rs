//! Starting and stopping leaves nothing behind. Alone in its process, so that it can count.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../stream/live.rs"]
#[expect(dead_code, reason = "shared with the stream tests")]
mod live;

use common::{array::ArrayImage, device};
use live::Live;
use lucida_components::dtype::Dtype;
use std::sync::Arc;

fn flat() -> ArrayImage {
    ArrayImage::new("zyx", &[3, 64, 64], Dtype::U8, Arc::new(|_: usize, _: &[u64]| 100.0))
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_and_stopping_leaves_nothing_behind() {
    let Some(device) = device() else { return };
    let threads = || {
        let names = std::fs::read_dir("/proc/self/task")
            .unwrap()
            .filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("comm")).ok());
        names.filter(|n| n.starts_with("lucida-")).count()
    };
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    // The driver's own threads have the name of the thread that opened the device, which is still open.
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
