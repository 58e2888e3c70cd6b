//! Volume controls: one control given to every image layer, as napari-cuda's `volume` scope means it.

use super::{layers::apply, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    controls::{ControlChange, Controls},
    dataset::Scene,
    fault::Rejection,
    ids::LayerId,
    intent::{Change, Intent},
    layer::{Layer, LayerKind},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Volume`] and [`Change::VolumeContrast`]: all image layers or none. Labels have no contrast
/// and no colormap to be given.
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    scene: Res<Scene>,
    mut layers: Query<(&LayerId, &Layer, &mut Controls)>,
) {
    for intent in intents.read() {
        if !matches!(intent.change, Change::Volume(_) | Change::VolumeContrast(_)) {
            continue;
        }
        let images = || layers.iter().filter(|(_, layer, _)| layer.kind == LayerKind::Image);
        let given: Result<Vec<ControlChange>, Rejection> =
            images().map(|(id, ..)| of_layer(&intent.change, *id, &scene)).collect();
        let outcome = match given {
            Err(why) => Err(why),
            Ok(_) if layers.is_empty() => Err(nothing_open()),
            Ok(given) => {
                let mut outcome = Err(Rejection::error("there are labels only; this is for images"));
                let images = layers.iter_mut().filter(|(_, layer, _)| layer.kind == LayerKind::Image);
                for ((_, layer, mut controls), control) in images.zip(&given) {
                    // Whether a control is acceptable does not depend on the image: the first refusal comes first.
                    outcome = apply(&mut controls, layer.kind, control)
                        .map(|()| Report::VolumeControl(control.key()));
                    if outcome.is_err() {
                        break;
                    }
                }
                outcome
            }
        };
        settle(&mut ops, intent, OpKind::Layer, outcome);
    }
}

/// What a change means for one layer.
fn of_layer(change: &Change, layer: LayerId, scene: &Scene) -> Result<ControlChange, Rejection> {
    match change {
        Change::Volume(control) => Ok(control.clone()),
        Change::VolumeContrast(limits) => {
            let source = scene.dataset.as_ref().and_then(|d| d.layers.get(layer.0 as usize));
            let [lo, hi] = source.ok_or_else(nothing_open)?.controls.contrast_limits;
            let [a, b] = limits.map(|v| lo + v * (hi - lo));
            if a.is_finite() && b.is_finite() && a < b {
                return Ok(ControlChange::ContrastLimits([a, b]));
            }
            Err(Rejection::invalid("contrast_limits are two numbers that differ, lower first"))
        }
        _ => Err(Rejection::invalid("this is no change of volumes")),
    }
}
