//! Threads that read and decode chunks, most urgent first.
//!
//! The world replaces its whole list of wishes whenever it changes, and takes what was read out of a
//! bounded channel. A chunk that is being read, or lies in the channel, is not read a second time.

use super::ChunkSource;
use crate::app::bridge::Arrival;
use crossbeam_channel::{Receiver, Select, Sender, TrySendError};
use lucida_components::{
    chunk::{ChunkData, ChunkFault, ChunkKey, Priority},
    dataset::SourceId,
};
use std::{
    any::Any,
    collections::{HashMap, HashSet, VecDeque},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock},
    thread::{self, JoinHandle},
};

/// Chunks that may wait for the world; threads wait when it is full, nothing is dropped.
pub const ARRIVALS: usize = 64;

/// Wishes that are kept; the least urgent beyond them are forgotten until the next list.
pub const MOST_WANTS: usize = 1 << 16;

/// Where the pool finds the chunks of a pyramid. Clones share one table.
#[derive(Clone, Default)]
pub struct Sources(Arc<RwLock<HashMap<SourceId, Arc<dyn ChunkSource>>>>);

impl Sources {
    /// Makes a pyramid's chunks available; register before they are wanted.
    pub fn register(&self, id: SourceId, source: Arc<dyn ChunkSource>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, source);
    }

    /// Forgets a pyramid. Reads under way finish and their results are discarded.
    pub fn unregister(&self, id: SourceId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// The source of this number.
    pub fn get(&self, id: SourceId) -> Option<Arc<dyn ChunkSource>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

/// A pool of threads named `lucida-pool-N`. Dropping it stops and joins them: a read under way is
/// finished, its result discarded.
pub struct ChunkPool {
    shared: Arc<Shared>,
    /// Dropped first: wakes the threads that wait for room.
    close: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    sources: Sources,
    state: Mutex<State>,
    /// Something to do, or the end.
    wake: Condvar,
    arrivals: Sender<Arrival>,
    closing: Receiver<()>,
}

#[derive(Default)]
struct State {
    /// Wishes not yet started, the most urgent at the end.
    queue: Vec<ChunkKey>,
    /// Chunks being read or waiting for room.
    in_flight: HashSet<ChunkKey>,
    /// Chunks put into the channel, in its order; the front is dropped as the world takes them out.
    delivered: VecDeque<ChunkKey>,
    closed: bool,
}

impl ChunkPool {
    /// Starts `threads` (at least one) threads that read from `sources`. The receiver is the world's.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn new(threads: usize, sources: Sources) -> io::Result<(Self, Receiver<Arrival>)> {
        // A full channel holds the threads up, and with them the reading ahead of what the world takes.
        let (arrivals, receiver) = crossbeam_channel::bounded(ARRIVALS);
        // Carries nothing: its end is the signal.
        let (close, closing) = crossbeam_channel::bounded(0);
        let state = Mutex::default();
        let shared = Arc::new(Shared { sources, state, wake: Condvar::new(), arrivals, closing });
        let mut pool = Self { shared, close: Some(close), threads: Vec::new() };
        for n in 0..threads.max(1) {
            let shared = pool.shared.clone();
            let thread =
                thread::Builder::new().name(format!("lucida-pool-{n}")).spawn(move || shared.work())?;
            pool.threads.push(thread);
        }
        Ok((pool, receiver))
    }

    /// The table of sources.
    pub fn sources(&self) -> &Sources {
        &self.shared.sources
    }

    /// Replaces the wish list: what is not in `wants` and not yet being read is cancelled; what is being
    /// read, or was read and not yet taken by the world, is not read again. Never waits for a read.
    pub fn request(&self, wants: &[(ChunkKey, Priority)]) {
        let mut order: Vec<usize> = (0..wants.len()).collect();
        order.sort_by_key(|&i| wants[i].1);
        order.truncate(MOST_WANTS);
        let mut state = self.shared.lock();
        state.forget_taken(self.shared.arrivals.len());
        let mut seen: HashSet<ChunkKey> = state.in_flight.iter().chain(&state.delivered).copied().collect();
        state.queue.clear();
        state.queue.extend(order.into_iter().map(|i| wants[i].0).filter(|key| seen.insert(*key)));
        state.queue.reverse();
        drop(state);
        self.shared.wake.notify_all();
    }

    /// Chunks that are being read or wait for room in the channel.
    pub fn in_flight(&self) -> usize {
        self.shared.lock().in_flight.len()
    }

    /// Wishes that no thread has started on.
    pub fn queued(&self) -> usize {
        self.shared.lock().queue.len()
    }
}

impl Drop for ChunkPool {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.closed = true;
            state.queue.clear();
        }
        self.close = None;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked outside a read has already said so on stderr.
            let _ = thread.join();
        }
    }
}

impl State {
    /// Drops those from `delivered` that are no longer among the `waiting` last ones.
    fn forget_taken(&mut self, waiting: usize) {
        let taken = self.delivered.len().saturating_sub(waiting);
        self.delivered.drain(..taken);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread: takes wishes until the pool ends.
    fn work(&self) {
        while let Some(key) = self.next() {
            let result = self.read(key);
            if !self.deliver(key, result) {
                return;
            }
        }
    }

    /// Waits for the most urgent wish; `None` at the end.
    fn next(&self) -> Option<ChunkKey> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(key) = state.queue.pop() {
                state.in_flight.insert(key);
                return Some(key);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reads one chunk. `None` where its source was closed in the meantime: nobody wants it.
    fn read(&self, key: ChunkKey) -> Option<Result<ChunkData, ChunkFault>> {
        let source = self.sources.get(key.source)?;
        let result = catch_unwind(AssertUnwindSafe(|| source.read(key.level, key.number)));
        let result = result.unwrap_or_else(|panic| {
            let reason = format!("reading it panicked: {}", message(&*panic));
            Err(ChunkFault { level: key.level, number: key.number, reason })
        });
        self.sources.get(key.source).map(|_| result)
    }

    /// Puts a result into the channel, waiting for room; false at the end.
    ///
    /// Sends happen under the lock and never wait there, so `delivered` has exactly the channel's order.
    fn deliver(&self, key: ChunkKey, result: Option<Result<ChunkData, ChunkFault>>) -> bool {
        let Some(result) = result else {
            self.lock().in_flight.remove(&key);
            return true;
        };
        let mut arrival = (key, result);
        loop {
            let mut state = self.lock();
            if state.closed {
                return false;
            }
            match self.arrivals.try_send(arrival) {
                Ok(()) => {
                    state.in_flight.remove(&key);
                    state.delivered.push_back(key);
                    // The channel holds this many at most; what lies before them was taken.
                    state.forget_taken(ARRIVALS);
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => arrival = back,
            }
            drop(state);
            let mut room = Select::new();
            room.send(&self.arrivals);
            room.recv(&self.closing);
            room.ready();
        }
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
