//! Notices become frames: none where the session does not hear of it, two where a camera was moved by hand.

use super::{Encoder, Places, is_command};
use crate::wire::{
    envelope::Frame,
    notices::{
        self, camera, idle, incident, layers, level, residency,
        scene::{self, Beside},
        seats, telemetry, thumbnail,
    },
};
use lucida_components::{
    applied::{Applied, ViewState},
    controls::ControlKey,
    ids::{IntentRef, LayerId},
    notice::{Mark, Notice, NoticeBody, Topic},
    stream::StreamConfig,
    thumbnail::Thumbnails,
    value::Value,
};
use std::{collections::BTreeSet, sync::Arc};

impl Encoder {
    /// A notice, as far as this session is to hear it, in the order in which it is to be sent.
    pub fn notice(&mut self, notice: &Notice) -> Vec<Frame> {
        let features = self.features();
        let mark = notice.mark.as_ref();
        let cause = notice.cause.as_ref().filter(|c| !is_command(c));
        match (&notice.body, notice.topic) {
            (NoticeBody::Scene { applied, thumbnails }, _) => {
                vec![self.scene(&applied.state, thumbnails, mark)]
            }
            (NoticeBody::Idle, _) => self.idle(mark),
            (NoticeBody::Camera { applied, echo }, _) if features.camera => {
                self.camera(&applied.state, echo.as_ref(), cause)
            }
            (NoticeBody::Applied(applied), topic) => self.applied(applied, topic, notice),
            (NoticeBody::Layer { applied, changed }, Topic::Layer(id)) => {
                self.layer(&applied.state, id, changed, mark, cause).into_iter().collect()
            }
            (NoticeBody::Stream(config), _) => vec![self.stream(config, mark)],
            (NoticeBody::Thumbnail(picture), Topic::Thumbnail(id)) if features.thumbnails => {
                let place = self.places.layers.here_or(mark);
                let payload = thumbnail::payload(id, picture);
                vec![self.numbered("notify.layers", "notify-layers", place, payload)]
            }
            (NoticeBody::Residency(counts), _) if features.view => {
                vec![self.frame("notify.residency", "residency", residency::payload(*counts))]
            }
            (NoticeBody::Seats(all), _) if features.seats => {
                vec![self.frame("notify.seats", "seats", seats::payload(self.id, all))]
            }
            (NoticeBody::Telemetry(costs), _) if features.telemetry => {
                vec![self.frame("notify.telemetry", "telemetry", telemetry::payload(*costs))]
            }
            (NoticeBody::Incident(incident), _) if features.incidents => {
                vec![self.frame("notify.error", "error", incident::payload(incident))]
            }
            _ => Vec::new(),
        }
    }

    fn scene(&mut self, state: &Arc<ViewState>, thumbnails: &Thumbnails, mark: Option<&Mark>) -> Frame {
        self.conventions.note(state);
        let place = self.new_scene(mark);
        let beside = Beside {
            facts: &self.facts,
            dialect: self.conventions.dialect(),
            features: self.features(),
            thumbnails,
            encoder: self.stream.as_ref().map(|(config, _)| config.encoder),
        };
        let payload = scene::payload(&self.shown(state), beside);
        self.numbered("notify.scene", "notify-scene", place, payload)
    }

    fn idle(&mut self, mark: Option<&Mark>) -> Vec<Frame> {
        self.conventions.note_idle();
        let place = self.new_scene(mark);
        let told = self.conventions.told();
        let payload = idle::scene(told.canvas, &self.facts, self.features());
        let mut frames = vec![self.numbered("notify.scene", "notify-scene", place, payload)];
        if self.features().dims {
            frames.push(self.frame("notify.dims", "dims", idle::dims()));
        }
        frames
    }

    /// Another scene begins the other topics anew. Its own number is always 0.
    fn new_scene(&mut self, mark: Option<&Mark>) -> Mark {
        self.dims = None;
        if !mark.is_some_and(|mark| self.places.scene.is(mark)) {
            self.places = Places::default();
        }
        self.places.scene.at(mark)
    }

    fn applied(&mut self, applied: &Applied, topic: Topic, notice: &Notice) -> Vec<Frame> {
        let (state, features) = (&applied.state, self.features());
        self.conventions.note(state);
        match topic {
            Topic::Dims if features.dims => {
                let payload = notices::dims::payload(&self.shown(state));
                if self.dims.as_ref() == Some(&payload) {
                    return Vec::new();
                }
                self.dims = Some(payload.clone());
                vec![self.frame("notify.dims", "dims", payload)]
            }
            Topic::View if features.view => {
                vec![self.frame("notify.view", "view", notices::view::payload(applied, notice.view))]
            }
            Topic::Level if features.level => {
                let place = self.places.level.at(notice.mark.as_ref());
                vec![self.numbered("notify.scene.level", "notify-level", place, level::payload(state))]
            }
            _ => Vec::new(),
        }
    }

    /// What was asked of the camera, where one client moved it, and where it is now.
    fn camera(
        &mut self,
        state: &Arc<ViewState>,
        echo: Option<&(&'static str, Value)>,
        cause: Option<&IntentRef>,
    ) -> Vec<Frame> {
        self.conventions.note(state);
        let mut frames = Vec::with_capacity(2);
        if let (Some((key, value)), Some(cause)) = (echo, cause) {
            let payload = camera::echo(key, value, &self.conventions);
            let mut frame = self.frame("notify.camera", "camera", payload);
            (frame.frame_id, frame.intent_id) = (None, Some(cause.intent_id.clone()));
            frames.push(frame);
        }
        frames.push(self.frame("notify.camera", "camera", camera::pose(&self.shown(state))));
        frames
    }

    fn layer(
        &mut self,
        state: &Arc<ViewState>,
        id: LayerId,
        changed: &BTreeSet<ControlKey>,
        mark: Option<&Mark>,
        cause: Option<&IntentRef>,
    ) -> Option<Frame> {
        self.conventions.note(state);
        let payload = layers::controls(self.shown(state).layer(id)?, changed, self.features())?;
        let place = self.places.layers.at(mark);
        let mut frame = self.numbered("notify.layers", "notify-layers", place, payload);
        frame.intent_id = cause.map(|c| c.intent_id.clone());
        Some(frame)
    }

    fn stream(&mut self, config: &Arc<StreamConfig>, mark: Option<&Mark>) -> Frame {
        self.conventions.note_canvas(config.canvas);
        let place = self.places.stream.at(mark);
        self.stream = Some((config.clone(), place.clone()));
        let payload = notices::stream::payload(config, self.facts.fps);
        self.numbered("notify.stream", "notify-stream", place, payload)
    }
}
