//! The whole chunk path: 64³ pieces of an image of 512³ u16 in zstd, from the wish to the values in host
//! memory, against zarrs driven by rayon on the same store in the same run.

use super::stats::{Row, percentile};
use lucida::data::{
    open,
    pool::{ChunkPool, Sources},
};
use lucida_components::chunk::{ChunkKey, ChunkValues, Priority, Want};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use zarrs::{
    array::{
        Array, ArrayBytes, ArrayShardedReadableExt, ArrayShardedReadableExtCache, ArraySubset, CodecOptions,
    },
    filesystem::FilesystemStore,
};

/// Extent of a piece.
const PIECE: u64 = 64;

pub fn rows(full: bool) -> Vec<Row> {
    let (side, shard, runs) = if full { (512, 256, 9) } else { (128, 128, 1) };
    let mut rows = Vec::new();
    for (what, chunk) in [("plain", PIECE), ("in shards", shard)] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), side, chunk);
        let [mut ours, mut theirs] = measure(dir.path(), side, runs);
        let [ours, theirs] = [&mut ours, &mut theirs].map(|times| percentile(times, 50.0));
        let ratio = theirs / ours;
        let measured = format!("{ratio:.2} ({ours:.0} ms; zarrs {theirs:.0} ms)");
        let what = format!("{PIECE}³ pieces of {side}³ u16 zstd, {what}, speed in zarrs'");
        rows.push(Row::new(&what, "0.9 or more", measured, ratio >= 0.9));
    }
    rows
}

/// The times of both, alternating so that both see the same machine. One run of each before, to have the
/// files in memory.
fn measure(root: &Path, side: u64, runs: usize) -> [Vec<Duration>; 2] {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let opened = open::open(root).unwrap();
    let level = opened.dataset.images[0].levels[0].clone();
    assert_eq!(level.chunk, [PIECE; 3]);
    let (id, source) = opened.sources[0].clone();
    let sources = Sources::default();
    sources.register(id, source);
    let (pool, arrivals) = ChunkPool::new(threads, sources).unwrap();
    let count = (side / PIECE).pow(3);
    let wants: Vec<_> = (0..count)
        .map(|number| Want {
            key: ChunkKey { source: id, level: 0, number },
            priority: Priority(number as u32),
            bytes: PIECE.pow(3) * 2,
        })
        .collect();
    let ours = || {
        let started = Instant::now();
        pool.request(&wants);
        let mut bytes = 0;
        for _ in 0..count {
            let (_, chunk) = arrivals.recv().unwrap();
            let chunk = chunk.unwrap().unwrap();
            assert!(matches!(chunk.values, ChunkValues::Dense(_)));
            bytes += chunk.bytes();
        }
        assert_eq!(bytes, side.pow(3) * 2);
        started.elapsed()
    };

    let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let array = Array::open(Arc::new(FilesystemStore::new(root).unwrap()), "/0").unwrap();
    let grid = side / PIECE;
    let places: Vec<[u64; 3]> = (0..count).map(|n| [n / grid / grid, n / grid % grid, n % grid]).collect();
    let options = CodecOptions::default().with_concurrent_target(1);
    // Both keep the indexes of shards from run to run.
    let cache = ArrayShardedReadableExtCache::new(&array);
    let sharded = cache.array_is_exclusively_sharded();
    let theirs = || {
        let started = Instant::now();
        let bytes: u64 = rayon.install(|| {
            let read = |at: &[u64; 3]| -> u64 {
                let bytes: ArrayBytes = if sharded {
                    array.retrieve_subchunk_opt(&cache, at, &options).unwrap()
                } else {
                    array.retrieve_chunk_opt(at, &options).unwrap()
                };
                bytes.into_fixed().unwrap().len() as u64
            };
            places.par_iter().map(read).sum()
        });
        assert_eq!(bytes, side.pow(3) * 2);
        started.elapsed()
    };

    ours();
    theirs();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        times[0].push(ours());
        times[1].push(theirs());
    }
    times
}

/// An image as a camera makes it: smooth structure, and noise in the low bits.
fn write(root: &Path, side: u64, chunk: u64) {
    let level =
        json!([{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]}]);
    let axes = ["z", "y", "x"].map(|name| json!({"name": name, "type": "space"}));
    let omero = json!({"channels": [{"window": {"start": 0, "end": 4000, "min": 0, "max": 65535}}]});
    let ome = json!({"version": "0.5", "multiscales": [{"axes": axes, "datasets": level}], "omero": omero});
    put(root, &json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}));
    let bytes = json!({"name": "bytes", "configuration": {"endian": "little"}});
    let zstd = json!({"name": "zstd", "configuration": {"level": 1, "checksum": false}});
    let mut codecs = json!([bytes, zstd]);
    if chunk != PIECE {
        codecs = json!([{"name": "sharding_indexed", "configuration": {
            "chunk_shape": ([PIECE; 3]), "codecs": codecs, "index_codecs": [bytes, {"name": "crc32c"}],
            "index_location": "end",
        }}]);
    }
    put(
        &root.join("0"),
        &json!({
            "zarr_format": 3, "node_type": "array", "shape": ([side; 3]), "data_type": "uint16", "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": ([chunk; 3])}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "codecs": codecs,
        }),
    );
    let array = Array::open(Arc::new(FilesystemStore::new(root).unwrap()), "/0").unwrap();
    let mut noise = 0x9e37_79b9_u32;
    for z in (0..side).step_by(chunk as usize) {
        let slab: Vec<u16> = (z..z + chunk)
            .flat_map(|z| (0..side * side).map(move |n| (z, n / side, n % side)))
            .map(|(z, y, x)| {
                noise ^= noise << 13;
                noise ^= noise >> 17;
                noise ^= noise << 5;
                let smooth = [z, y, x].map(|v| (v as f32 * 0.05).sin()).iter().sum::<f32>();
                (2000.0 + 500.0 * smooth) as u16 + (noise & 0x1ff) as u16
            })
            .collect();
        let region = ArraySubset::new_with_ranges(&[z..z + chunk, 0..side, 0..side]);
        array.store_array_subset(&region, slab).unwrap();
    }
}

fn put(folder: &Path, meta: &Value) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("zarr.json"), meta.to_string()).unwrap();
}
