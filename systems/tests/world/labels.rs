//! Controls of labels layers.

use super::rig::{ALL_FEATURES, Rig, is_applied, labelled, layer, value};
use lucida_components::{
    controls::{ControlChange as C, Interpolation, Projection},
    fault::RejectCode,
    intent::Change,
    labels::MOST_CONTOUR,
    layer::LayerKind,
    value::Value,
};

#[test]
fn labels_take_their_own_controls_and_images_do_not() {
    let mut rig = Rig::showing(labelled());
    let session = rig.join(ALL_FEATURES);
    let taken = [
        (C::Contour(2), Value::Int(2)),
        (C::Contour(1000), Value::Int(i64::from(MOST_CONTOUR))),
        (C::SelectedLabel(u32::MAX), Value::Int(i64::from(u32::MAX))),
        (C::ShowSelectedLabel(true), Value::Bool(true)),
    ];
    for (change, want) in taken {
        assert_eq!(value(&rig.answer(session, layer(1, change.clone())).0).0, want, "{change:?}");
        let why = rig.unchanged_by(|r| r.refused(layer(0, change.clone())));
        assert_eq!(why.code, RejectCode::Error);
        assert!(why.message.contains(change.key().as_str()), "{why}");
    }
}

#[test]
fn labels_refuse_what_would_mix_ids() {
    let mut rig = Rig::showing(labelled());
    let session = rig.join(ALL_FEATURES);
    let mut refused: Vec<C> = [Interpolation::Linear, Interpolation::Cubic].map(C::Interpolation).into();
    refused.extend([Projection::Sum, Projection::Maximum].map(C::Projection));
    refused.extend(["viridis", "#ff0000", "none such"].map(|name| C::Colormap(name.into())));
    for change in refused {
        let why = rig.unchanged_by(|r| r.refused(layer(1, change.clone())));
        assert_eq!(why.code, RejectCode::Error, "{change:?}");
        assert!(why.message.contains("labels"), "{why}");
    }
    // Writing what stands is no change; opacity and blending are everybody's; contrast is without effect.
    let same = [
        C::Interpolation(Interpolation::Nearest),
        C::Projection(Projection::None),
        C::Colormap(" Labels".into()),
    ];
    for change in same {
        rig.unchanged_by(|r| r.answer(session, layer(1, change)));
    }
    assert!(is_applied(&rig.ask(layer(1, C::Opacity(0.2)))));
    assert!(is_applied(&rig.ask(layer(1, C::ContrastLimits([1.0, 2.0])))));
    // An image has no such colormap.
    rig.unchanged_by(|r| r.refused(layer(0, C::Colormap("labels".into()))));
}

#[test]
fn the_volume_scope_is_for_images() {
    let mut rig = Rig::showing(labelled());
    let session = rig.join(ALL_FEATURES);
    let (ack, _) = rig.answer(session, Change::Volume(C::Colormap("magma".into())));
    assert_eq!(value(&ack).0, Value::Text("magma".into()));
    let state = rig.state();
    assert_eq!(state.layers[0].controls.colormap, "magma");
    assert_eq!(state.layers[1].controls.colormap, "labels");

    let mut only = (*labelled()).clone();
    only.layers.remove(0);
    let mut rig = Rig::showing(only.into());
    assert_eq!(rig.state().layers[0].layer.kind, LayerKind::Labels);
    let why = rig.unchanged_by(|r| r.refused(Change::Volume(C::Opacity(0.5))));
    assert!(why.message.contains("labels only"), "{why}");
}
