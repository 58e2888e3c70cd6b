//! Volume controls: one control given to every image layer, as napari-cuda's `volume` scope means it.

use super::{layers::apply, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    controls::Controls,
    fault::Rejection,
    intent::{Change, Intent},
    layer::{Layer, LayerKind},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Volume`]: all image layers or none. Labels have no contrast and no colormap to be given.
pub fn reduce(
    mut intents: MessageReader<Intent>,
    mut ops: ResMut<Ops>,
    mut layers: Query<(&Layer, &mut Controls)>,
) {
    for intent in intents.read() {
        let Change::Volume(control) = &intent.change else { continue };
        let mut outcome = if layers.is_empty() {
            Err(nothing_open())
        } else {
            Err(Rejection::error("there are labels only; this is for images"))
        };
        for (layer, mut controls) in layers.iter_mut().filter(|(l, _)| l.kind == LayerKind::Image) {
            // Whether a control is acceptable does not depend on the image: the first refusal comes first.
            outcome =
                apply(&mut controls, layer.kind, control).map(|()| Report::VolumeControl(control.key()));
            if outcome.is_err() {
                break;
            }
        }
        settle(&mut ops, intent, OpKind::Layer, outcome);
    }
}
