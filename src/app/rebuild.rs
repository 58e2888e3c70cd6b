//! A lost device is opened again, beside the world: turns go on, the ledger and the host's cache stay, the
//! last picture stands.
//!
//! Attempts are bounded and wait longer and longer. A device that was lost soon after it came counts as one
//! more attempt, with half the memory: it may have had too much.

use crate::gpu::device::{self, Device, DeviceError};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use lucida_components::lod::Budgets;
use lucida_systems::render::{gpu::Gpu, pressure, renderer::Renderer};
use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Pauses before the attempts. After the last one the world gives up.
pub const PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// A device that served as long is no part of a row of failures.
const LASTED: Duration = Duration::from_mins(1);

/// The device wakes the world when it is lost.
pub(super) fn listen(gpu: &Gpu, ear: &Sender<()>) {
    let ear = ear.clone();
    gpu.lost.on_loss(move || {
        // Full: somebody has told already.
        let _ = ear.try_send(());
    });
}

/// How a device is opened again.
#[derive(Clone)]
pub struct Reopen {
    open: Arc<dyn Fn() -> Result<Device, DeviceError> + Send + Sync>,
    pauses: Arc<[Duration]>,
}

impl Reopen {
    /// By other means than [`device::open`], with an attempt after each of these pauses: tests have drivers
    /// that fail, and little time.
    pub fn by(
        open: impl Fn() -> Result<Device, DeviceError> + Send + Sync + 'static,
        pauses: &[Duration],
    ) -> Self {
        Self { open: Arc::new(open), pauses: pauses.into() }
    }
}

impl Default for Reopen {
    fn default() -> Self {
        Self::by(device::open, &PAUSES)
    }
}

impl fmt::Debug for Reopen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reopen")
    }
}

/// A device that takes the place of a lost one.
pub struct Rebuilt {
    /// The device.
    pub device: Device,
    /// Its renderer: compiled before the world has to do with it.
    pub renderer: Renderer,
    /// What may be allocated on it.
    pub budgets: Budgets,
}

/// Why the world ends although nobody asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldFailed {
    /// There is no device any more.
    #[error(
        "the GPU was lost and could not be opened again in {attempts} attempts: {source}; \
         `lucida doctor` says more"
    )]
    GpuLost {
        /// How often it was tried.
        attempts: usize,
        /// Why the last one failed.
        source: DeviceError,
    },
    /// Devices open and are lost again at once.
    #[error("the GPU was lost {losses} times in a row, each time soon after it had been opened again")]
    GpuUnstable {
        /// How often.
        losses: usize,
    },
    /// The system gives no thread.
    #[error("cannot start a thread to open the GPU again: {0}")]
    Thread(#[from] io::Error),
    /// A thread of the world panicked.
    #[error("the world's thread panicked")]
    Panicked,
    /// The submitting thread is gone.
    #[error("the submitting thread ended: no more pictures")]
    Submit,
}

/// What becomes of a try to open it again.
pub type Outcome = Result<Box<Rebuilt>, WorldFailed>;

/// Opens devices again.
pub struct Rebuild {
    reopen: Reopen,
    /// Pauses used up since a device last lasted.
    used: usize,
    /// Since when there is a device.
    since: Instant,
    outcomes: Sender<Outcome>,
    /// What became of it; the world waits for it among other things.
    pub outcome: Receiver<Outcome>,
    working: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Rebuild {
    /// Nothing is lost yet.
    pub fn new(reopen: Reopen) -> Self {
        // One at a time is under way, so it is never full.
        let (outcomes, outcome) = crossbeam_channel::bounded(1);
        Self { reopen, used: 0, since: Instant::now(), outcomes, outcome, working: None }
    }

    /// Begins to open a device, on a thread of its own.
    ///
    /// # Errors
    /// [`WorldFailed::GpuUnstable`] after too many in a row, [`WorldFailed::Thread`].
    pub fn begin(&mut self, budgets: Budgets) -> Result<(), WorldFailed> {
        self.end();
        if self.since.elapsed() >= LASTED {
            self.used = 0;
        }
        if self.used >= self.reopen.pauses.len() {
            return Err(WorldFailed::GpuUnstable { losses: self.used });
        }
        // Nothing is sent: its end is the signal to stop waiting.
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let (reopen, outcomes, first) = (self.reopen.clone(), self.outcomes.clone(), self.used);
        let thread = thread::Builder::new().name("lucida-reopen".into()).spawn(move || {
            if let Some(outcome) = attempts(&reopen, first, budgets, &stopped) {
                // The world may be gone.
                let _ = outcomes.send(outcome);
            }
        })?;
        self.used += 1;
        self.working = Some((stop, thread));
        Ok(())
    }

    /// A device has come.
    pub fn came(&mut self) {
        self.since = Instant::now();
    }

    /// Stops trying and waits for the thread; an opening under way is finished first.
    pub fn end(&mut self) {
        if let Some((stop, thread)) = self.working.take() {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the thread that opens the GPU again had panicked");
            }
        }
    }
}

impl Drop for Rebuild {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tries until it succeeds or the pauses are used up; `None` where nobody waits any more.
fn attempts(reopen: &Reopen, first: usize, budgets: Budgets, stopped: &Receiver<()>) -> Option<Outcome> {
    let mut last = DeviceError::NoAdapter;
    for (attempt, pause) in reopen.pauses.iter().enumerate().skip(first) {
        if stopped.recv_timeout(*pause) != Err(RecvTimeoutError::Timeout) {
            return None;
        }
        // The driver was in trouble a moment ago.
        let made = catch_unwind(AssertUnwindSafe(|| make(reopen, attempt, budgets)));
        match made.unwrap_or(Err(DeviceError::Panicked)) {
            Ok(rebuilt) => return Some(Ok(Box::new(rebuilt))),
            Err(error) => {
                tracing::warn!("opening the GPU again, attempt {}: {error}", attempt + 1);
                last = error;
            }
        }
    }
    Some(Err(WorldFailed::GpuLost { attempts: reopen.pauses.len() - first, source: last }))
}

fn make(reopen: &Reopen, attempt: usize, mut budgets: Budgets) -> Result<Rebuilt, DeviceError> {
    let device = (reopen.open)()?;
    let renderer = Renderer::new(&device.gpu);
    if attempt > 0 {
        budgets.pool_bytes = (budgets.pool_bytes / 2).max(pressure::LEAST_POOL) & !3;
    }
    budgets.pool_bytes = budgets.pool_bytes.min(device.max_pool);
    Ok(Rebuilt { device, renderer, budgets })
}
