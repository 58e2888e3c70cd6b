//! What waits to be sent to one session.

use crate::{
    notice::{Ack, Notice, NoticeBody, Topic},
    packet::Packet,
};
use bevy_ecs::component::Component;
use std::{collections::VecDeque, sync::Arc};

/// The outbox of one session. The socket side drains it: acks, then notices, then pictures.
///
/// Drop policy: acks are never dropped (a session that lets [`Outbox::MAX_ACKS`] of them pile up is closed);
/// notices of the same topic merge, so there are at most as many as topics (fixed ones and two per layer); a picture enters only while the
/// session has room ([`crate::session::Watch`]), so pictures are dropped before they come here.
#[derive(Component, Debug, Default)]
pub struct Outbox {
    /// Answers, oldest first.
    pub acks: VecDeque<Ack>,
    /// Notices, one per topic, in the order in which their topics first changed.
    pub notices: Vec<Notice>,
    /// Pictures, oldest first.
    pub pictures: VecDeque<Arc<Packet>>,
}

impl Outbox {
    /// Answers that may wait for a client that does not read.
    pub const MAX_ACKS: usize = 4096;

    /// Queues an answer. Returns false where the session must be closed because it does not read.
    #[must_use = "a session whose answers pile up must be closed"]
    pub fn ack(&mut self, ack: Ack) -> bool {
        self.acks.push_back(ack);
        self.acks.len() <= Self::MAX_ACKS
    }

    /// Queues a notice; one of the same topic that still waits is replaced (its place in the order stays).
    pub fn notify(&mut self, mut notice: Notice) {
        if notice.topic == Topic::Scene {
            // What is not about the scene stays, behind it.
            self.notices.retain(|n| {
                matches!(n.topic, Topic::Stream | Topic::Seats | Topic::Telemetry | Topic::Incident(_))
            });
            self.notices.insert(0, notice);
            return;
        }
        let Some(waiting) = self.notices.iter_mut().find(|n| n.topic == notice.topic) else {
            self.notices.push(notice);
            return;
        };
        if let (NoticeBody::Layer { changed: old, .. }, NoticeBody::Layer { changed: new, .. }) =
            (&waiting.body, &mut notice.body)
        {
            new.extend(old.iter().copied());
        }
        if waiting.cause != notice.cause {
            notice.cause = None;
            if let NoticeBody::Camera { echo, .. } = &mut notice.body {
                *echo = None;
            }
        }
        // Of layers what is told is all up to the earlier place: between the two there may be other layers.
        if matches!(notice.topic, Topic::Layer(_) | Topic::Thumbnail(_)) {
            notice.mark = waiting.mark.take();
        }
        *waiting = notice;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.acks.is_empty() && self.notices.is_empty() && self.pictures.is_empty()
    }
}
