//! Places that are not in memory yet: a zoom into an image of ten gigapixels, cold steps, steps read ahead.

use super::{
    client::Client,
    stats::{Row, percentile},
};
use lucida::{
    app::world::{self, RunningWorld, WorldSettings},
    data::{
        Opened, demo, open,
        procedural::{ProceduralSpec, procedural},
    },
    gpu::device::Device,
    server::{self, ServerConfig},
    wire::command::{CommandCode, CommandFailure},
};
use lucida_components::dtype::Dtype;
use serde_json::json;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Pixels of the slide along each side.
const SIDE: u64 = 100_000;
/// Without a picture for so long, it is sharp.
const QUIET: Duration = Duration::from_millis(400);
const MIB: f64 = 1_048_576.0;

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut rows = runtime.block_on(zooms(device, full));
    rows.extend(runtime.block_on(steps(device, full)));
    runtime.shutdown_background();
    rows
}

/// A world, its server, and a client that watches.
struct Served {
    world: RunningWorld,
    server: tokio::task::JoinHandle<()>,
    client: Client,
}

impl Served {
    async fn new(device: &Device, opened: Opened) -> Self {
        let world = world::start(device.clone(), WorldSettings::of(device)).unwrap();
        let intent = world::show(&world.sources, opened);
        world.handle.send_blocking(lucida::app::bridge::Inbound::Intent(intent)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let opener = Arc::new(|_: &str| Err(CommandFailure::new(CommandCode::PathForbidden, "no")));
        let handle = world.handle.clone();
        let server = tokio::spawn(async move {
            let never = std::future::pending();
            server::run(listener, ServerConfig::default(), handle, opener, never).await.unwrap();
        });
        let client = Client::connect(addr).await.unwrap();
        let mut served = Self { world, server, client };
        served.quiet().await;
        served
    }

    /// When the last picture came, once none comes any more.
    async fn quiet(&mut self) -> Option<Instant> {
        while tokio::time::timeout(QUIET, self.client.news.changed()).await.is_ok() {}
        self.client.seen.lock().unwrap().pictures.last().map(|p| p.2)
    }

    /// Sends a change: how long until its picture, and until the last one that it led to.
    async fn ask(&mut self, scope: &str, target: &str, key: &str, value: serde_json::Value) -> [Duration; 2] {
        let (id, sent) = self.client.update(scope, target, key, value).await;
        let first = self.client.answered(&id).await.unwrap();
        let last = self.quiet().await.unwrap_or(first);
        [first - sent, last - sent]
    }

    async fn end(self) {
        self.server.abort();
        let world = self.world;
        tokio::task::spawn_blocking(move || world.stop()).await.unwrap().unwrap();
    }
}

/// From the whole to a corner, another one each time.
async fn zooms(device: &Device, full: bool) -> Vec<Row> {
    let spec = ProceduralSpec {
        shape: [1, 1, 1, SIDE, SIDE],
        chunk: [1, 256, 256],
        levels: 10,
        dtype: Dtype::U8,
        ..ProceduralSpec::default()
    };
    let unit = spec.spacing[3];
    let mut served = Served::new(device, procedural(spec)).await;
    let (mut first, mut sharp) = (Vec::new(), Vec::new());
    for n in 0..if full { 20_u64 } else { 1 } {
        // The first time it is there already.
        served.client.update("camera", "main", "reset", json!({})).await;
        served.quiet().await;
        let inset = 1500 * (n / 4);
        let far = |side: u64, size: u64| if side == 0 { inset } else { SIDE - inset - size } as f64 * unit;
        let rect = [far(n % 2, 1280), far(n / 2 % 2, 720), 1280.0 * unit, 720.0 * unit];
        let [a, b] = served.ask("camera", "main", "set", json!({"rect": rect})).await;
        first.push(a);
        sharp.push(b);
    }
    // The numbers are published ten times a second.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let host = served.world.handle.metrics().host_peak_bytes as f64 / MIB;
    let gpu = device.gpu.memory.peak() as f64 / MIB;
    served.end().await;
    let (f50, f99) = (percentile(&mut first, 50.0), percentile(&mut first, 99.0));
    let (s50, s99) = (percentile(&mut sharp, 50.0), percentile(&mut sharp, 99.0));
    vec![
        Row::new(
            "zoom from the whole to a corner, 100,000² u8 → first picture received",
            "the next frame: p50 35 ms, as a step",
            format!("p50 {f50:.1} ms, p99 {f99:.1} ms (n {})", first.len()),
            f50 <= 35.0,
        ),
        Row::new(
            "… → sharp",
            "300 ms",
            format!("p50 {s50:.0} ms, p99 {s99:.0} ms (n {})", sharp.len()),
            s50 <= 300.0,
        ),
        Row::new(
            "… decoded chunks in host memory; buffers on the GPU, all in all so far",
            "512 MiB; 256 MiB",
            format!("{host:.0} MiB; {gpu:.0} MiB"),
            host <= 512.0 && gpu <= 256.0,
        ),
    ]
}

/// Steps to a place that was not read yet, then on.
async fn steps(device: &Device, full: bool) -> Vec<Row> {
    let (path, name, _dir) = data();
    let (mut cold, mut ahead) = (Vec::new(), Vec::new());
    let mut dropped = true;
    for _ in 0..if full { 15 } else { 1 } {
        // Another world each time: nothing is in its memory.
        let opened = open::open(&path).unwrap();
        let depth = {
            let z = opened.dataset.axes.iter().position(|a| a.label == "z").unwrap();
            opened.dataset.extent(z)
        };
        let mut served = Served::new(device, opened).await;
        dropped &= drop_from_page_cache(&path);
        // It begins in the middle.
        let [first, _] = served.ask("dims", "z", "scene_index", json!(depth / 5)).await;
        cold.push(first);
        for _ in 0..if full { 8 } else { 2 } {
            let [first, _] = served.ask("dims", "z", "step", json!(1)).await;
            ahead.push(first);
        }
        served.end().await;
    }
    let cache = if dropped { "page cache dropped" } else { "warm page cache" };
    let (c50, c99) = (percentile(&mut cold, 50.0), percentile(&mut cold, 99.0));
    let (a50, a99) = (percentile(&mut ahead, 50.0), percentile(&mut ahead, 99.0));
    vec![
        Row::new(
            &format!("cold step in z → its frame received ({name}, {cache})"),
            "p50 60 ms",
            format!("p50 {c50:.1} ms, p99 {c99:.1} ms (n {})", cold.len()),
            c50 <= 60.0,
        ),
        Row::new(
            &format!("step to a neighbour that was read ahead → its frame received ({name})"),
            "p50 35 ms",
            format!("p50 {a50:.1} ms, p99 {a99:.1} ms (n {})", ahead.len()),
            a50 <= 35.0,
        ),
    ]
}

/// The real brain where it is, an image like it elsewhere.
fn data() -> (PathBuf, &'static str, Option<tempfile::TempDir>) {
    let shared = std::env::var_os("LUCIDA_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let brain = shared.join("data/brain-3ch-v04.ome.zarr");
    if brain.is_dir() {
        return (brain, "brain-3ch-v04", None);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made.ome.zarr");
    let spec = ProceduralSpec { shape: [1, 3, 32, 256, 256], chunk: [8, 128, 128], ..demo::demo_spec() };
    demo::write(spec, &path, &|_, _| {}).unwrap();
    (path, "a made image", Some(dir))
}

/// Asks the system to forget the files of a folder; false where it cannot be asked. What was just written
/// is written out first: only clean pages are forgotten.
fn drop_from_page_cache(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().all(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return drop_from_page_cache(&path);
        }
        let file = File::open(&path).unwrap();
        // A file system that is read only has nothing to write.
        let _ = file.sync_all();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).is_ok()
    })
}
