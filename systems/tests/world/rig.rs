//! A world to be asked things: a small image made by hand, a clock that stands still, sessions that read.

use bevy_app::App;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, Revision, ViewState},
    axes::{Axes, AxisKind},
    camera::{CameraDelta, CameraParts, CameraQueue},
    clip::{Clip, ClipParts, ClipPlane},
    clock::{Clock, NextWake},
    controls::{ControlChange, Controls},
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, Scene, SceneAxis, SourceId},
    dtype::{Dtype, StoredType},
    fault::Rejection,
    ids::{IntentRef, LayerId, SessionId, StreamId, ViewId},
    index::Index,
    intent::{Change, Intent, Origin, SessionEvent},
    layer::{Layer, LayerKind},
    lod::Lod,
    metrics::Metrics,
    notice::{Ack, Notice, Topic},
    ops::{Op, OpState, Ops},
    outbox::Outbox,
    seats::ViewName,
    session::{Features, Newcomer},
    stream::{Canvas, Stream},
    value::Value,
    view::View,
};
use lucida_systems::{LucidaPlugin, ingest::Inbox, spawn, txn::level::LevelClock};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Everything that can be negotiated.
pub const ALL_FEATURES: Features = Features::ALL;
/// What a client of the older protocol is told.
pub const BASE: Features = Features::BASE;

/// Numbers of the axes of [`brain`].
pub const T: usize = 0;
pub const Z: usize = 1;
pub const Y: usize = 2;
pub const X: usize = 3;

/// 5 times, 32 × 2048 × 4096 voxels of 2 × 0.5 × 0.5 µm, two channels, four levels that halve all of z, y, x.
/// On a canvas of 1280 × 720 its home zoom is 0.625: 1.6 data pixels per screen pixel at level 1.
pub fn brain() -> Arc<Dataset> {
    let axes = vec![
        axis("t", AxisKind::Time, "second"),
        axis("z", AxisKind::Space, "micrometer"),
        axis("y", AxisKind::Space, "micrometer"),
        axis("x", AxisKind::Space, "micrometer"),
    ];
    let dims = [
        ArrayAxis::Scene(T),
        ArrayAxis::Channel,
        ArrayAxis::Scene(Z),
        ArrayAxis::Scene(Y),
        ArrayAxis::Scene(X),
    ];
    let levels = (0..4).map(|l| {
        let factor = f64::from(1_u32 << l);
        let centre = |scale: f64| scale * (factor - 1.0) / 2.0;
        Level {
            path: l.to_string(),
            shape: vec![5, 2, 32 >> l, 2048 >> l, 4096 >> l],
            chunk: vec![1, 1, 8, 128, 128],
            scale: vec![1.0, 1.0, 2.0 * factor, 0.5 * factor, 0.5 * factor],
            translation: vec![0.0, 0.0, centre(2.0), centre(0.5), centre(0.5)],
            kind: LevelKind::Stored,
        }
    });
    dataset("brain", axes, &dims, levels.collect(), 2)
}

/// A single plane of 64 × 96 voxels without a pyramid.
pub fn slide() -> Arc<Dataset> {
    let axes = vec![axis("y", AxisKind::Space, "micrometer"), axis("x", AxisKind::Space, "micrometer")];
    let level = Level {
        path: "0".into(),
        shape: vec![64, 96],
        chunk: vec![64, 64],
        scale: vec![1.0, 1.0],
        translation: vec![0.0, 0.0],
        kind: LevelKind::Stored,
    };
    dataset("slide", axes, &[ArrayAxis::Scene(0), ArrayAxis::Scene(1)], vec![level], 1)
}

/// A stack of one level: `[z, y, x]` voxels of these sizes, of 16 bits.
pub fn stack(shape: [u64; 3], scale: [f64; 3]) -> Arc<Dataset> {
    pyramid(shape, scale, 1)
}

/// A stack whose levels halve along all three axes.
pub fn pyramid(shape: [u64; 3], scale: [f64; 3], levels: u32) -> Arc<Dataset> {
    let axes = ["z", "y", "x"].map(|label| axis(label, AxisKind::Space, "micrometer"));
    let levels = (0..levels).map(|l| {
        let factor = f64::from(1_u32 << l);
        Level {
            path: l.to_string(),
            shape: shape.map(|n| n.div_ceil(1 << l)).to_vec(),
            chunk: vec![64; 3],
            scale: scale.map(|s| s * factor).to_vec(),
            translation: scale.map(|s| s * (factor - 1.0) / 2.0).to_vec(),
            kind: LevelKind::Stored,
        }
    });
    dataset("stack", axes.to_vec(), &[0, 1, 2].map(ArrayAxis::Scene), levels.collect(), 1)
}

/// [`slide`], and labels of its size above it; ids of 32 bits.
pub fn labelled() -> Arc<Dataset> {
    let mut labelled = (*slide()).clone();
    let above = (*slide()).clone();
    labelled.images.extend(above.images.into_iter().map(|image| Multiscale {
        stored: StoredType::U32,
        dtype: Dtype::U32,
        ..image
    }));
    labelled.layers.extend(above.layers.into_iter().map(|layer| LayerSource {
        image: 1,
        kind: LayerKind::Labels,
        controls: Controls::labels(),
        ..layer
    }));
    Arc::new(labelled)
}

/// An image without any array: it cannot be shown.
pub fn hollow() -> Arc<Dataset> {
    let mut hollow = (*slide()).clone();
    hollow.images.clear();
    Arc::new(hollow)
}

fn axis(label: &str, kind: AxisKind, unit: &str) -> SceneAxis {
    SceneAxis { label: label.into(), kind, unit: Some(unit.into()) }
}

fn dataset(
    name: &str,
    axes: Vec<SceneAxis>,
    dims: &[ArrayAxis],
    levels: Vec<Level>,
    layers: u64,
) -> Arc<Dataset> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let source = SourceId(NEXT.fetch_add(1, Ordering::Relaxed));
    let image =
        Multiscale { source, stored: StoredType::U16, dtype: Dtype::U16, dims: dims.to_vec(), levels };
    let layers = (0..layers).map(|channel| LayerSource {
        name: format!("channel {channel}"),
        image: 0,
        channel,
        controls: Controls { contrast_limits: [100.0, 4000.0], ..Controls::default() },
        range: [0.0, 65_535.0],
        kind: LayerKind::Image,
        labels: None,
    });
    Arc::new(Dataset {
        name: name.into(),
        locator: format!("memory://{name}/{}", source.0),
        format: "memory".into(),
        axes,
        images: vec![image],
        layers: layers.collect(),
        start: Vec::new(),
        contents: None,
        warnings: Vec::new(),
    })
}

/// A world, and the time in it.
pub struct Rig {
    pub app: App,
    pub now: Instant,
    named: u64,
    sessions: u64,
}

impl Rig {
    /// A world in which nothing is open.
    pub fn empty() -> Self {
        let mut app = App::new();
        app.add_plugins(LucidaPlugin);
        app.finish();
        app.cleanup();
        Self { app, now: Instant::now(), named: 0, sessions: 0 }
    }

    /// A world that shows `dataset`.
    pub fn showing(dataset: Arc<Dataset>) -> Self {
        let mut rig = Self::empty();
        let op = rig.ask(Change::Dataset(dataset));
        assert_eq!(op.state, OpState::Applied { revision: 1 });
        rig
    }

    /// A world that shows [`brain`].
    pub fn new() -> Self {
        Self::showing(brain())
    }

    pub fn world(&mut self) -> &mut World {
        self.app.world_mut()
    }

    /// One turn, at the time that it is.
    pub fn turn(&mut self) {
        self.app.insert_resource(Clock { now: self.now });
        self.app.update();
    }

    /// Lets time pass; runs no turn.
    pub fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// When the next turn is due, in milliseconds from now.
    pub fn due(&mut self) -> Option<u128> {
        let now = self.now;
        self.world().resource::<NextWake>().0.map(|at| at.duration_since(now).as_millis())
    }

    /// Puts an intent of the server itself into the inbox.
    pub fn queue(&mut self, view: ViewId, change: Change) {
        self.push(None, view, change);
    }

    /// Puts an intent of a session into the inbox and names it.
    pub fn send(&mut self, session: SessionId, change: Change) -> IntentRef {
        self.named += 1;
        let intent =
            IntentRef { intent_id: format!("i{}", self.named), frame_id: format!("f{}", self.named) };
        self.push(Some(Origin { session, intent: intent.clone() }), ViewId::MAIN, change);
        intent
    }

    fn push(&mut self, origin: Option<Origin>, view: ViewId, change: Change) {
        let intent = Intent { origin, view, change, arrived: self.now, op: 0 };
        self.world().resource_mut::<Inbox>().intents.push(intent);
    }

    /// The server itself asks for one thing, one turn runs: the op that came of it.
    pub fn ask(&mut self, change: Change) -> Op {
        self.ask_of(ViewId::MAIN, change)
    }

    /// The same of another view.
    pub fn ask_of(&mut self, view: ViewId, change: Change) -> Op {
        self.queue(view, change);
        self.closed_by_turn().into_iter().next().unwrap()
    }

    /// The server asks for several things in one turn: every op of that turn.
    pub fn ask_all(&mut self, changes: impl IntoIterator<Item = Change>) -> Vec<Op> {
        for change in changes {
            self.queue(ViewId::MAIN, change);
        }
        self.closed_by_turn()
    }

    /// Asks, and expects a refusal.
    pub fn refused(&mut self, change: Change) -> Rejection {
        match self.ask(change).state {
            OpState::Rejected(why) => why,
            other => panic!("not refused but {other:?}"),
        }
    }

    /// Runs a turn and gives the ops that it closed.
    pub fn closed_by_turn(&mut self) -> Vec<Op> {
        let known: Vec<u64> = self.ops().closed.iter().map(|o| o.seq).collect();
        self.turn();
        let ops = self.ops();
        assert!(ops.turn.is_empty(), "ops are retired in their turn");
        ops.closed.iter().filter(|o| !known.contains(&o.seq)).cloned().collect()
    }

    pub fn ops(&mut self) -> &Ops {
        self.world().resource::<Ops>()
    }

    pub fn metrics(&mut self) -> Metrics {
        self.world().resource::<Metrics>().clone()
    }

    pub fn revision(&mut self) -> u64 {
        self.world().resource::<Revision>().0
    }

    pub fn entity(&mut self, view: ViewId) -> Entity {
        let mut views = self.world().query_filtered::<(Entity, &ViewId), With<View>>();
        views.iter(self.app.world()).find(|(_, v)| **v == view).unwrap().0
    }

    pub fn applied_of(&mut self, view: ViewId) -> Option<Applied> {
        let entity = self.entity(view);
        self.world().get::<Applied>(entity).cloned()
    }

    /// The applied state of the main view.
    pub fn state(&mut self) -> Arc<ViewState> {
        self.applied_of(ViewId::MAIN).unwrap().state
    }

    pub fn level(&mut self) -> usize {
        self.state().lod.level
    }

    /// The requested blocks of a view, its stream and the scene.
    pub fn requested(&mut self, view: ViewId) -> Requested {
        let entity = self.entity(view);
        let world = self.world();
        let mut layers: Vec<_> = world
            .query::<(&LayerId, &Layer, &Controls)>()
            .iter(world)
            .map(|(id, layer, controls)| (*id, layer.clone(), controls.clone()))
            .collect();
        layers.sort_by_key(|l| l.0);
        Requested {
            view: *world.get(entity).unwrap(),
            axes: world.get::<Axes>(entity).unwrap().clone(),
            index: world.get::<Index>(entity).unwrap().clone(),
            lod: *world.get::<Lod>(entity).unwrap(),
            clip: world.get::<Clip>(entity).unwrap().clone(),
            queue: world.get::<CameraQueue>(entity).unwrap().clone(),
            clock: *world.get::<LevelClock>(entity).unwrap(),
            canvas: *world.get(entity).unwrap(),
            layers,
            dataset: world.resource::<Scene>().dataset.clone(),
        }
    }

    /// A second view of the same scene, with a stream of its own.
    pub fn second_view(&mut self) -> ViewId {
        let (view, main) = (ViewId(1), self.requested(ViewId::MAIN));
        let name = ViewName { name: "second".into(), owner: None };
        let entity = spawn::view(self.world(), view, name);
        self.world().entity_mut(entity).insert((
            main.view,
            main.axes,
            main.index,
            main.lod,
            main.clip,
            CameraQueue(vec![CameraDelta::Reset]),
        ));
        spawn::stream(self.world(), StreamId(1), view, Stream::default());
        let op = self.ask_of(view, Change::Camera(CameraDelta::Reset));
        assert!(matches!(op.state, OpState::Applied { .. }), "{op:?}");
        view
    }

    pub fn event(&mut self, event: SessionEvent) {
        self.world().resource_mut::<Inbox>().events.push(event);
    }

    /// A session joins and has read its baseline.
    pub fn join(&mut self, features: Features) -> SessionId {
        let session = self.join_unread(features);
        self.turn();
        self.turn();
        self.read(session);
        session
    }

    /// A session that will join in the next turn.
    pub fn join_unread(&mut self, features: Features) -> SessionId {
        self.join_later(Newcomer::new(features))
    }

    /// The same, with all that it brings.
    pub fn join_later(&mut self, newcomer: Newcomer) -> SessionId {
        self.sessions += 1;
        let session = SessionId(self.sessions);
        self.event(SessionEvent::Joined { session, newcomer: Box::new(newcomer) });
        session
    }

    /// A newcomer joins and has read its baseline.
    pub fn join_as(&mut self, newcomer: Newcomer) -> SessionId {
        let session = self.join_later(newcomer);
        self.turn();
        self.turn();
        self.read(session);
        session
    }

    pub fn session_entity(&mut self, session: SessionId) -> Option<Entity> {
        let mut sessions = self.world().query::<(Entity, &SessionId)>();
        sessions.iter(self.app.world()).find(|(_, s)| **s == session).map(|(e, _)| e)
    }

    /// Takes what waits for a session.
    pub fn read(&mut self, session: SessionId) -> Outbox {
        let entity = self.session_entity(session).expect("the session is there");
        std::mem::take(&mut *self.world().get_mut::<Outbox>(entity).unwrap())
    }

    /// A session asks, one turn runs: its answer and what it was told.
    pub fn answer(&mut self, session: SessionId, change: Change) -> (Ack, Vec<Notice>) {
        let intent = self.send(session, change);
        self.turn();
        let mut outbox = self.read(session);
        assert_eq!(outbox.acks.len(), 1, "one answer each");
        let ack = outbox.acks.pop_front().unwrap();
        assert_eq!(ack.intent, intent);
        (ack, outbox.notices)
    }

    /// Runs `act` and asserts that it changed nothing of what is applied.
    pub fn unchanged_by<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> R {
        let (applied, revision) = (self.applied_of(ViewId::MAIN), self.revision());
        let result = act(self);
        let after = self.applied_of(ViewId::MAIN);
        assert_eq!(applied.as_ref().map(|a| &a.state), after.as_ref().map(|a| &a.state));
        assert_eq!(applied.map(|a| a.revision), after.map(|a| a.revision));
        assert_eq!(self.revision(), revision);
        result
    }
}

/// All that reducers write.
#[derive(Debug, Clone, PartialEq)]
pub struct Requested {
    pub view: View,
    pub axes: Axes,
    pub index: Index,
    pub lod: Lod,
    pub clip: Clip,
    pub queue: CameraQueue,
    pub clock: LevelClock,
    pub canvas: Canvas,
    pub layers: Vec<(LayerId, Layer, Controls)>,
    pub dataset: Option<Arc<Dataset>>,
}

/// What a notice is about, in the order told.
pub fn topics(notices: &[Notice]) -> Vec<Topic> {
    notices.iter().map(|n| n.topic).collect()
}

/// The value and version of an answer that was not a refusal.
pub fn value(ack: &Ack) -> (Value, u64) {
    let applied = ack.outcome.clone().unwrap();
    (applied.value, applied.version)
}

pub fn is_applied(op: &Op) -> bool {
    matches!(op.state, OpState::Applied { .. })
}

pub fn is_rejected(op: &Op) -> bool {
    matches!(op.state, OpState::Rejected(_))
}

pub fn step(axis: &str, delta: i64) -> Change {
    Change::Step { axis: axis.into(), delta }
}

/// To a place on the scene grid.
pub fn go(axis: &str, value: i64) -> Change {
    Change::Index { axis: axis.into(), value, grid: lucida_components::intent::Grid::Scene }
}

pub fn zoom(factor: f64) -> Change {
    Change::Camera(CameraDelta::Zoom { factor, anchor: [640.0, 360.0] })
}

pub fn pan(dx: f64, dy: f64) -> Change {
    Change::Camera(CameraDelta::Pan { dx, dy })
}

pub fn set(parts: CameraParts) -> Change {
    Change::Camera(CameraDelta::Set(parts))
}

/// Screen pixels per world unit, centred where the camera is.
pub fn set_zoom(zoom: f64) -> Change {
    set(CameraParts { zoom: Some(zoom), ..CameraParts::default() })
}

/// The crop box along an axis.
pub fn crop(axis: &str, range: Option<[f64; 2]>) -> Change {
    Change::Clip(ClipParts { ranges: vec![(axis.into(), range)], planes: None })
}

/// All free clip planes.
pub fn cut(planes: Vec<ClipPlane>) -> Change {
    Change::Clip(ClipParts { ranges: Vec::new(), planes: Some(planes) })
}

pub fn layer(number: u32, control: ControlChange) -> Change {
    Change::Layer { layer: LayerId(number), control }
}

/// A delta that passes every check on its way in and takes the pose to infinity.
pub fn to_infinity() -> Change {
    Change::Camera(CameraDelta::Zoom { factor: 1e-320, anchor: [0.0, 0.0] })
}
