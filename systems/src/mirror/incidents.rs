//! What went wrong without anybody having asked for something goes to those who want to know.

use super::notices::Told;
use bevy_ecs::prelude::*;
use lucida_components::{
    incident::Incidents,
    metrics::Metrics,
    notice::{Notice, NoticeBody, Topic},
    outbox::Outbox,
    session::Session,
};
use std::sync::Arc;

/// Tells the incidents since the last turn, and forgets them. Of several of a domain that wait, the newest is told.
pub fn tell(
    mut incidents: ResMut<Incidents>,
    mut sessions: Query<(&Session, &mut Outbox), With<Told>>,
    mut metrics: ResMut<Metrics>,
) {
    if incidents.iter().next().is_none() {
        return;
    }
    for incident in incidents.iter() {
        let body = Arc::new(incident.clone());
        for (session, mut outbox) in sessions.iter_mut().filter(|(s, _)| s.hears && s.features.incidents) {
            outbox.notify(Notice {
                topic: Topic::Incident(incident.domain),
                body: NoticeBody::Incident(body.clone()),
                cause: None,
                view: session.view,
                mark: None,
            });
            metrics.notices += 1;
        }
    }
    incidents.clear();
}
