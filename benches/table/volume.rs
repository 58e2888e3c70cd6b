//! Volumes that are resident: what a picture costs on the GPU in each mode, against size and against how full
//! they are; and how long a volume takes to appear.

use super::{
    made::like_the_demo,
    space::{Space, Turn},
    stats::{Row, median_and_p99, percentile},
};
use lucida::{
    app::world::WorldSettings,
    data::{
        Opened,
        scatter::{Content, ScatterSpec, scatter},
    },
    gpu::device::Device,
};
use lucida_components::{
    controls::{ControlChange, Rendering},
    intent::Change,
    stream::Canvas,
};
use std::{
    fmt::Write,
    time::{Duration, Instant},
};

const GIB: u64 = 1 << 30;
/// Share of regions with an object, where nothing else is said.
const OCCUPANCY: f64 = 0.6;
/// Pictures are measured whole, whatever they cost: with so much time for each, nothing has to be left out.
/// The world's clock goes so much on from one to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// An image whose bricks are not all there by then is measured as it is, and the row says so.
const SETTLE: Duration = Duration::from_secs(12);
/// What is not begun by then is left out, and said to be: the table is to be had in minutes.
const DEADLINE: Duration = Duration::from_secs(150);

/// How large everything is on this device.
#[derive(Clone, Copy)]
struct Size {
    /// Sides of images are divided by this.
    by: u64,
    canvas: Canvas,
    frames: u32,
    /// Of all brick pools.
    brick_bytes: u64,
    /// The bars are for a GPU.
    judged: bool,
}

impl Size {
    fn of(device: &Device, full: bool) -> Self {
        let canvas = |width, height| Canvas { width, height };
        match (full, device.gpu.is_cpu) {
            (false, _) => {
                Self { by: 16, canvas: canvas(128, 72), frames: 1, brick_bytes: GIB / 16, judged: false }
            }
            (true, true) => {
                Self { by: 8, canvas: canvas(640, 360), frames: 12, brick_bytes: GIB / 4, judged: false }
            }
            (true, false) => {
                Self { by: 1, canvas: canvas(1920, 1080), frames: 60, brick_bytes: 4 * GIB, judged: true }
            }
        }
    }

    fn side(self, side: u64) -> u64 {
        (side / self.by).max(32)
    }

    /// Of a frame of an orbit that begins at 30°, in degrees.
    fn azimuth(self, frame: u32) -> f64 {
        30.0 + 360.0 * f64::from(frame + 1) / f64::from(self.frames.max(12))
    }

    fn bar(self, millis: f64) -> String {
        if self.judged { format!("{millis} ms") } else { format!("{millis} ms, on a GPU in full size") }
    }

    fn name(self) -> String {
        format!("{}×{}", self.canvas.width, self.canvas.height)
    }
}

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let size = Size::of(device, full);
    let begun = Instant::now();
    let mut rows = modes(device, size);
    let side = size.side(1024);
    let noise = scatter(ScatterSpec::cube(side, Content::Noise));
    rows.push(one(device, size, &format!("{side}³ u16, dense noise, mip"), noise, side, 6.0));
    let side = size.side(512);
    let channels = ScatterSpec {
        shape: [4, side, side, side],
        ..ScatterSpec::cube(side, Content::Objects { occupancy: OCCUPANCY })
    };
    let what = format!("{side}³ × 4 channels u16, mip, added");
    rows.push(one(device, size, &what, scatter(channels), side, 2.5));
    let side = size.side(2048);
    rows.push(one(device, size, &format!("{side}³ u16, mip"), objects(side, OCCUPANCY), side, 3.0));
    rows.extend(toggle(device, size));
    rows.push(against_size(device, size, begun));
    rows.push(against_occupancy(device, size, begun));
    eprintln!("volume: {:.0} s in all", begun.elapsed().as_secs_f64());
    rows
}

fn objects(side: u64, occupancy: f64) -> Opened {
    scatter(ScatterSpec::cube(side, Content::Objects { occupancy }))
}

/// A world that shows a cube as a volume that fills the view, settled.
struct Shown<'a> {
    space: Space<'a>,
    /// World units.
    side: f64,
    size: Size,
    /// What it was drawn from when it had settled.
    levels: String,
    /// What of it is there, where that is not all.
    lacks: String,
    /// The share of the picture that is not background.
    lit: f64,
}

impl<'a> Shown<'a> {
    fn new(device: &'a Device, size: Size, opened: Opened) -> Self {
        let mut settings = WorldSettings::of(device);
        settings.budgets.brick_bytes = size.brick_bytes;
        settings.budgets.upload_micros = 20_000;
        let (scale, _) = opened.dataset.placement(opened.dataset.axes.len() - 1);
        let side = scale * opened.dataset.extent(opened.dataset.axes.len() - 1) as f64;
        let mut space = Space::new(device, &settings, opened, size.canvas, INTERVAL);
        space.ask(Change::Ndisplay(3));
        let mut shown = Self { space, side, size, levels: String::new(), lacks: String::new(), lit: 0.0 };
        // Once round, so that what comes into view later is there too.
        let begun = Instant::now();
        for n in 0..size.frames {
            shown.turn_to(size.azimuth(n));
            if begun.elapsed() > SETTLE || !shown.space.load(SETTLE) {
                break;
            }
        }
        shown.turn_to(30.0);
        shown.settle();
        shown
    }

    fn turn_to(&mut self, azimuth: f64) {
        self.space.look([self.side / 2.0; 3], [azimuth, 30.0, 0.0], 0.8 * self.side);
    }

    fn settle(&mut self) {
        let settled = self.space.settle(SETTLE);
        let r = self.space.residency();
        self.levels = match r.levels {
            Some([a, b]) if a == b => format!("level {a}"),
            Some([a, b]) => format!("levels {a} to {b}"),
            None => "no level".into(),
        };
        self.lacks = match settled {
            false => format!("; {} of {} bricks after {} s", r.resident, r.wanted, SETTLE.as_secs()),
            true if r.withheld > 0 => format!("; {} bricks withheld", r.withheld),
            true => String::new(),
        };
    }

    /// Times of pictures all round.
    fn orbit(&mut self) -> Vec<Duration> {
        let frames = self.size.frames;
        let (mut times, mut incomplete) = (Vec::new(), 0);
        let drafts = self.space.metrics().drafts_drawn;
        // The first few find out what a picture costs.
        for n in 0..frames + 2 {
            self.turn_to(self.size.azimuth(n));
            self.space.skip();
            let Some(frame) = self.space.frame() else {
                self.lacks.push_str("; no picture");
                break;
            };
            if n >= 2 {
                times.push(frame.gpu);
                self.lit = frame.lit();
                incomplete += u32::from(!self.space.is_resident());
            }
        }
        // The first one is a draft, as nothing is known of what it costs.
        let drafts = (self.space.metrics().drafts_drawn - drafts).saturating_sub(1);
        if drafts > 0 {
            let _ = write!(self.lacks, "; {drafts} drafts");
        }
        if incomplete > 0 {
            let _ = write!(self.lacks, "; {incomplete} frames with bricks still to come");
        }
        times
    }

    fn measured(&mut self) -> (String, f64) {
        let (text, median) = median_and_p99(&mut self.orbit());
        (format!("{text}; {}; {:.0} % lit{}", self.levels, 100.0 * self.lit, self.lacks), median)
    }
}

/// Every mode on an image like the demo's.
fn modes(device: &Device, size: Size) -> Vec<Row> {
    let side = size.side(1024);
    let mut shown = Shown::new(device, size, like_the_demo(side));
    let modes = [
        (Rendering::Mip, Some(1.5)),
        (Rendering::Translucent, Some(1.5)),
        (Rendering::Iso, Some(1.5)),
        (Rendering::AttenuatedMip, Some(1.5)),
        (Rendering::Average, None),
        (Rendering::MinIp, None),
        (Rendering::Additive, None),
    ];
    let row = |(mode, bar): (Rendering, Option<f64>)| {
        shown.space.ask(Change::Volume(ControlChange::Rendering(mode)));
        shown.settle();
        let (measured, median) = shown.measured();
        let what = format!("{side}³ u16 like the demo, {}, orbiting, GPU, {}", mode.as_str(), size.name());
        let text = bar.map_or("none".into(), |bar| size.bar(bar));
        Row::new(&what, &text, measured, !size.judged || bar.is_none_or(|bar| median <= bar))
    };
    modes.into_iter().map(row).collect()
}

/// One image, maximum intensity.
fn one(device: &Device, size: Size, what: &str, opened: Opened, side: u64, bar: f64) -> Row {
    let mut shown = Shown::new(device, size, opened);
    debug_assert!((shown.side - side as f64).abs() < 1.0);
    let (measured, median) = shown.measured();
    let what = format!("{what}, orbiting, GPU, {}", size.name());
    Row::new(&what, &size.bar(bar), measured, !size.judged || median <= bar)
}

/// From the plane to the volume: the first time, when nothing of it is there, and later.
fn toggle(device: &Device, size: Size) -> Vec<Row> {
    let side = size.side(1024);
    let mut settings = WorldSettings::of(device);
    settings.budgets.brick_bytes = size.brick_bytes.min(2 * GIB);
    let interval = Duration::from_secs(1) / 60;
    let mut space = Space::new(device, &settings, like_the_demo(side), size.canvas, interval);
    space.settle(SETTLE);
    let mut times = Vec::new();
    for _ in 0..if size.frames > 1 { 11 } else { 2 } {
        let before = space.revision();
        space.ask(Change::Ndisplay(3));
        let asked = Instant::now();
        let first = loop {
            match space.turn() {
                Turn::Frame(frame) if frame.revision > before => break Some(asked.elapsed()),
                _ if asked.elapsed() > SETTLE => break None,
                _ => space.receive(Instant::now() + Duration::from_millis(1)),
            }
        };
        times.extend(first);
        space.settle(SETTLE);
        space.ask(Change::Ndisplay(2));
        space.settle(SETTLE);
    }
    let row = |what: &str, times: &mut [Duration]| {
        let p50 = percentile(times, 50.0);
        let frames = (p50 / interval.as_secs_f64() / 1e3).ceil();
        let measured = format!("{p50:.1} ms (n {}): {frames} frames of 1/60 s", times.len());
        let what = format!("2D → 3D, {side}³ u16 like the demo, {} → first picture, {what}", size.name());
        Row::new(&what, "the next frame: 16.7 ms", measured, !size.judged || frames <= 1.0)
    };
    let once = times.len().min(1);
    let (first, later) = times.split_at_mut(once);
    vec![row("the first time", first), row("later", later)]
}

/// Maximum intensity at one size of the picture, whatever the size of the image.
fn against_size(device: &Device, size: Size, begun: Instant) -> Row {
    let sides = [256, 512, 1024, 2048, 4096, 8192].map(|s| size.side(s));
    let mut points = Vec::new();
    let mut last = 0.0;
    for side in sides {
        if begun.elapsed() > DEADLINE {
            points.push(format!("{side}³ left out: no time"));
            continue;
        }
        let mut shown = Shown::new(device, size, objects(side, OCCUPANCY));
        let (p50, p99) = {
            let mut times = shown.orbit();
            (percentile(&mut times, 50.0), percentile(&mut times, 99.0))
        };
        let bricks = shown.space.residency().resident;
        points.push(format!("{side}³ {p50:.2} ({p99:.2}; {bricks} bricks, {}{})", shown.levels, shown.lacks));
        last = p50;
    }
    let what = format!("mip against size, {}, median (p99) in ms, GPU", size.name());
    Row::new(&what, "a curve", points.join(" · "), true).by(last)
}

/// Maximum intensity and translucent, from nearly empty to full.
fn against_occupancy(device: &Device, size: Size, begun: Instant) -> Row {
    let side = size.side(1024);
    let mut points = Vec::new();
    let mut last = 0.0;
    for percent in [5, 10, 25, 50, 75, 100] {
        if begun.elapsed() > DEADLINE {
            points.push(format!("{percent} % left out: no time"));
            continue;
        }
        let mut shown = Shown::new(device, size, objects(side, f64::from(percent) / 100.0));
        let mip = percentile(&mut shown.orbit(), 50.0);
        shown.space.ask(Change::Volume(ControlChange::Rendering(Rendering::Translucent)));
        shown.settle();
        let translucent = percentile(&mut shown.orbit(), 50.0);
        points.push(format!("{percent} % {mip:.2} / {translucent:.2}{}", shown.lacks));
        last = mip;
    }
    let what = format!("mip / translucent against occupancy, {side}³, {}, median in ms, GPU", size.name());
    Row::new(&what, "a curve", points.join(" · "), true).by(last)
}
