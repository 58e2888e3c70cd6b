//! Draw, convert, encode: 1280×720, three u16 layers, resident.

use super::stats::{Row, median_and_p99};
use bevy_app::App;
use lucida::{
    app::world::{self, WorldSettings},
    data::{
        Opened,
        pool::{ChunkPool, Sources},
        procedural::{ProceduralSpec, procedural},
    },
    encode::{EncoderConfig, I420, VideoEncoder, openh264::OpenH264},
    gpu::device::Device,
};
use lucida_components::{
    camera::{CameraDelta, CameraParts, Rect},
    chunk::{Arrivals, Wants},
    clock::Clock,
    controls::{ControlChange, Interpolation},
    ids::ViewId,
    intent::{Change, Intent},
    notice::Residency,
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::job::{FrameJob, Handover, Job, Returned},
};
use std::time::{Duration, Instant};

/// Enough image around the canvas to drag over.
pub fn spec() -> ProceduralSpec {
    ProceduralSpec { shape: [2, 3, 16, 1024, 1600], ..ProceduralSpec::default() }
}

/// A world without threads of its own, and the chunks for it.
pub struct Bench<'a> {
    pub app: App,
    device: &'a Device,
    sources: Sources,
    pool: ChunkPool,
    arrivals: crossbeam_channel::Receiver<lucida::app::bridge::Arrival>,
}

pub fn rows(device: &Device, full: bool) -> Vec<Row> {
    let settings = WorldSettings::of(device);
    let mut bench = Bench::new(device);
    bench.show(procedural(spec()));
    // One screen pixel per voxel.
    let unit = spec().spacing[3];
    let rect =
        Some(Rect { left: 40.0 * unit, bottom: 40.0 * unit, width: 1280.0 * unit, height: 720.0 * unit });
    bench.ask(Change::Camera(CameraDelta::Set(CameraParts { rect, ..CameraParts::default() })));
    bench.settle();

    let frames = if full { 120 } else { 2 };
    let mut rows = Vec::new();
    let mut encode = Vec::new();
    let config = EncoderConfig {
        canvas: lucida_components::stream::Canvas::default(),
        fps: Pace::MAX_FPS as f32,
        bitrate: settings.encode.bitrate,
        threads: settings.encode.threads,
    };
    let mut encoder = OpenH264::new(config).unwrap();
    for (interpolation, bar) in [(Interpolation::Nearest, 16.0), (Interpolation::Linear, 30.0)] {
        bench.ask(Change::Volume(ControlChange::Interpolation(interpolation)));
        bench.settle();
        let mut draw = Vec::new();
        for n in 0..frames {
            let dx = if n % 60 < 30 { 3.0 } else { -3.0 };
            bench.ask(Change::Camera(CameraDelta::Pan { dx, dy: dx / 3.0 }));
            let (job, took) = bench.turn().expect("a pan is a new picture");
            draw.push(took);
            encode.push(encode_one(device, &job, &mut encoder));
        }
        let (measured, median) = median_and_p99(&mut draw);
        let what = format!("plane draw + convert, {}", interpolation.as_str());
        rows.push(Row::new(&what, &format!("{bar} ms"), measured, median <= bar));
    }
    let (measured, median) = median_and_p99(&mut encode);
    rows.push(Row::new("encode, dragging", "9 ms", measured, median <= 9.0));
    rows
}

impl<'a> Bench<'a> {
    pub fn new(device: &'a Device) -> Self {
        let settings = WorldSettings::of(device);
        let sources = Sources::default();
        let (pool, arrivals) = ChunkPool::new(settings.pool_threads, sources.clone()).unwrap();
        let mut app = world::app(device, &settings);
        let world = app.world_mut();
        for mut pace in world.query::<&mut Pace>().iter_mut(world) {
            pace.always = true;
            pace.interval = Duration::ZERO;
        }
        Self { app, device, sources, pool, arrivals }
    }

    /// Asks for an image to be shown.
    pub fn show(&mut self, opened: Opened) {
        let show = world::show(&self.sources, opened);
        self.app.world_mut().resource_mut::<Inbox>().intents.push(show);
    }

    /// Takes the chunks that came within a millisecond.
    pub fn receive(&mut self) {
        if let Ok(arrival) = self.arrivals.recv_timeout(Duration::from_millis(1)) {
            let mut arrivals = self.app.world_mut().resource_mut::<Arrivals>();
            arrivals.0.push(arrival);
            arrivals.0.extend(self.arrivals.try_iter());
        }
    }

    fn ask(&mut self, change: Change) {
        let intent = Intent { origin: None, view: ViewId::MAIN, change, arrived: Instant::now(), op: 0 };
        self.app.world_mut().resource_mut::<Inbox>().intents.push(intent);
    }

    /// Turns until everything wanted is on the GPU.
    pub fn settle(&mut self) {
        for quiet in 0.. {
            let drawn = self.turn().is_some();
            let world = self.app.world_mut();
            let r = *world.query::<&Residency>().single(world).unwrap();
            if !drawn && !r.waiting && r.resident == r.wanted && quiet > 2 {
                return;
            }
            self.receive();
        }
    }

    /// A turn; the time from submitting its frame until the GPU is done.
    pub fn turn(&mut self) -> Option<(FrameJob, Duration)> {
        self.app.world_mut().resource_mut::<Clock>().now = Instant::now();
        self.app.update();
        let world = self.app.world_mut();
        let mut wants = world.resource_mut::<Wants>();
        if std::mem::take(&mut wants.changed) {
            self.pool.request(&wants.list);
        }
        let jobs = std::mem::take(&mut world.resource_mut::<Handover>().0);
        let mut frame = None;
        for job in jobs {
            match job {
                Job::Upload(upload) => {
                    self.device.gpu.queue.submit([upload.commands]);
                }
                Job::Piece(piece) => {
                    self.device.gpu.queue.submit([piece.commands]);
                }
                Job::Frame(job) => frame = Some(job),
                Job::Close(_) => {}
            }
        }
        let mut job = frame?;
        world.resource_mut::<Returned>().0.push(job.returned(false, None));
        let commands = job.commands.take()?;
        let started = Instant::now();
        self.device.gpu.queue.submit([commands]);
        self.device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        Some((*job, started.elapsed()))
    }
}

/// Encodes a frame from its mapping; the time it took.
fn encode_one(device: &Device, job: &FrameJob, encoder: &mut OpenH264) -> Duration {
    job.readback.map_async(wgpu::MapMode::Read, .., |r| r.unwrap());
    device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let took = {
        let bytes = job.readback.get_mapped_range(..).unwrap();
        let stride = job.layout.stride as usize;
        let (y, chroma) = bytes.split_at(stride * job.layout.canvas.height as usize);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        let started = Instant::now();
        let unit = encoder.encode(I420 { canvas: job.layout.canvas, y, u, v, stride }, false).unwrap();
        assert!(!unit.avcc.is_empty());
        started.elapsed()
    };
    job.readback.unmap();
    took
}
