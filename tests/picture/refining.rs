//! Pictures while data is missing: what is coarse answers for what is not here.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::{
    common::{array::ArrayImage, device},
    rig::{TOLERANCE, canvas, coordinates, go, pattern, rect, set},
    thick::thicken,
};
use bevy_app::App;
use lucida::{
    app::world::{self, WorldSettings},
    data::{ChunkSource, Opened, pool::Sources},
    gpu::device::Device,
};
use lucida_components::{
    applied::{Applied, ViewState},
    chunk::{Arrivals, ChunkKey, Wants},
    clock::Clock,
    controls::{ControlChange, Interpolation, Projection},
    dataset::SourceId,
    dtype::Dtype,
    ids::ViewId,
    intent::{Change, Intent},
    labels::LabelTable,
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::{
        job::{FrameJob, Handover, Job, PixelFormat, Returned},
        pictures::Pictures,
        plane::twin,
    },
    residency::plan::Plan,
};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// Turns after which nothing more is expected to happen.
const TURNS: usize = 100;

/// A world whose chunks come when the test says so.
struct Held {
    app: App,
    device: Device,
    sources: Vec<(SourceId, Arc<dyn ChunkSource>)>,
    came: HashSet<ChunkKey>,
}

impl Held {
    fn new(device: &Device, opened: Opened, changes: Vec<Change>) -> Self {
        let mut app = world::app(device, &WorldSettings::of(device));
        let world = app.world_mut();
        for (mut pictures, mut pace) in world.query::<(&mut Pictures, &mut Pace)>().iter_mut(world) {
            pictures.format = PixelFormat::Rgba8;
            (pace.always, pace.interval) = (true, Duration::ZERO);
        }
        let sources = opened.sources.clone();
        let show = world::show(&Sources::default(), opened);
        let asked = changes.into_iter().map(|change| Intent {
            origin: None,
            view: ViewId::MAIN,
            change,
            arrived: Instant::now(),
            op: 0,
        });
        world.resource_mut::<Inbox>().intents.push(show);
        world.resource_mut::<Inbox>().intents.extend(asked);
        Self { app, device: device.clone(), sources, came: HashSet::new() }
    }

    /// The last picture, and what it is of, once every wanted chunk is here that `may_come`.
    fn draw(&mut self, may_come: impl Fn(&ChunkKey) -> bool) -> (Vec<u8>, Arc<ViewState>) {
        for _ in 0..TURNS {
            self.turn();
            let world = self.app.world_mut();
            let wanted: Vec<ChunkKey> = world.resource::<Wants>().list.iter().map(|want| want.key).collect();
            let news: Vec<ChunkKey> =
                wanted.into_iter().filter(|key| may_come(key) && self.came.insert(*key)).collect();
            if news.is_empty() && world.query::<&Plan>().single(world).unwrap().uploads.is_empty() {
                break;
            }
            for key in news {
                let (_, source) = self.sources.iter().find(|(id, _)| *id == key.source).unwrap();
                let chunk = source.read(key.level, key.number);
                self.app.world_mut().resource_mut::<Arrivals>().0.push((key, Some(chunk)));
            }
        }
        let world = self.app.world_mut();
        world.query::<&mut Pictures>().single_mut(world).unwrap().request_keyframe();
        let job = self.turn().expect("a picture");
        job.readback.map_async(wgpu::MapMode::Read, .., |_| {});
        self.device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let rgba = job.readback.get_mapped_range(0..job.layout.bytes()).unwrap().to_vec();
        job.readback.unmap();
        let world = self.app.world_mut();
        (rgba, world.query::<&Applied>().single(world).unwrap().state.clone())
    }

    fn turn(&mut self) -> Option<FrameJob> {
        self.app.world_mut().resource_mut::<Clock>().now = Instant::now();
        self.app.update();
        let world = self.app.world_mut();
        let mut frame = None;
        for job in std::mem::take(&mut world.resource_mut::<Handover>().0) {
            let commands = match job {
                Job::Upload(upload) => Some(upload.commands),
                Job::Piece(piece) => Some(piece.commands),
                Job::Close(_) => None,
                Job::Frame(mut job) => {
                    let commands = job.commands.take();
                    frame = Some(job);
                    commands
                }
            };
            self.device.gpu.queue.submit(commands);
        }
        self.device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let job = *frame?;
        world.resource_mut::<Returned>().0.push(job.returned(false, None));
        Some(job)
    }
}

/// 4 × 256 × 256 and half of it; chunks are planes, the upper left of which hold a whole tile with its border.
fn image(labels: bool) -> ArrayImage {
    let values = move |level: usize, at: &[u64]| match pattern(level, at) {
        id if labels => (id / 40.0).floor() * 3.0,
        v => (v / 2.0).floor() + if level == 0 { 100.0 } else { 0.0 },
    };
    let mut image = ArrayImage::new("zyx", &[4, 256, 256], Dtype::U8, Arc::new(values));
    (image.levels, image.chunk) = (2, vec![1, 160, 160]);
    let colours = [(3, [200, 10, 10, 255]), (6, [20, 220, 30, 255])].into();
    if labels { image.of_labels(LabelTable { colours, ..LabelTable::default() }) } else { image }
}

/// What each layer can look like, with the changes that lead to it.
fn looks() -> Vec<(&'static str, bool, Vec<ControlChange>)> {
    let smooth = ControlChange::Interpolation;
    vec![
        ("nearest", false, vec![smooth(Interpolation::Nearest)]),
        ("linear", false, vec![smooth(Interpolation::Linear)]),
        ("cubic", false, vec![smooth(Interpolation::Cubic)]),
        ("mean", false, vec![ControlChange::Projection(Projection::Mean)]),
        (
            "cubic maximum",
            false,
            vec![ControlChange::Projection(Projection::Maximum), smooth(Interpolation::Cubic)],
        ),
        ("labels", true, vec![ControlChange::Opacity(1.0)]),
        ("outlines", true, vec![ControlChange::Opacity(1.0), ControlChange::Contour(1)]),
        ("thick outlines", true, vec![ControlChange::Opacity(1.0), ControlChange::Contour(4)]),
    ]
}

fn changes(controls: Vec<ControlChange>) -> Vec<Change> {
    // Larger than life, so that level 0 is wanted.
    let mut changes = vec![
        canvas(512, 512),
        rect(-0.5, -0.5, 256.0, 256.0),
        Change::Level(0),
        go("z", 1),
        thicken("z", 1.0, 1.0),
    ];
    changes.extend(controls.into_iter().map(|c| set(0, c)));
    changes
}

/// Pixels within a square, `[from, to)` on both sides, that differ from the twin's at a level.
fn differing(
    rgba: &[u8],
    state: &ViewState,
    values: &ArrayImage,
    level: usize,
    [from, to]: [usize; 2],
) -> usize {
    let mut state = state.clone();
    state.lod.level = level;
    let want = twin::draw(&state, |_, plane, row, col| (values.values)(level, &coordinates(plane, row, col)));
    let differs = |n: &usize| {
        let got = &rgba[n * 4..n * 4 + 3];
        (0..3).any(|i| (f64::from(got[i]) - want[*n][i] * 255.0).abs() > TOLERANCE)
    };
    (from..to).flat_map(|y| (from..to).map(move |x| y * 512 + x)).filter(differs).count()
}

#[test]
fn the_coarsest_level_answers_for_every_look() {
    let Some(device) = device() else { return };
    for (name, labels, controls) in looks() {
        let made = image(labels);
        let mut held = Held::new(&device, made.clone().open(), changes(controls));
        let (rgba, state) = held.draw(|key| key.level == 1);
        assert_eq!(state.lod.level, 0);
        let bad = differing(&rgba, &state, &made, 1, [0, 512]);
        assert!(bad < 512 * 512 / 250, "{name}: {bad} pixels differ from the coarse level");
        // Then everything comes.
        let (rgba, state) = held.draw(|_| true);
        let bad = differing(&rgba, &state, &made, 0, [0, 512]);
        assert!(bad < 512 * 512 / 250, "{name}: {bad} pixels differ from the fine level");
    }
}

#[test]
fn a_pixel_takes_the_finest_level_of_which_all_planes_are_here() {
    let Some(device) = device() else { return };
    for (name, labels, controls) in looks() {
        let made = image(labels);
        let mut held = Held::new(&device, made.clone().open(), changes(controls));
        // Chunks of level 0 count 4 to a plane: the first tile of two of the three planes comes.
        let (rgba, state) = held.draw(|key| key.level == 1 || [0, 8].contains(&key.number));
        if state.layers[0].controls.projection == Projection::None {
            // One plane is enough where one is shown; chunk 4 is the one.
            assert!(!held.came.iter().any(|key| key.level == 0));
        }
        let bad = differing(&rgba, &state, &made, 1, [0, 512]);
        assert!(bad < 512 * 512 / 250, "{name}: {bad} pixels differ from the coarse level");
        // And now of all.
        let (rgba, state) = held.draw(|key| key.level == 1 || [0, 4, 8].contains(&key.number));
        // Outlines at the edge of what is here cannot know what lies beyond.
        let bad = differing(&rgba, &state, &made, 0, [0, 256 - 2 * 4]);
        assert!(bad < 248 * 248 / 250, "{name}: {bad} pixels of the first tile differ from the fine level");
        let bad = differing(&rgba, &state, &made, 1, [256, 512]);
        assert!(bad < 256 * 256 / 250, "{name}: {bad} pixels of the last tile differ from the coarse level");
    }
}
