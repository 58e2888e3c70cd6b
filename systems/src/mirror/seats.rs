//! Who is here, and which views there are, told to those who asked for it.

use bevy_ecs::prelude::*;
use lucida_components::{
    clock::{Clock, NextWake},
    ids::{SessionId, ViewId},
    metrics::Metrics,
    notice::{Notice, NoticeBody, Topic},
    outbox::Outbox,
    seats::{Seats, SessionSeat, ViewName, ViewSeat},
    session::Session,
};
use std::sync::Arc;

/// The seats a session was told last; none where it has only just come.
#[derive(Component, Debug, Default)]
pub struct ToldSeats(Option<Arc<Seats>>);

/// What any seat depends on.
type Changes<'w, 's> = Query<'w, 's, (), Or<(Changed<Session>, Changed<ViewName>)>>;

/// Compares and tells.
#[expect(clippy::too_many_arguments, reason = "compares all that seats depend on")]
pub fn notify(
    mut commands: Commands,
    clock: Res<Clock>,
    mut wake: ResMut<NextWake>,
    mut present: Local<Arc<Seats>>,
    changes: Changes,
    mut left: RemovedComponents<Session>,
    mut closed: RemovedComponents<ViewName>,
    views: Query<(&ViewId, &ViewName)>,
    sessions: Query<(&SessionId, &Session)>,
    mut listeners: Query<(Entity, &Session, &mut Outbox, Option<&mut ToldSeats>)>,
    mut metrics: ResMut<Metrics>,
) {
    if left.read().count() + closed.read().count() > 0 || !changes.is_empty() {
        let now = seats(&views, &sessions);
        if **present != now {
            *present = Arc::new(now);
        }
    }
    for (entity, session, mut outbox, told) in &mut listeners {
        if !session.features.seats || !session.hears {
            continue;
        }
        let Some(mut told) = told else {
            // Told from the next turn on, after its baseline.
            commands.entity(entity).insert(ToldSeats::default());
            wake.at(clock.now);
            continue;
        };
        if told.0.as_ref() != Some(&*present) {
            let waiting = outbox.notices.len();
            let body = NoticeBody::Seats(Arc::clone(&present));
            outbox.notify(Notice { topic: Topic::Seats, body, cause: None, view: session.view, mark: None });
            metrics.notices += 1;
            metrics.notices_merged += u64::from(outbox.notices.len() == waiting);
            told.0 = Some(Arc::clone(&present));
        }
    }
}

/// All seats, in the order in which they are told.
fn seats(views: &Query<(&ViewId, &ViewName)>, sessions: &Query<(&SessionId, &Session)>) -> Seats {
    let view =
        |(id, name): (&ViewId, &ViewName)| ViewSeat { id: *id, name: name.name.clone(), owner: name.owner };
    let seat = |(id, s): (&SessionId, &Session)| SessionSeat {
        id: *id,
        name: s.name.clone(),
        role: s.role,
        view: s.view,
        follows: s.follows,
    };
    let mut views: Vec<ViewSeat> = views.iter().map(view).collect();
    views.sort_unstable_by_key(|v| v.id);
    let mut sessions: Vec<SessionSeat> = sessions.iter().filter(|(_, s)| s.hears).map(seat).collect();
    sessions.sort_unstable_by_key(|s| s.id);
    Seats { views, sessions }
}
