//! Volumes on a device that is slow: drafts while something changes, pieces at rest, and never anything partial.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::{
    common::{array::ArrayImage, device},
    rig::canvas,
};
use bevy_app::App;
use lucida::{
    app::{
        still::Stills,
        world::{self, WorldSettings},
    },
    data::{ChunkSource, Opened, pool::Sources},
    gpu::device::Device,
};
use lucida_components::{
    applied::Applied,
    camera::CameraDelta,
    chunk::{Arrivals, Wants},
    clock::Clock,
    dataset::SourceId,
    dtype::Dtype,
    ids::{SessionId, StreamId, ViewId},
    intent::{Change, Intent},
    notice::Residency,
    session::{Features, Newcomer, Session, Watch},
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::{
        job::{FrameJob, Handover, Job, PieceReturned, Pieces, PixelFormat, Returned},
        pictures::Pictures,
    },
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What a turn gave out.
#[derive(Debug, PartialEq)]
enum Made {
    Nothing,
    Piece,
    Picture { revision: u64, rgba: Vec<u8> },
}

/// A watched world on a clock of its own, on which drawing takes as long as the test says.
struct Slow {
    app: App,
    device: Device,
    sources: Vec<(SourceId, Arc<dyn ChunkSource>)>,
    now: Instant,
    /// What the device is said to need for a picture or piece.
    micros: f64,
}

impl Slow {
    fn new(device: &Device, opened: Opened, changes: Vec<Change>) -> Self {
        // Drafts are for slow devices of any kind; limits are those of a CPU here.
        let mut device = device.clone();
        device.gpu.is_cpu = true;
        let mut app = world::app(&device, &WorldSettings::of(&device));
        let world = app.world_mut();
        for (mut pictures, mut pace) in world.query::<(&mut Pictures, &mut Pace)>().iter_mut(world) {
            pictures.format = PixelFormat::Rgba8;
            pace.interval = Duration::from_millis(1);
        }
        let session = Session::of(SessionId(1), Newcomer::new(Features::default()));
        world.spawn((SessionId(1), session, Watch::joined(StreamId::MAIN, 1)));
        let sources = opened.sources.clone();
        let show = world::show(&Sources::default(), opened);
        world.resource_mut::<Inbox>().intents.push(show);
        let mut slow = Self { app, device, sources, now: Instant::now(), micros: 100e3 };
        slow.ask(changes);
        slow
    }

    fn ask(&mut self, changes: Vec<Change>) {
        let asked = changes.into_iter().map(|change| Intent {
            origin: None,
            view: ViewId::MAIN,
            change,
            arrived: self.now,
            op: 0,
        });
        self.app.world_mut().resource_mut::<Inbox>().intents.extend(asked);
    }

    /// A turn, `millis` after the last one, with every chunk that the last one wanted.
    fn turn(&mut self, millis: u64) -> Made {
        self.now += Duration::from_millis(millis);
        let world = self.app.world_mut();
        world.resource_mut::<Clock>().now = self.now;
        let wanted: Vec<_> = world.resource::<Wants>().list.iter().map(|want| want.key).collect();
        for key in wanted {
            let (_, source) = self.sources.iter().find(|(id, _)| *id == key.source).unwrap();
            let chunk = source.read(key.level, key.number);
            self.app.world_mut().resource_mut::<Arrivals>().0.push((key, Some(chunk)));
        }
        self.app.update();
        let jobs = std::mem::take(&mut self.app.world_mut().resource_mut::<Handover>().0);
        let mut made = Made::Nothing;
        for job in jobs {
            match job {
                Job::Upload(upload) => drop(self.device.gpu.queue.submit([upload.commands])),
                Job::Piece(piece) => {
                    assert_eq!(made, Made::Nothing, "one thing at a time");
                    self.device.gpu.queue.submit([piece.commands]);
                    let done =
                        PieceReturned { stream: piece.stream, number: piece.number, micros: self.micros };
                    self.app.world_mut().resource_mut::<Pieces>().0.push(done);
                    made = Made::Piece;
                }
                Job::Close(_) => {}
                Job::Frame(job) => {
                    assert_eq!(made, Made::Nothing, "one thing at a time");
                    made = self.picture(*job);
                }
            }
        }
        made
    }

    fn picture(&mut self, mut job: FrameJob) -> Made {
        self.device.gpu.queue.submit(job.commands.take());
        job.readback.map_async(wgpu::MapMode::Read, .., |_| {});
        self.device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let rgba = job.readback.get_mapped_range(0..job.layout.bytes()).unwrap().to_vec();
        job.readback.unmap();
        self.app.world_mut().resource_mut::<Returned>().0.push(job.returned(false, Some(self.micros)));
        Made::Picture { revision: job.revision, rgba }
    }

    /// Turns until there is a picture; how many pieces came before it.
    fn until_picture(&mut self, millis: u64) -> (usize, u64, Vec<u8>) {
        let mut pieces = 0;
        for _ in 0..2000 {
            match self.turn(millis) {
                Made::Nothing => {}
                Made::Piece => pieces += 1,
                Made::Picture { revision, rgba } => return (pieces, revision, rgba),
            }
        }
        panic!("no picture; {:?}", self.residency());
    }

    fn residency(&mut self) -> Residency {
        let world = self.app.world_mut();
        *world.query::<&Residency>().single(world).unwrap()
    }

    fn revision(&mut self) -> u64 {
        let world = self.app.world_mut();
        world.query::<&Applied>().single(world).unwrap().revision
    }

    /// Turns until everything is resident and the picture at rest is drawn.
    fn settle(&mut self) -> Vec<u8> {
        let mut last = Vec::new();
        let mut idle = 0;
        while idle < 50 {
            match self.turn(10) {
                Made::Nothing => idle += 1,
                Made::Piece => idle = 0,
                Made::Picture { rgba, .. } => (idle, last) = (0, rgba),
            }
        }
        let residency = self.residency();
        assert!(residency.resident == residency.wanted && !residency.waiting, "{residency:?}");
        last
    }
}

/// A ball with a hole, 90 × 80 × 100.
fn ball() -> ArrayImage {
    let values = |_: usize, at: &[u64]| {
        let r: f64 =
            at.iter().zip([45.0, 40.0, 50.0]).map(|(v, c)| (*v as f64 - c).powi(2)).sum::<f64>().sqrt();
        if (15.0..35.0).contains(&r) { 250.0 - 5.0 * r } else { 8.0 }
    };
    ArrayImage::new("zyx", &[90, 80, 100], Dtype::U8, Arc::new(values))
}

fn orbit(azimuth: f64) -> Change {
    Change::Camera(CameraDelta::Orbit { azimuth, elevation: 0.0 })
}

fn lit(rgba: &[u8]) -> usize {
    rgba.chunks_exact(4).filter(|p| p[..3].iter().any(|v| *v > 20)).count()
}

const CANVAS: (u32, u32) = (320, 200);

#[test]
fn at_rest_the_picture_in_pieces_is_that_of_a_still_bit_for_bit() {
    let Some(device) = device() else { return };
    let changes = || vec![canvas(CANVAS.0, CANVAS.1), Change::Ndisplay(3), orbit(17.0)];
    let mut slow = Slow::new(&device, ball().open(), changes());
    let refined = slow.settle();
    let metrics = slow.app.world().resource::<lucida_components::metrics::Metrics>().clone();
    assert!(metrics.pieces_drawn > 2, "{metrics:?}");
    let mut stills = Stills::new(device.clone(), WorldSettings::of(&device), ball().open()).unwrap();
    let still = stills.draw(changes()).unwrap();
    assert!(lit(&still.rgba) > still.rgba.len() / 400, "it shows something");
    let apart = refined.iter().zip(&still.rgba).filter(|(a, b)| a != b).count();
    assert_eq!(apart, 0, "the same snapshot is the same picture");
}

#[test]
fn what_moves_is_a_draft_and_abandons_pieces_at_once() {
    let Some(device) = device() else { return };
    let changes = vec![canvas(CANVAS.0, CANVAS.1), Change::Ndisplay(3)];
    let mut slow = Slow::new(&device, ball().open(), changes);
    let full = slow.settle();
    // Another pose: the very next picture shows it, although it is said to take its time.
    slow.ask(vec![orbit(40.0)]);
    let Made::Picture { revision, rgba: draft } = slow.turn(5) else { panic!("a draft") };
    assert_eq!(revision, slow.revision());
    assert!(lit(&draft) * 2 > lit(&full), "it shows the volume");
    // Then it is refined.
    while slow.turn(20) != Made::Piece {}
    assert_eq!(slow.turn(5), Made::Piece);
    slow.ask(vec![orbit(1.0)]);
    let Made::Picture { revision, .. } = slow.turn(5) else { panic!("pieces are abandoned for an intent") };
    assert_eq!(revision, slow.revision());
    let (pieces, same, refined) = slow.until_picture(20);
    assert!(pieces > 2 && same == revision, "from the beginning: {pieces} pieces");
    // A draft is the same picture, only coarser.
    let apart = |a: &[u8], b: &[u8]| {
        a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
    };
    assert!(apart(&draft, &refined) < 12.0, "{}", apart(&draft, &refined));
    assert!(draft != refined);
    // At rest nothing is drawn.
    for _ in 0..50 {
        assert_eq!(slow.turn(20), Made::Nothing);
    }
}

#[test]
fn a_fast_device_draws_in_full_while_it_moves_and_nothing_at_rest() {
    let Some(device) = device() else { return };
    let changes = vec![canvas(CANVAS.0, CANVAS.1), Change::Ndisplay(3)];
    let mut slow = Slow::new(&device, ball().open(), changes);
    slow.micros = 500.0;
    slow.settle();
    for step in 0..4 {
        slow.ask(vec![orbit(3.0)]);
        let Made::Picture { .. } = slow.turn(20) else { panic!("a picture of step {step}") };
    }
    let metrics = slow.app.world().resource::<lucida_components::metrics::Metrics>();
    let drafts = metrics.drafts_drawn;
    assert!(drafts <= 2, "only before anything was measured: {drafts}");
    for _ in 0..50 {
        assert_eq!(slow.turn(20), Made::Nothing);
    }
}

#[test]
fn a_keyframe_at_rest_is_the_same_picture_and_not_drawn_anew() {
    let Some(device) = device() else { return };
    let changes = vec![canvas(CANVAS.0, CANVAS.1), Change::Ndisplay(3)];
    let mut slow = Slow::new(&device, ball().open(), changes);
    let full = slow.settle();
    let pieces =
        |slow: &Slow| slow.app.world().resource::<lucida_components::metrics::Metrics>().pieces_drawn;
    let before = pieces(&slow);
    let world = slow.app.world_mut();
    world.query::<&mut Pictures>().single_mut(world).unwrap().request_keyframe();
    let Made::Picture { rgba, .. } = slow.turn(5) else { panic!("a keyframe") };
    assert!(rgba == full);
    assert_eq!((pieces(&slow), slow.turn(20)), (before, Made::Nothing));
}
