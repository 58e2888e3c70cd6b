//! Places: steps of the level shown, clamping, padding, order.

use super::rig::{ALL_FEATURES, Rig, T, X, Y, Z, brain, go, is_applied, set_zoom, step, value};
use lucida_components::{
    applied::ViewState,
    dataset::Dataset,
    index::Index,
    intent::{Change, Grid},
    places,
    value::Value,
};
use lucida_systems::txn::camera::home_plane;
use std::sync::Arc;

fn at_level(state: &ViewState, axis: usize) -> i64 {
    places::scene_to_level(&state.dataset, state.lod.level, axis, state.index.value[axis])
}

#[test]
fn a_step_is_one_of_the_level_that_is_shown() {
    for level in 0..4 {
        let mut rig = Rig::new();
        let session = rig.join(ALL_FEATURES);
        rig.ask(Change::Level(level));
        rig.ask(go("z", 0));
        let depth = 32 >> level;
        for n in 1..depth {
            let (ack, _) = rig.answer(session, step("z", 1));
            assert_eq!(value(&ack).0, Value::Int(n), "level {level}");
            assert_eq!(at_level(&rig.state(), Z), n);
        }
        // The end, and beyond.
        let revision = rig.revision();
        let (ack, told) = rig.answer(session, step("z", 1));
        assert_eq!(value(&ack).0, Value::Int(depth - 1));
        assert!(told.is_empty() && rig.revision() == revision);
        rig.ask(step("z", -100));
        assert_eq!(at_level(&rig.state(), Z), 0);
    }
}

#[test]
fn a_step_that_leads_nowhere_keeps_the_exact_place() {
    let mut rig = Rig::new();
    rig.ask(Change::Level(3));
    rig.ask(go("z", 29));
    for delta in [0, 1, 1000] {
        rig.ask(step("z", delta));
        assert_eq!(rig.state().index.value[Z], 29, "{delta}");
    }
}

#[test]
fn steps_of_one_turn_add_up() {
    let mut rig = Rig::new();
    rig.ask_all([go("z", 0), step("z", 1), step("z", 1), step("z", 1)]);
    assert_eq!(at_level(&rig.state(), Z), 3);
}

#[test]
fn places_survive_a_change_of_level() {
    let mut rig = Rig::new();
    for place in [0, 7, 13, 31] {
        rig.ask(go("z", place));
        for level in [3, 0, 2, 1] {
            rig.ask(Change::Level(level));
            assert_eq!(rig.state().index.value[Z], place);
        }
    }
}

#[test]
fn an_index_counts_on_the_grid_it_names() {
    let mut rig = Rig::new();
    let session = rig.join(ALL_FEATURES);
    rig.ask(Change::Level(2));
    let level = |value| Change::Index { axis: "z".into(), value, grid: Grid::Level };
    assert_eq!(value(&rig.answer(session, level(3)).0).0, Value::Int(3));
    // Voxel 3 of level 2 covers 12..16; the nearest centres are 13 and 14, at equal distance.
    assert_eq!(rig.state().index.value[Z], 14);
    assert_eq!(value(&rig.answer(session, level(99)).0).0, Value::Int(7));
    assert_eq!(value(&rig.answer(session, go("z", 99)).0).0, Value::Int(31));
}

#[test]
fn a_whole_index_is_padded_truncated_and_clamped() {
    let mut rig = Rig::new();
    let mut put = |value: Vec<i64>| {
        assert!(is_applied(&rig.ask(Change::WholeIndex(Index::at(value)))));
        rig.state().index.clone()
    };
    assert_eq!(put(vec![]), Index::at(vec![0; 4]));
    assert_eq!(put(vec![1, 2]), Index::at(vec![1, 2, 0, 0]));
    assert_eq!(put(vec![1, 2, 3, 4, 5, 6]), Index::at(vec![1, 2, 3, 4]));
    assert_eq!(put(vec![-1, 99, i64::MIN, i64::MAX]), Index::at(vec![0, 31, 0, 4095]));
}

#[test]
fn another_order_of_the_plane_is_fitted_anew() {
    let mut rig = Rig::new();
    rig.ask(set_zoom(3.0));
    rig.ask(Change::Order(vec![T, Y, Z, X]));
    let state = rig.state();
    assert_eq!(state.plane_axes(), [Z, X]);
    assert_eq!(state.camera.plane, home_plane(&state));
    assert_eq!(state.rect().width, 2048.0, "x decides");

    // The order of the axes that are not displayed is no other plane.
    rig.ask(set_zoom(3.0));
    let pose = rig.state().camera;
    rig.ask(Change::Order(vec![Y, T, Z, X]));
    assert_eq!(rig.state().camera, pose);
}

#[test]
fn the_first_place_is_the_middle_of_space_and_the_beginning_of_time() {
    let rig = &mut Rig::new();
    assert_eq!(rig.state().index, Index::at(vec![0, 16, 0, 0]));
}

#[test]
fn the_data_says_where_the_first_place_is_as_far_as_it_exists() {
    let rig = &mut Rig::new();
    for (start, want) in [
        (vec![Some(3), Some(7), None, None], [3, 7, 0, 0]),
        (vec![Some(99), Some(u64::MAX)], [4, 31, 0, 0]),
        (vec![], [0, 16, 0, 0]),
    ] {
        let dataset = Dataset { start, ..(*brain()).clone() };
        assert!(is_applied(&rig.ask(Change::Dataset(Arc::new(dataset)))));
        assert_eq!(rig.state().index, Index::at(want.to_vec()));
    }
}
