//! The world's thread: waits for something to do, runs a turn, gives away what it made.

use super::{
    bridge::{Arrival, CloseReason, Inbound, Letter, Shared, WorldGone, WorldHandle},
    compile::Compiler,
    encoders::{Drawn, Encoded},
    hear,
    outboxes::{self, Sockets},
    rebuild::{Rebuild, Rebuilt, Reopen, WorldFailed, listen},
    submit::{self, EncodeSettings},
};
use crate::{
    data::{
        Opened,
        pool::{ChunkPool, Sources},
    },
    gpu::device::Device,
};
use bevy_app::App;
use bevy_ecs::prelude::*;
use crossbeam_channel::{Receiver, Select, Sender};
use lucida_components::{
    applied::Applied,
    chunk::{Arrivals, Wants},
    clock::{Clock, NextWake},
    dataset::SourceId,
    ids::ViewId,
    incident::{Domain, Incident, Incidents, Severity},
    intent::{Change, Intent},
    lod::{Budgets, LodRules},
    metrics::Metrics,
};
use lucida_systems::{
    LucidaPlugin,
    encode::Packets,
    mirror::history::History,
    render::{
        device,
        gpu::Gpu,
        job::{Handover, Job, Pieces, Returned},
        renderer::Renderer,
    },
    residency::pools::Pools,
};
use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::OwnedSemaphorePermit;

/// Messages taken from the inbox per turn: more would make a turn long, fewer would split bursts that merge.
const PER_TURN: usize = 256;
/// Chunks taken per turn.
const CHUNKS_PER_TURN: usize = 64;
/// Frames that encoders may have made before the world looks.
const ENCODED: usize = 64;
/// Metrics are published at most this often.
const PUBLISH: Duration = Duration::from_millis(100);

/// How a world is set up.
#[derive(Debug, Clone)]
pub struct WorldSettings {
    /// Memory and time.
    pub budgets: Budgets,
    /// How levels are chosen.
    pub rules: LodRules,
    /// How pictures are encoded.
    pub encode: EncodeSettings,
    /// Threads that read chunks.
    pub pool_threads: usize,
    /// How a device that was lost is opened again.
    pub reopen: Reopen,
}

impl WorldSettings {
    /// What fits a device and this machine.
    pub fn of(device: &Device) -> Self {
        let cores = thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
        Self {
            budgets: device.budgets(),
            rules: LodRules::default(),
            encode: EncodeSettings { bitrate: 12_000_000, threads: cores.min(4) as u16 },
            pool_threads: cores,
            reopen: Reopen::default(),
        }
    }
}

/// A running world.
pub struct RunningWorld {
    /// For the sockets.
    pub handle: WorldHandle,
    /// For who opens images.
    pub sources: Sources,
    thread: thread::JoinHandle<Result<(), WorldFailed>>,
}

impl RunningWorld {
    /// Ends the world and waits for its threads.
    ///
    /// # Errors
    /// [`WorldFailed`]: it had ended by itself.
    pub fn stop(self) -> Result<(), WorldFailed> {
        // It may have ended already.
        let _: Result<(), WorldGone> = self.handle.send_blocking(Inbound::Shutdown);
        self.thread.join().unwrap_or(Err(WorldFailed::Panicked))
    }
}

/// Tells that the world's thread ends, also where it panics.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.notify_one();
    }
}

/// The app of a world that draws: everything of `lucida-systems`, with a device.
pub fn app(device: &Device, settings: &WorldSettings) -> App {
    let mut app = App::new();
    app.add_plugins(LucidaPlugin)
        .insert_resource(settings.budgets)
        .insert_resource(settings.rules)
        .insert_resource(Pools::new(&settings.budgets))
        .insert_resource(Renderer::new(&device.gpu))
        .insert_resource(device.gpu.clone());
    app.finish();
    app.cleanup();
    app
}

/// Starts the world's thread, its pool and its submitter.
///
/// # Errors
/// Where the system gives no thread.
pub fn start(device: Device, settings: WorldSettings) -> io::Result<RunningWorld> {
    let (handle, inbox) = WorldHandle::new();
    let sources = Sources::default();
    let (pool, arrivals) = ChunkPool::new(settings.pool_threads, sources.clone())?;
    pool.limit_transit(settings.budgets.transit_bytes());
    // Never full: bounded by the slots of all rings.
    let (frames, to_submit) = crossbeam_channel::bounded(submit::QUEUE);
    // A full channel holds the encoders up, which hold their slots: the world draws less.
    let (encoded_out, encoded) = crossbeam_channel::bounded(ENCODED);
    let compiler = Compiler::start()?;
    let submitter = submit::start(settings.encode, to_submit, encoded_out)?;
    // Carries nothing; one that waits is enough.
    let (lost_in, lost) = crossbeam_channel::bounded(1);
    let shared = handle.shared();
    let thread = thread::Builder::new().name("lucida-world".into()).spawn(move || {
        let _ending = Ending(shared.clone());
        listen(&device.gpu, &lost_in);
        let mut app = app(&device, &settings);
        app.init_resource::<Sockets>().add_systems(
            lucida_systems::schedule::Encode,
            outboxes::send.after(lucida_systems::encode::deliver::deliver),
        );
        let mut runner = Runner {
            app,
            inbox,
            arrivals,
            encoded,
            frames,
            lost_in,
            lost,
            rebuild: Rebuild::new(settings.reopen.clone()),
            compiler,
            pool,
            shared,
            published: Some((0, Instant::now())),
            place: (None, 0),
            oldest: None,
        };
        let outcome = runner.run();
        if let Err(failed) = &outcome {
            tracing::error!("the world ends: {failed}");
        }
        drop(runner);
        if submitter.join().is_err() {
            tracing::error!("the submitting thread had panicked");
        }
        outcome
    })?;
    Ok(RunningWorld { handle, sources, thread })
}

/// The intent that shows an opened image, its chunks at hand. `None` for the origin: the server's own wish.
pub fn show(sources: &Sources, opened: Opened) -> Intent {
    for (id, source) in opened.sources {
        sources.register(id, source);
    }
    Intent {
        origin: None,
        view: ViewId::MAIN,
        change: Change::Dataset(opened.dataset),
        arrived: Instant::now(),
        op: 0,
    }
}

struct Runner {
    app: App,
    inbox: Receiver<Letter>,
    arrivals: Receiver<Arrival>,
    encoded: Receiver<Drawn>,
    frames: Sender<Job>,
    /// The device's way to say that it is lost, and our ear.
    lost_in: Sender<()>,
    lost: Receiver<()>,
    rebuild: Rebuild,
    compiler: Compiler,
    pool: ChunkPool,
    shared: Arc<Shared>,
    /// At how many turns the numbers were last published, and when.
    published: Option<(u64, Instant)>,
    /// The place of the history whose cursors were published.
    place: (Option<SourceId>, u64),
    /// The oldest image that is shown.
    oldest: Option<SourceId>,
}

impl Runner {
    /// Turns until the end.
    fn run(&mut self) -> Result<(), WorldFailed> {
        loop {
            self.wait();
            let ends = match self.turn() {
                Ok(true) => continue,
                Ok(false) => (CloseReason::Shutdown, Ok(())),
                Err(failed) => (CloseReason::Failed, Err(failed)),
            };
            outboxes::close_all(&mut self.app.world_mut().resource_mut::<Sockets>(), ends.0);
            return ends.1;
        }
    }

    /// One turn. Returns false at the end.
    fn turn(&mut self) -> Result<bool, WorldFailed> {
        let (goes_on, places) = self.take_in();
        self.app.world_mut().resource_mut::<Clock>().now = Instant::now();
        self.mend()?;
        self.compiler.bring(self.app.world_mut());
        self.app.update();
        // Only now may their sessions say more: one session has no more than its share in a turn.
        drop(places);
        self.compiler.take(self.app.world_mut());
        self.give_out()?;
        Ok(goes_on)
    }

    /// Where the device is lost, another is opened; where that has come, it takes its place.
    fn mend(&mut self) -> Result<(), WorldFailed> {
        // The flag tells; this was only to wake us.
        let _ = self.lost.try_recv();
        let world = self.app.world_mut();
        if world.get_resource::<Gpu>().is_some_and(|gpu| gpu.lost.is_lost()) {
            device::take_away(world);
            let budgets = *world.resource::<Budgets>();
            self.rebuild.begin(budgets)?;
        }
        let Ok(outcome) = self.rebuild.outcome.try_recv() else { return Ok(()) };
        let Rebuilt { device, renderer, budgets } = *outcome?;
        self.rebuild.came();
        tracing::warn!(adapter = device.info.name, "the GPU is there again");
        listen(&device.gpu, &self.lost_in);
        device::put_in(self.app.world_mut(), device.gpu, renderer, budgets);
        Ok(())
    }

    /// Sleeps until a message, a chunk, a packet or a deadline. Numbers that were not published yet are
    /// published meanwhile, so that a world that came to rest shows its last ones.
    fn wait(&mut self) {
        loop {
            let mut select = Select::new();
            select.recv(&self.inbox);
            select.recv(&self.arrivals);
            select.recv(&self.encoded);
            select.recv(&self.lost);
            select.recv(&self.rebuild.outcome);
            select.recv(&self.compiler.made);
            let due = self.app.world().resource::<NextWake>().0;
            let publish = self.publish_due();
            let until = match (due, publish) {
                (Some(d), Some(p)) => Some(d.min(p)),
                (d, p) => d.or(p),
            };
            let Some(until) = until else {
                select.ready();
                return;
            };
            if select.ready_deadline(until).is_ok() || due.is_some_and(|d| d <= Instant::now()) {
                return;
            }
            self.publish();
        }
    }

    /// Takes what arrived into the world. Returns false at the end, and the places in their sessions' shares
    /// that the messages take.
    fn take_in(&mut self) -> (bool, Vec<OwnedSemaphorePermit>) {
        let world = self.app.world_mut();
        let mut goes_on = true;
        let mut places = Vec::new();
        for Letter { message, place } in self.inbox.try_iter().take(PER_TURN) {
            places.extend(place);
            goes_on &= hear::hear(world, message);
        }
        world.resource_mut::<Arrivals>().0.extend(self.arrivals.try_iter().take(CHUNKS_PER_TURN));
        for drawn in self.encoded.try_iter() {
            let encoded = match drawn {
                Drawn::Picture(encoded) => encoded,
                Drawn::Piece(piece) => {
                    world.resource_mut::<Pieces>().0.push(piece);
                    continue;
                }
            };
            let Encoded { slot, packet, fault } = encoded;
            if let Some(fault) = fault {
                world.resource_mut::<Incidents>().report(Incident {
                    domain: Domain::Encoder,
                    code: "encoder.failed",
                    message: format!("a picture was lost, the next one is tried: {fault}"),
                    severity: Severity::Warning,
                });
            }
            world.resource_mut::<Returned>().0.push(slot);
            if let Some(packet) = packet {
                if let Some(oldest) = packet.answered.iter().map(|a| a.arrived).min() {
                    let micros = oldest.elapsed().as_secs_f64() * 1e6;
                    world.resource_mut::<Metrics>().intent_to_picture_micros.observe(micros);
                }
                world.resource_mut::<Packets>().0.push(packet);
            }
        }
        (goes_on, places)
    }

    /// Gives away what the turn made: frames, wishes, numbers.
    fn give_out(&mut self) -> Result<(), WorldFailed> {
        let world = self.app.world_mut();
        let jobs = std::mem::take(&mut world.resource_mut::<Handover>().0);
        for job in jobs {
            self.frames.send(job).map_err(|_| WorldFailed::Submit)?;
        }
        let mut wants = world.resource_mut::<Wants>();
        if wants.changed {
            wants.changed = false;
            self.pool.request(&wants.list);
        }
        let mut metrics = world.resource_mut::<Metrics>();
        (metrics.transit_bytes, _) = self.pool.transit();
        metrics.host_peak_bytes = metrics.host_peak_bytes.max(metrics.cache_bytes + metrics.transit_bytes);
        if self.publish_due().is_some_and(|at| at <= Instant::now()) {
            self.publish();
        }
        self.publish_cursors();
        let world = self.app.world_mut();
        // The oldest image that a view still shows; what was opened before it is not read again.
        let mut views = world.query::<&Applied>();
        let shown = views.iter(world).filter_map(|a| a.state.dataset.images.first());
        let oldest = shown.map(|image| image.source).min();
        if oldest != self.oldest {
            self.oldest = oldest;
            self.shared.ready.store(oldest.is_some(), Ordering::Release);
            if let Some(id) = oldest {
                self.pool.sources().forget_before(id);
            }
        }
        Ok(())
    }

    /// When numbers are to be published; `None` where no turn has run since.
    fn publish_due(&self) -> Option<Instant> {
        let (turns, at) = self.published?;
        (self.app.world().resource::<Metrics>().turns != turns).then_some(at + PUBLISH)
    }

    fn publish_cursors(&mut self) {
        let history = self.app.world().resource::<History>();
        if self.place == history.place() {
            return;
        }
        self.place = history.place();
        let cursors = history.cursors();
        *self.shared.cursors.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = cursors;
    }

    fn publish(&mut self) {
        let metrics = self.app.world().resource::<Metrics>().clone();
        self.published = Some((metrics.turns, Instant::now()));
        *self.shared.metrics.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = metrics;
    }
}
