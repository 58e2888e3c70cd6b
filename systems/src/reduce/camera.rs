//! Camera deltas are checked and queued; only the transaction moves the camera.

use super::{no_view, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    camera::{Camera, CameraDelta, CameraParts, CameraQueue, VolumePose},
    dataset::Scene,
    fault::Rejection,
    fit::Fit,
    ids::{SessionId, ViewId},
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
    session::Session,
    stream::Canvas,
    value::Value,
};

/// Answers [`Change::Camera`] and [`Change::Reset`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut views: Query<(&ViewId, &Canvas, Option<&Applied>, &mut CameraQueue)>,
    sessions: Query<(&SessionId, &Session)>,
) {
    for intent in intents.read() {
        let (delta, reason) = match &intent.change {
            Change::Camera(delta) => (delta, None),
            Change::Reset(reason) => (&CameraDelta::Reset, Some(reason)),
            _ => continue,
        };
        let outcome = match views.iter_mut().find(|(id, ..)| **id == intent.view) {
            None => Err(no_view(intent)),
            Some(_) if scene.dataset.is_none() => Err(nothing_open()),
            Some((_, canvas, applied, mut queue)) => check(delta).map(|report| {
                let asks = intent.origin.as_ref().map(|o| o.session);
                let own = sessions.iter().find(|(id, _)| Some(**id) == asks).and_then(|(_, s)| s.canvas);
                // Pixels are those of the picture that the session has.
                let shown = applied.map_or(*canvas, |a| a.state.canvas);
                let fit = Fit::of(shown, own.unwrap_or(shown));
                let pose = applied.map_or_else(Camera::default, |a| a.state.camera).volume;
                queue.0.push(fit.delta(delta.clone(), &pose));
                Report::Camera(key(delta), reason.map_or(report, |words| because(words)))
            }),
        };
        settle(&mut ops, intent, OpKind::Camera, outcome);
    }
}

/// The wire's word for what is asked.
fn key(delta: &CameraDelta) -> &'static str {
    match delta {
        CameraDelta::Zoom { .. } => "zoom",
        CameraDelta::Pan { .. } => "pan",
        CameraDelta::Orbit { .. } => "orbit",
        CameraDelta::Reset => "reset",
        CameraDelta::Set(_) => "set",
    }
}

/// Refuses what is not finite or not positive where it must be; the rest is reported as it will be applied.
fn check(delta: &CameraDelta) -> Result<Value, Rejection> {
    let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
    let bad = |what: &str| Err(Rejection::invalid(what.to_owned()));
    match delta {
        CameraDelta::Zoom { factor, anchor } => {
            if !(finite(&[*factor]) && *factor > 0.0 && finite(anchor)) {
                return bad("zoom needs a finite factor > 0 and a finite anchor_px");
            }
            // The anchor is told as it was asked for by the wire, which knows its own convention.
            Ok(Value::Map(vec![
                ("factor", Value::Float(*factor)),
                ("anchor_px", Value::Floats(anchor.to_vec())),
            ]))
        }
        CameraDelta::Pan { dx, dy } if finite(&[*dx, *dy]) => {
            Ok(Value::Map(vec![("dx_px", Value::Float(*dx)), ("dy_px", Value::Float(*dy))]))
        }
        CameraDelta::Pan { .. } => bad("pan needs finite dx_px and dy_px"),
        CameraDelta::Orbit { azimuth, elevation } if finite(&[*azimuth, *elevation]) => {
            Ok(Value::Map(vec![("d_az_deg", Value::Float(*azimuth)), ("d_el_deg", Value::Float(*elevation))]))
        }
        CameraDelta::Orbit { .. } => bad("orbit needs finite d_az_deg and d_el_deg"),
        CameraDelta::Reset => Ok(because("state.update")),
        CameraDelta::Set(parts) => check_parts(parts),
    }
}

fn because(reason: &str) -> Value {
    Value::Map(vec![("reason", Value::Text(reason.to_owned()))])
}

fn check_parts(parts: &CameraParts) -> Result<Value, Rejection> {
    let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
    let mut told = Vec::new();
    if let Some(center) = &parts.center {
        if !(2..=3).contains(&center.len()) || !finite(center) {
            return Err(Rejection::invalid("center is 2 or 3 finite numbers"));
        }
        told.push(("center", Value::Floats(center.clone())));
    }
    for (name, value) in [("zoom", parts.zoom), ("distance", parts.distance)] {
        if let Some(v) = value {
            if !(v.is_finite() && v > 0.0) {
                return Err(Rejection::invalid(format!("{name} is a finite number > 0")));
            }
            told.push((name, Value::Float(v)));
        }
    }
    if let Some(r) = parts.rect {
        if !finite(&[r.left, r.bottom, r.width, r.height]) || r.width <= 0.0 || r.height <= 0.0 {
            return Err(Rejection::invalid("rect is left, bottom, width > 0, height > 0"));
        }
        told.push(("rect", Value::Floats(vec![r.left, r.bottom, r.width, r.height])));
    }
    if let Some(angles) = parts.angles {
        if !finite(&angles) {
            return Err(Rejection::invalid("angles are three finite numbers"));
        }
        told.push(("angles", Value::Floats(angles.to_vec())));
    }
    if let Some(fov) = parts.fov {
        if !VolumePose::is_fov(fov) {
            let least = VolumePose::LEAST_FOV;
            return Err(Rejection::invalid(format!(
                "fov is 0 (orthographic), or from {least} to less than 180 degrees"
            )));
        }
        told.push(("fov", Value::Float(fov)));
    }
    if told.is_empty() {
        return Err(Rejection::invalid("camera.set needs one of center, zoom, rect, angles, distance, fov"));
    }
    Ok(Value::Map(told))
}
