//! Margins and the level that a thick slice can afford.

use super::rig::{ALL_FEATURES, Rig, Z, brain, go, layer, value};
use lucida_components::{
    controls::{ControlChange, Projection},
    intent::Change,
    lod::Budgets,
    value::Value,
};
use lucida_systems::residency::slab::Slab;

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

/// First voxel and count along z of what layer 0 shows at a level.
fn span(rig: &mut Rig, level: usize) -> (u64, u64) {
    let state = rig.state();
    let slab = Slab::of(&state, &state.layers[0], &state.dataset.images[0], level).unwrap();
    let planes: Vec<u64> = slab.planes().map(|p| p.fixed[2]).collect();
    assert!(planes.windows(2).all(|w| w[1] == w[0] + 1), "{planes:?}");
    assert_eq!(planes.len() as u64, slab.count());
    (planes[0], slab.count())
}

#[test]
fn a_slab_holds_the_voxels_whose_centres_lie_within_and_the_one_at_the_place() {
    let mut rig = Rig::new();
    rig.ask(project(0));
    // Place, margins; first voxel and count at levels 0 to 3, whose voxels are 1, 2, 4 and 8 of the scene's.
    // Their centres lie at 0, 1, 2 …; 0.5, 2.5 …; 1.5, 5.5 …; 3.5, 11.5 ….
    let cases: [(i64, [f64; 2], [(u64, u64); 4]); 6] = [
        (16, [0.0, 0.0], [(16, 1), (8, 1), (4, 1), (2, 1)]),
        (16, [2.0, 2.0], [(14, 5), (7, 2), (4, 1), (2, 1)]),
        (16, [1.5, 1.4], [(15, 3), (7, 2), (4, 1), (2, 1)]),
        // At level 2 the centre of the place's own voxel, 17.5, lies outside; so it does at level 3, 19.5.
        (16, [3.0, 1.0], [(13, 5), (7, 2), (3, 2), (2, 1)]),
        (0, [9.0, 4.0], [(0, 5), (0, 2), (0, 1), (0, 1)]),
        (31, [1e9, 1e9], [(0, 32), (0, 16), (0, 8), (0, 4)]),
    ];
    for (z, [before, after], want) in cases {
        rig.ask_all([go("z", z), margins(before, after)]);
        let got = [0, 1, 2, 3].map(|level| span(&mut rig, level));
        assert_eq!(got, want, "z {z}, {before} before, {after} after");
    }
    // Time is projected with z; nothing of the plane itself is.
    rig.ask_all([go("t", 2), go("z", 5), margins(1.0, 1.0)]);
    rig.ask(Change::Margins { axis: "t".into(), margins: [1.0, 0.0] });
    rig.ask(Change::Margins { axis: "y".into(), margins: [50.0, 50.0] });
    let state = rig.state();
    let slab = Slab::of(&state, &state.layers[0], &state.dataset.images[0], 0).unwrap();
    let planes: Vec<_> = slab.planes().map(|p| p.fixed).collect();
    assert_eq!(planes.len(), 6);
    assert_eq!((&planes[0][..], &planes[5][..]), (&[1, 0, 4, 0, 0][..], &[2, 0, 6, 0, 0][..]));
    assert!(planes.iter().enumerate().all(|(n, p)| !planes[..n].contains(p)), "each once");
    // What the next step brings in.
    let ahead =
        |dim, direction| slab.ahead(dim, direction).map(|s| s.planes().map(|p| p.fixed).collect::<Vec<_>>());
    assert_eq!(ahead(2, 1), Some(vec![vec![1, 0, 7, 0, 0], vec![2, 0, 7, 0, 0]]));
    assert_eq!(ahead(2, -1), Some(vec![vec![1, 0, 3, 0, 0], vec![2, 0, 3, 0, 0]]));
    assert_eq!(ahead(0, -1).map(|p| p.len()), Some(3));
    assert_eq!(slab.ahead(3, 1).map(|s| s.count()), None, "an axis of the plane");
    // Layer 1 has no projection: one plane, and margins mean nothing.
    let thin = Slab::of(&state, &state.layers[1], &state.dataset.images[0], 0).unwrap();
    assert_eq!((thin.count(), thin.any().fixed.clone()), (1, vec![2, 1, 5, 0, 0]));
    assert!(thin.ahead(0, 1).is_some_and(|s| s.any().fixed[0] == 3));
}

#[test]
fn nothing_is_ahead_of_the_last_plane() {
    let mut rig = Rig::new();
    rig.ask_all([go("z", 31), project(0), margins(2.0, 2.0)]);
    let state = rig.state();
    let slab = Slab::of(&state, &state.layers[0], &state.dataset.images[0], 0).unwrap();
    assert!(slab.ahead(2, 1).is_none());
    assert!(slab.ahead(2, -1).is_some_and(|s| s.any().fixed[2] == 28));
    rig.ask_all([go("z", 0)]);
    let state = rig.state();
    let slab = Slab::of(&state, &state.layers[0], &state.dataset.images[0], 0).unwrap();
    assert!(slab.ahead(2, -1).is_none());
}
