//! What it costs to make the chunks that other parts draw, and how much of them is background.

use super::stats::{Row, percentile};
use lucida::data::{
    ChunkSource, Opened,
    demo::demo_spec,
    procedural::{ProceduralSpec, procedural},
    scatter::{Content, ScatterSpec, scatter},
};
use lucida_components::chunk::ChunkValues;
use std::time::Instant;

/// Edge of a chunk, and of a cell of a brick.
const CHUNK: usize = 64;
const CELL: usize = 16;

pub fn rows(full: bool) -> Vec<Row> {
    let side = if full { 8192 } else { 256 };
    let objects = scatter(ScatterSpec::cube(side, Content::Objects { occupancy: 0.6 }));
    let noise = scatter(ScatterSpec::cube(side, Content::Noise));
    let like = like_the_demo(if full { 1024 } else { 128 });
    vec![
        speed(&format!("a chunk of 64³ u16 of {side}³, scattered objects"), &objects, Some(0.2), full),
        speed(&format!("a chunk of 64³ u16 of {side}³, noise"), &noise, Some(0.2), full),
        speed("a chunk of 64³ u16 like the demo", &like, None, full),
        background(&like, full),
    ]
}

/// An image like the demo's, of cubic voxels and one channel.
pub fn like_the_demo(side: u64) -> Opened {
    let levels = (side.div_ceil(64)).next_power_of_two().trailing_zeros() as u16 + 1;
    procedural(ProceduralSpec {
        shape: [1, 1, side, side, side],
        chunk: [64; 3],
        levels,
        spacing: [10.0, 0.3, 0.3, 0.3],
        ..demo_spec()
    })
}

/// Numbers of `count` chunks of the finest level, all over it.
fn some(opened: &Opened, count: u64) -> impl Iterator<Item = u64> {
    let all: u64 = opened.dataset.images[0].levels[0].grid().product();
    let step = (all / count).max(1) | 1;
    (0..count).map(move |n| n * step % all)
}

fn read(source: &dyn ChunkSource, level: u16, number: u64) -> lucida_components::chunk::Bytes {
    match source.read(level, number).unwrap().values {
        ChunkValues::Dense(bytes) => bytes,
        ChunkValues::Uniform(_) => panic!("these chunks are dense"),
    }
}

/// By one thread; buffers are used again, as where they come from a pool.
fn speed(what: &str, opened: &Opened, bar: Option<f64>, full: bool) -> Row {
    let source = &*opened.sources[0].1;
    let time = |level: u16, count: u64| {
        let all: u64 = opened.dataset.images[0].levels[usize::from(level)].grid().product();
        let mut times: Vec<_> = some(opened, count)
            .map(|number| {
                let started = Instant::now();
                read(source, level, number % all);
                started.elapsed()
            })
            .collect();
        percentile(&mut times, 50.0)
    };
    let millis = time(0, if full { 500 } else { 2 });
    let levels = opened.dataset.images[0].levels.len() as u16;
    let coarser: Vec<String> =
        (1..levels).map(|level| format!("{:.2}", time(level, if full { 20 } else { 1 }))).collect();
    let nanos = millis * 1e6 / (CHUNK * CHUNK * CHUNK) as f64;
    let measured = format!("{millis:.3} ms, {nanos:.2} ns a voxel; coarser levels {} ms", coarser.join(", "));
    let text = bar.map_or("none".into(), |bar| format!("{bar} ms"));
    Row::new(&format!("{what}, one thread"), &text, measured, !full || bar.is_none_or(|bar| millis <= bar))
}

/// Cells in which nothing is brighter than the lower contrast limit, which any ray passes by; and those in which
/// nothing is brighter than a fiftieth of the window, which a ray passes by that has seen more.
fn background(opened: &Opened, full: bool) -> Row {
    let [lo, hi] = opened.dataset.layers[0].controls.contrast_limits;
    let bounds = [lo, lo + (hi - lo) / 50.0];
    let (mut cells, mut voxels, mut all) = ([0_u32; 2], 0, 0_u32);
    for number in some(opened, if full { 200 } else { 2 }) {
        let bytes = read(&*opened.sources[0].1, 0, number);
        let values: Vec<f64> =
            bytes.as_chunks::<2>().0.iter().map(|v| f64::from(u16::from_ne_bytes(*v))).collect();
        voxels += values.iter().filter(|v| **v <= lo).count();
        let along = CHUNK / CELL;
        for cell in 0..along * along * along {
            let from = [cell / along / along, cell / along % along, cell % along].map(|c| c * CELL);
            let row = |n: usize| ((from[0] + n / CELL) * CHUNK + from[1] + n % CELL) * CHUNK + from[2];
            let most =
                (0..CELL * CELL).flat_map(|n| &values[row(n)..][..CELL]).fold(0.0, |a: f64, b| a.max(*b));
            bounds.iter().zip(&mut cells).for_each(|(bound, n)| *n += u32::from(most <= *bound));
            all += 1;
        }
    }
    let [dark, dim] = cells.map(|n| 100.0 * f64::from(n) / f64::from(all));
    let voxels = 100.0 * voxels as f64 / (f64::from(all) * (CELL * CELL * CELL) as f64);
    Row::new(
        "cells of 16³ that are background, like the demo",
        "none",
        format!("{dark:.1} % ({dim:.1} % at most 2 % of the window; {voxels:.1} % of the voxels)"),
        true,
    )
}
