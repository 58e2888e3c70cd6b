//! What one session is told: acks, notices and answers become frames, numbered for this session.

mod notice;
mod places;
#[cfg(test)]
mod tests;

use super::{
    ack,
    command::{self, CommandCode, CommandFailure, Listing},
    conventions::{Conventions, Dialect},
    envelope::Frame,
    hello::Hello,
    inbound::Goodbye,
    napari,
    notices::{self, Facts},
    update::Refused,
    welcome::{self, Welcome},
};
use lucida_components::{
    applied::ViewState,
    fault::{RejectCode, Rejection},
    ids::{IntentRef, SessionId},
    notice::{Ack, Cursors, Mark},
    session::{Features, Resume},
    stream::StreamConfig,
};
use places::Place;
use serde_json::{Value, json};
use std::{borrow::Cow, sync::Arc, time::Duration};

/// Makes the frames of one session.
#[derive(Debug)]
pub struct Encoder {
    id: SessionId,
    session: Arc<str>,
    conventions: Arc<Conventions>,
    facts: Arc<Facts>,
    resume: Resume,
    /// As it was told, to be told again where a decoder starts anew.
    stream: Option<(Arc<StreamConfig>, Mark)>,
    /// `notify.dims` as it was told of this scene: what changes the state and not what is told of it is not told.
    dims: Option<Value>,
    frames: u64,
    places: Places,
}

/// Where the session stands in each numbered topic.
#[derive(Debug, Default)]
struct Places {
    scene: Place,
    layers: Place,
    stream: Place,
    level: Place,
}

impl Encoder {
    /// For the session of this number and this name on the wire, which greeted in this dialect.
    pub fn new(id: SessionId, session: Arc<str>, hello: &Hello, facts: Arc<Facts>, dialect: Dialect) -> Self {
        let features = welcome::negotiate(hello, dialect);
        Self {
            id,
            session,
            conventions: Arc::new(Conventions::new(dialect, features)),
            facts,
            resume: hello.resume.clone(),
            stream: None,
            dims: None,
            frames: 0,
            places: Places::default(),
        }
    }

    /// What was negotiated.
    pub fn features(&self) -> Features {
        self.conventions.features()
    }

    /// What its reader reads by.
    pub fn conventions(&self) -> Arc<Conventions> {
        self.conventions.clone()
    }

    /// `session.welcome`. The cursors are where the topics stand now.
    pub fn welcome(&mut self, heartbeat: Duration, cursors: &Cursors) -> Frame {
        let welcome = Welcome {
            session: &self.session,
            heartbeat,
            dialect: self.conventions.dialect(),
            features: self.features(),
            resume: &self.resume,
            cursors,
        };
        let payload = welcome.payload();
        // Where the client knows all that was told of a topic, it stands where the topic does.
        self.places.scene = Place::resumed(welcome.scene());
        self.places.layers = Place::resumed(welcome.layers());
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
                Ok(applied) => self.replied(&intent.frame_id, Some(command::result(&applied.value))),
                Err(why) => self.failed(&intent.frame_id, &failure(why)),
            };
        }
        let payload = match &ack.outcome {
            Ok(applied) => ack::accepted(intent, applied, &self.conventions),
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
        self.replied(in_reply_to, None)
    }

    /// `reply.command` with what lies in a folder.
    pub fn listed(&mut self, in_reply_to: &str, listing: &Listing) -> Frame {
        self.replied(in_reply_to, Some(listing.result()))
    }

    /// `error.command`.
    pub fn failed(&mut self, in_reply_to: &str, why: &CommandFailure) -> Frame {
        self.frame("error.command", "error", command::error(in_reply_to, why))
    }

    fn replied(&mut self, in_reply_to: &str, result: Option<Value>) -> Frame {
        self.frame("reply.command", "reply", command::reply(in_reply_to, result))
    }

    /// The stream's configuration once more, if it is known: a decoder starts anew. It has the number that it had.
    pub fn stream_again(&mut self) -> Option<Frame> {
        let (config, mark) = self.stream.clone()?;
        let payload = notices::stream::payload(&config, self.facts.fps);
        Some(self.numbered("notify.stream", "notify-stream", mark, payload))
    }

    /// A state in the terms of this session.
    fn shown<'a>(&self, state: &'a ViewState) -> Cow<'a, ViewState> {
        match self.conventions.dialect() {
            Dialect::House => Cow::Borrowed(state),
            Dialect::Napari => Cow::Owned(napari::state(state)),
        }
    }

    fn frame(&mut self, kind: &'static str, prefix: &str, payload: Value) -> Frame {
        self.frames += 1;
        let mut frame = Frame::new(kind, format!("{prefix}-{:08x}", self.frames), payload);
        frame.session = Some(self.session.clone());
        frame
    }

    fn numbered(&mut self, kind: &'static str, prefix: &str, mark: Mark, payload: Value) -> Frame {
        let mut frame = self.frame(kind, prefix, payload);
        (frame.seq, frame.delta_token) = (Some(mark.seq), Some(mark.token));
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
        RejectCode::Invalid | RejectCode::Unsupported => CommandCode::Invalid,
    };
    CommandFailure::new(code, &why.message)
}
