//! One still: the same ledger, transactions, residency and shaders as a stream, without sockets or encoders.

use super::world::{self, WorldSettings};
use crate::{
    data::{
        Opened,
        pool::{ChunkPool, Sources},
    },
    gpu::device::Device,
};
use bevy_app::App;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, ViewState},
    chunk::{Arrivals, Wants},
    clock::Clock,
    fault::Rejection,
    ids::ViewId,
    intent::{Change, Intent},
    notice::Residency,
    ops::{OpState, Ops},
    stream::Canvas,
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::{
        job::{FrameJob, Handover, Job, PieceReturned, Pieces, PixelFormat, Returned},
        pictures::Pictures,
    },
    residency::plan::Plan,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A still that takes longer than this will not come.
const TIMEOUT: Duration = Duration::from_mins(5);

/// A drawn picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its size.
    pub canvas: Canvas,
    /// RGBA, 8 bits each, row 0 on top.
    pub rgba: Vec<u8>,
    /// What it shows.
    pub state: Arc<ViewState>,
    /// How much of it could be read.
    pub residency: Residency,
}

/// Why there is no still.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A change was refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The GPU failed.
    #[error("the GPU did not finish: {0}")]
    Gpu(String),
    /// The data did not come.
    #[error("the data did not come within {} s: {resident} of {wanted} tiles", TIMEOUT.as_secs())]
    Timeout {
        /// Tiles that did.
        resident: u32,
        /// Tiles wanted.
        wanted: u32,
    },
}

/// A world that draws stills of one image.
pub struct Stills {
    app: App,
    device: Device,
    pool: ChunkPool,
    arrivals: crossbeam_channel::Receiver<super::bridge::Arrival>,
}

impl Stills {
    /// Opens a world on an image.
    ///
    /// # Errors
    /// [`StillError::Thread`], [`StillError::Rejected`].
    pub fn new(device: Device, mut settings: WorldSettings, opened: Opened) -> Result<Self, StillError> {
        // A still has all the time of the world.
        settings.budgets.upload_micros = u64::MAX;
        let sources = Sources::default();
        let (pool, arrivals) = ChunkPool::new(settings.pool_threads, sources.clone())?;
        pool.limit_transit(settings.budgets.transit_bytes());
        let mut app = world::app(&device, &settings);
        let world = app.world_mut();
        for (mut pictures, mut pace) in world.query::<(&mut Pictures, &mut Pace)>().iter_mut(world) {
            pictures.format = PixelFormat::Rgba8;
            pace.always = true;
            pace.interval = Duration::ZERO;
        }
        let show = world::show(&sources, opened);
        let mut stills = Self { app, device, pool, arrivals };
        stills.reduce(vec![show])?;
        Ok(stills)
    }

    /// The applied state.
    pub fn state(&mut self) -> Option<Arc<ViewState>> {
        let world = self.app.world_mut();
        world.query::<&Applied>().iter(world).next().map(|a| a.state.clone())
    }

    /// Asks for changes and draws what they lead to, complete.
    ///
    /// # Errors
    /// [`StillError`].
    pub fn draw(&mut self, changes: Vec<Change>) -> Result<Picture, StillError> {
        let now = Instant::now();
        let intents = changes
            .into_iter()
            .map(|change| Intent { origin: None, view: ViewId::MAIN, change, arrived: now, op: 0 })
            .collect();
        self.reduce(intents)?;
        let started = Instant::now();
        loop {
            let (residency, settled) = self.standing();
            if settled {
                return self.picture(residency);
            }
            if started.elapsed() > TIMEOUT {
                return Err(StillError::Timeout { resident: residency.resident, wanted: residency.wanted });
            }
            // A turn is due as soon as a chunk is here; without one there may still be uploading to do.
            if let Ok(arrival) = self.arrivals.recv_timeout(Duration::from_millis(1)) {
                let mut arrivals = self.app.world_mut().resource_mut::<Arrivals>();
                arrivals.0.push(arrival);
                arrivals.0.extend(self.arrivals.try_iter());
            }
            self.turn()?;
        }
    }

    /// Whether everything that can be had is on the GPU.
    fn standing(&mut self) -> (Residency, bool) {
        let world = self.app.world_mut();
        let Some((residency, plan, applied)) =
            world.query::<(&Residency, &Plan, &Applied)>().iter(world).next()
        else {
            return (Residency::default(), false);
        };
        let complete = plan.revision == applied.revision
            && plan.uploads.is_empty()
            && !plan.stale
            && !residency.waiting
            && residency.resident == residency.wanted;
        (*residency, complete)
    }

    /// Draws once more, with everything there, and reads it back.
    fn picture(&mut self, residency: Residency) -> Result<Picture, StillError> {
        let world = self.app.world_mut();
        for mut pictures in world.query::<&mut Pictures>().iter_mut(world) {
            pictures.request_keyframe();
        }
        // A volume is drawn in pieces: a turn each.
        let started = Instant::now();
        let mut job = self.turn()?;
        while job.is_none() && started.elapsed() < TIMEOUT {
            job = self.turn()?;
        }
        match (job, self.state()) {
            (Some(job), Some(state)) => {
                let rgba = read(&self.device, &job)?;
                Ok(Picture { canvas: job.layout.canvas, rgba, state, residency })
            }
            _ => Err(StillError::Gpu("nothing was drawn".into())),
        }
    }

    /// A turn with these intents, each of which must be applied.
    fn reduce(&mut self, intents: Vec<Intent>) -> Result<Option<FrameJob>, StillError> {
        let first = self.app.world().resource::<Ops>().last_seq;
        self.app.world_mut().resource_mut::<Inbox>().intents.extend(intents);
        let job = self.turn()?;
        for op in self.app.world().resource::<Ops>().closed.iter().filter(|op| op.seq > first) {
            if let OpState::Rejected(why) = &op.state {
                return Err(why.clone().into());
            }
        }
        Ok(job)
    }

    /// A turn; its frame is submitted and waited for.
    fn turn(&mut self) -> Result<Option<FrameJob>, StillError> {
        self.app.world_mut().resource_mut::<Clock>().now = Instant::now();
        self.app.update();
        let world = self.app.world_mut();
        let mut wants = world.resource_mut::<Wants>();
        if std::mem::take(&mut wants.changed) {
            self.pool.request(&wants.list);
        }
        let mut last = None;
        for job in std::mem::take(&mut world.resource_mut::<Handover>().0) {
            let (commands, piece, job) = match job {
                Job::Upload(upload) => (Some(upload.commands), None, None),
                Job::Piece(piece) => (Some(piece.commands), Some((piece.stream, piece.number)), None),
                Job::Frame(mut job) => (job.commands.take(), None, Some(job)),
                Job::Close(_) => continue,
            };
            let Some(commands) = commands else { continue };
            let started = Instant::now();
            self.device.gpu.queue.submit([commands]);
            self.device
                .gpu
                .device
                .poll(wgpu::PollType::wait_indefinitely())
                .map_err(|e| StillError::Gpu(e.to_string()))?;
            let micros = started.elapsed().as_secs_f64() * 1e6;
            if let Some((stream, number)) = piece {
                world.resource_mut::<Pieces>().0.push(PieceReturned { stream, number, micros });
            }
            let Some(job) = job else { continue };
            world.resource_mut::<Returned>().0.push(job.returned(false, Some(micros)));
            last = Some(*job);
        }
        if self.device.gpu.lost.is_lost() {
            return Err(StillError::Gpu("it is lost".into()));
        }
        Ok(last)
    }
}

/// Copies a picture out of its buffer.
fn read(device: &Device, job: &FrameJob) -> Result<Vec<u8>, StillError> {
    let gpu = |e: &dyn std::fmt::Display| StillError::Gpu(e.to_string());
    job.readback.map_async(wgpu::MapMode::Read, .., |_| {});
    device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| gpu(&e))?;
    let picture = 0..job.layout.bytes();
    let rgba = job.readback.get_mapped_range(picture).map_err(|e| gpu(&e))?.to_vec();
    job.readback.unmap();
    Ok(rgba)
}
