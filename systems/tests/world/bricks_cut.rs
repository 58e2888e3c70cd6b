//! Bricks hold what the array holds, however it is stored.

use super::rig::{Rig, X, Y, Z};
use lucida_components::{
    applied::ViewState,
    chunk::{ChunkData, ChunkFault, ChunkKey, ChunkValues},
    dataset::{ArrayAxis, Level, LevelKind, Multiscale, SourceId},
    dtype::{Dtype, StoredType},
    view::View,
};
use lucida_systems::residency::bricks::{
    cut::{Cut, Cutter},
    grid::{BRICK, Block, CELL, CELLS, STRIDE},
};
use std::collections::HashMap;

type Chunks = HashMap<ChunkKey, Result<ChunkData, ChunkFault>>;

fn volume() -> ViewState {
    let mut state = (*Rig::new().state()).clone();
    state.view = View { ndisplay: 3 };
    state
}

/// An image of one level with these dimensions, their extents and chunks.
fn image(dtype: Dtype, dims: &[ArrayAxis], shape: &[u64], chunk: &[u64]) -> Multiscale {
    let level = Level {
        path: String::new(),
        shape: shape.to_vec(),
        chunk: chunk.to_vec(),
        scale: vec![1.0; shape.len()],
        translation: vec![0.0; shape.len()],
        kind: LevelKind::Stored,
    };
    Multiscale {
        source: SourceId(7),
        stored: StoredType::U16,
        dtype,
        dims: dims.to_vec(),
        levels: vec![level],
    }
}

/// A value that depends on every coordinate.
fn value(at: &[u64]) -> u64 {
    at.iter().fold(17, |hash: u64, v| (hash ^ v).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 3)
}

fn bytes(dtype: Dtype, value: u64) -> Vec<u8> {
    match dtype {
        Dtype::U8 => vec![value as u8],
        Dtype::U16 => (value as u16).to_ne_bytes().to_vec(),
        Dtype::I16 => (value as i16).to_ne_bytes().to_vec(),
        Dtype::F32 => (value as i32 as f32 / 1000.0).to_ne_bytes().to_vec(),
        Dtype::U32 => (value as u32).to_ne_bytes().to_vec(),
    }
}

/// Every chunk that a brick is cut from; beyond the array's edges there is rubbish.
fn chunks(image: &Multiscale, block: &Block, at: [u32; 3]) -> Chunks {
    let level = &image.levels[0];
    block
        .chunks(at)
        .map(|key| {
            let first: Vec<u64> =
                level.chunk_at(key.number).iter().zip(&level.chunk).map(|(g, c)| g * c).collect();
            let mut values = Vec::new();
            for n in 0..level.chunk_voxels() {
                let mut rest = n;
                let mut place = first.clone();
                for d in (0..place.len()).rev() {
                    place[d] += rest % level.chunk[d];
                    rest /= level.chunk[d];
                }
                let inside = place.iter().zip(&level.shape).all(|(p, s)| p < s);
                let v = if inside { value(&place) } else { u64::MAX };
                values.extend(bytes(image.dtype, v));
            }
            let data =
                ChunkData { dtype: image.dtype, values: ChunkValues::Dense(values.into()), missing: false };
            (key, Ok(data))
        })
        .collect()
}

/// The value at a voxel of a brick, read straight from what the array holds.
fn expected(block: &Block, at: [u32; 3], voxel: [u64; 3]) -> u64 {
    let mut place = block.fixed.clone();
    for s in 0..3 {
        if let Some(d) = block.dims[s] {
            place[d] = (u64::from(at[s]) * STRIDE + voxel[s]).min(block.level().shape[d] - 1);
        }
    }
    value(&place)
}

fn voxels() -> impl Iterator<Item = [u64; 3]> {
    (0..BRICK).flat_map(|z| (0..BRICK).flat_map(move |y| (0..BRICK).map(move |x| [z, y, x])))
}

/// Cells and range by the definition.
fn measured(numbers: impl Fn([u64; 3]) -> f64) -> Vec<[f32; 2]> {
    let mut cells = vec![[f32::MAX, f32::MIN]; (CELLS * CELLS * CELLS) as usize];
    for z in 0..CELLS {
        for y in 0..CELLS {
            for x in 0..CELLS {
                let range = |c: u64| c * CELL..=(c * CELL + CELL).min(BRICK - 1);
                let cell = &mut cells[((z * CELLS + y) * CELLS + x) as usize];
                for k in range(z) {
                    for j in range(y) {
                        for i in range(x) {
                            let v = numbers([k, j, i]) as f32;
                            if v.is_finite() {
                                *cell = [cell[0].min(v), cell[1].max(v)];
                            }
                        }
                    }
                }
            }
        }
    }
    cells
}

fn cut(block: &Block, at: [u32; 3], chunks: &Chunks) -> (Cut, Vec<u8>) {
    let mut cutter = Cutter::default();
    let cut = cutter.cut(block, at, |key| chunks.get(key));
    let values = cutter.values(block.image.dtype).to_vec();
    (cut, values)
}

/// What the GPU holds for a value.
fn stored(dtype: Dtype, value: u64) -> Vec<u8> {
    match dtype {
        Dtype::I16 => ((i32::from(value as i16) + 32_768) as u16).to_ne_bytes().to_vec(),
        _ => bytes(dtype, value),
    }
}

fn check(state: &ViewState, image: &Multiscale, channel: u64, at: [u32; 3]) {
    let block = Block::of(state, image, channel, 0).unwrap();
    let chunks = chunks(image, &block, at);
    let (cut, values) = cut(&block, at, &chunks);
    assert!(!cut.missing);
    let size = image.dtype.size();
    for (n, voxel) in voxels().enumerate() {
        let here = &values[n * size..(n + 1) * size];
        assert_eq!(
            here,
            stored(image.dtype, expected(&block, at, voxel)),
            "{voxel:?} of {at:?}, {:?}",
            image.dims
        );
    }
    let number = |voxel| image.dtype.read(&bytes(image.dtype, expected(&block, at, voxel)), 0);
    let cells = measured(number);
    assert_eq!(cut.cells.to_vec(), cells);
    let all = cells.iter().fold([f32::MAX, f32::MIN], |a, b| [a[0].min(b[0]), a[1].max(b[1])]);
    assert_eq!(cut.range, all);
}

const T: ArrayAxis = ArrayAxis::Scene(0);
const SPACE: [ArrayAxis; 3] = [ArrayAxis::Scene(Z), ArrayAxis::Scene(Y), ArrayAxis::Scene(X)];

#[test]
fn every_type_is_cut_as_it_is_stored() {
    let state = volume();
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
        let image = image(dtype, &SPACE, &[70, 130, 100], &[20, 33, 40]);
        check(&state, &image, 0, [0, 1, 0]);
        check(&state, &image, 0, [1, 2, 1]);
    }
}

#[test]
fn any_order_of_dimensions_and_any_chunks_give_the_same_brick() {
    let state = volume();
    let [z, y, x] = SPACE;
    check(&state, &image(Dtype::U16, &[x, y, z], &[100, 70, 66], &[33, 64, 9]), 0, [1, 1, 1]);
    check(&state, &image(Dtype::U8, &[y, x, z], &[70, 66, 100], &[70, 66, 100]), 0, [1, 0, 0]);
    // Channels and times within chunks.
    let image =
        image(Dtype::U16, &[x, ArrayAxis::Channel, z, T, y], &[80, 3, 40, 5, 67], &[30, 2, 17, 4, 50]);
    check(&state, &image, 2, [0, 1, 1]);
    check(&state, &image, 1, [0, 0, 0]);
    let mut later = state;
    later.index.value[0] = 4;
    check(&later, &image, 0, [0, 1, 0]);
}

#[test]
fn axes_of_one_voxel_and_axes_that_are_not_there_are_repeated() {
    let state = volume();
    let [z, y, x] = SPACE;
    check(&state, &image(Dtype::U16, &[z, y, x], &[1, 64, 65], &[1, 64, 64]), 0, [0, 0, 1 - 1]);
    check(&state, &image(Dtype::U16, &[y, x], &[30, 65], &[16, 16]), 0, [0, 0, 0]);
    check(&state, &image(Dtype::F32, &[z], &[200], &[7]), 0, [2, 0, 0]);
}

#[test]
fn what_failed_is_zero_and_said_to_be_missing() {
    let state = volume();
    let image = image(Dtype::U16, &SPACE, &[64, 64, 64], &[64, 64, 32]);
    let block = Block::of(&state, &image, 0, 0).unwrap();
    let mut chunks = chunks(&image, &block, [0; 3]);
    let keys: Vec<ChunkKey> = block.chunks([0; 3]).collect();
    let fault = ChunkFault { level: 0, number: keys[1].number, reason: "cut off".into() };
    for what in [Some(Err(fault)), None] {
        match what {
            Some(fault) => chunks.insert(keys[1], fault),
            None => chunks.remove(&keys[1]),
        };
        let (cut, values) = cut(&block, [0; 3], &chunks);
        assert!(cut.missing);
        for (n, voxel) in voxels().enumerate() {
            let v = u16::from_ne_bytes([values[2 * n], values[2 * n + 1]]);
            let there = expected(&block, [0; 3], voxel) as u16;
            assert_eq!(v, if voxel[2] < 32 { there } else { 0 });
        }
        assert_eq!(cut.range[0], 0.0);
    }
    // Made of parts that are missing.
    let half = ChunkData { dtype: Dtype::U16, values: ChunkValues::Uniform([3, 0, 0, 0]), missing: true };
    let both: Chunks = keys.iter().map(|key| (*key, Ok(half.clone()))).collect();
    assert!(cut(&block, [0; 3], &both).0.missing);
    // Of another type than the image says.
    let other = ChunkData { dtype: Dtype::U8, values: ChunkValues::Uniform([3; 4]), missing: false };
    let both: Chunks = keys.iter().map(|key| (*key, Ok(other.clone()))).collect();
    let (cut, _) = cut(&block, [0; 3], &both);
    assert_eq!((cut.missing, cut.range), (true, [0.0, 0.0]));
}

#[test]
fn chunks_of_one_value_make_bricks_of_one_value() {
    let state = volume();
    for (dtype, value, number) in [
        (Dtype::U16, [0x39, 0x30, 0, 0], 12_345.0),
        (Dtype::I16, [0xfe, 0xff, 0, 0], -2.0),
        (Dtype::U8, [9; 4], 9.0),
    ] {
        let image = image(dtype, &SPACE, &[100, 100, 100], &[32, 32, 32]);
        let block = Block::of(&state, &image, 0, 0).unwrap();
        let data = ChunkData { dtype, values: ChunkValues::Uniform(value), missing: false };
        let chunks: Chunks = block.chunks([1, 0, 1]).map(|key| (key, Ok(data.clone()))).collect();
        let (cut, _) = cut(&block, [1, 0, 1], &chunks);
        assert_eq!((cut.range, cut.cells[63]), ([number; 2], [number; 2]));
    }
}

#[test]
fn what_is_no_number_is_left_out_and_makes_no_brick_uniform() {
    let state = volume();
    let image = image(Dtype::F32, &SPACE, &[64, 64, 64], &[64, 64, 64]);
    let block = Block::of(&state, &image, 0, 0).unwrap();
    let key = block.chunks([0; 3]).next().unwrap();
    let cut_of = |values: &dyn Fn(usize) -> f32| {
        let bytes: Vec<u8> = (0..64 * 64 * 64).flat_map(|n| values(n).to_ne_bytes()).collect();
        let data = ChunkData { dtype: Dtype::F32, values: ChunkValues::Dense(bytes.into()), missing: false };
        cut(&block, [0; 3], &HashMap::from([(key, Ok(data))])).0
    };
    let nothing = [f32::MAX, f32::MIN];
    let nan = cut_of(&|_| f32::NAN);
    assert!(nan.range == nothing && nan.cells.iter().all(|c| *c == nothing));
    let infinite = cut_of(&|n| if n % 2 == 0 { f32::INFINITY } else { f32::NEG_INFINITY });
    assert_eq!(infinite.range, nothing);
    // Numbers in the last cell alone.
    let corner = |n: usize| [n / 4096, n / 64 % 64, n % 64].iter().all(|v| *v > 48);
    let some = cut_of(&|n| if corner(n) { -3.0 } else { f32::NAN });
    assert_eq!((some.cells[63], some.cells[62]), ([-3.0; 2], nothing));
    assert_eq!(some.range, [f32::MIN, f32::MAX], "not taken for uniform");
}
