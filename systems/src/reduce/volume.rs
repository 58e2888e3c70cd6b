//! Volume controls: one control given to every layer, as napari-cuda's `volume` scope means it.

use super::{layers::apply, nothing_open, settle};
use bevy_ecs::prelude::*;
use lucida_components::{
    controls::Controls,
    intent::{Change, Intent},
    ops::{OpKind, Ops, Report},
};

/// Answers [`Change::Volume`]: all layers or none.
pub fn reduce(mut intents: MessageReader<Intent>, mut ops: ResMut<Ops>, mut layers: Query<&mut Controls>) {
    for intent in intents.read() {
        let Change::Volume(control) = &intent.change else { continue };
        let mut outcome = Err(nothing_open());
        for mut controls in &mut layers {
            // Whether a control is acceptable does not depend on the layer: the first refusal comes first.
            outcome = apply(&mut controls, control).map(|()| Report::VolumeControl(control.key()));
            if outcome.is_err() {
                break;
            }
        }
        settle(&mut ops, intent, OpKind::Layer, outcome);
    }
}
