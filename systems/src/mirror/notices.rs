//! What changed in the applied state since a session was last told, as notices.
//!
//! The difference is taken between two applied states, so that what clients hear *was* applied, an equal
//! write causes nothing, and many deltas of a turn make one notice.

use bevy_ecs::prelude::*;
use lucida_components::{
    applied::{Applied, LayerState, ViewState},
    clock::{Clock, NextWake},
    controls::ControlKey,
    ids::{IntentRef, LayerId, StreamId, ViewId},
    metrics::Metrics,
    notice::{Notice, NoticeBody, Residency, Topic},
    ops::{Op, OpKind, OpState, Ops, Report},
    outbox::Outbox,
    session::{Features, Session, Watch},
    stream::StreamConfig,
    value::Value,
};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a session has been told.
#[derive(Component, Debug, Default)]
pub struct Told {
    view: Option<ViewId>,
    applied: Option<Arc<Applied>>,
    config: Option<Arc<StreamConfig>>,
    residency: Option<(Residency, Instant)>,
}

/// Loading is told at most this often, its beginning and end at once.
const RESIDENCY_INTERVAL: Duration = Duration::from_millis(100);

/// Compares and tells.
#[expect(
    clippy::too_many_arguments,
    clippy::type_complexity,
    reason = "compares all that a session may be told"
)]
pub fn notify(
    mut commands: Commands,
    ops: Res<Ops>,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    views: Query<(&ViewId, &Applied, &Residency)>,
    streams: Query<(&StreamId, &StreamConfig)>,
    mut sessions: Query<(Entity, &Session, &mut Outbox, Option<&mut Told>, Option<&Watch>)>,
    mut metrics: ResMut<Metrics>,
) {
    let elsewhere = Ops::default();
    for (entity, session, mut outbox, told, watch) in &mut sessions {
        let Some(mut told) = told else {
            // Told from the next turn on, which is due at once: the session has only just come.
            commands.entity(entity).insert(Told::default());
            wake.at(clock.now);
            continue;
        };
        let Some((_, applied, residency)) = views.iter().find(|(v, ..)| **v == session.view) else {
            continue;
        };
        // Another view: the difference is told all the same, but no op of this turn is what caused it.
        let moved = told.view.replace(session.view).is_some_and(|v| v != session.view);
        let ops = if moved { &elsewhere } else { &*ops };
        if moved {
            told.residency = None;
        }
        let mut out = Sink { view: session.view, outbox: &mut outbox, metrics: &mut metrics };

        if told.applied.as_ref().is_none_or(|t| t.revision != applied.revision) {
            let now = Arc::new(applied.clone());
            match &told.applied {
                Some(before) if *before.state.dataset == *now.state.dataset => {
                    tell_changes(&mut out, ops, session, &before.state, &now);
                }
                _ => {
                    tell_everything(&mut out, session.features, &now);
                    // What waited was superseded, and an image that loads as the last one did is news too.
                    told.residency = None;
                }
            }
            told.applied = Some(now);
        }

        let stream = watch.map_or(StreamId::MAIN, |w| w.stream);
        let config = streams.iter().find(|(s, _)| **s == stream).map(|(_, c)| c);
        if let Some(config) = config.filter(|c| told.config.as_deref() != Some(c)) {
            let config = Arc::new(config.clone());
            out.tell(Topic::Stream, NoticeBody::Stream(config.clone()), None);
            told.config = Some(config);
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
        let waiting = self.outbox.notices.len();
        self.outbox.notify(Notice { topic, body, cause, view: self.view, mark: None });
        self.metrics.notices += 1;
        self.metrics.notices_merged += u64::from(self.outbox.notices.len() == waiting);
    }
}

/// The baseline: each block once, in the order that clients need.
fn tell_everything(out: &mut Sink, features: Features, now: &Arc<Applied>) {
    let state = || NoticeBody::Applied(now.clone());
    let scene = NoticeBody::Scene { applied: now.clone(), thumbnails: Arc::default() };
    out.tell(Topic::Scene, scene, None);
    if features.view {
        out.tell(Topic::View, state(), None);
    }
    if features.dims {
        out.tell(Topic::Dims, state(), None);
    }
    for layer in now.state.layers.iter() {
        let changed = ControlKey::ALL.into_iter().collect();
        out.tell(Topic::Layer(layer.id), NoticeBody::Layer { applied: now.clone(), changed }, None);
    }
    if features.camera {
        out.tell(Topic::Camera, NoticeBody::Camera { applied: now.clone(), echo: None }, None);
    }
}

fn tell_changes(out: &mut Sink, ops: &Ops, session: &Session, before: &ViewState, now: &Arc<Applied>) {
    let (features, next) = (session.features, &*now.state);
    let state = || NoticeBody::Applied(now.clone());
    if features.dims && dims_differ(before, next) {
        out.tell(Topic::Dims, state(), None);
    }
    for layer in next.layers.iter() {
        let changed = changed_controls(before, layer);
        if !changed.is_empty() {
            let cause = only_cause(ops, session.view, |op| touches(op, layer.id)).and_then(intent_of);
            out.tell(Topic::Layer(layer.id), NoticeBody::Layer { applied: now.clone(), changed }, cause);
        }
    }
    if features.camera && cameras_differ(before, next) {
        let cause = only_cause(ops, session.view, |op| op.kind == OpKind::Camera);
        let echo = cause.and_then(echo);
        let cause = cause.and_then(intent_of);
        out.tell(Topic::Camera, NoticeBody::Camera { applied: now.clone(), echo }, cause);
    }
    if features.view {
        out.tell(Topic::View, state(), None);
    }
}

fn dims_differ(a: &ViewState, b: &ViewState) -> bool {
    a.view != b.view || a.axes != b.axes || a.index != b.index || a.lod != b.lod
}

/// The pose of the mode that is shown, or that mode itself.
fn cameras_differ(a: &ViewState, b: &ViewState) -> bool {
    a.view != b.view
        || match b.view.mode() {
            lucida_components::view::Mode::Plane => a.camera.plane != b.camera.plane || a.canvas != b.canvas,
            lucida_components::view::Mode::Volume => a.camera.volume != b.camera.volume,
        }
}

fn changed_controls(before: &ViewState, layer: &LayerState) -> BTreeSet<ControlKey> {
    let Some(old) = before.layer(layer.id) else { return ControlKey::ALL.into_iter().collect() };
    if old.controls == layer.controls {
        return BTreeSet::new();
    }
    ControlKey::ALL.into_iter().filter(|k| old.controls.value(*k) != layer.controls.value(*k)).collect()
}

fn touches(op: &Op, layer: LayerId) -> bool {
    matches!(op.report, Report::Control(l, _) if l == layer) || matches!(op.report, Report::VolumeControl(_))
}

/// The op behind a change, where exactly one was.
fn only_cause(ops: &Ops, view: ViewId, is_about: impl Fn(&Op) -> bool) -> Option<&Op> {
    let mut causes = ops
        .turn
        .iter()
        .filter(|op| matches!(op.state, OpState::Applied { .. }) && op.view == view && is_about(op));
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
