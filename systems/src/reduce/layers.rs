//! Controls of one layer.

use super::settle;
use bevy_ecs::prelude::*;
use lucida_components::{
    colormap,
    controls::{ControlChange, Controls},
    fault::Rejection,
    ids::LayerId,
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Layer`].
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    mut layers: Query<(&LayerId, &mut Controls)>,
) {
    for intent in intents.read() {
        let Change::Layer { layer, control } = &intent.change else { continue };
        let outcome = match layers.iter_mut().find(|(id, _)| *id == layer) {
            None => Err(Rejection::invalid(format!("{layer} does not exist"))),
            Some((_, mut controls)) => {
                apply(&mut controls, control).map(|()| Report::Control(*layer, control.key()))
            }
        };
        settle(&mut ops, intent, OpKind::Layer, outcome);
    }
}

/// Writes one control, clamped where napari's users expect clamping, refused where there is no sense in it.
pub(super) fn apply(controls: &mut Mut<Controls>, change: &ControlChange) -> Result<(), Rejection> {
    let mut next = (**controls).clone();
    let number = |v: f64, what: &str| {
        if v.is_finite() { Ok(v) } else { Err(Rejection::invalid(format!("{what} must be a finite number"))) }
    };
    let positive = |v: f64, what: &str| match number(v, what)? {
        v if v > 0.0 => Ok(v),
        _ => Err(Rejection::invalid(format!("{what} must be > 0"))),
    };
    match change {
        ControlChange::Visible(v) => next.visible = *v,
        ControlChange::Opacity(v) => next.opacity = number(*v, "opacity")?.clamp(0.0, 1.0),
        ControlChange::Blending(v) => next.blending = *v,
        ControlChange::Interpolation(v) => next.interpolation = *v,
        ControlChange::Colormap(name) => {
            next.colormap =
                colormap::canonical(name).ok_or_else(|| Rejection::invalid(colormap::unknown(name)))?;
        }
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
        ControlChange::Rendering(v) => next.rendering = *v,
        ControlChange::Attenuation(v) => next.attenuation = number(*v, "attenuation")?.max(0.0),
        ControlChange::IsoThreshold(v) => next.iso_threshold = number(*v, "iso_threshold")?,
        ControlChange::SampleStep(v) => next.sample_step = number(*v, "sample_step")?.clamp(0.1, 4.0),
        ControlChange::Contour(v) => next.contour = *v,
        ControlChange::SelectedLabel(v) => next.selected_label = *v,
        ControlChange::ShowSelectedLabel(v) => next.show_selected_label = *v,
    }
    controls.set_if_neq(next);
    Ok(())
}
