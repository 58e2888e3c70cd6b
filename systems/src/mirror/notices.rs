//! What changed in the applied state since a session was last told, as notices.
//!
//! The difference is taken between two applied states, so that what clients hear *was* applied, an equal
//! write causes nothing, and many deltas of a turn make one notice.

use super::{
    history::{History, Missed},
    seen::Seen,
};
use crate::streams::Place;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, ViewState},
    clock::{Clock, NextWake},
    ids::{IntentRef, LayerId, SessionId, ViewId},
    metrics::Metrics,
    notice::{Mark, Notice, NoticeBody, Residency, Topic},
    ops::{Op, OpKind, OpState, Ops, Report},
    outbox::Outbox,
    session::Session,
    stream::{Canvas, ConfigCount, Stream, StreamConfig},
    thumbnail::Thumbnails,
    value::Value,
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a session has been told.
#[derive(Component, Debug, Default)]
pub struct Told {
    view: Option<ViewId>,
    /// That nothing is open.
    idle: bool,
    applied: Option<Arc<Applied>>,
    /// All layer controls up to this place of the history.
    layers: u64,
    config: Option<Arc<StreamConfig>>,
    /// The number that the configuration was told with.
    config_seq: Option<u64>,
    /// How often the level was told.
    levels: u64,
    residency: Option<(Residency, Instant)>,
    thumbnails: Thumbnails,
}

/// Loading is told at most this often, its beginning and end at once.
const RESIDENCY_INTERVAL: Duration = Duration::from_millis(100);

/// Compares and tells.
#[expect(clippy::too_many_arguments, reason = "compares all that a session may be told")]
pub fn notify(
    mut commands: Commands,
    ops: Res<Ops>,
    history: Res<History>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    views: Query<(&ViewId, &Applied, &Residency, Option<&Thumbnails>)>,
    streams: Query<(&ViewId, &Stream, &StreamConfig, Option<&ConfigCount>)>,
    mut sessions: Query<(Entity, &SessionId, &Session, &mut Outbox, Option<&mut Told>)>,
    mut metrics: ResMut<Metrics>,
) {
    let elsewhere = Ops::default();
    let mut seen = Seen::default();
    let canvases: HashMap<SessionId, Option<Canvas>> =
        sessions.iter().map(|(_, id, session, ..)| (*id, session.canvas)).collect();
    for (entity, _, session, mut outbox, told) in sessions.iter_mut().filter(|s| s.2.hears) {
        let Some(mut told) = told else {
            // Told from the next turn on, which is due at once: the session has only just come.
            commands.entity(entity).insert(Told::default());
            wake.at(clock.now);
            continue;
        };
        let mut out = Sink { view: session.view, outbox: &mut outbox, metrics: &mut metrics };
        if views.is_empty() && !told.idle {
            told.idle = true;
            out.tell_marked(Topic::Scene, NoticeBody::Idle, None, Some(history.scene_mark()));
        }
        let Some((_, applied, residency, thumbnails)) = views.iter().find(|(v, ..)| **v == session.view)
        else {
            continue;
        };
        // Another view: the difference is told all the same, but no op of this turn is what caused it.
        let moved = told.view.replace(session.view).is_some_and(|v| v != session.view);
        let ops = if moved { &elsewhere } else { &*ops };
        if moved {
            told.residency = None;
        }

        let place = Place::of(session, applied.state.canvas);
        let is_news = |t: &Arc<Applied>| t.revision != applied.revision || t.state.canvas != place.canvas;
        if told.applied.as_ref().is_none_or(is_news) {
            let now = seen.of(session.view, applied, session.canvas);
            match &told.applied {
                Some(before) if *before.state.dataset == *now.state.dataset => {
                    let missed = history.missed(told.layers).unwrap_or_else(|| history.all());
                    let shares = |op: &Op| {
                        let asked = op.origin.as_ref().and_then(|o| canvases.get(&o.session));
                        asked == Some(&session.canvas)
                    };
                    tell_changes(&mut out, ops, session, &before.state, &now, missed, shares);
                    if session.features.level && levels_differ(&before.state, &now.state) {
                        told.levels += 1;
                        let mark = Mark { seq: told.levels, ..history.scene_mark() };
                        out.tell_marked(Topic::Level, NoticeBody::Applied(now.clone()), None, Some(mark));
                    }
                }
                before => {
                    let missed = match before {
                        None => history.missed_by(&session.resume),
                        Some(_) => None,
                    };
                    let missed = missed.unwrap_or_else(|| history.all());
                    told.thumbnails =
                        thumbnails.filter(|_| session.features.thumbnails).cloned().unwrap_or_default();
                    let small = Arc::new(told.thumbnails.clone());
                    tell_everything(&mut out, session, history.scene_mark(), &now, small, missed);
                    // What waited was superseded, and an image that loads as the last one did is news too.
                    told.residency = None;
                }
            }
            told.applied = Some(now);
            told.layers = history.seq();
        }

        if let Some(thumbnails) = thumbnails.filter(|_| session.features.thumbnails) {
            tell_thumbnails(&mut out, &mut told, &history, thumbnails);
        }

        // One that was just resized has the configuration of before.
        let shows = |view: &ViewId, stream: &Stream, config: &StreamConfig| {
            Place::of_stream(*view, stream) == place && config.canvas == place.canvas
        };
        if let Some((.., config, count)) = streams.iter().find(|(v, s, c, _)| shows(v, s, c)) {
            tell_stream(&mut out, &mut told, session, &history, config, count.map_or(1, |c| c.0));
        }

        if session.features.view {
            let edge = told.residency.is_none_or(|(r, _)| settled(&r) != settled(residency));
            match told.residency {
                Some((r, _)) if r == *residency => {}
                Some((_, at)) if !edge && clock.now < at + RESIDENCY_INTERVAL => {
                    wake.at(at + RESIDENCY_INTERVAL);
                }
                _ => {
                    out.tell(Topic::Residency, NoticeBody::Residency(*residency), None);
                    told.residency = Some((*residency, clock.now));
                }
            }
        }
    }
}

/// Whether there is nothing to wait for.
fn settled(r: &Residency) -> bool {
    !r.waiting && r.resident == r.wanted
}

struct Sink<'a> {
    view: ViewId,
    outbox: &'a mut Outbox,
    metrics: &'a mut Metrics,
}

impl Sink<'_> {
    fn tell(&mut self, topic: Topic, body: NoticeBody, cause: Option<IntentRef>) {
        self.tell_marked(topic, body, cause, None);
    }

    fn tell_marked(&mut self, topic: Topic, body: NoticeBody, cause: Option<IntentRef>, mark: Option<Mark>) {
        let waiting = self.outbox.notices.len();
        self.outbox.notify(Notice { topic, body, cause, view: self.view, mark });
        self.metrics.notices += 1;
        self.metrics.notices_merged += u64::from(self.outbox.notices.len() == waiting);
    }
}

/// The baseline: each block once, in the order that clients need; of layers what is missed.
fn tell_everything(
    out: &mut Sink,
    session: &Session,
    mark: Mark,
    now: &Arc<Applied>,
    thumbnails: Arc<Thumbnails>,
    missed: Vec<Missed>,
) {
    let features = session.features;
    let state = || NoticeBody::Applied(now.clone());
    let scene = NoticeBody::Scene { applied: now.clone(), thumbnails };
    out.tell_marked(Topic::Scene, scene, None, Some(mark));
    if features.view {
        out.tell(Topic::View, state(), None);
    }
    if features.dims {
        out.tell(Topic::Dims, state(), None);
    }
    tell_layers(out, now, missed, |_| None);
    if features.camera {
        out.tell(Topic::Camera, NoticeBody::Camera { applied: now.clone(), echo: None }, None);
    }
}

fn tell_changes(
    out: &mut Sink,
    ops: &Ops,
    session: &Session,
    before: &ViewState,
    now: &Arc<Applied>,
    missed: Vec<Missed>,
    shares_canvas: impl Fn(&Op) -> bool,
) {
    let (features, next) = (session.features, &*now.state);
    let state = || NoticeBody::Applied(now.clone());
    if features.dims && dims_differ(before, next) {
        out.tell(Topic::Dims, state(), None);
    }
    tell_layers(out, now, missed, |layer| only_cause(ops, |op| touches(op, layer)));
    if features.camera && cameras_differ(before, next) {
        let is_ours = |op: &Op| op.kind == OpKind::Camera && op.view == session.view;
        let cause = only_cause(ops, is_ours);
        // Its pixels are those of who asked.
        let echo = cause.filter(|op| shares_canvas(op)).and_then(echo);
        let cause = cause.and_then(intent_of);
        out.tell(Topic::Camera, NoticeBody::Camera { applied: now.clone(), echo }, cause);
    }
    if features.view {
        out.tell(Topic::View, state(), None);
    }
}

/// Tells controls, in the order of the history.
fn tell_layers<'a>(
    out: &mut Sink,
    now: &Arc<Applied>,
    missed: Vec<Missed>,
    cause: impl Fn(LayerId) -> Option<&'a Op>,
) {
    for Missed { layer, changed, mark } in missed {
        let body = NoticeBody::Layer { applied: now.clone(), changed };
        out.tell_marked(Topic::Layer(layer), body, cause(layer).and_then(intent_of), Some(mark));
    }
}

/// Tells thumbnails that differ. They have no place of their own in the history: whoever was told one was told of
/// all changes before it.
fn tell_thumbnails(out: &mut Sink, told: &mut Told, history: &History, thumbnails: &Thumbnails) {
    for (id, thumbnail) in &thumbnails.0 {
        if told.thumbnails.0.get(id).is_some_and(|t| Arc::ptr_eq(t, thumbnail)) {
            continue;
        }
        told.thumbnails.0.insert(*id, thumbnail.clone());
        let body = NoticeBody::Thumbnail(thumbnail.clone());
        out.tell_marked(Topic::Thumbnail(*id), body, None, Some(history.mark(told.layers)));
    }
}

/// Tells a configuration that is new to the session, and not what it knows from a connection before this.
fn tell_stream(
    out: &mut Sink,
    told: &mut Told,
    session: &Session,
    history: &History,
    config: &StreamConfig,
    count: u64,
) {
    if told.config.as_deref() == Some(config) {
        return;
    }
    let known = told.config.is_none() && history.knows_stream(&session.resume, config);
    let config = Arc::new(config.clone());
    if !known {
        // Another stream may have had fewer.
        let seq = told.config_seq.map_or(count, |last| count.max(last + 1));
        told.config_seq = Some(seq);
        let mark = history.stream_mark(seq, &config);
        out.tell_marked(Topic::Stream, NoticeBody::Stream(config.clone()), None, Some(mark));
    }
    told.config = Some(config);
}

fn dims_differ(a: &ViewState, b: &ViewState) -> bool {
    a.view != b.view || a.axes != b.axes || a.index != b.index || a.lod != b.lod
}

fn levels_differ(a: &ViewState, b: &ViewState) -> bool {
    (a.lod.level, a.lod.downgraded) != (b.lod.level, b.lod.downgraded)
}

/// The pose of the mode that is shown, or that mode itself.
fn cameras_differ(a: &ViewState, b: &ViewState) -> bool {
    a.view != b.view
        || match b.view.mode() {
            lucida_components::view::Mode::Plane => a.camera.plane != b.camera.plane || a.canvas != b.canvas,
            lucida_components::view::Mode::Volume => {
                a.camera.volume != b.camera.volume || a.canvas != b.canvas
            }
        }
}

fn touches(op: &Op, layer: LayerId) -> bool {
    matches!(op.report, Report::Control(l, _) if l == layer) || matches!(op.report, Report::VolumeControl(_))
}

/// The op behind a change, where exactly one was.
fn only_cause(ops: &Ops, is_about: impl Fn(&Op) -> bool) -> Option<&Op> {
    let mut causes = ops.turn.iter().filter(|op| matches!(op.state, OpState::Applied { .. }) && is_about(op));
    match (causes.next(), causes.next()) {
        (Some(op), None) => Some(op),
        _ => None,
    }
}

/// The intent of an op, where a session had it.
fn intent_of(op: &Op) -> Option<IntentRef> {
    op.origin.as_ref().map(|o| o.intent.clone())
}

/// What was asked of the camera, and became of it.
fn echo(op: &Op) -> Option<(&'static str, Value)> {
    match &op.report {
        Report::Camera(key, value) if op.origin.is_some() => Some((key, value.clone())),
        _ => None,
    }
}
