//! Who is here, and which views there are.

use crate::{
    fault::Rejection,
    ids::{SessionId, ViewId},
    session::Role,
};
use bevy_ecs::component::Component;

/// Longest name of a person or a view, characters.
pub const MOST_NAME: usize = 64;

/// Views at most, the main one among them.
pub const MOST_VIEWS: usize = 128;

/// A name as it is kept: without the blanks round it.
///
/// # Errors
/// Where it has none or more than [`MOST_NAME`] characters, or one that is no character for a line of text.
pub fn tidy_name(name: &str) -> Result<String, Rejection> {
    let name = name.trim();
    if (1..=MOST_NAME).contains(&name.chars().take(MOST_NAME + 1).count())
        && !name.chars().any(char::is_control)
    {
        return Ok(name.to_owned());
    }
    Err(Rejection::invalid(format!(
        "a name has 1 to {MOST_NAME} characters, none of them a control character"
    )))
}

/// What a view is called and whose it is. Beside its [`ViewId`] on the entity.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct ViewName {
    /// For people.
    pub name: String,
    /// Who made it, while it is here. The main view is nobody's.
    pub owner: Option<SessionId>,
}

/// What a session asks about seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeatChange {
    /// A view of one's own that begins as the one looked at now; it is looked at from then on.
    Create {
        /// Its name; that of its owner where there is none.
        name: Option<String>,
    },
    /// Another name for a view.
    Rename {
        /// The view.
        view: ViewId,
        /// Its name.
        name: String,
    },
    /// Look at a view, and follow nobody.
    Watch(ViewId),
    /// Look at whatever view a session looks at; `None` stays where one is.
    Follow(Option<SessionId>),
    /// A view is closed; who looks at it looks at the main one.
    Close(ViewId),
    /// What one is called.
    Name(String),
    /// What a session may do.
    Role {
        /// The session; `None` for oneself.
        session: Option<SessionId>,
        /// From now on.
        role: Role,
    },
}

/// All seats, as they are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seats {
    /// The views, main first, then by number.
    pub views: Vec<ViewSeat>,
    /// The sessions that are told, by number.
    pub sessions: Vec<SessionSeat>,
}

/// One view, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSeat {
    /// The view.
    pub id: ViewId,
    /// Its name.
    pub name: String,
    /// Who made it, while it is here.
    pub owner: Option<SessionId>,
}

/// One session, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSeat {
    /// The session.
    pub id: SessionId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The view it looks at.
    pub view: ViewId,
    /// Whom it follows.
    pub follows: Option<SessionId>,
}
