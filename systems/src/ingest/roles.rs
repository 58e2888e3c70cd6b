//! What a session may ask for.

use lucida_components::{
    fault::Rejection,
    intent::Change,
    ops::OpKind,
    seats::SeatChange,
    session::{Role, Session},
};

/// Whether this session may ask for this.
///
/// # Errors
/// Where its role does not allow it, or nobody may ask for it.
pub fn check(session: &Session, change: &Change) -> Result<(), Rejection> {
    if matches!(change, Change::Lead(_)) {
        return Err(Rejection::forbidden(
            "who leads a view is not asked for: the one who watches it longest does",
        ));
    }
    if session.role == Role::Controller || is_looking(change) {
        return Ok(());
    }
    let out = match session.most {
        Role::Controller => "take the role of a controller first",
        Role::Viewer => "ask a controller for the role of one",
    };
    Err(Rejection::forbidden(format!("a viewer looks and changes nothing ({}); {out}", kind(change))))
}

/// What changes nothing for anybody else.
fn is_looking(change: &Change) -> bool {
    match change {
        Change::Canvas(_) => true,
        Change::Seat(seat) => matches!(
            seat,
            SeatChange::Watch(_) | SeatChange::Follow(_) | SeatChange::Name(_) | SeatChange::Role { .. }
        ),
        _ => false,
    }
}

/// Which group a change belongs to.
pub(super) fn kind(change: &Change) -> OpKind {
    match change {
        Change::Ndisplay(_) => OpKind::ViewToggle,
        Change::Index { .. }
        | Change::Step { .. }
        | Change::Margins { .. }
        | Change::WholeIndex(_)
        | Change::Order(_) => OpKind::Dims,
        Change::Level(_) | Change::Policy(_) => OpKind::Policy,
        Change::Camera(_) | Change::Reset(_) => OpKind::Camera,
        Change::Clip(_) => OpKind::Clip,
        Change::Layer { .. }
        | Change::AutoContrast { .. }
        | Change::Volume(_)
        | Change::VolumeContrast(_) => OpKind::Layer,
        Change::Canvas(_) | Change::Lead(_) => OpKind::Stream,
        Change::Seat(_) => OpKind::Seat,
        Change::Dataset(_) | Change::Restore(_) => OpKind::Dataset,
    }
}
