//! One view on several canvases at once: each stream has the picture of what it shows, drawn to its edges.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::{
    common::{array::ArrayImage, device},
    rig::{TOLERANCE, canvas, coordinates, pattern, rect, set},
};
use bevy_app::App;
use lucida::{
    app::world::{self, WorldSettings},
    data::{ChunkSource, pool::Sources},
    gpu::device::Device,
};
use lucida_components::{
    applied::{Applied, ViewState},
    chunk::{Arrivals, Wants},
    clock::Clock,
    controls::{ControlChange, Interpolation},
    dataset::SourceId,
    dtype::Dtype,
    fit::Fit,
    ids::{IntentRef, SessionId, StreamId, ViewId},
    intent::{Change, Intent, Origin, SessionEvent},
    session::{Features, Newcomer, Watch},
    stream::{Canvas, Orientation},
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::{
        job::{FrameJob, Handover, Job, PixelFormat, Returned},
        pictures::Pictures,
        plane::twin,
    },
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// A world with sessions that watch, and the last picture of each stream.
struct Room {
    app: App,
    device: Device,
    sources: Vec<(SourceId, Arc<dyn ChunkSource>)>,
    pictures: HashMap<StreamId, (FrameJob, Vec<u8>)>,
}

impl Room {
    fn new(device: &Device, image: ArrayImage) -> Self {
        let opened = image.open();
        let mut app = world::app(device, &WorldSettings::of(device));
        let sources = opened.sources.clone();
        let show = world::show(&Sources::default(), opened);
        app.world_mut().resource_mut::<Inbox>().intents.push(show);
        Self { app, device: device.clone(), sources, pictures: HashMap::new() }
    }

    fn ask(&mut self, change: Change) {
        let intent = Intent { origin: None, view: ViewId::MAIN, change, arrived: Instant::now(), op: 0 };
        self.app.world_mut().resource_mut::<Inbox>().intents.push(intent);
    }

    /// A session that watches on this canvas.
    fn watcher(&mut self, number: u64, canvas: Canvas, orientation: Orientation) {
        let session = SessionId(number);
        let newcomer = Newcomer { canvas: Some(canvas), orientation, ..Newcomer::new(Features::default()) };
        let mut inbox = self.app.world_mut().resource_mut::<Inbox>();
        inbox.events.push(SessionEvent::Joined { session, newcomer: Box::new(newcomer) });
        inbox.events.push(SessionEvent::Watching { session });
    }

    /// A session's window has another size.
    fn resize(&mut self, number: u64, canvas: Canvas) {
        let intent = IntentRef { intent_id: "resize".into(), frame_id: "resize".into() };
        let origin = Some(Origin { session: SessionId(number), intent });
        let (view, change) = (ViewId::MAIN, Change::Canvas(canvas));
        let intent = Intent { origin, view, change, arrived: Instant::now(), op: 0 };
        self.app.world_mut().resource_mut::<Inbox>().intents.push(intent);
    }

    /// Turns until nothing is drawn any more.
    fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 30 {
            quiet = if self.turn() { 0 } else { quiet + 1 };
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A turn; whether something happened.
    fn turn(&mut self) -> bool {
        let world = self.app.world_mut();
        world.resource_mut::<Clock>().now = Instant::now();
        for (mut pictures, mut pace) in world.query::<(&mut Pictures, &mut Pace)>().iter_mut(world) {
            pictures.format = PixelFormat::Rgba8;
            pace.interval = Duration::ZERO;
        }
        self.app.update();
        let world = self.app.world_mut();
        let wanted: Vec<_> = world.resource::<Wants>().list.iter().map(|want| want.key).collect();
        let mut did = !wanted.is_empty();
        for key in wanted {
            let (_, source) = self.sources.iter().find(|(id, _)| *id == key.source).unwrap();
            let chunk = source.read(key.level, key.number);
            world.resource_mut::<Arrivals>().0.push((key, Some(chunk)));
        }
        for job in std::mem::take(&mut world.resource_mut::<Handover>().0) {
            did = true;
            match job {
                Job::Upload(upload) => drop(self.device.gpu.queue.submit([upload.commands])),
                Job::Piece(piece) => drop(self.device.gpu.queue.submit([piece.commands])),
                Job::Close(stream) => drop(self.pictures.remove(&stream)),
                Job::Frame(mut job) => {
                    self.device.gpu.queue.submit(job.commands.take());
                    job.readback.map_async(wgpu::MapMode::Read, .., |_| {});
                    self.device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
                    let rgba = job.readback.get_mapped_range(0..job.layout.bytes()).unwrap().to_vec();
                    job.readback.unmap();
                    world.resource_mut::<Returned>().0.push(job.returned(false, None));
                    // They have it now: nothing is encoded here.
                    for mut watch in world.query::<&mut Watch>().iter_mut(world) {
                        watch.needs_keyframe = false;
                    }
                    self.pictures.insert(job.stream, (*job, rgba));
                }
            }
        }
        did
    }

    fn state(&mut self) -> Arc<ViewState> {
        let world = self.app.world_mut();
        world.query::<&Applied>().single(world).unwrap().state.clone()
    }
}

#[test]
fn every_canvas_has_its_own_picture_of_the_same_view() {
    let Some(device) = device() else { return };
    let mut image = ArrayImage::new("yx", &[700, 900], Dtype::U8, Arc::new(pattern));
    (image.levels, image.chunk) = (3, vec![128, 128]);
    let mut room = Room::new(&device, image);
    let sizes =
        [(240, 160), (96, 400), (480, 200), (320, 320)].map(|(width, height)| Canvas { width, height });
    for (number, size) in (1..).zip(sizes) {
        room.watcher(number, size, Orientation::TopDown);
    }
    room.ask(canvas(240, 160));
    room.ask(set(0, ControlChange::Interpolation(Interpolation::Nearest)));
    room.ask(rect(300.0, 250.0, 180.0, 120.0));
    room.settle();
    let state = room.state();
    assert_eq!(state.canvas, sizes[0], "the first one's");
    assert_eq!(room.pictures.len(), sizes.len());
    let mut seen = Vec::new();
    for (job, rgba) in room.pictures.values() {
        let size = job.layout.canvas;
        let fitted = Fit::of(state.canvas, size).state(&state);
        let want =
            twin::draw(&fitted, |_, plane, row, col| pattern(plane.number, &coordinates(plane, row, col)));
        let differs = |(got, want): (&[u8], &[f64; 3])| {
            (0..3).any(|i| (f64::from(got[i]) - want[i] * 255.0).abs() > TOLERANCE)
        };
        let bad = rgba.chunks_exact(4).zip(&want).filter(|pair| differs(*pair)).count();
        assert!(bad * 250 < want.len(), "{size:?}: {bad} of {} pixels", want.len());
        seen.push(size);
    }
    seen.sort_by_key(|c| (c.width, c.height));
    assert_eq!(seen.len(), sizes.len());
}

#[test]
fn a_window_that_is_resized_has_its_picture_though_nothing_else_changes() {
    let Some(device) = device() else { return };
    let image = ArrayImage::new("yx", &[160, 240], Dtype::U8, Arc::new(pattern));
    let mut room = Room::new(&device, image);
    let leads = Canvas { width: 480, height: 320 };
    room.watcher(1, leads, Orientation::TopDown);
    room.watcher(2, Canvas { width: 240, height: 160 }, Orientation::TopDown);
    room.settle();
    for (width, height) in [(120, 80), (240, 160), (60, 200)] {
        let state = room.state();
        room.pictures.clear();
        room.resize(2, Canvas { width, height });
        room.settle();
        assert_eq!(*room.state(), *state, "nothing else changes");
        let sizes: Vec<Canvas> = room.pictures.values().map(|(job, _)| job.layout.canvas).collect();
        assert_eq!(sizes, [Canvas { width, height }]);
    }
}
