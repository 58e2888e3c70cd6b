//! One thread per stream: waits for the GPU, encodes straight from the mapped buffer.

use super::submit::Submitted;
use crate::encode::{EncodeError, EncoderConfig, I420, VideoEncoder, openh264::OpenH264};
use crossbeam_channel::{Receiver, Sender};
use lucida_components::{
    ids::StreamId,
    packet::Packet,
    stream::{Canvas, StreamConfig},
};
use lucida_systems::{
    pace::Pace,
    render::job::{FrameJob, PieceReturned, PixelFormat, SlotReturned},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A frame takes this long at most; a driver that takes longer has hung.
const GPU_TIMEOUT: Duration = Duration::from_secs(20);
/// How far encoding stands behind answering, and before a software driver's drawing (nice(2)).
const NICE: i32 = 3;
/// Pause after a failed frame, so that a broken encoder does not spin.
const PAUSE: Duration = Duration::from_millis(500);

/// What was drawn, as the world is told.
#[derive(Debug)]
pub enum Drawn {
    /// A picture, by its encoder's thread.
    Picture(Encoded),
    /// A piece of one, by the thread that submits.
    Piece(PieceReturned),
}

/// What an encoder's thread tells the world.
#[derive(Debug)]
pub struct Encoded {
    /// The slot is free again.
    pub slot: SlotReturned,
    /// The picture, where there is one.
    pub packet: Option<Arc<Packet>>,
    /// Why there is none, where the encoder failed after a picture that it had encoded.
    pub fault: Option<String>,
}

/// Encodes until the sender is gone.
pub struct EncoderThread {
    pub(super) stream: StreamId,
    pub(super) bitrate: u32,
    pub(super) threads: u16,
    pub(super) frames: Receiver<Submitted>,
    pub(super) out: Sender<Drawn>,
}

impl EncoderThread {
    pub(super) fn run(self) {
        // The encoder's own threads inherit it.
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::debug!("encoding cannot be made nice: {error}");
        }
        let mut encoder: Option<(Canvas, Box<dyn VideoEncoder>)> = None;
        let mut config: Option<Arc<StreamConfig>> = None;
        let mut is_failing = false;
        while let Ok(submitted) = self.frames.recv() {
            let job = &submitted.job;
            let made = self.encode(&submitted, &mut encoder, &mut config);
            // Unmapped whatever happened, so that the slot can be used again; not on a lost device, whose
            // slots are not.
            if !job.gpu.lost.is_lost() {
                job.readback.unmap();
            }
            let failed = made.is_err();
            let mut fault = None;
            match &made {
                Ok(_) => is_failing = false,
                // A device that does not give its pictures is no longer one: the world opens another, and
                // the encoder goes on with its pictures.
                Err(FrameError::Gpu(_) | FrameError::Map(_)) if job.gpu.lost.is_lost() => {}
                Err(error @ (FrameError::Gpu(_) | FrameError::Map(_))) => {
                    job.gpu.lost.declare(&error.to_string());
                }
                Err(error @ FrameError::Encode(_)) => {
                    tracing::error!(stream = self.stream.0, "a picture was lost: {error}");
                    fault = (!is_failing).then(|| error.to_string());
                    is_failing = true;
                    encoder = None;
                    std::thread::sleep(PAUSE);
                }
            }
            let (packet, gpu_micros) = made.map_or((None, None), |(p, micros)| (Some(Arc::new(p)), micros));
            let slot = job.returned(failed, gpu_micros);
            if self.out.send(Drawn::Picture(Encoded { slot, packet, fault })).is_err() {
                break;
            }
        }
    }

    fn encode(
        &self,
        submitted: &Submitted,
        encoder: &mut Option<(Canvas, Box<dyn VideoEncoder>)>,
        config: &mut Option<Arc<StreamConfig>>,
    ) -> Result<(Packet, Option<f64>), FrameError> {
        let job = &submitted.job;
        wait(&job.gpu.device, submitted.index.as_ref())?;
        let canvas = job.layout.canvas;
        let encoder = match encoder {
            Some((size, encoder)) if *size == canvas => encoder,
            slot => {
                // The old one first: OpenH264's slice threads serve one encoder at a time.
                *slot = None;
                &mut slot.insert((canvas, self.open(canvas)?)).1
            }
        };
        let captured = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        let started = Instant::now();
        let mapped = job.readback.get_mapped_range(..).map_err(|e| FrameError::Map(e.to_string()))?;
        let unit = encoder.encode(planes(job, &mapped), job.keyframe)?;
        let measured = job.gpu_micros(&mapped);
        drop(mapped);
        // Without clocks, what passed since it was submitted: what stood before it counts too.
        let waited = started.saturating_duration_since(submitted.at).as_secs_f64() * 1e6;
        let gpu_micros = Some(measured.unwrap_or(waited));
        let encode_micros = started.elapsed().as_micros() as u32;
        let changed = unit.parameters.map(|p| {
            let name = encoder.name();
            Arc::new(StreamConfig { canvas, codec: p.codec, avcc: p.avcc, encoder: name })
        });
        let changed = changed.filter(|c| config.as_ref() != Some(c));
        if changed.is_some() {
            config.clone_from(&changed);
        }
        let packet = Packet {
            stream: self.stream,
            width: canvas.width,
            height: canvas.height,
            keyframe: unit.keyframe,
            revision: job.revision,
            answered: job.answered.clone(),
            captured,
            bytes: unit.avcc.into(),
            config: changed,
            encode_micros,
        };
        Ok((packet, gpu_micros))
    }

    fn open(&self, canvas: Canvas) -> Result<Box<dyn VideoEncoder>, EncodeError> {
        let fps = Pace::MAX_FPS as f32;
        let config = EncoderConfig { canvas, fps, bitrate: self.bitrate, threads: self.threads };
        Ok(Box::new(OpenH264::new(config)?))
    }
}

/// Why a picture was lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the GPU did not finish: {0}")]
    Gpu(String),
    #[error("the picture cannot be mapped: {0}")]
    Map(String),
}

/// Waits for a submission; its buffer is mapped then.
pub(super) fn wait(device: &wgpu::Device, index: Option<&wgpu::SubmissionIndex>) -> Result<(), FrameError> {
    let index = index.ok_or_else(|| FrameError::Gpu("its commands were not submitted".into()))?;
    let wait = wgpu::PollType::Wait { submission_index: Some(index.clone()), timeout: Some(GPU_TIMEOUT) };
    // wgpu panics where a device is lost while it is waited for.
    match catch_unwind(AssertUnwindSafe(|| device.poll(wait))) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(FrameError::Gpu(error.to_string())),
        Err(_) => Err(FrameError::Gpu("its driver panicked".into())),
    }
}

/// The planes of a picture in its buffer.
fn planes<'a>(job: &FrameJob, bytes: &'a [u8]) -> I420<'a> {
    debug_assert_eq!(job.layout.format, PixelFormat::I420);
    let (canvas, stride) = (job.layout.canvas, job.layout.stride as usize);
    let luma = stride * canvas.height as usize;
    let (y, chroma) = bytes[..job.layout.bytes() as usize].split_at(luma);
    let (u, v) = chroma.split_at(luma / 4);
    I420 { canvas, y, u, v, stride }
}
