//! Which bricks are chosen: nothing that is seen goes without, whatever the pyramid and the camera.

use super::rig::{Rig, X, Y, Z};
use lucida_components::{
    applied::{LayerState, ViewState},
    camera::VolumePose,
    clip::{Clip, ClipPlane},
    dataset::{Dataset, Level, LevelKind},
    lod::LodPolicy,
    places,
    rays::Rays,
    stream::Canvas,
    view::View,
};
use lucida_systems::residency::bricks::{
    grid::{Block, STRIDE},
    layer::Layer,
    pools::Class,
    select::{Selection, select},
};
use proptest::{collection::vec, prelude::*};
use std::{collections::HashSet, sync::Arc};

/// Room for everything.
const ENDLESS: [u64; Class::ALL.len()] = [u64::MAX; Class::ALL.len()];

/// The brain's first layer as a volume.
fn volume() -> ViewState {
    let mut state = (*Rig::new().state()).clone();
    state.view = View { ndisplay: 3 };
    state.layers = state.layers[..1].into();
    state
}

/// A level of `shape` (z, y, x) that covers about `size` world units, shifted by some of its voxels.
fn level(shape: [u64; 3], size: [f64; 3], shift: [f64; 3]) -> Level {
    let scale = [0, 1, 2].map(|i| size[i] / shape[i] as f64);
    let of = |space: [f64; 3], rest: f64| [vec![rest, rest], space.to_vec()].concat();
    Level {
        path: String::new(),
        shape: [vec![5, 2], shape.to_vec()].concat(),
        chunk: vec![1, 1, 32, 32, 32],
        scale: of(scale, 1.0),
        translation: of([0, 1, 2].map(|i| scale[i] * (0.5 + shift[i])), 0.0),
        kind: LevelKind::Stored,
    }
}

fn with_levels(state: &mut ViewState, levels: Vec<Level>) {
    let mut dataset: Dataset = (*state.dataset).clone();
    dataset.images[0].levels = levels;
    state.dataset = Arc::new(dataset);
}

/// A pyramid of 512³ voxels of 1 with levels that halve.
fn cube(state: &mut ViewState, side: u64, levels: u32) {
    let level = |l| level([side >> l; 3], [side as f64; 3], [0.0; 3]);
    with_levels(state, (0..levels).map(level).collect());
}

fn look(state: &mut ViewState, center: [f64; 3], angles: [f64; 3], distance: f64, fov: f64) {
    state.camera.volume = VolumePose { center, angles, distance, fov };
}

fn chosen(state: &ViewState, room: [u64; Class::ALL.len()]) -> (Vec<Layer<'_>>, Selection) {
    let layers = Layer::all(state);
    let selection = select(&layers, room, |_| None);
    (layers, selection)
}

/// The brick of a level at a world point, x, y, z, as drawing finds it.
fn brick_at(block: &Block, point: [f64; 3]) -> [u32; 3] {
    std::array::from_fn(|side| {
        let [scale, offset] = block.centre_of_world(side);
        let at = point[2 - side] * scale + offset;
        let at = at.clamp(0.0, block.extent()[side] as f64 - 1.0);
        ((at / STRIDE as f64) as u64).min(block.bricks()[side] - 1) as u32
    })
}

/// What must hold of any selection.
fn check(layers: &[Layer], selection: &Selection) {
    let mut seen = HashSet::new();
    for (n, brick) in selection.bricks.iter().enumerate() {
        assert!(seen.insert((brick.layer, brick.block, brick.at)), "twice: {brick:?}");
        let layer = &layers[usize::from(brick.layer)];
        let is_coarsest = usize::from(brick.block) + 1 == layer.blocks.len();
        assert_eq!(is_coarsest, n < selection.coarsest, "the coarsest first");
        let parent = selection.bricks[brick.parent as usize];
        if is_coarsest {
            assert_eq!(brick.parent as usize, n);
        } else {
            assert!((brick.parent as usize) < n, "what it refines was chosen before");
            assert_eq!((parent.layer, parent.block), (brick.layer, brick.block + 1));
        }
    }
    for layer in selection.by_level(layers) {
        assert!(layer.levels.windows(2).all(|pair| pair[0].level < pair[1].level));
        for level in &layer.levels {
            assert!(level.bricks.iter().all(|at| level.window.place(*at).is_some()));
        }
    }
}

/// A pyramid of one to four levels that lie about over each other, of any shapes.
fn pyramid() -> impl Strategy<Value = Vec<Level>> {
    let side = || prop_oneof![1 => Just(1_u64), 1 => Just(64), 1 => Just(65), 5 => 2_u64..700];
    let shift = || prop_oneof![2 => Just(0.0), 1 => -0.5..0.5_f64];
    vec(([side(), side(), side()], [shift(), shift(), shift()]), 1..5).prop_map(|levels| {
        levels.into_iter().map(|(shape, shift)| level(shape, [300.0, 400.0, 500.0], shift)).collect()
    })
}

fn pose() -> impl Strategy<Value = VolumePose> {
    let center = [-50.0..550.0_f64, -50.0..450.0, -50.0..350.0];
    let angles = [-180.0..180.0_f64, -90.0..90.0, -180.0..180.0];
    (center, angles, 1.0..2000.0_f64, prop_oneof![Just(0.0), 5.0..150.0_f64])
        .prop_map(|(center, angles, distance, fov)| VolumePose { center, angles, distance, fov })
}

fn clip() -> impl Strategy<Value = Clip> {
    let range = || {
        prop::option::weighted(0.2, (0.0..200.0_f64, 1.0..300.0_f64)).prop_map(|r| r.map(|(a, n)| [a, a + n]))
    };
    let plane = ([0.0..500.0_f64, 0.0..400.0, 0.0..300.0], [-1.0..1.0_f64, -1.0..1.0, 0.1..1.0])
        .prop_map(|(position, normal)| ClipPlane { position, normal });
    ([range(), range(), range()], vec(plane, 0..3))
        .prop_map(|([z, y, x], planes)| Clip { ranges: vec![None, z, y, x], planes })
}

/// Points of rays: right and down as parts of the picture, and how deep in its distances.
fn points() -> impl Strategy<Value = Vec<[f64; 3]>> {
    vec([-0.5..0.5_f64, -0.5..0.5, -1.0..2.0], 200)
}

/// Whether a point of the world, x, y, z, is in the layer's box and not cut away.
fn is_shown(state: &ViewState, layer: &LayerState, point: [f64; 3]) -> bool {
    let image = &state.dataset.images[layer.layer.image];
    let level = &image.levels[0];
    let in_box = [X, Y, Z].iter().zip(point).all(|(axis, p)| {
        let d = image.dim_of(*axis).unwrap();
        let (from, n) = (level.translation[d] - 0.5 * level.scale[d], level.shape[d] as f64 * level.scale[d]);
        let in_range =
            state.clip.ranges.get(*axis).copied().flatten().is_none_or(|[a, b]| (a..=b).contains(&p));
        (from..=from + n).contains(&p) && in_range
    });
    let kept = |plane: &ClipPlane| {
        (0..3).map(|i| (point[i] - plane.position[i]) * plane.normal[i]).sum::<f64>() >= 0.0
    };
    in_box && state.clip.planes.iter().all(kept)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_point_that_is_seen_has_its_bricks(
        levels in pyramid(), pose in pose(), clip in clip(), size in [1_u32..2000, 1_u32..1200], points in points(),
    ) {
        let mut state = volume();
        with_levels(&mut state, levels);
        state.camera.volume = pose;
        state.clip = clip;
        state.canvas = Canvas { width: size[0], height: size[1] };
        let (layers, selection) = chosen(&state, ENDLESS);
        check(&layers, &selection);
        prop_assert_eq!(selection.withheld, [0, 0]);
        let bricks: HashSet<_> = selection.bricks.iter().map(|b| (usize::from(b.block), b.at)).collect();
        let rays = Rays::of(&pose, state.canvas);
        for [right, down, depth] in points {
            let depth = depth * pose.distance;
            let pixel = rays.pixel_at(depth);
            if rays.eye.is_some_and(|eye| depth < -0.99 * eye) {
                continue;
            }
            let [right, down] = [right * f64::from(size[0]) * pixel, down * f64::from(size[1]) * pixel];
            let point = std::array::from_fn(|i| {
                rays.center[i] + depth * rays.forward[i] + right * rays.right[i] + down * rays.down[i]
            });
            if !is_shown(&state, &state.layers[0], point) {
                continue;
            }
            let layer = &layers[0];
            let coarsest = layer.blocks.len() - 1;
            prop_assert!(bricks.contains(&(coarsest, brick_at(&layer.blocks[coarsest], point))), "no picture at {point:?}");
            let wanted = layer.detail.wanted(pixel);
            prop_assert!(bricks.contains(&(wanted, brick_at(&layer.blocks[wanted], point))), "level {wanted} at {point:?}");
        }
    }

    #[test]
    fn the_room_is_kept_and_what_is_chosen_with_less_is_what_comes_first(
        levels in pyramid(), pose in pose(), room in 0_u64..60,
    ) {
        let mut state = volume();
        with_levels(&mut state, levels);
        state.camera.volume = pose;
        let (layers, all) = chosen(&state, ENDLESS);
        let (_, some) = chosen(&state, [0, room, 0, 0]);
        check(&layers, &some);
        prop_assert_eq!(some.bricks.len() as u64, room.min(all.bricks.len() as u64));
        let places = |s: &Selection| s.bricks.iter().map(|b| (b.block, b.at)).collect::<Vec<_>>();
        prop_assert_eq!(places(&some), places(&all)[..some.bricks.len()].to_vec());
        // Boxes of bricks are counted, not looked into, once there is no room: some may hold none that is seen.
        let is_all = some.bricks.len() == all.bricks.len();
        prop_assert!(is_all || some.withheld != [0, 0]);
        prop_assert!(is_all || some.bricks.len() as u64 == room);
    }
}

#[test]
fn a_finer_level_is_chosen_only_where_it_is_wanted() {
    let mut state = volume();
    cube(&mut state, 4096, 6);
    // From its corner along its diagonal: near what is fine, far what is coarse.
    look(&mut state, [200.0; 3], [-45.0, -35.0, 0.0], 300.0, 60.0);
    let (layers, selection) = chosen(&state, ENDLESS);
    check(&layers, &selection);
    let rays = Rays::of(&state.camera.volume, state.canvas);
    let mut by_level = [0; 6];
    for brick in &selection.bricks {
        by_level[usize::from(brick.block)] += 1;
        let block = &layers[0].blocks[usize::from(brick.block)];
        // The farthest that its nearest corner may be.
        let middle = [2, 1, 0].map(|s| {
            let [scale, offset] = block.centre_of_world(s);
            ((f64::from(brick.at[s]) + 0.5) * STRIDE as f64 - offset) / scale
        });
        let radius = 63.0 * 3_f64.sqrt() * f64::from(1_u32 << brick.block);
        let pixel = rays.pixel_at(rays.depth(middle) - radius);
        assert!(layers[0].detail.wanted(pixel) <= block.number || usize::from(brick.block) == 5, "{brick:?}");
    }
    assert!(by_level[0] > 20 && by_level[3] > 3, "{by_level:?}");
    let all: u64 = layers[0].blocks[0].bricks().iter().product();
    assert!(by_level[0] < all as usize / 30, "{by_level:?} of {all}");
}

#[test]
fn a_locked_level_is_chosen_everywhere_and_nothing_finer() {
    let mut state = volume();
    cube(&mut state, 512, 4);
    look(&mut state, [256.0; 3], [30.0, 30.0, 0.0], 1500.0, 60.0);
    state.lod.policy = LodPolicy::Locked;
    state.lod.level = 1;
    let (layers, selection) = chosen(&state, ENDLESS);
    let count = |block| selection.bricks.iter().filter(|b| b.block == block).count() as u64;
    let all = |block: usize| layers[0].blocks[block].bricks().iter().product::<u64>();
    assert_eq!([count(0), count(1), count(2), count(3)], [0, all(1), all(2), all(3)]);
}

#[test]
fn bricks_that_look_the_same_everywhere_need_no_room() {
    let mut state = volume();
    cube(&mut state, 512, 4);
    look(&mut state, [256.0; 3], [30.0, 30.0, 0.0], 1500.0, 60.0);
    state.lod.policy = LodPolicy::Locked;
    state.lod.level = 0;
    let layers = Layer::all(&state);
    let room = [0, 40, 0, 0];
    let count = |range: [f32; 2]| {
        let selection = select(&layers, room, |_| Some(range));
        check(&layers, &selection);
        (selection.bricks.len(), selection.bricks.iter().filter(|b| !b.is_uniform).count())
    };
    // The contrast is 100 to 4000; the coarsest level has room whatever the contrast is.
    assert_eq!(count([50.0, 100.0]), (9 * 9 * 9 + 125 + 27 + 1, 1), "black");
    assert_eq!(count([4000.0, 4500.0]).1, 1, "white");
    assert_eq!(count([7.0, 7.0]).1, 0, "the same under any contrast");
    assert_eq!(count([f32::MAX, f32::MIN]).1, 0, "no numbers");
    assert_eq!(count([50.0, 101.0]), (40, 40));
}

#[test]
fn two_layers_share_what_there_is_and_both_have_their_coarsest_level() {
    let mut state = volume();
    cube(&mut state, 1024, 4);
    look(&mut state, [512.0; 3], [30.0, 30.0, 0.0], 1500.0, 60.0);
    state.layers = [state.layers[0].clone(), state.layers[0].clone()].into();
    let (layers, selection) = chosen(&state, [0, 200, 0, 0]);
    check(&layers, &selection);
    let of = |layer| selection.bricks.iter().filter(|b| b.layer == layer).count();
    assert!(of(0).abs_diff(of(1)) <= 1, "{} and {}", of(0), of(1));
    let coarsest: u64 = layers[0].blocks[3].bricks().iter().product();
    assert_eq!(selection.coarsest as u64, 2 * coarsest);
}

#[test]
fn a_vast_level_without_coarser_ones_is_searched_within_bounds() {
    let mut state = volume();
    with_levels(&mut state, vec![level([1 << 40; 3], [1e6; 3], [0.0; 3])]);
    look(&mut state, [5e5; 3], [30.0, 30.0, 0.0], 1e6, 60.0);
    let (layers, selection) = chosen(&state, [0, 100, 0, 0]);
    assert!(selection.bricks.len() <= 100);
    assert!(selection.withheld[0] > 1 << 40);
    assert!(selection.by_level(&layers)[0].levels[0].window.count() <= 1 << 20);
}

#[test]
fn a_slab_and_a_crop_box_choose_less() {
    let mut state = volume();
    cube(&mut state, 1024, 4);
    look(&mut state, [512.0; 3], [30.0, 30.0, 0.0], 1500.0, 60.0);
    state.lod.policy = LodPolicy::Locked;
    let count = |state: &ViewState| chosen(state, ENDLESS).1.bricks.len();
    let all = count(&state);
    let mut slab = state.clone();
    let mut layer = slab.layers[0].clone();
    layer.controls.depiction = lucida_components::controls::Depiction::Plane;
    layer.controls.plane_thickness = 3.0;
    slab.layers = [layer].into();
    assert!(count(&slab) * 7 < all, "{} of {all}", count(&slab));
    state.clip.ranges = vec![None, Some([0.0, 100.0]), None, None];
    assert!(count(&state) * 5 < all, "{} of {all}", count(&state));
    state.clip.ranges = vec![None, Some([2000.0, 2100.0]), None, None];
    assert_eq!(count(&state), 0);
    assert_eq!(places::world_extent(&state.dataset, Z), [0.0, 1024.0], "as cut");
}

#[test]
fn a_level_far_coarser_than_the_next_is_refined_within_bounds() {
    let mut state = volume();
    // A brick of the coarse level owns 16 645³ of the fine.
    with_levels(
        &mut state,
        vec![level([1 << 20; 3], [1_048_576.0; 3], [0.0; 3]), level([64; 3], [1_048_576.0; 3], [0.0; 3])],
    );
    look(&mut state, [524_288.0; 3], [30.0, 30.0, 0.0], 400.0, 60.0);
    let (layers, selection) = chosen(&state, [0, 200, 0, 0]);
    check(&layers, &selection);
    assert_eq!(selection.bricks.len(), 200);
    assert_eq!(selection.coarsest, 1);
    assert!(selection.bricks[0].is_drawn, "where there is no room for finer ones");
    // What was chosen lies where it is looked at.
    let [z, y, x] = brick_at(&layers[0].blocks[0], [524_288.0; 3]);
    let near = |a: u32, b: u32| a.abs_diff(b) < 40;
    assert!(selection.bricks[1..].iter().all(|b| near(b.at[0], z) && near(b.at[1], y) && near(b.at[2], x)));
}
