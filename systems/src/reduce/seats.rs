//! Views come and go, sessions look at them.
//!
//! All but a new view is done at once and needs no transaction. What a viewer may not ask for never comes here.

mod create;

use super::settle;
use crate::{mirror::versions::Versions, seats::views};
use bevy_ecs::{message::MessageCursor, prelude::*};
use lucida_components::{
    applied::Revision,
    fault::Rejection,
    ids::{SessionId, ViewId},
    intent::{Change, Intent},
    ops::{OpKind, OpState, Ops, Report},
    seats::{SeatChange, ViewName, tidy_name},
    session::{Role, Session},
    value::Value,
};

/// What is left to do about an answer.
enum Answer {
    /// Nothing.
    Done(Value),
    /// The transaction of a view that begins.
    Begins(ViewId),
}

/// Answers [`Change::Seat`]. Exclusive and first, because views come and go for the reducers that follow.
pub fn reduce(world: &mut World, mut reader: Local<MessageCursor<Intent>>) {
    let intents: Vec<Intent> = reader
        .read(world.resource::<Messages<Intent>>())
        .filter(|i| matches!(i.change, Change::Seat(_)))
        .cloned()
        .collect();
    for mut intent in intents {
        let Change::Seat(change) = intent.change.clone() else { continue };
        let answer = match intent.origin.as_ref().map(|o| o.session) {
            Some(session) => answer(world, session, intent.op, change),
            None => Err(Rejection::invalid("seats are for sessions")),
        };
        let revision = world.resource::<Revision>().0;
        let mut ops = world.resource_mut::<Ops>();
        match answer {
            Err(why) => settle(&mut ops, &intent, OpKind::Seat, Err(why)),
            Ok(Answer::Begins(view)) => {
                intent.view = view;
                settle(&mut ops, &intent, OpKind::Seat, Ok(Report::Value(of_view(view))));
            }
            Ok(Answer::Done(value)) => {
                settle(&mut ops, &intent, OpKind::Seat, Ok(Report::Value(value)));
                if let Some(op) = ops.get_mut(intent.op) {
                    op.state = OpState::Applied { revision };
                }
            }
        }
    }
}

/// Does what a session asks for.
fn answer(world: &mut World, asks: SessionId, op: u64, change: SeatChange) -> Result<Answer, Rejection> {
    let value = match change {
        SeatChange::Create { name } => return create::create(world, asks, op, name.as_deref()),
        SeatChange::Rename { view, name } => {
            let name = tidy_name(&name)?;
            let entity = find(world, view)?;
            if let Some(mut known) = world.get_mut::<ViewName>(entity) {
                let next = ViewName { name, ..known.clone() };
                known.set_if_neq(next);
            }
            of_view(view)
        }
        SeatChange::Watch(view) => {
            find(world, view)?;
            look(world, asks, view, None)?;
            of_view(view)
        }
        SeatChange::Follow(leader) => of_view(follow(world, asks, leader)?),
        SeatChange::Close(view) => {
            close(world, view)?;
            ok()
        }
        SeatChange::Name(name) => {
            let name = tidy_name(&name)?;
            alter(world, asks, |s| s.name = name)?;
            ok()
        }
        SeatChange::Role { session, role } => {
            give(world, asks, session.unwrap_or(asks), role)?;
            ok()
        }
    };
    Ok(Answer::Done(value))
}

fn of_view(view: ViewId) -> Value {
    Value::Map(vec![("view", Value::Text(view.to_string()))])
}

fn ok() -> Value {
    Value::Map(vec![("ok", Value::Bool(true))])
}

/// The entity of a view that can be named.
fn find(world: &mut World, view: ViewId) -> Result<Entity, Rejection> {
    let there = views(world);
    if !there.contains(&view) {
        let there: Vec<String> = there.iter().map(ViewId::to_string).collect();
        return Err(Rejection::invalid(format!("{view} does not exist; there are {}", there.join(", "))));
    }
    let mut entities = world.query_filtered::<(Entity, &ViewId), With<ViewName>>();
    let found = entities.iter(world).find(|(_, id)| **id == view).map(|(e, _)| e);
    found.ok_or_else(|| Rejection::invalid(format!("{view} does not exist")))
}

/// A session, as it is.
fn session(world: &mut World, id: SessionId) -> Result<Session, Rejection> {
    let mut sessions = world.query::<(&SessionId, &Session)>();
    let found = sessions.iter(world).find(|(s, session)| **s == id && session.hears).map(|(_, s)| s.clone());
    found.ok_or_else(|| Rejection::invalid(format!("{id} is not here")))
}

/// Changes a session; nothing is marked as changed where it stays equal.
fn alter(world: &mut World, id: SessionId, change: impl FnOnce(&mut Session)) -> Result<(), Rejection> {
    let mut next = session(world, id)?;
    change(&mut next);
    let mut sessions = world.query::<(&SessionId, &mut Session)>();
    if let Some((_, mut known)) = sessions.iter_mut(world).find(|(s, _)| **s == id) {
        known.set_if_neq(next);
    }
    Ok(())
}

fn look(world: &mut World, id: SessionId, view: ViewId, follows: Option<SessionId>) -> Result<(), Rejection> {
    alter(world, id, |s| (s.view, s.follows) = (view, follows))
}

/// The view that is looked at from now on. Whoever followed the asker so that it would follow itself stops: of two
/// who follow each other the later one leads nobody.
fn follow(world: &mut World, asks: SessionId, leader: Option<SessionId>) -> Result<ViewId, Rejection> {
    let Some(leader) = leader else {
        alter(world, asks, |s| s.follows = None)?;
        return Ok(session(world, asks)?.view);
    };
    if leader == asks {
        return Err(Rejection::invalid("nobody can follow itself; follow null to stay where you are"));
    }
    let view = session(world, leader)?.view;
    let mut link = leader;
    // No chain is longer than there are sessions.
    for _ in 0..world.query::<&Session>().iter(world).count() {
        let Some(next) = session(world, link).ok().and_then(|s| s.follows) else { break };
        if next == asks {
            alter(world, link, |s| s.follows = None)?;
            break;
        }
        link = next;
    }
    look(world, asks, view, Some(leader))?;
    Ok(view)
}

/// A view goes; who looks at it looks at the main one.
fn close(world: &mut World, view: ViewId) -> Result<(), Rejection> {
    if view == ViewId::MAIN {
        return Err(Rejection::invalid("the main view is always there; others can be closed"));
    }
    let entity = find(world, view)?;
    world.despawn(entity);
    let mut sessions = world.query::<&mut Session>();
    for mut session in sessions.iter_mut(world).filter(|s| s.view == view) {
        session.view = ViewId::MAIN;
    }
    world.resource_mut::<Versions>().forget(view);
    Ok(())
}

/// Everybody takes what it came with the key to; controllers give any role to others.
fn give(world: &mut World, asks: SessionId, to: SessionId, role: Role) -> Result<(), Rejection> {
    let (giver, taker) = (session(world, asks)?, session(world, to)?);
    if asks == to && role > taker.most {
        return Err(Rejection::forbidden("you came as a viewer; a controller can make you one too"));
    }
    if asks != to && giver.role < Role::Controller {
        return Err(Rejection::forbidden("only controllers give roles to others"));
    }
    alter(world, to, |s| (s.role, s.most) = (role, s.most.max(role)))
}
