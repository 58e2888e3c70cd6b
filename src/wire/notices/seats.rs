//! `notify.seats`: who is here, and which views there are.

use lucida_components::{
    ids::SessionId,
    seats::{Seats, SessionSeat, ViewSeat},
};
use serde_json::{Value, json};

/// The payload, as one session is told.
pub fn payload(you: SessionId, seats: &Seats) -> Value {
    json!({
        "you": you.to_string(),
        "views": seats.views.iter().map(view).collect::<Value>(),
        "sessions": seats.sessions.iter().map(session).collect::<Value>(),
    })
}

fn view(seat: &ViewSeat) -> Value {
    json!({
        "id": seat.id.to_string(),
        "name": seat.name,
        "owner": seat.owner.map(|session| session.to_string()),
    })
}

fn session(seat: &SessionSeat) -> Value {
    json!({
        "id": seat.id.to_string(),
        "name": seat.name,
        "role": seat.role.as_str(),
        "view": seat.view.to_string(),
        "follows": seat.follows.map(|session| session.to_string()),
    })
}
