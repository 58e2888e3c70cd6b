//! Controls of one layer.

use super::{auto_contrast, nothing_open, settle};
use crate::residency::cache::ChunkCache;
use bevy_ecs::prelude::*;
use lucida_components::{
    applied::Applied,
    colormap,
    controls::{ControlChange, ControlKey, Controls, Interpolation, Projection},
    fault::Rejection,
    ids::{LayerId, ViewId},
    intent::{Change, Intent},
    labels::{COLORMAP, MOST_CONTOUR},
    layer::{Layer, LayerKind},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Layer`] and [`Change::AutoContrast`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    mut layers: Query<(&LayerId, &Layer, &mut Controls)>,
    views: Query<(&ViewId, &Applied)>,
    cache: Res<ChunkCache>,
) {
    for intent in intents.read() {
        let (id, control) = match &intent.change {
            Change::Layer { layer, control } => (layer, Ok(control.clone())),
            Change::AutoContrast { layer, percentiles } => {
                let shown = views.iter().find(|(view, _)| **view == intent.view).map(|(_, a)| &*a.state);
                let limits = shown
                    .ok_or_else(nothing_open)
                    .and_then(|state| auto_contrast::limits(state, *layer, *percentiles, &cache));
                (layer, limits.map(ControlChange::ContrastLimits))
            }
            _ => continue,
        };
        let outcome = match (control, layers.iter_mut().find(|(l, ..)| *l == id)) {
            (_, None) => Err(Rejection::invalid(format!("{id} does not exist"))),
            (Err(why), _) => Err(of_value(why)),
            (Ok(control), Some((_, layer, mut controls))) => apply(&mut controls, layer.kind, &control)
                .map(|()| Report::Control(*id, control.key()))
                .map_err(of_value),
        };
        settle(&mut ops, intent, OpKind::Layer, outcome);
    }
}

/// Of one layer's controls what is wrong with a value is an error, as napari-cuda has it; with a name it is invalid.
fn of_value(why: Rejection) -> Rejection {
    Rejection::error(why.message)
}

/// Writes one control, clamped where napari's users expect clamping, refused where there is no sense in it.
pub(super) fn apply(
    controls: &mut Mut<Controls>,
    kind: LayerKind,
    change: &ControlChange,
) -> Result<(), Rejection> {
    if kind == LayerKind::Labels {
        check_labels(change)?;
    }
    let mut next = (**controls).clone();
    let number = |v: f64, what: &str| {
        if v.is_finite() { Ok(v) } else { Err(Rejection::invalid(format!("{what} must be a finite number"))) }
    };
    let positive = |v: f64, what: &str| match number(v, what)? {
        v if v > 0.0 => Ok(v),
        _ => Err(Rejection::invalid(format!("{what} must be > 0"))),
    };
    let of_labels = |what: ControlKey| match kind {
        LayerKind::Labels => Ok(()),
        LayerKind::Image => {
            Err(Rejection::invalid(format!("{} is a control of labels layers", what.as_str())))
        }
    };
    match change {
        ControlChange::Visible(v) => next.visible = *v,
        ControlChange::Opacity(v) => next.opacity = number(*v, "opacity")?.clamp(0.0, 1.0),
        ControlChange::Blending(v) => next.blending = *v,
        ControlChange::Interpolation(v) => next.interpolation = *v,
        ControlChange::Colormap(name) if kind == LayerKind::Image => {
            next.colormap =
                colormap::canonical(name).ok_or_else(|| Rejection::invalid(colormap::unknown(name)))?;
        }
        ControlChange::Colormap(_) => COLORMAP.clone_into(&mut next.colormap),
        ControlChange::Gamma(v) => next.gamma = positive(*v, "gamma")?,
        ControlChange::ContrastLimits([a, b]) => {
            let (a, b) = (number(*a, "contrast_limits")?, number(*b, "contrast_limits")?);
            if a == b {
                return Err(Rejection::invalid("contrast_limits must differ"));
            }
            next.contrast_limits = [a.min(b), a.max(b)];
        }
        ControlChange::Depiction(v) => next.depiction = *v,
        ControlChange::Projection(v) => next.projection = *v,
        ControlChange::PlaneThickness(v) => next.plane_thickness = positive(*v, "plane_thickness")?,
        ControlChange::PlanePosition(v) => {
            v.iter().flatten().try_for_each(|v| number(*v, "plane_position").map(|_| ()))?;
            next.plane_position = *v;
        }
        ControlChange::PlaneNormal(v) => {
            v.iter().try_for_each(|v| number(*v, "plane_normal").map(|_| ()))?;
            if v.iter().all(|v| *v == 0.0) {
                return Err(Rejection::invalid("plane_normal must not be zero"));
            }
            next.plane_normal = *v;
        }
        ControlChange::Rendering(v) => next.rendering = *v,
        ControlChange::Attenuation(v) => next.attenuation = number(*v, "attenuation")?.max(0.0),
        ControlChange::IsoThreshold(v) => next.iso_threshold = number(*v, "iso_threshold")?,
        ControlChange::SampleStep(v) => next.sample_step = number(*v, "sample_step")?.clamp(0.1, 4.0),
        ControlChange::Contour(v) => {
            of_labels(change.key())?;
            next.contour = (*v).min(MOST_CONTOUR);
        }
        ControlChange::SelectedLabel(v) => {
            of_labels(change.key())?;
            next.selected_label = *v;
        }
        ControlChange::ShowSelectedLabel(v) => {
            of_labels(change.key())?;
            next.show_selected_label = *v;
        }
    }
    controls.set_if_neq(next);
    Ok(())
}

/// What labels cannot be drawn with: between two ids there is nothing, and no sum of them is an id.
fn check_labels(change: &ControlChange) -> Result<(), Rejection> {
    let why = match change {
        ControlChange::Interpolation(v) if *v != Interpolation::Nearest => {
            "labels are names of objects: their interpolation is nearest"
        }
        ControlChange::Projection(v) if *v != Projection::None => {
            "labels are names of objects: their projection is none"
        }
        ControlChange::Colormap(name) if !name.trim().eq_ignore_ascii_case(COLORMAP) => {
            "labels have the colours that they declare and hashed ones: their colormap is \"labels\""
        }
        _ => return Ok(()),
    };
    Err(Rejection::invalid(why))
}
