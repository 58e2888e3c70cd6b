//! Which level is shown, who chooses it, and within what budget.

use super::rig::{Rig, brain, go, layer, pan, set_zoom, zoom};
use lucida_components::{
    camera::CameraDelta,
    controls::ControlChange,
    intent::Change,
    lod::{Budgets, LodPolicy, LodRules},
    metrics::Metrics,
    ops::OpKind,
};
use lucida_systems::{
    residency::pools,
    txn::level::{sharp, stepwise},
};

fn with_rules(rules: LodRules) -> Rig {
    let mut rig = Rig::new();
    rig.app.insert_resource(rules);
    rig
}

/// The zoom at which level 0 of the brain has this many data pixels per screen pixel.
fn at(over: f64) -> Change {
    set_zoom(1.0 / (0.5 * over))
}

fn budget(tiles: u64) -> Budgets {
    // A view's target may fill three quarters of a pool.
    Budgets { pool_bytes: pools::stride(2) * tiles * 4 / 3 + 4, ..Budgets::default() }
}

#[test]
fn the_coarsest_level_with_a_data_pixel_for_every_screen_pixel() {
    for (over, level) in [(0.01, 0), (0.9, 0), (1.0, 0), (1.9, 0), (2.2, 1), (4.3, 2), (8.5, 3), (1e6, 3)] {
        let mut rig = Rig::new();
        rig.ask(at(over));
        assert_eq!(rig.level(), level, "{over}");
    }
    assert_eq!(
        sharp(&[8.0, 4.0, 2.0, 1.0], None, 0.05),
        3,
        "exactly one is enough where nothing is shown yet"
    );
    assert_eq!(sharp(&[8.0, 4.0, 2.0, 0.99], None, 0.05), 2);
    assert_eq!(sharp(&[0.1], None, 0.05), 0);
}

#[test]
fn small_zooms_back_and_forth_do_not_flap() {
    let mut rig = Rig::new();
    rig.ask(at(1.99));
    assert_eq!(rig.level(), 0);
    let before = rig.metrics().level_switches;
    for _ in 0..20 {
        // Level 1 has 1.04 data pixels per screen pixel, then 0.96.
        rig.ask(at(2.08));
        assert_eq!(rig.level(), 0);
        rig.ask(at(1.92));
        assert_eq!(rig.level(), 0);
    }
    rig.ask(at(2.12));
    assert_eq!(rig.level(), 1, "with the margin it switches");
    for _ in 0..20 {
        rig.ask(at(2.01));
        assert_eq!(rig.level(), 1);
        rig.ask(at(2.12));
        assert_eq!(rig.level(), 1);
    }
    assert_eq!(rig.metrics().level_switches, before + 1);
    rig.ask(at(1.9));
    assert_eq!(rig.level(), 0);
}

#[test]
fn each_switch_is_an_op_of_its_own_after_the_one_that_led_to_it() {
    let mut rig = Rig::new();
    let ops = rig.ask_all([at(16.0)]);
    let kinds: Vec<_> = ops.iter().map(|o| (o.kind, o.intent.is_none(), o.origin.is_none())).collect();
    assert_eq!(kinds, [(OpKind::Camera, true, true), (OpKind::Policy, true, true)]);
    let slot = Metrics::kind_slot(OpKind::Policy);
    assert_eq!(rig.metrics().ops_applied[slot], 1);
}

#[test]
fn a_locked_level_stays() {
    let mut rig = Rig::new();
    rig.ask(Change::Level(3));
    for over in [0.1, 1.0, 100.0] {
        rig.ask(at(over));
        assert_eq!(rig.level(), 3);
    }
    assert_eq!(rig.metrics().level_switches, 0);
    rig.ask(Change::Policy(LodPolicy::Auto));
    assert_eq!(rig.level(), 3);
    rig.ask(at(1.0));
    assert_eq!(rig.level(), 0);
}

#[test]
fn never_finer_than_the_budget_allows() {
    // Home shows all of the plane: 32 × 16 tiles at level 0, 16 × 8 at 1, 8 × 4 at 2, 4 × 2 at 3; two layers.
    for (tiles, want) in [(4096, 1), (2 * 128, 1), (2 * 128 - 1, 2), (2 * 32, 2), (2 * 32 - 1, 3), (1, 3)] {
        let mut rig = Rig::empty();
        rig.app.insert_resource(budget(tiles));
        rig.ask(Change::Dataset(brain()));
        let lod = rig.state().lod;
        assert_eq!((lod.level, lod.downgraded), (want, want != 1), "{tiles}");
        assert_eq!(rig.metrics().level_downgrades, u64::from(want != 1));
    }
}

#[test]
fn a_downgrade_is_counted_once_and_ends_where_it_fits_again() {
    let mut rig = Rig::empty();
    rig.app.insert_resource(budget(100));
    rig.ask(Change::Dataset(brain()));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (2, true));
    rig.ask(go("z", 1));
    rig.ask(pan(1.0, 0.0));
    assert!(rig.state().lod.downgraded);
    assert_eq!(rig.metrics().level_downgrades, 1);
    // A twentieth of the plane at level 0 fits.
    rig.ask(zoom(0.05));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (0, false));
    rig.ask(zoom(20.0));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (2, true));
    assert_eq!(rig.metrics().level_downgrades, 2);
}

#[test]
fn a_downgrade_within_the_margin_stays_marked() {
    let mut rig = Rig::new();
    rig.ask(at(1.0));
    // 1.03 data pixels at level 1: within the margin, so level 0 is still wanted.
    rig.ask(at(2.06));
    assert_eq!(rig.level(), 0);
    rig.app.insert_resource(budget(300));
    rig.ask(go("z", 3));
    let lod = rig.state().lod;
    assert_eq!((lod.level, lod.downgraded), (1, true));
    rig.unchanged_by(|r| r.ask(go("z", 3)));
    rig.ask(go("z", 4));
    assert_eq!(rig.state().lod, lod);
}

#[test]
fn a_hidden_layer_costs_nothing() {
    let mut rig = Rig::empty();
    rig.app.insert_resource(budget(128));
    rig.ask(Change::Dataset(brain()));
    assert_eq!(rig.level(), 2);
    rig.ask(layer(0, ControlChange::Visible(false)));
    assert_eq!((rig.level(), rig.state().lod.downgraded), (1, false));
}

#[test]
fn a_locked_level_that_does_not_fit_stays_marked() {
    let mut rig = Rig::empty();
    rig.app.insert_resource(budget(100));
    rig.ask(Change::Dataset(brain()));
    rig.ask(Change::Level(0));
    let lod = rig.state().lod;
    assert_eq!((lod.level, lod.policy, lod.downgraded), (2, LodPolicy::Locked, true));
    rig.ask(go("z", 3));
    assert_eq!(rig.state().lod, lod, "something else does not unmark it");
    rig.unchanged_by(|r| r.ask(go("z", 3)));
    rig.unchanged_by(|r| r.ask(Change::Level(0)));
    rig.ask(Change::Level(2));
    assert!(!rig.state().lod.downgraded, "this one was asked for");
}

#[test]
fn napari_cudas_selector_decides_by_its_table() {
    let (fine, coarse) = (1.05, 1.35);
    // Data pixels per screen pixel of four levels, the level shown, the zoom's direction → the level wanted.
    let table: [(&str, [f64; 4], usize, i32, usize); 14] = [
        ("in: the finer one has at most fine", [1.05, 0.52, 0.26, 0.13], 1, -1, 0),
        ("in: the finer one has more", [1.06, 0.53, 0.26, 0.13], 1, -1, 1),
        ("in, at the finest", [0.1, 0.05, 0.02, 0.01], 0, -1, 0),
        ("in, but the current has far too many: it stays", [9.0, 4.5, 2.2, 1.1], 1, -1, 1),
        ("out: the current has more than 1.20", [1.21, 0.6, 0.3, 0.15], 0, 1, 1),
        ("out: exactly 1.20", [1.2, 0.6, 0.3, 0.15], 0, 1, 0),
        ("out, at the coarsest", [99.0, 50.0, 25.0, 12.0], 3, 1, 3),
        ("still: the current has more than coarse", [1.36, 0.68, 0.34, 0.17], 0, 0, 1),
        ("still: exactly coarse", [1.35, 0.67, 0.34, 0.17], 0, 0, 0),
        ("still: between the thresholds", [1.3, 0.65, 0.33, 0.16], 0, 0, 0),
        ("still: the finer one has at most fine", [2.1, 1.05, 0.52, 0.26], 2, 0, 1),
        ("still: the finer one has more", [2.12, 1.06, 0.53, 0.26], 2, 0, 2),
        ("one at a time, coarser", [90.0, 45.0, 22.0, 11.0], 0, 1, 1),
        ("one at a time, finer", [0.2, 0.1, 0.05, 0.02], 3, -1, 2),
    ];
    for (what, over, current, direction, want) in table {
        assert_eq!(stepwise(&over, current, direction, fine, coarse), want, "{what}");
    }
    assert_eq!(stepwise(&[5.0], 0, 1, fine, coarse), 0, "a single level");
}

#[test]
fn napari_cuda_switches_one_level_at_a_time_with_a_pause_between() {
    let mut rig = with_rules(LodRules::NAPARI_CUDA);
    assert_eq!(rig.level(), 1);
    rig.wait(1000);
    // 3.2 data pixels at level 0; now 6.4, at level 1 3.2.
    rig.ask(zoom(2.0));
    assert_eq!(rig.level(), 2);
    // At once again: 6.4 at level 2 is too many, but the pause is not over.
    rig.wait(10);
    rig.ask(zoom(4.0));
    assert_eq!(rig.level(), 2);
    assert_eq!(rig.due(), Some(140), "a turn is due when it is");

    rig.wait(100);
    rig.turn();
    assert_eq!((rig.level(), rig.due()), (2, Some(40)), "a turn for another reason keeps it due");
    rig.wait(39);
    rig.turn();
    assert_eq!(rig.level(), 2);
    rig.wait(1);
    let ops = rig.closed_by_turn();
    assert_eq!(rig.level(), 3, "nobody asked");
    assert_eq!(ops.iter().map(|o| o.kind).collect::<Vec<_>>(), [OpKind::Policy]);
    assert_eq!(rig.due(), None);
    rig.unchanged_by(Rig::turn);
}

#[test]
fn a_pause_that_is_over_holds_nothing_back() {
    let mut rig = with_rules(LodRules::NAPARI_CUDA);
    rig.wait(1000);
    rig.ask(zoom(2.0));
    rig.wait(150);
    rig.ask(zoom(4.0));
    assert_eq!((rig.level(), rig.due()), (3, None));
}

#[test]
fn a_switch_that_is_no_longer_wanted_is_no_longer_due() {
    let mut rig = with_rules(LodRules::NAPARI_CUDA);
    rig.wait(1000);
    rig.ask(zoom(2.0));
    rig.ask(zoom(4.0));
    assert_eq!(rig.due(), Some(150));
    rig.wait(20);
    rig.ask(zoom(0.25));
    assert_eq!(rig.due(), None);
    rig.wait(500);
    rig.turn();
    assert_eq!(rig.level(), 2);
}

#[test]
fn napari_cuda_decides_after_camera_commands_only() {
    let mut rig = with_rules(LodRules::NAPARI_CUDA);
    rig.wait(1000);
    // By two levels in one command: one decision, one level.
    rig.ask(zoom(8.0));
    assert_eq!(rig.level(), 2);
    rig.wait(1000);
    rig.ask(go("z", 1));
    rig.ask(layer(0, ControlChange::Opacity(0.5)));
    rig.unchanged_by(|r| r.ask(layer(0, ControlChange::Opacity(0.5))));
    assert_eq!(rig.level(), 2);
    rig.ask(pan(1.0, 0.0));
    assert_eq!(rig.level(), 3);
}

#[test]
fn napari_cuda_settles_at_bootstrap() {
    let mut rig = Rig::empty();
    rig.app.insert_resource(LodRules::NAPARI_CUDA);
    rig.ask(Change::Dataset(brain()));
    // Data pixels per screen pixel at home: 3.2, 1.6, 0.8, 0.4. From the coarsest: 0.8 is at most 1.05, 1.6 is not.
    assert_eq!(rig.level(), 2);
    rig.unchanged_by(|r| r.ask(Change::Camera(CameraDelta::Reset)));
}
