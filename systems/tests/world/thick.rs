//! Margins and the level that a thick slice can afford.

use super::rig::{ALL_FEATURES, Rig, Z, brain, layer, value};
use lucida_components::{
    controls::{ControlChange, Projection},
    intent::Change,
    lod::Budgets,
    value::Value,
};

fn margins(before: f64, after: f64) -> Change {
    Change::Margins { axis: "z".into(), margins: [before, after] }
}

fn project(number: u32) -> Change {
    layer(number, ControlChange::Projection(Projection::Mean))
}

#[test]
fn margins_end_with_their_axis() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    let (ack, told) = rig.answer(session, margins(1e300, 3.5));
    assert_eq!(value(&ack).0, Value::Floats(vec![32.0, 3.5]));
    assert!(!told.is_empty());
    rig.unchanged_by(|r| r.answer(session, margins(1e200, 3.5)));
}

#[test]
fn a_thick_slice_that_does_not_fit_makes_the_level_coarser_then_itself_thinner() {
    // Room for the tiles of one channel at level 0, or those of 16 planes at level 2.
    let mut rig = Rig::empty();
    rig.app.insert_resource(Budgets { pool_bytes: 20 << 20, ..Budgets::default() });
    rig.ask(Change::Dataset(brain()));
    rig.ask(layer(1, ControlChange::Visible(false)));
    rig.ask(Change::Level(1));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (1, false));
    rig.ask(margins(8.0, 8.0));
    assert_eq!(rig.level(), 1, "without a projection margins cost nothing");
    rig.ask(project(0));
    assert!(rig.level() > 1 && rig.state().lod.downgraded, "level {}", rig.level());
    assert_eq!(rig.state().index.margins[Z], [8.0, 8.0]);
    rig.ask(layer(0, ControlChange::Projection(Projection::None)));
    rig.ask(Change::Level(1));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (1, false));

    // Hardly room for one plane of the coarsest level: the margins go.
    let mut rig = Rig::empty();
    rig.app.insert_resource(Budgets { pool_bytes: 500 << 10, ..Budgets::default() });
    rig.ask(Change::Dataset(brain()));
    rig.ask(layer(1, ControlChange::Visible(false)));
    rig.ask(margins(31.0, 16.0));
    assert_eq!(rig.state().index.margins[Z], [31.0, 16.0]);
    let session = rig.join(ALL_FEATURES);
    rig.ask(project(0));
    let thin = rig.state().index.margins[Z];
    assert!(thin[0] < 31.0 && thin[1] < 16.0, "{thin:?}");
    let (ack, _) = rig.answer(session, margins(31.0, 16.0));
    assert_eq!(value(&ack).0, Value::Floats(thin.to_vec()), "what it became is what is told");
}
