//! `lucida.view.*` and `lucida.session.*`: views of one's own, and who is here.

use super::Said;
use crate::wire::fields::clipped;
use lucida_components::{
    ids::{SessionId, ViewId},
    seats::{MOST_NAME, SeatChange},
    session::Role,
};

const CREATE: &str = "lucida.view.create";
const RENAME: &str = "lucida.view.rename";
const WATCH: &str = "lucida.view.watch";
const CLOSE: &str = "lucida.view.close";
const FOLLOW: &str = "lucida.session.follow";
const NAME: &str = "lucida.session.name";
const ROLE: &str = "lucida.session.role";

/// The commands, as the welcome lists them.
pub(super) const CATALOGUE: [&str; 7] = [CREATE, RENAME, WATCH, CLOSE, FOLLOW, NAME, ROLE];

/// Reads one of [`CATALOGUE`].
pub(super) fn parse(command: &str, said: &Said<'_>) -> Result<SeatChange, String> {
    match command {
        CREATE => Ok(SeatChange::Create { name: said.text("name")?.map(name).transpose()? }),
        RENAME => Ok(SeatChange::Rename { view: view(said)?, name: named(command, said)? }),
        WATCH => Ok(SeatChange::Watch(view(said)?)),
        CLOSE => Ok(SeatChange::Close(view(said)?)),
        FOLLOW => Ok(SeatChange::Follow(session(said)?)),
        NAME => Ok(SeatChange::Name(named(command, said)?)),
        _ => {
            let role = said.text("role")?.and_then(|text| Role::parse(text.trim()));
            let role = role.ok_or("role is \"viewer\" or \"controller\"")?;
            Ok(SeatChange::Role { session: session(said)?, role })
        }
    }
}

fn view(said: &Said<'_>) -> Result<ViewId, String> {
    let text = said.text("view")?.unwrap_or_default().trim();
    ViewId::parse(text)
        .ok_or_else(|| format!("there is no view {:?}; views are main, view-1, …", clipped(text)))
}

fn session(said: &Said<'_>) -> Result<Option<SessionId>, String> {
    let Some(text) = said.text("session")?.map(str::trim) else { return Ok(None) };
    let unknown = || format!("there is no session {:?}; sessions are session-1, session-2, …", clipped(text));
    SessionId::parse(text).map(Some).ok_or_else(unknown)
}

fn named(command: &str, said: &Said<'_>) -> Result<String, String> {
    said.text("name")?.ok_or_else(|| format!("{command} needs a name")).and_then(name)
}

/// A name for people: one line, short.
fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > MOST_NAME || text.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {MOST_NAME} characters and no line breaks"));
    }
    Ok(text.to_owned())
}
