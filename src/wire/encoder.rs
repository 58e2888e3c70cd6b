//! What one session is told: acks, notices and answers become frames, numbered for this session.

use super::{
    ack,
    canvas::KnownCanvas,
    command::{self, CommandCode, CommandFailure},
    envelope::Frame,
    hello::Hello,
    inbound::Goodbye,
    notices::{self, Facts},
    update::Refused,
    welcome,
};
use lucida_components::{
    fault::{RejectCode, Rejection},
    ids::IntentRef,
    notice::{Ack, Notice, NoticeBody, Topic},
    session::Features,
    stream::StreamConfig,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Makes the frames of one session.
#[derive(Debug)]
pub struct Encoder {
    session: Arc<str>,
    features: Features,
    facts: Arc<Facts>,
    canvas: Arc<KnownCanvas>,
    stream: Option<Arc<StreamConfig>>,
    frames: u64,
    layers_seq: u64,
    stream_seq: u64,
}

impl Encoder {
    /// For a session of this name and these features.
    pub fn new(session: Arc<str>, hello: &Hello, facts: Arc<Facts>) -> Self {
        Self {
            session,
            features: welcome::negotiate(hello),
            facts,
            canvas: Arc::default(),
            stream: None,
            frames: 0,
            layers_seq: 0,
            stream_seq: 0,
        }
    }

    /// What was negotiated.
    pub fn features(&self) -> Features {
        self.features
    }

    /// The canvas that the session was last told of.
    pub fn canvas(&self) -> Arc<KnownCanvas> {
        self.canvas.clone()
    }

    /// `session.welcome`.
    pub fn welcome(&mut self, heartbeat: Duration) -> Frame {
        let payload = welcome::payload(&self.session, heartbeat, self.features);
        self.frame("session.welcome", "welcome", payload)
    }

    /// `session.heartbeat`.
    pub fn heartbeat(&mut self) -> Frame {
        self.frame("session.heartbeat", "heartbeat", json!({}))
    }

    /// `session.goodbye`.
    pub fn goodbye(&mut self, words: &Goodbye) -> Frame {
        let payload = json!({ "code": words.code, "message": words.message, "reason": words.reason });
        self.frame("session.goodbye", "goodbye", payload)
    }

    /// The world's answer to an intent: an `ack.state`, or the answer to the command it was sent for.
    pub fn ack(&mut self, ack: &Ack) -> Frame {
        let intent = &ack.intent;
        if is_command(intent) {
            return match &ack.outcome {
                Ok(_) => self.loaded(&intent.frame_id),
                Err(why) => self.failed(&intent.frame_id, &failure(why)),
            };
        }
        let payload = match &ack.outcome {
            Ok(applied) => ack::accepted(intent, applied, self.canvas.get()),
            Err(why) => ack::rejected(intent, why, None),
        };
        self.frame("ack.state", "ack", payload)
    }

    /// The wire's own answer to an intent that never reached the world.
    pub fn refused(&mut self, intent: &IntentRef, refused: &Refused) -> Frame {
        let payload = ack::rejected(intent, &refused.why, refused.details.clone());
        self.frame("ack.state", "ack", payload)
    }

    /// `reply.command` without a result.
    pub fn done(&mut self, in_reply_to: &str) -> Frame {
        self.frame("reply.command", "reply", command::reply(in_reply_to, None))
    }

    /// `error.command`.
    pub fn failed(&mut self, in_reply_to: &str, why: &CommandFailure) -> Frame {
        self.frame("error.command", "error", command::error(in_reply_to, why))
    }

    fn loaded(&mut self, in_reply_to: &str) -> Frame {
        self.frame("reply.command", "reply", command::reply(in_reply_to, Some(json!({ "ok": true }))))
    }

    /// The stream's configuration once more, if it is known: a decoder starts anew.
    pub fn stream_again(&mut self) -> Option<Frame> {
        let config = self.stream.clone()?;
        Some(self.stream_frame(&config))
    }

    /// A notice, if this session is to hear it.
    pub fn notice(&mut self, notice: &Notice) -> Option<Frame> {
        let cause = notice.cause.as_ref().filter(|c| !is_command(c));
        match (&notice.body, notice.topic) {
            (NoticeBody::Scene { applied, .. }, _) => {
                let state = &*applied.state;
                self.canvas.set(state.canvas);
                // A new scene begins the other resumable topics anew.
                (self.layers_seq, self.stream_seq) = (0, 0);
                let encoder = self.stream.as_ref().map(|s| s.encoder);
                let payload = notices::scene::payload(state, &self.facts, self.features, encoder);
                Some(self.numbered("notify.scene", "notify-scene", 0, payload))
            }
            (NoticeBody::Camera { applied, .. }, _) if self.features.camera => {
                self.canvas.set(applied.state.canvas);
                Some(self.frame("notify.camera", "camera", notices::camera::pose(&applied.state)))
            }
            (NoticeBody::Applied(applied), topic) => {
                let state = &*applied.state;
                self.canvas.set(state.canvas);
                match topic {
                    Topic::Dims if self.features.dims => {
                        Some(self.frame("notify.dims", "dims", notices::dims::payload(state)))
                    }
                    Topic::View if self.features.view => {
                        Some(self.frame("notify.view", "view", notices::view::payload(applied)))
                    }
                    _ => None,
                }
            }
            (NoticeBody::Layer { applied, changed }, Topic::Layer(id)) => {
                self.canvas.set(applied.state.canvas);
                let layer = applied.state.layer(id)?;
                let payload = notices::layers::controls(layer, changed, self.features)?;
                let seq = self.layers_seq;
                self.layers_seq += 1;
                let mut frame = self.numbered("notify.layers", "notify-layers", seq, payload);
                frame.intent_id = cause.map(|c| c.intent_id.clone());
                Some(frame)
            }
            (NoticeBody::Stream(config), _) => {
                self.canvas.set(config.canvas);
                self.stream = Some(config.clone());
                Some(self.stream_frame(config))
            }
            (NoticeBody::Residency(residency), _) if self.features.view => {
                Some(self.frame("notify.residency", "residency", notices::residency::payload(*residency)))
            }
            _ => None,
        }
    }

    fn stream_frame(&mut self, config: &StreamConfig) -> Frame {
        let seq = self.stream_seq;
        self.stream_seq += 1;
        let payload = notices::stream::payload(config, self.facts.fps);
        self.numbered("notify.stream", "notify-stream", seq, payload)
    }

    fn frame(&mut self, kind: &'static str, prefix: &str, payload: Value) -> Frame {
        self.frames += 1;
        let mut frame = Frame::new(kind, format!("{prefix}-{:08x}", self.frames), payload);
        frame.session = Some(self.session.clone());
        frame
    }

    fn numbered(&mut self, kind: &'static str, prefix: &str, seq: u64, payload: Value) -> Frame {
        let mut frame = self.frame(kind, prefix, payload);
        frame.seq = Some(seq);
        frame.delta_token = Some(uuid::Uuid::new_v4().simple().to_string());
        frame
    }
}

/// The name of the intent that carries a command through the world. A client's own `intent_id` is never empty.
pub fn command_intent(frame_id: String) -> IntentRef {
    IntentRef { intent_id: String::new(), frame_id }
}

/// Whether an intent carries a command.
pub fn is_command(intent: &IntentRef) -> bool {
    intent.intent_id.is_empty()
}

fn failure(why: &Rejection) -> CommandFailure {
    let code = match why.code {
        RejectCode::Error => CommandCode::Retryable,
        RejectCode::Forbidden => CommandCode::Forbidden,
        RejectCode::Invalid | RejectCode::Unsupported => CommandCode::InvalidImage,
    };
    CommandFailure::new(code, &why.message)
}
