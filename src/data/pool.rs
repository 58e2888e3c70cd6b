//! Threads that read and decode chunks, most urgent first.
//!
//! The world replaces its whole list of wishes whenever it changes, and takes what was read out of a
//! bounded channel. A chunk that is being read, or lies in the channel, is not read a second time. Both
//! together have a bounded number of bytes: a read begins when there is room for what it brings.
//!
//! What a source cannot answer at once is made by threads of their own, which stand behind all others.

pub use super::sources::Sources;
use super::{ChunkSource, making::Making};
use crate::app::bridge::Arrival;
use crossbeam_channel::{Receiver, Select, Sender, TrySendError};
use lucida_components::chunk::{ChunkData, ChunkFault, ChunkKey, Priority, Want};
use std::{
    any::Any,
    collections::{HashMap, HashSet, VecDeque},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Chunks that may wait for the world; threads wait when it is full, nothing is dropped.
pub const ARRIVALS: usize = 64;

/// Wishes that are kept; the least urgent beyond them are forgotten until the next list.
pub const MOST_WANTS: usize = 1 << 16;

/// Bytes of chunks that are read or wait for the world, where nothing else was asked for.
const TRANSIT: u64 = 128 << 20;

/// How far reading stands behind answering and drawing (nice(2)), a software driver's too: the picture that can
/// be drawn now comes before the sharper one.
const NICE: i32 = 15;

/// The world takes chunks without a word: threads without room look again after this long.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How far the threads that make chunks stand behind the others (nice(2)): behind reading, and behind a
/// software driver that draws.
const MAKER_NICE: i32 = 19;

/// A pool of threads named `lucida-pool-N`, and of `lucida-coarse-N` that make chunks. Dropping it stops and
/// joins them: a read under way is finished, its result discarded.
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
    /// Threads that make chunks.
    makers: usize,
}

struct State {
    /// Wishes not yet started, the most urgent at the end.
    queue: Vec<Want>,
    /// Chunks being read or waiting for room, and the bytes kept for them.
    in_flight: HashMap<ChunkKey, u64>,
    /// What was put into the channel, in its order, with its bytes; no key for word of a chunk that is being
    /// made. The front is dropped as the world takes them out.
    delivered: VecDeque<(Option<ChunkKey>, u64)>,
    /// Wishes that have to be made.
    making: Making,
    /// Bytes of all that is in flight and delivered.
    bytes: u64,
    /// The most there were.
    peak: u64,
    /// The most there may be, but for one chunk alone.
    limit: u64,
    closed: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            queue: Vec::new(),
            in_flight: HashMap::new(),
            delivered: VecDeque::new(),
            bytes: 0,
            peak: 0,
            limit: TRANSIT,
            making: Making::default(),
            closed: false,
        }
    }
}

impl ChunkPool {
    /// Starts `threads` (at least one) threads that read from `sources`, and half as many (at least one)
    /// that make what has to be made. The receiver is the world's.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn new(threads: usize, sources: Sources) -> io::Result<(Self, Receiver<Arrival>)> {
        // A full channel holds the threads up, and with them the reading ahead of what the world takes.
        let (arrivals, receiver) = crossbeam_channel::bounded(ARRIVALS);
        // Carries nothing: its end is the signal.
        let (close, closing) = crossbeam_channel::bounded(0);
        let state = Mutex::default();
        let makers = (threads / 2).max(1);
        let shared = Arc::new(Shared { sources, state, wake: Condvar::new(), arrivals, closing, makers });
        let mut pool = Self { shared, close: Some(close), threads: Vec::new() };
        for n in 0..threads.max(1) {
            let shared = pool.shared.clone();
            let thread =
                thread::Builder::new().name(format!("lucida-pool-{n}")).spawn(move || shared.work())?;
            pool.threads.push(thread);
        }
        for n in 0..makers {
            let shared = pool.shared.clone();
            let thread =
                thread::Builder::new().name(format!("lucida-coarse-{n}")).spawn(move || shared.make())?;
            pool.threads.push(thread);
        }
        Ok((pool, receiver))
    }

    /// The table of sources.
    pub fn sources(&self) -> &Sources {
        &self.shared.sources
    }

    /// Bounds the bytes of chunks that are read or wait for the world. A chunk that has more is read alone.
    pub fn limit_transit(&self, bytes: u64) {
        self.shared.lock().limit = bytes;
    }

    /// Bytes of chunks that are read or wait for the world, now and at most so far.
    pub fn transit(&self) -> (u64, u64) {
        let mut state = self.shared.lock();
        state.forget_taken(self.shared.arrivals.len());
        (state.bytes, state.peak)
    }

    /// Replaces the wish list: what is not in `wants` and not yet being read is cancelled; what is being
    /// read, or was read and not yet taken by the world, is not read again. What is being made and is no
    /// longer wanted is given up. Never waits for a read.
    pub fn request(&self, wants: &[Want]) {
        let mut order: Vec<usize> = (0..wants.len()).collect();
        order.sort_by_key(|&i| wants[i].priority);
        order.truncate(MOST_WANTS);
        let mut state = self.shared.lock();
        state.forget_taken(self.shared.arrivals.len());
        let State { queue, in_flight, delivered, making, .. } = &mut *state;
        making.renew(order.iter().map(|&i| wants[i].key));
        let under_way = in_flight.keys().chain(delivered.iter().filter_map(|(key, _)| key.as_ref()));
        let mut seen: HashSet<ChunkKey> = under_way.copied().collect();
        queue.clear();
        let wishes = order.into_iter().map(|i| wants[i]);
        queue.extend(wishes.filter(|want| seen.insert(want.key) && !making.holds(&want.key)));
        queue.reverse();
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
            state.making.clear();
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
        self.bytes -= self.delivered.drain(..taken).map(|(_, bytes)| bytes).sum::<u64>();
    }

    /// Whether a read of so many bytes may begin.
    fn has_room(&self, bytes: u64) -> bool {
        self.bytes == 0 || self.bytes.saturating_add(bytes) <= self.limit
    }

    /// A read begins.
    fn begin(&mut self, want: &Want) {
        self.in_flight.insert(want.key, want.bytes);
        self.bytes = self.bytes.saturating_add(want.bytes);
        self.peak = self.peak.max(self.bytes);
    }

    /// A read is over, whatever became of it.
    fn end(&mut self, key: &ChunkKey) {
        self.bytes -= self.in_flight.remove(key).unwrap_or(0);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread: takes wishes until the pool ends.
    fn work(&self) {
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::debug!("reading cannot be made nice: {error}");
        }
        while let Some(key) = self.next() {
            let result = self.ask(key, |source| source.look(key.level, key.number));
            let goes_on = match result {
                Asked::Gone => self.forget(key),
                Asked::Answer(Some(result)) => self.deliver(key, Some(result)),
                // Somebody has to make it first.
                Asked::Answer(None) => !self.hand_over(key) || self.deliver(key, None),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// One thread that makes chunks: the most urgent that have to be made, until the pool ends.
    fn make(&self) {
        if let Err(error) = rustix::process::nice(MAKER_NICE) {
            tracing::debug!("making chunks cannot be made nice: {error}");
        }
        while let Some(key) = self.next_unmade() {
            let goes_on = || self.lock().making.goes_on(&key, self.makers);
            let result = self.ask(key, |source| source.make(key.level, key.number, &goes_on));
            let mut state = self.lock();
            match result {
                Asked::Answer(None) => state.making.stopped(&key),
                Asked::Answer(Some(result)) => {
                    state.making.done(&key);
                    // Made beside what is read: as many more as there are makers.
                    let bytes = result.as_ref().map_or(0, ChunkData::bytes);
                    state.begin(&Want { key, priority: Priority(0), bytes });
                    drop(state);
                    if !self.deliver(key, Some(result)) {
                        return;
                    }
                }
                Asked::Gone => state.making.done(&key),
            }
        }
    }

    /// Notes that a wish has to be made. Whether anybody still wants it.
    fn hand_over(&self, key: ChunkKey) -> bool {
        let mut state = self.lock();
        state.end(&key);
        let wanted = state.making.add(key);
        drop(state);
        self.wake.notify_all();
        wanted
    }

    /// Waits for the most urgent wish that has to be made; `None` at the end.
    fn next_unmade(&self) -> Option<ChunkKey> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(key) = state.making.next(self.makers) {
                return Some(key);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the most urgent wish, and for room for it; `None` at the end.
    fn next(&self) -> Option<ChunkKey> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            state.forget_taken(self.arrivals.len());
            let most_urgent = state.queue.last().map(|want| want.bytes);
            state = match most_urgent {
                Some(bytes) if state.has_room(bytes) => {
                    let want = state.queue.pop()?;
                    state.begin(&want);
                    return Some(want.key);
                }
                Some(_) => {
                    self.wake.wait_timeout(state, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Asks a chunk's source.
    fn ask(&self, key: ChunkKey, ask: impl FnOnce(&dyn ChunkSource) -> Answer) -> Asked {
        let Some(source) = self.sources.get(key.source) else { return Asked::Gone };
        let answer = catch_unwind(AssertUnwindSafe(|| ask(&*source)));
        let answer = answer.unwrap_or_else(|panic| {
            let reason = format!("reading it panicked: {}", message(&*panic));
            Some(Err(ChunkFault { level: key.level, number: key.number, reason }))
        });
        if self.sources.get(key.source).is_some() { Asked::Answer(answer) } else { Asked::Gone }
    }

    /// Nobody wants this chunk any more. Always goes on.
    fn forget(&self, key: ChunkKey) -> bool {
        self.lock().end(&key);
        self.wake.notify_all();
        true
    }

    /// Puts a result, or word that it is being made, into the channel, waiting for room; false at the end.
    ///
    /// Sends happen under the lock and never wait there, so `delivered` has exactly the channel's order.
    fn deliver(&self, key: ChunkKey, result: Answer) -> bool {
        let brought = result.is_some().then_some(key);
        let bytes = result.as_ref().and_then(|r| r.as_ref().ok()).map_or(0, ChunkData::bytes);
        let mut arrival = (key, result);
        loop {
            let mut state = self.lock();
            if state.closed {
                return false;
            }
            match self.arrivals.try_send(arrival) {
                Ok(()) => {
                    if brought.is_some() {
                        state.end(&key);
                    }
                    state.delivered.push_back((brought, bytes));
                    state.bytes += bytes;
                    state.forget_taken(self.arrivals.len());
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

/// A chunk, or `None` where it is not there yet.
type Answer = Option<Result<ChunkData, ChunkFault>>;

/// What came of asking a source.
enum Asked {
    /// The source was closed: nobody wants the chunk.
    Gone,
    /// It answered.
    Answer(Answer),
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crossbeam_channel::RecvTimeoutError;
    use lucida_components::{
        chunk::{ChunkValues, Priority},
        dataset::SourceId,
        dtype::Dtype,
    };
    use std::time::{Duration, Instant};

    /// A source whose reads wait until the test lets them go; it keeps the order in which they began.
    struct Gate {
        began: Mutex<Vec<u64>>,
        go: Receiver<()>,
    }

    /// The chunk whose read panics, and the one that cannot be read.
    const PANICS: u64 = 666;
    const FAILS: u64 = 404;

    impl ChunkSource for Gate {
        fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
            self.began.lock().unwrap().push(number);
            // An ended gate is an open one.
            let _ = self.go.recv();
            match number {
                PANICS => panic!("chunk {number} bites"),
                FAILS => Err(ChunkFault { level, number, reason: "not there".into() }),
                _ => Ok(ChunkData {
                    dtype: Dtype::U8,
                    values: ChunkValues::Uniform([number as u8, 0, 0, 0]),
                    missing: false,
                }),
            }
        }
    }

    const ID: SourceId = SourceId(7);

    fn gated(threads: usize) -> (ChunkPool, Receiver<Arrival>, Arc<Gate>, Sender<()>) {
        let (go, receiver) = crossbeam_channel::bounded(0);
        let gate = Arc::new(Gate { began: Mutex::default(), go: receiver });
        let sources = Sources::default();
        sources.register(ID, gate.clone());
        let (pool, arrivals) = ChunkPool::new(threads, sources).unwrap();
        (pool, arrivals, gate, go)
    }

    fn want(number: u64, priority: u32) -> Want {
        sized(number, priority, 64)
    }

    fn sized(number: u64, priority: u32, bytes: u64) -> Want {
        Want { key: ChunkKey { source: ID, level: 0, number }, priority: Priority(priority), bytes }
    }

    fn eventually(what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(Instant::now() < deadline, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn take(arrivals: &Receiver<Arrival>) -> Arrival {
        arrivals.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn the_most_urgent_is_read_first_and_what_is_no_longer_wanted_is_not_read() {
        let (pool, arrivals, gate, go) = gated(1);
        pool.request(&[want(1, 0)]);
        eventually("1 begins", || *gate.began.lock().unwrap() == [1]);
        pool.request(&[want(5, 5), want(3, 3), want(4, 4)]);
        pool.request(&[want(6, 9), want(4, 2), want(1, 0), want(4, 1)]);
        assert_eq!((pool.in_flight(), pool.queued()), (1, 2));
        drop(go);
        let got: Vec<u64> = (0..3).map(|_| take(&arrivals).0.number).collect();
        assert_eq!(got, [1, 4, 6]);
        eventually("nothing is left", || pool.in_flight() == 0 && pool.queued() == 0);
        assert_eq!(*gate.began.lock().unwrap(), [1, 4, 6]);
    }

    #[test]
    fn what_is_read_or_waits_in_the_channel_is_not_read_again_until_it_was_taken() {
        let (pool, arrivals, gate, go) = gated(2);
        pool.request(&[want(1, 0), want(2, 1)]);
        eventually("both begin", || pool.in_flight() == 2);
        pool.request(&[want(1, 0), want(2, 1)]);
        go.send(()).unwrap();
        go.send(()).unwrap();
        eventually("both lie in the channel", || arrivals.len() == 2 && pool.in_flight() == 0);
        pool.request(&[want(1, 0), want(2, 1)]);
        assert_eq!(pool.queued() + pool.in_flight(), 0);
        let first = take(&arrivals).0;
        pool.request(&[want(1, 0), want(2, 1)]);
        eventually("the taken one begins again", || gate.began.lock().unwrap().len() == 3);
        assert_eq!(gate.began.lock().unwrap()[2], first.number);
        drop(go);
    }

    #[test]
    fn a_panic_and_an_error_are_faults_and_the_thread_lives() {
        let (pool, arrivals, _, go) = gated(1);
        drop(go);
        pool.request(&[want(PANICS, 0), want(FAILS, 1), want(3, 2)]);
        let (key, result) = take(&arrivals);
        assert_eq!(key.number, PANICS);
        let fault = result.unwrap().unwrap_err();
        assert_eq!((fault.level, fault.number), (0, PANICS));
        assert!(fault.reason.contains("chunk 666 bites"), "{fault}");
        assert_eq!(take(&arrivals).1.unwrap().unwrap_err().reason, "not there");
        assert!(take(&arrivals).1.unwrap().is_ok());
        // Each was told once.
        assert!(arrivals.recv_timeout(Duration::from_millis(20)).is_err());
    }

    #[test]
    fn a_full_channel_holds_the_threads_up_and_nothing_is_lost() {
        let (pool, arrivals, _, go) = gated(3);
        drop(go);
        let wants: Vec<_> = (0..200).map(|n| want(n, n as u32)).collect();
        pool.request(&wants);
        eventually("the channel is full", || arrivals.len() == ARRIVALS && pool.in_flight() == 3);
        assert_eq!(pool.queued(), 200 - ARRIVALS - 3);
        let mut got: Vec<u64> = (0..200).map(|_| take(&arrivals).0.number).collect();
        got.sort_unstable();
        assert_eq!(got, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_read_or_waits_never_has_more_bytes_than_allowed() {
        let (pool, arrivals, gate, go) = gated(4);
        pool.limit_transit(300);
        pool.request(&(0..9).map(|n| sized(n, n as u32, 120)).collect::<Vec<_>>());
        eventually("two begin", || gate.began.lock().unwrap().len() == 2);
        thread::sleep(Duration::from_millis(20));
        assert_eq!((pool.in_flight(), pool.transit()), (2, (240, 240)), "a third has no room");
        drop(go);
        // A uniform chunk has 64 bytes once it is there: 64 + 64 + 120 fit.
        let mut got: Vec<u64> = (0..9).map(|_| take(&arrivals).0.number).collect();
        got.sort_unstable();
        assert_eq!(got, (0..9).collect::<Vec<_>>());
        eventually("nothing is left", || pool.transit().0 == 0);
        assert!(pool.transit().1 <= 300, "{}", pool.transit().1);
    }

    #[test]
    fn a_chunk_larger_than_allowed_is_read_alone() {
        let (pool, arrivals, gate, go) = gated(4);
        pool.limit_transit(100);
        pool.request(&[sized(0, 0, 50), sized(1, 1, 1000), sized(2, 2, 50)]);
        eventually("the first begins", || gate.began.lock().unwrap().len() == 1);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(pool.in_flight(), 1, "the large one waits, and the next does not overtake it");
        drop(go);
        let got: Vec<u64> = (0..3).map(|_| take(&arrivals).0.number).collect();
        assert_eq!((got, pool.transit().1), (vec![0, 1, 2], 1000));
    }

    #[test]
    fn dropping_the_pool_joins_its_threads_wherever_they_wait() {
        // Waiting for wishes.
        drop(gated(3).0);
        // Waiting for room.
        let (pool, arrivals, gate, go) = gated(2);
        drop(go);
        pool.request(&(0..200).map(|n| want(n, 0)).collect::<Vec<_>>());
        eventually("the channel is full", || arrivals.len() == ARRIVALS && pool.in_flight() == 2);
        drop(pool);
        assert_eq!(Arc::strong_count(&gate), 1, "the threads and their table are gone");
        // The world gone before the pool.
        let (pool, arrivals, _, go) = gated(2);
        drop(arrivals);
        drop(go);
        pool.request(&[want(1, 0), want(2, 0), want(3, 0)]);
        drop(pool);
    }

    #[test]
    fn chunks_of_a_closed_source_are_discarded() {
        let (pool, arrivals, gate, go) = gated(1);
        pool.request(&[want(1, 0), want(2, 1)]);
        eventually("1 begins", || gate.began.lock().unwrap().len() == 1);
        pool.sources().unregister(ID);
        drop(go);
        eventually("all are gone", || pool.in_flight() == 0 && pool.queued() == 0);
        assert!(arrivals.is_empty());
        assert_eq!(*gate.began.lock().unwrap(), [1]);
    }

    /// A source that has to make the chunks from 100 on; making waits until the test lets it go on.
    struct Maker {
        /// Chunks whose making began, and that was given up.
        began: Mutex<Vec<u64>>,
        stopped: Mutex<Vec<u64>>,
        go: Receiver<()>,
    }

    impl ChunkSource for Maker {
        fn read(&self, _: u16, number: u64) -> Result<ChunkData, ChunkFault> {
            let values = ChunkValues::Uniform([number as u8, 0, 0, 0]);
            Ok(ChunkData { dtype: Dtype::U8, values, missing: false })
        }

        fn look(&self, level: u16, number: u64) -> Option<Result<ChunkData, ChunkFault>> {
            (number < 100).then(|| self.read(level, number))
        }

        fn make(
            &self,
            level: u16,
            number: u64,
            goes_on: &dyn Fn() -> bool,
        ) -> Option<Result<ChunkData, ChunkFault>> {
            self.began.lock().unwrap().push(number);
            while let Err(RecvTimeoutError::Timeout) = self.go.recv_timeout(Duration::from_millis(1)) {
                if !goes_on() {
                    self.stopped.lock().unwrap().push(number);
                    return None;
                }
            }
            Some(self.read(level, number))
        }
    }

    fn making() -> (ChunkPool, Receiver<Arrival>, Arc<Maker>, Sender<()>) {
        let (go, receiver) = crossbeam_channel::bounded(0);
        let maker = Arc::new(Maker { began: Mutex::default(), stopped: Mutex::default(), go: receiver });
        let sources = Sources::default();
        sources.register(ID, maker.clone());
        let (pool, arrivals) = ChunkPool::new(1, sources).unwrap();
        (pool, arrivals, maker, go)
    }

    #[test]
    fn what_must_be_made_is_told_and_holds_nothing_else_up() {
        let (pool, arrivals, maker, go) = making();
        pool.request(&[want(100, 0), want(1, 1), want(101, 2), want(2, 3)]);
        let got: Vec<(u64, bool)> =
            (0..4).map(|_| take(&arrivals)).map(|(key, result)| (key.number, result.is_some())).collect();
        assert_eq!(got, [(100, false), (1, true), (101, false), (2, true)]);
        eventually("one is made", || *maker.began.lock().unwrap() == [100]);
        // The same list again changes nothing, and nothing is told twice.
        pool.request(&[want(100, 0), want(101, 2)]);
        go.send(()).unwrap();
        let (key, result) = take(&arrivals);
        assert_eq!((key.number, result.unwrap().is_ok()), (100, true));
        eventually("the next is made", || *maker.began.lock().unwrap() == [100, 101]);
        drop(go);
        assert_eq!(take(&arrivals).0.number, 101);
        assert!(arrivals.recv_timeout(Duration::from_millis(20)).is_err());
        assert!(maker.stopped.lock().unwrap().is_empty());
    }

    #[test]
    fn making_ends_where_nobody_wants_it_and_gives_way_to_what_is_more_urgent() {
        let (pool, arrivals, maker, go) = making();
        pool.request(&[want(100, 0)]);
        eventually("it is made", || *maker.began.lock().unwrap() == [100]);
        pool.request(&[]);
        eventually("it is given up", || *maker.stopped.lock().unwrap() == [100]);
        assert_eq!(take(&arrivals).0.number, 100);

        pool.request(&[want(101, 5)]);
        assert!(take(&arrivals).1.is_none());
        eventually("it is made", || maker.began.lock().unwrap().last() == Some(&101));
        pool.request(&[want(102, 1), want(101, 5)]);
        assert!(take(&arrivals).1.is_none());
        eventually("it gives way", || maker.began.lock().unwrap().last() == Some(&102));
        assert_eq!(*maker.stopped.lock().unwrap(), [100, 101]);
        drop(go);
        assert_eq!((take(&arrivals).0.number, take(&arrivals).0.number), (102, 101));
    }

    #[test]
    fn dropping_the_pool_ends_making() {
        let (pool, _arrivals, maker, _go) = making();
        pool.request(&[want(100, 0)]);
        eventually("it is made", || !maker.began.lock().unwrap().is_empty());
        drop(pool);
        assert_eq!(Arc::strong_count(&maker), 1, "the threads are gone");
    }

    #[test]
    fn threads_are_named() {
        struct Named(Mutex<Option<String>>);
        impl ChunkSource for Named {
            fn read(&self, level: u16, number: u64) -> Result<ChunkData, ChunkFault> {
                *self.0.lock().unwrap() = thread::current().name().map(str::to_owned);
                Err(ChunkFault { level, number, reason: String::new() })
            }
        }
        let named = Arc::new(Named(Mutex::default()));
        let sources = Sources::default();
        sources.register(ID, named.clone());
        let (pool, arrivals) = ChunkPool::new(0, sources).unwrap();
        pool.request(&[want(1, 0)]);
        assert!(take(&arrivals).1.unwrap().is_err());
        assert_eq!(named.0.lock().unwrap().as_deref(), Some("lucida-pool-0"));
    }
}
