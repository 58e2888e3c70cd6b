//! A flight through a volume that is far larger than the GPU's budget for it: 8192³ u16 are a tebibyte.

use super::{
    space::{Frame, Space, Turn},
    stats::{Row, percentile},
};
use lucida::{
    app::world::WorldSettings,
    data::scatter::{Content, ScatterSpec, scatter},
    gpu::device::Device,
};
use lucida_components::{intent::Change, stream::Canvas};
use std::time::{Duration, Instant};

const MIB: f64 = 1_048_576.0;
/// Time of a frame.
const TICK: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// Pictures at most this often: a little more often than asked for, so that none misses its tick.
const INTERVAL: Duration = Duration::from_millis(15);
/// What does not come to rest by then does not.
const REST: Duration = Duration::from_secs(20);

/// Where the camera is at a share of the way: what it looks at and its distance in sides of the volume, azimuth and
/// elevation in degrees. What is looked at always lies in the volume, so the middle of the picture shows it.
const WAY: [(f64, [f64; 3], [f64; 2], f64); 10] = [
    (0.0, [0.5, 0.5, 0.5], [30.0, 30.0], 2.5),
    (0.2, [0.5, 0.5, 0.5], [60.0, 20.0], 0.6),
    (0.33, [0.5, 0.5, 0.5], [100.0, 10.0], 0.08),
    (0.43, [0.6, 0.45, 0.55], [160.0, -15.0], 0.05),
    (0.53, [0.3, 0.6, 0.5], [220.0, -30.0], 0.05),
    (0.62, [0.5, 0.5, 0.5], [290.0, 0.0], 0.9),
    (0.7, [0.5, 0.5, 0.5], [380.0, 35.0], 1.0),
    (0.8, [0.5, 0.5, 0.5], [480.0, 35.0], 1.0),
    (0.9, [0.5, 0.5, 0.5], [500.0, 20.0], 2.2),
    (1.0, [0.55, 0.5, 0.45], [520.0, 25.0], 0.5),
];

/// Where the volume must be seen: places round the middle of the picture.
const PROBES: [f64; 3] = [0.46, 0.5, 0.54];

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let canvas = |width, height| Canvas { width, height };
    let (side, frames, canvas, brick_bytes) = match (full, device.gpu.is_cpu) {
        (false, _) => (512, 6, canvas(128, 72), 32 << 20),
        (true, true) => (2048, 120, canvas(640, 360), 128 << 20),
        (true, false) => (8192, 600, canvas(1920, 1080), 2 << 30),
    };
    let judged = full && !device.gpu.is_cpu;
    let mut settings = WorldSettings::of(device);
    settings.budgets.brick_bytes = brick_bytes;
    let budgets = settings.budgets;
    let opened = scatter(ScatterSpec::cube(side, Content::Objects { occupancy: 0.6 }));
    let mut space = Space::new(device, &settings, opened, canvas, INTERVAL);
    space.ask(Change::Ndisplay(3));
    pose(&mut space, side, 0.0);
    space.settle(REST);

    let before = space.metrics();
    let flown = fly(&mut space, side, frames);
    let after = space.metrics();
    let (drafts, bricks) =
        (after.drafts_drawn - before.drafts_drawn, after.bricks_uploaded - before.bricks_uploaded);
    let stopped = Instant::now();
    let converged = converge(&mut space);
    let residency = space.residency();

    let what = format!("flight of {frames} frames through {side}³ u16, {}×{}", canvas.width, canvas.height);
    let times = |of: fn(&Flown) -> Duration| {
        let mut times: Vec<Duration> = flown.iter().map(of).collect();
        [50.0, 99.0, 100.0].map(|p| percentile(&mut times, p))
    };
    let (gpu, turn, wall) = (times(|f| f.gpu), times(|f| f.recording), times(|f| f.wall));
    let show = |[p50, p99, most]: [f64; 3]| format!("p50 {p50:.2} ms, p99 {p99:.2} ms, most {most:.2} ms");
    let bar = |text: &str| if judged { text.to_owned() } else { format!("{text}, on a GPU in full size") };
    let without = flown.iter().filter(|f| f.lit == 0).count();
    let fewest = flown.iter().map(|f| f.lit).min().unwrap_or(0);
    let missed = frames as usize - flown.len();
    let host = space.peak[0] as f64 / MIB;
    let gpu_bytes = space.peak[1] as f64 / MIB;
    let share = |bytes: u64| bytes as f64 / MIB;
    let levels = residency.levels.map_or(String::new(), |[a, b]| format!("; levels {a} to {b}"));
    vec![
        Row::new(
            &format!("{what}, budget {:.0} MiB: GPU", share(brick_bytes)),
            &bar("p99 8 ms"),
            format!("{}; {drafts} drafts; {bricks} bricks uploaded", show(gpu)),
            !judged || gpu[1] <= 8.0,
        ),
        Row::new("… the turn that recorded it, with its uploads", "none", show(turn), true),
        Row::new("… from the intent until it can be encoded", "none", show(wall), true),
        Row::new(
            "… frames without the volume",
            "0",
            format!(
                "{without} of {} ({fewest} of 9 places lit at least; {missed} ticks without a frame)",
                flown.len()
            ),
            without == 0,
        ),
        Row::new(
            "… stopped → every brick that is wanted resident and drawn",
            &bar("500 ms"),
            match converged {
                Some(at) => format!(
                    "{:.0} ms ({} bricks, {} withheld{levels})",
                    (at - stopped).as_secs_f64() * 1e3,
                    residency.wanted,
                    residency.withheld
                ),
                None => format!(
                    "not within {} s ({} of {})",
                    REST.as_secs(),
                    residency.resident,
                    residency.wanted
                ),
            },
            converged.is_some_and(|at| !judged || at - stopped <= Duration::from_millis(500)),
        ),
        Row::new(
            "… most bytes of chunks in host memory; of all buffers and textures on the GPU",
            &format!("{:.0} MiB; bricks {:.0} MiB", share(budgets.host_bytes), share(brick_bytes)),
            format!("{host:.0} MiB; {gpu_bytes:.0} MiB"),
            host <= share(budgets.host_bytes),
        ),
    ]
}

/// One frame of the flight.
struct Flown {
    gpu: Duration,
    /// The turn that recorded it.
    recording: Duration,
    /// From the intent until it can be encoded.
    wall: Duration,
    /// Probes that show the volume.
    lit: usize,
}

/// Flies the whole way at sixty frames a second. Chunks are taken in between, as they come.
fn fly(space: &mut Space, side: u64, frames: u32) -> Vec<Flown> {
    let mut flown = Vec::new();
    let begun = Instant::now();
    for n in 0..frames {
        let tick = begun + n * TICK;
        while Instant::now() < tick {
            space.receive(tick);
            // A picture of the last pose, now sharper, is one more; it was not asked for.
            space.turn();
        }
        pose(space, side, f64::from(n + 1) / f64::from(frames));
        let asked = Instant::now();
        space.receive(asked);
        while asked.elapsed() < TICK {
            if let Turn::Frame(frame) = space.turn() {
                let (gpu, recording, wall) = (frame.gpu, frame.recording, frame.done - asked);
                flown.push(Flown { gpu, recording, wall, lit: lit(&frame) });
                break;
            }
            space.receive(Instant::now() + Duration::from_millis(1));
        }
    }
    flown
}

/// When everything was there and drawn; `None` where it is not in time.
fn converge(space: &mut Space) -> Option<Instant> {
    let begun = Instant::now();
    let mut drawn = None;
    while begun.elapsed() < REST {
        let busy = match space.turn() {
            Turn::Nothing => false,
            Turn::Piece => true,
            Turn::Frame(_) => {
                drawn = Some(Instant::now());
                true
            }
        };
        // At rest a picture is drawn once more, in full; then none for a while.
        let last = drawn.unwrap_or(begun);
        if !busy && space.is_resident() && last.elapsed() > Duration::from_millis(400) {
            return Some(last);
        }
        space.receive(Instant::now() + Duration::from_millis(1));
    }
    None
}

/// Places round the middle that show the volume.
fn lit(frame: &Frame) -> usize {
    PROBES.iter().flat_map(|y| PROBES.map(|x| [x, *y])).filter(|p| frame.is_lit(*p)).count()
}

/// Looks from a share of the way.
fn pose(space: &mut Space, side: u64, at: f64) {
    let next = WAY.iter().position(|p| p.0 >= at).unwrap_or(WAY.len() - 1).max(1);
    let (a, b) = (&WAY[next - 1], &WAY[next]);
    let u = ((at - a.0) / (b.0 - a.0)).clamp(0.0, 1.0);
    let u = u * u * (3.0 - 2.0 * u);
    let mix = |a: f64, b: f64| a + (b - a) * u;
    let side = side as f64;
    let center = std::array::from_fn(|i| mix(a.1[i], b.1[i]) * side);
    // Distances span two orders of magnitude: in equal ratios.
    let distance = (mix(a.3.ln(), b.3.ln())).exp() * side;
    space.look(center, [mix(a.2[0], b.2[0]), mix(a.2[1], b.2[1]), 0.0], distance);
}
