//! The one thread that submits: command buffers run in the order in which the world recorded them,
//! and a driver that draws inside `submit` (software ones do) holds up no turn.

use super::encoders::{self, Drawn, EncoderThread};
use crossbeam_channel::{Receiver, Sender};
use lucida_components::ids::StreamId;
use lucida_systems::render::{
    gpu::Gpu,
    job::{FrameJob, Job, PieceJob, PieceReturned, UploadJob},
};
use std::{
    collections::HashMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Instant,
};

/// Jobs that may wait here: more than all rings of a server can hold, and the few uploads that may wait.
pub const QUEUE: usize = 256;
/// Frames that may wait for one encoder: the slots of a ring.
const PER_STREAM: usize = 4;

/// A frame whose commands run; its readback buffer is being mapped.
#[derive(Debug)]
pub struct Submitted {
    /// The frame.
    pub job: Box<FrameJob>,
    /// What to wait for; `None` where it was not submitted.
    pub index: Option<wgpu::SubmissionIndex>,
    /// When it was.
    pub at: Instant,
}

/// How encoders are opened.
#[derive(Debug, Clone, Copy)]
pub struct EncodeSettings {
    /// Bits per second of a stream.
    pub bitrate: u32,
    /// Threads of one encoder.
    pub threads: u16,
}

/// Starts the thread. It ends, and its encoders with it, when the sender of `jobs` is gone.
///
/// # Errors
/// Where the system gives no thread.
pub fn start(
    settings: EncodeSettings,
    jobs: Receiver<Job>,
    out: Sender<Drawn>,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("lucida-submit".into()).spawn(move || {
        let mut encoders: HashMap<StreamId, (Sender<Submitted>, thread::JoinHandle<()>)> = HashMap::new();
        let mut ending = Vec::new();
        while let Ok(job) = jobs.recv() {
            let mut job = match job {
                Job::Upload(UploadJob { gpu, commands, pending }) => {
                    submit(&gpu, commands);
                    drop(pending);
                    continue;
                }
                Job::Piece(piece) => {
                    if out.send(Drawn::Piece(draw(piece))).is_err() {
                        break;
                    }
                    continue;
                }
                Job::Frame(job) => job,
                Job::Close(stream) => {
                    // Its thread ends when it has encoded what it has; it is not waited for.
                    if let Some((_, thread)) = encoders.remove(&stream) {
                        ending.push(thread);
                    }
                    ending = ending.into_iter().filter_map(joined).collect();
                    continue;
                }
            };
            let stream = job.stream;
            let Some(commands) = job.commands.take() else { continue };
            let at = Instant::now();
            let index = submit(&job.gpu, commands);
            job.readback.map_async(wgpu::MapMode::Read, .., |result| {
                if let Err(error) = result {
                    // Whoever waits for it says so too, with consequences.
                    tracing::debug!("a picture cannot be mapped: {error}");
                }
            });
            let encoder = match encoders.entry(stream) {
                std::collections::hash_map::Entry::Occupied(e) => &e.into_mut().0,
                std::collections::hash_map::Entry::Vacant(e) => {
                    // Never full: a stream has no more slots than this.
                    let (sender, frames) = crossbeam_channel::bounded(PER_STREAM);
                    let thread = EncoderThread {
                        stream,
                        bitrate: settings.bitrate,
                        threads: settings.threads,
                        frames,
                        out: out.clone(),
                    };
                    let name = format!("lucida-encode-{}", stream.0);
                    match thread::Builder::new().name(name).spawn(move || thread.run()) {
                        Ok(handle) => &e.insert((sender, handle)).0,
                        Err(error) => {
                            tracing::error!(stream = stream.0, "no thread for an encoder: {error}");
                            break;
                        }
                    }
                }
            };
            if encoder.send(Submitted { job, index, at }).is_err() {
                break;
            }
        }
        ending.extend(encoders.into_values().map(|(_, thread)| thread));
        ending.into_iter().for_each(join);
    })
}

/// Joins a thread that has ended; gives back one that has not.
fn joined(thread: thread::JoinHandle<()>) -> Option<thread::JoinHandle<()>> {
    if !thread.is_finished() {
        return Some(thread);
    }
    join(thread);
    None
}

fn join(thread: thread::JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("an encoder's thread had panicked");
    }
}

/// Draws a piece and waits for it: a frame that comes meanwhile needs the same GPU, and pieces are short.
fn draw(piece: PieceJob) -> PieceReturned {
    let PieceJob { gpu, stream, number, commands } = piece;
    let started = Instant::now();
    let index = submit(&gpu, commands);
    if let Err(error) = encoders::wait(&gpu.device, index.as_ref()) {
        gpu.lost.declare(&error.to_string());
    }
    PieceReturned { stream, number, micros: started.elapsed().as_secs_f64() * 1e6 }
}

/// Submits to the device the commands were recorded on. `None` where it is lost, or given up because its
/// driver panicked.
fn submit(gpu: &Gpu, commands: wgpu::CommandBuffer) -> Option<wgpu::SubmissionIndex> {
    if gpu.lost.is_lost() {
        return None;
    }
    let submitted = catch_unwind(AssertUnwindSafe(|| gpu.queue.submit([commands])));
    if submitted.is_err() {
        gpu.lost.declare("its driver panicked when commands were submitted");
    }
    submitted.ok()
}
