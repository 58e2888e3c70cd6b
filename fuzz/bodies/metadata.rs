//! Metadata of images: what opens keeps the promises of an opened image, and can be shown.

use super::{chunks, folder};
use bevy_app::App;
use lucida::data::open::open;
use lucida_components::{
    applied::Applied,
    dataset::{Dataset, Level},
    ids::ViewId,
    intent::{Change, Intent},
    metrics::Metrics,
};
use lucida_systems::{LucidaPlugin, ingest::Inbox};
use std::{sync::Arc, time::Instant};

/// Largest decoded chunk, bytes, as `docs/operating.md` states it.
const MAX_CHUNK_BYTES: u64 = 256 << 20;

/// Opens the folder that the input describes.
pub fn run(input: &[u8]) {
    let dir = tempfile::tempdir().expect("a folder");
    folder::unpack(input, dir.path());
    let opened = match open(dir.path()) {
        Ok(opened) => opened,
        Err(refused) => return assert!(!refused.to_string().is_empty()),
    };
    for image in &opened.dataset.images {
        assert!(!image.levels.is_empty());
        for level in &image.levels {
            check(level, image.dims.len(), image.stored.size() as u64);
        }
    }
    for layer in &opened.dataset.layers {
        let [lo, hi] = layer.controls.contrast_limits;
        assert!(lo.is_finite() && hi.is_finite() && lo < hi, "contrast {lo} to {hi}");
        assert!(layer.image < opened.dataset.images.len());
    }
    chunks::read_some(&opened);
    shows(&opened.dataset);
}

/// What the rest of the program takes for granted about a level.
fn check(level: &Level, dims: usize, size: u64) {
    let lengths = [level.shape.len(), level.chunk.len(), level.scale.len(), level.translation.len()];
    assert_eq!(lengths, [dims; 4]);
    assert!(level.shape.iter().chain(&level.chunk).all(|n| *n > 0));
    assert!(level.scale.iter().all(|s| s.is_finite() && *s > 0.0), "{:?}", level.scale);
    assert!(level.translation.iter().all(|t| t.is_finite()), "{:?}", level.translation);
    let bytes = level.chunk.iter().try_fold(size, |n, c| n.checked_mul(*c));
    assert!(bytes.is_some_and(|b| b <= MAX_CHUNK_BYTES), "a chunk of {:?}", level.chunk);
}

/// A world without a device shows it without a fault.
fn shows(dataset: &Arc<Dataset>) {
    let mut app = App::new();
    app.add_plugins(LucidaPlugin);
    app.finish();
    app.cleanup();
    let change = Change::Dataset(dataset.clone());
    let intent = Intent { origin: None, view: ViewId::MAIN, change, arrived: Instant::now(), op: 0 };
    app.world_mut().resource_mut::<Inbox>().intents.push(intent);
    app.update();
    let metrics = app.world().resource::<Metrics>();
    assert_eq!((metrics.faults, metrics.ops_rejected.iter().sum::<u64>()), (0, 0), "it cannot be shown");
    let world = app.world_mut();
    let applied = world.query::<&Applied>().single(world).expect("the main view");
    assert_eq!(applied.state.dataset.name, dataset.name);
}
