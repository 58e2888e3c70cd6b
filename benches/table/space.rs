//! A world that draws volumes in this process: with a pool of its own, one that watches, and neither sockets nor
//! encoders. What is drawn is submitted and waited for, so each frame's times are its own.

use bevy_app::App;
use lucida::{
    app::world::{self, WorldSettings},
    data::{
        Opened,
        pool::{ChunkPool, Sources},
    },
    gpu::device::Device,
};
use lucida_components::{
    applied::Applied,
    camera::{CameraDelta, CameraParts},
    chunk::{Arrivals, Wants},
    clock::Clock,
    ids::{SessionId, ViewId},
    intent::{Change, Intent, SessionEvent},
    metrics::Metrics,
    notice::Residency,
    session::{Features, Newcomer, Watch},
    stream::Canvas,
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::{
        job::{FrameJob, Handover, Job, PieceReturned, Pieces, Returned},
        renderer::Renderer,
    },
};
use std::time::{Duration, Instant};

/// Nothing is drawn any more after a rest of this length.
const AT_REST: Duration = Duration::from_millis(400);
/// The world's clock goes so much further in a turn with nothing to do.
const HURRY: Duration = Duration::from_millis(20);

/// A world, its pool, and the time it believes it is.
pub struct Space<'a> {
    app: App,
    device: &'a Device,
    pool: ChunkPool,
    arrivals: crossbeam_channel::Receiver<lucida::app::bridge::Arrival>,
    /// Pictures come at most this often.
    interval: Duration,
    /// How far the world's clock is ahead of the real one.
    ahead: Duration,
    /// The most bytes of chunks in host memory, and of buffers on the GPU, after any turn.
    pub peak: [u64; 2],
}

/// A picture that was drawn.
pub struct Frame {
    /// What it shows.
    pub revision: u64,
    /// By the GPU's clocks where it has any, else from its submission to its end.
    pub gpu: Duration,
    /// Time of the turn that recorded it.
    pub recording: Duration,
    /// When it could be encoded.
    pub done: Instant,
    /// Luma of every pixel, row 0 on top.
    pub luma: Vec<u8>,
    width: usize,
}

impl Frame {
    /// Whether there is more than background at a place, 0..1 from the left and from the top. Black is 16.
    pub fn is_lit(&self, [x, y]: [f64; 2]) -> bool {
        let rows = self.luma.len() / self.width;
        let at = |v: f64, n: usize| ((v * n as f64) as usize).min(n - 1);
        self.luma[at(y, rows) * self.width + at(x, self.width)] > 18
    }

    /// The share of pixels with more than background.
    pub fn lit(&self) -> f64 {
        self.luma.iter().filter(|v| **v > 18).count() as f64 / self.luma.len() as f64
    }
}

impl<'a> Space<'a> {
    /// Shows an image in pictures of this size, one every `interval` at most.
    pub fn new(
        device: &'a Device,
        settings: &WorldSettings,
        opened: Opened,
        canvas: Canvas,
        interval: Duration,
    ) -> Self {
        let sources = Sources::default();
        let (pool, arrivals) = ChunkPool::new(settings.pool_threads, sources.clone()).unwrap();
        pool.limit_transit(settings.budgets.transit_bytes());
        let mut app = world::app(device, settings);
        let world = app.world_mut();
        for mut pace in world.query::<&mut Pace>().iter_mut(world) {
            pace.interval = interval;
        }
        world.resource_mut::<Renderer>().programs.compile_beside();
        let show = world::show(&sources, opened);
        let mut inbox = world.resource_mut::<Inbox>();
        inbox.intents.push(show);
        let session = SessionId(1);
        let newcomer = Box::new(Newcomer::new(Features::default()));
        inbox.events.push(SessionEvent::Joined { session, newcomer });
        inbox.events.push(SessionEvent::Watching { session });
        let mut space = Self { app, device, pool, arrivals, interval, ahead: Duration::ZERO, peak: [0; 2] };
        space.ask(Change::Canvas(canvas));
        space
    }

    /// What the world takes for now.
    fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    /// Puts the world's clock forward, so that the next picture is due.
    pub fn skip(&mut self) {
        self.ahead += self.interval;
    }

    /// Asks for a change.
    pub fn ask(&mut self, change: Change) {
        let intent = Intent { origin: None, view: ViewId::MAIN, change, arrived: self.now(), op: 0 };
        self.app.world_mut().resource_mut::<Inbox>().intents.push(intent);
    }

    /// Asks for a pose: `center` x, y, z.
    pub fn look(&mut self, center: [f64; 3], angles: [f64; 3], distance: f64) {
        let parts = CameraParts {
            center: Some(center.to_vec()),
            angles: Some(angles),
            distance: Some(distance),
            ..CameraParts::default()
        };
        self.ask(Change::Camera(CameraDelta::Set(parts)));
    }

    /// What is resident of what is wanted.
    pub fn residency(&mut self) -> Residency {
        let world = self.app.world_mut();
        *world.query::<&Residency>().single(world).unwrap()
    }

    /// Whether everything that is wanted is there, and may be drawn.
    pub fn is_resident(&mut self) -> bool {
        let r = self.residency();
        !r.waiting && r.resident == r.wanted
    }

    /// What the world counted so far.
    pub fn metrics(&self) -> Metrics {
        self.app.world().resource::<Metrics>().clone()
    }

    /// The revision that is applied.
    pub fn revision(&mut self) -> u64 {
        let world = self.app.world_mut();
        world.query::<&Applied>().single(world).map_or(0, |a| a.revision)
    }

    /// Takes the chunks that come until then, 64 at most, as the world does in a turn.
    pub fn receive(&mut self, until: Instant) {
        if let Ok(arrival) = self.arrivals.recv_deadline(until) {
            let mut arrivals = self.app.world_mut().resource_mut::<Arrivals>();
            arrivals.0.push(arrival);
            arrivals.0.extend(self.arrivals.try_iter().take(63));
        }
    }

    /// Turns until everything that is wanted is there and drawn as well as it can be: nothing is drawn any more
    /// for so long that it is at rest. The world's clock runs fast meanwhile. False where that takes longer than
    /// `most`.
    pub fn settle(&mut self, most: Duration) -> bool {
        let begun = Instant::now();
        let mut idle = self.now();
        while begun.elapsed() < most {
            let busy = !matches!(self.turn(), Turn::Nothing) || !self.is_resident();
            if busy {
                idle = self.now();
            } else if self.now() - idle > 2 * self.interval + AT_REST {
                return true;
            } else {
                self.ahead += HURRY;
            }
            self.receive(Instant::now() + Duration::from_millis(1));
        }
        false
    }

    /// Turns until everything that is wanted is on its way to the GPU; false where that takes longer than `most`.
    pub fn load(&mut self, most: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < most {
            self.turn();
            if self.is_resident() {
                return true;
            }
            self.receive(Instant::now() + Duration::from_millis(1));
        }
        false
    }

    /// One turn. What it made is submitted and waited for.
    pub fn turn(&mut self) -> Turn {
        self.app.world_mut().resource_mut::<Clock>().now = self.now();
        let started = Instant::now();
        self.app.update();
        let recording = started.elapsed();
        let world = self.app.world_mut();
        // As the server does it: what is likely to be needed is compiled while nothing waits for it.
        let mut renderer = world.resource_mut::<Renderer>();
        for wish in renderer.programs.take_wishes() {
            renderer.programs.put(&self.device.gpu.device, wish.compile());
        }
        let mut wants = world.resource_mut::<Wants>();
        if std::mem::take(&mut wants.changed) {
            self.pool.request(&wants.list);
        }
        let (in_transit, _) = self.pool.transit();
        let metrics = world.resource::<Metrics>();
        let now = [metrics.cache_bytes + in_transit, self.device.gpu.memory.used()];
        self.peak = std::array::from_fn(|i| self.peak[i].max(now[i]));
        let mut turn = Turn::Nothing;
        for job in std::mem::take(&mut world.resource_mut::<Handover>().0) {
            match job {
                Job::Upload(upload) => {
                    self.device.gpu.queue.submit([upload.commands]);
                }
                Job::Piece(piece) => {
                    let micros = submit(self.device, piece.commands).as_secs_f64() * 1e6;
                    let (stream, number) = (piece.stream, piece.number);
                    world.resource_mut::<Pieces>().0.push(PieceReturned { stream, number, micros });
                    turn = Turn::Piece;
                }
                Job::Close(_) => {}
                Job::Frame(mut job) => {
                    let Some(commands) = job.commands.take() else { continue };
                    let waited = submit(self.device, commands);
                    let frame = read(self.device, &job, waited, recording);
                    // It has it now: what was asked for again would be shown again, as nothing is encoded here.
                    for mut watch in world.query::<&mut Watch>().iter_mut(world) {
                        watch.needs_keyframe = false;
                    }
                    let micros = frame.gpu.as_secs_f64() * 1e6;
                    world.resource_mut::<Returned>().0.push(job.returned(false, Some(micros)));
                    turn = Turn::Frame(frame);
                }
            }
        }
        turn
    }

    /// Turns until a picture of what was asked for last comes, 10 s at most.
    pub fn frame(&mut self) -> Option<Frame> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            match self.turn() {
                Turn::Frame(frame) if frame.revision == self.revision() => return Some(frame),
                _ => {}
            }
            self.receive(Instant::now() + Duration::from_millis(1));
        }
        None
    }
}

/// What came out of a turn.
pub enum Turn {
    /// No picture.
    Nothing,
    /// A piece of one.
    Piece,
    /// One.
    Frame(Frame),
}

/// Submits, and waits until it is done; the time that took.
fn submit(device: &Device, commands: wgpu::CommandBuffer) -> Duration {
    // What was submitted before is none of it.
    device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let started = Instant::now();
    device.gpu.queue.submit([commands]);
    device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    started.elapsed()
}

fn read(device: &Device, job: &FrameJob, waited: Duration, recording: Duration) -> Frame {
    job.readback.map_async(wgpu::MapMode::Read, .., |r| r.unwrap());
    device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let done = Instant::now();
    let frame = {
        let bytes = job.readback.get_mapped_range(..).unwrap();
        let (width, height) = (job.layout.canvas.width as usize, job.layout.canvas.height as usize);
        let mut luma = Vec::with_capacity(width * height);
        for row in bytes.chunks_exact(job.layout.stride as usize).take(height) {
            luma.extend_from_slice(&row[..width]);
        }
        let gpu = job.gpu_micros(&bytes).map_or(waited, |micros| Duration::from_secs_f64(micros / 1e6));
        Frame { revision: job.revision, gpu, recording, done, luma, width }
    };
    job.readback.unmap();
    frame
}
