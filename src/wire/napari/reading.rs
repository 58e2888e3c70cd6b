//! What the client asks for, in terms of the ledger.

use super::{rows::Rows, span::Span};
use crate::wire::conventions::Told;
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts, Rect},
    controls::{ControlChange, ControlKey},
    fault::Rejection,
    ids::LayerId,
    intent::Change,
};

/// Whether the dialect has words for a key of a scope. It has none for what is ours.
pub fn knows(scope: &str, key: &str) -> bool {
    match scope {
        "view" => key == "ndisplay",
        "dims" => ["index", "step"].contains(&key),
        "camera" => ["zoom", "pan", "orbit", "reset", "set"].contains(&key),
        "layer" => {
            let depiction = ControlKey::Depiction.as_str();
            key == depiction || crate::wire::notices::layers::BASE.iter().any(|known| known.as_str() == key)
        }
        "volume" => ["render_mode", "contrast_limits", "colormap", "opacity", "sample_step"].contains(&key),
        "multiscale" => ["level", "policy"].contains(&key),
        _ => false,
    }
}

/// A change as the client means it, by what it was told last.
///
/// # Errors
/// [`Rejection`] of what can be said and not be done: limits that no number holds, a volume's centre in a plane.
pub fn understood(change: Change, told: &Told) -> Result<Change, Rejection> {
    let Some(state) = &told.state else { return Ok(change) };
    match change {
        Change::Camera(CameraDelta::Set(parts)) => Ok(Change::Camera(CameraDelta::Set(pose(parts, state)?))),
        Change::Layer { layer, control } => Ok(Change::Layer { layer, control: raw(control, layer, state)? }),
        // Each layer has limits of its own to count from.
        Change::Volume(ControlChange::ContrastLimits(limits)) => Ok(Change::VolumeContrast(limits)),
        other => Ok(other),
    }
}

/// The older server's rule: the volume's pose where angles are given or three axes are displayed, else the plane's.
/// What belongs to the other is left out.
fn pose(parts: CameraParts, state: &ViewState) -> Result<CameraParts, Rejection> {
    if parts.angles.is_some() || state.view.ndisplay >= 3 {
        let parts = CameraParts { zoom: None, rect: None, ..parts };
        return match &parts.center {
            Some(center) if center.len() < 3 => {
                Err(Rejection::invalid("the center of a volume has three numbers"))
            }
            _ if parts == CameraParts::default() => {
                Err(Rejection::invalid("a volume is set by center, angles, distance or fov"))
            }
            _ => Ok(parts),
        };
    }
    let rows = Rows::of(state);
    let center = parts.center.map(|center| vec![center[0], rows.downward(center[1])]);
    // The lower edge of the client is the larger y of the ledger.
    let rect = parts.rect.map(|r| Rect { bottom: rows.downward(r.bottom + r.height), ..r });
    Ok(CameraParts { center, rect, ..parts })
}

fn raw(control: ControlChange, layer: LayerId, state: &ViewState) -> Result<ControlChange, Rejection> {
    // A layer that does not exist is the reducer's to refuse.
    let Some(span) = state.layer(layer).map(|layer| Span::of(state, layer)) else { return Ok(control) };
    let beyond = || Rejection::error("the value is beyond what numbers hold");
    match control {
        ControlChange::ContrastLimits(limits) => {
            let [lo, hi] = limits.map(|v| span.raw(v));
            if !(lo.is_finite() && hi.is_finite() && lo < hi) {
                return Err(beyond());
            }
            Ok(ControlChange::ContrastLimits([lo, hi]))
        }
        ControlChange::IsoThreshold(value) => Some(span.raw(value))
            .filter(|v| v.is_finite())
            .map(ControlChange::IsoThreshold)
            .ok_or_else(beyond),
        other => Ok(other),
    }
}
