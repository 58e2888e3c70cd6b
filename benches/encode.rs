//! What a picture costs to encode while its scene is dragged.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lucida::encode::{EncoderConfig, VideoEncoder, openh264::OpenH264};
use lucida_components::stream::Canvas;
use std::hint::black_box;

#[path = "../tests/encode/moving.rs"]
mod moving;

fn encode(c: &mut Criterion) {
    for (name, width, height) in [("720p", 1280, 720), ("1080p", 1920, 1080)] {
        let canvas = Canvas { width, height };
        let scene = moving::Scene::new(canvas);
        let mut group = c.benchmark_group(format!("encode/{name}"));
        group.throughput(Throughput::Elements(1));
        for threads in [1, 2] {
            let config = EncoderConfig { canvas, fps: 60.0, bitrate: 8_000_000, threads };
            let open = || OpenH264::new(config).expect("an encoder");
            group.bench_function(format!("open and first picture/{threads} threads"), |b| {
                b.iter(|| black_box(open().encode(scene.picture(0), false).expect("a picture")));
            });
            // Opened after that: one encoder at a time has the threads.
            let mut encoder = open();
            let mut step = 0;
            group.bench_function(format!("dragged/{threads} threads"), |b| {
                b.iter(|| {
                    step += 1;
                    black_box(encoder.encode(scene.picture(step), false).expect("a picture"))
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, encode);
criterion_main!(benches);
