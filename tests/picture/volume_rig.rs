//! What the tests of volumes share: arrays, bricks cut out of them by hand, a picture, and comparing it with the
//! twin's.

use lucida::gpu::device::Device;
use lucida_components::{
    applied::{LayerState, ViewState},
    axes::{Axes, AxisKind},
    camera::{Camera, VolumePose},
    clip::Clip,
    controls::{Blending, Controls},
    dataset::{ArrayAxis, Dataset, LayerSource, Level, LevelKind, Multiscale, SceneAxis, SourceId},
    dtype::{Dtype, StoredType},
    ids::LayerId,
    index::Index,
    layer::{Layer, LayerKind},
    lod::{Budgets, Lod},
    rays::Rays,
    restore::RestoreCache,
    stream::Canvas,
    view::View,
};
use lucida_systems::{
    render::{
        plane::colours::Colours,
        renderer::Renderer,
        volume::{
            params::{Quality, gather},
            program::Spec,
            record::{Grid, record},
            twin::{self, Field},
        },
    },
    residency::{
        bricks::{
            chosen::{BrickLayer, BrickLevel, Window},
            detail::Detail,
            grid::{BRICK, Block, CELL, CELLS, STRIDE},
            pools::Class,
        },
        plan::Plan,
        pools::Pools,
    },
};
use std::sync::Arc;

/// Pixels of most pictures.
pub const CANVAS: [u32; 2] = [64, 48];
/// Colour steps of 255 by which the shader's f32 may differ from the twin's f64.
pub const TOLERANCE: f64 = 2.01;
/// Pixels that may differ by more.
pub const OUTLIERS: f64 = 0.001;

/// A dense level.
#[derive(Clone)]
pub struct Dense {
    /// z, y, x.
    pub shape: [u64; 3],
    pub scale: [f64; 3],
    pub translation: [f64; 3],
    pub values: Vec<f64>,
}

impl Dense {
    pub fn new(shape: [u64; 3], scale: [f64; 3], value: impl Fn([f64; 3]) -> f64) -> Self {
        let mut values = Vec::new();
        for z in 0..shape[0] {
            for y in 0..shape[1] {
                values.extend((0..shape[2]).map(|x| value([z, y, x].map(|v| v as f64))));
            }
        }
        Self { shape, scale, translation: [0.0; 3], values }
    }

    /// Every second voxel along each axis, as the mean of eight.
    pub fn halved(&self) -> Self {
        let shape = self.shape.map(|n| n.div_ceil(2));
        let mut half = Self::new(shape, self.scale.map(|s| 2.0 * s), |at| {
            let of = |n: u64| {
                let c = [0, 1, 2].map(|i| (2 * at[i] as u64 + (n >> i & 1)).min(self.shape[i] - 1));
                self.at(c)
            };
            ((0..8).map(of).sum::<f64>() / 8.0).round()
        });
        half.translation = [0, 1, 2].map(|i| self.translation[i] + self.scale[i] / 2.0);
        half
    }

    pub fn at(&self, [z, y, x]: [u64; 3]) -> f64 {
        self.values[((z * self.shape[1] + y) * self.shape[2] + x) as usize]
    }
}

/// How a brick is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// In a slot.
    Slot,
    /// Only its smallest and largest value are known.
    Known,
    Missing,
}

/// Which bricks are there: by image, level and brick (z, y, x).
type Resident = Box<dyn Fn(usize, usize, [u32; 3]) -> Here>;

/// Images, a view on them, and what is resident.
pub struct Scene {
    pub images: Vec<Vec<Dense>>,
    pub state: ViewState,
    pub resident: Resident,
    /// Smallest and largest values are told; else anything may be anywhere.
    pub told: bool,
    pub quality: Quality,
    pub grid: Grid,
}

/// A pose that looks at the middle of a box of this size (x, y, z) that begins at 0.
pub fn pose(size: [f64; 3], angles: [f64; 3], distance: f64, fov: f64) -> VolumePose {
    VolumePose { center: size.map(|s| s / 2.0), angles, distance, fov }
}

impl Scene {
    /// One layer for each image, seen whole.
    pub fn new(images: Vec<(Dtype, Vec<Dense>, Controls)>) -> Self {
        let multiscale = |(n, (dtype, levels, _)): (usize, &(Dtype, Vec<Dense>, Controls))| Multiscale {
            source: SourceId(n as u32 + 1),
            stored: StoredType::U16,
            dtype: *dtype,
            dims: (0..3).map(ArrayAxis::Scene).collect(),
            levels: levels
                .iter()
                .map(|dense| Level {
                    path: String::new(),
                    shape: dense.shape.into(),
                    chunk: vec![64; 3],
                    scale: dense.scale.into(),
                    translation: dense.translation.into(),
                    kind: LevelKind::Stored,
                })
                .collect(),
        };
        let kind = |dtype| if dtype == Dtype::U32 { LayerKind::Labels } else { LayerKind::Image };
        let axis = |label: &str| SceneAxis { label: label.into(), kind: AxisKind::Space, unit: None };
        let dataset = Dataset {
            name: "volume".into(),
            locator: String::new(),
            format: String::new(),
            axes: ["z", "y", "x"].map(axis).into(),
            images: images.iter().enumerate().map(multiscale).collect(),
            layers: images
                .iter()
                .enumerate()
                .map(|(n, (dtype, _, controls))| LayerSource {
                    name: n.to_string(),
                    image: n,
                    channel: 0,
                    controls: controls.clone(),
                    range: [0.0, 1.0],
                    kind: kind(*dtype),
                    labels: None,
                })
                .collect(),
            start: Vec::new(),
            contents: None,
            warnings: Vec::new(),
        };
        let layers = dataset.layers.iter().enumerate().map(|(n, source)| LayerState {
            id: LayerId(n as u32),
            layer: Layer {
                name: source.name.clone(),
                image: n,
                channel: 0,
                order: n as u32,
                kind: source.kind,
            },
            controls: source.controls.clone(),
        });
        let first = &images[0].1[0];
        let size = [2, 1, 0].map(|i| first.shape[i] as f64 * first.scale[i]);
        let longest = size.into_iter().fold(0.0, f64::max);
        let canvas = Canvas { width: CANVAS[0], height: CANVAS[1] };
        let state = ViewState {
            layers: layers.collect(),
            view: View { ndisplay: 3 },
            axes: Axes {
                labels: dataset.axes.iter().map(|a| a.label.clone()).collect(),
                kinds: dataset.axes.iter().map(|a| a.kind).collect(),
                units: vec![None; 3],
                order: vec![0, 1, 2],
            },
            index: Index::at(vec![0; 3]),
            lod: Lod::default(),
            camera: Camera {
                volume: pose(size, [35.0, 25.0, 10.0], longest * 1.4, 60.0),
                ..Camera::default()
            },
            restore: RestoreCache::default(),
            clip: Clip::default(),
            canvas,
            dataset: Arc::new(dataset),
        };
        Self {
            images: images.into_iter().map(|(_, levels, _)| levels).collect(),
            state,
            resident: Box::new(|_, _, _| Here::Slot),
            told: true,
            quality: Quality::FULL,
            grid: Grid::whole(CANVAS),
        }
    }

    pub fn pose(&mut self) -> &mut VolumePose {
        &mut self.state.camera.volume
    }

    pub fn controls(&mut self, layer: usize, change: impl FnOnce(&mut Controls)) {
        let mut layers = self.state.layers.to_vec();
        change(&mut layers[layer].controls);
        self.state.layers = layers.into();
    }

    /// The drawn picture: RGBA.
    pub fn draw(&self, device: &Device) -> Vec<u8> {
        Drawn::new(device, self).picture(self)
    }

    /// The twin's picture.
    pub fn want(&self) -> Vec<[f64; 3]> {
        twin::draw(&self.state, &self.grid, self.quality, self)
    }

    /// How far the ray through a pixel goes through the first image's finest level, in its voxels, which are cubes.
    pub fn chord(&self, pixel: [u32; 2]) -> f64 {
        let rays = Rays::of(&self.state.camera.volume, self.state.canvas);
        let [x, y] = [0, 1].map(|i| (f64::from(pixel[i]) + 0.5 - f64::from(CANVAS[i]) / 2.0) * rays.pixel);
        let at: [f64; 3] = std::array::from_fn(|i| rays.center[i] + x * rays.right[i] + y * rays.down[i]);
        let (from, to) = match rays.eye {
            Some(eye) => {
                let from: [f64; 3] = std::array::from_fn(|i| rays.center[i] - eye * rays.forward[i]);
                (from, std::array::from_fn(|i| at[i] - from[i]))
            }
            None => (at, rays.forward),
        };
        let length = to.iter().map(|v| v * v).sum::<f64>().sqrt();
        let mut span = [if rays.eye.is_some() { 0.0 } else { f64::NEG_INFINITY }, f64::INFINITY];
        let dense = &self.images[0][0];
        for i in 0..3 {
            let first = dense.translation[2 - i] - 0.5;
            let ends =
                [first, first + dense.shape[2 - i] as f64].map(|end| (end - from[i]) / (to[i] / length));
            span = [span[0].max(ends[0].min(ends[1])), span[1].min(ends[0].max(ends[1]))];
        }
        (span[1] - span[0]).max(0.0)
    }

    /// Draws and compares.
    #[track_caller]
    pub fn check(&self, device: &Device, name: &str) -> Vec<u8> {
        let got = self.draw(device);
        if let Err(why) = compare(&got, &self.want(), self.grid.size[0]) {
            panic!("{name}: {why}");
        }
        got
    }

    fn block(&self, image: usize, level: usize) -> Block<'_> {
        Block::of(&self.state, &self.state.dataset.images[image], 0, level).expect("a block")
    }
}

impl Field for Scene {
    fn voxel(&self, layer: usize, level: usize, at: [u64; 3]) -> Option<f64> {
        Some(self.images[layer][level].at(at)).filter(|v| v.is_finite())
    }

    fn answers(&self, layer: usize, wanted: usize, point: [f64; 3]) -> Option<usize> {
        (wanted..self.images[layer].len()).find(|&level| {
            let dense = &self.images[layer][level];
            let brick = [0, 1, 2].map(|i| {
                let c = (point[2 - i] - dense.translation[i]) / dense.scale[i];
                let last = (dense.shape[i] - 1).div_ceil(STRIDE).max(1) - 1;
                (c / STRIDE as f64).floor().clamp(0.0, last as f64) as u32
            });
            (self.resident)(layer, level, brick) != Here::Missing
        })
    }
}

/// A renderer with a scene's bricks in its pools.
pub struct Drawn<'a> {
    device: &'a Device,
    renderer: Renderer,
    pools: Pools,
    plan: Plan,
}

impl<'a> Drawn<'a> {
    pub fn new(device: &'a Device, scene: &Scene) -> Self {
        let mut renderer = Renderer::new(&device.gpu);
        let mut pools = Pools::new(&Budgets::default());
        let mut plan = Plan::default();
        let all: Vec<_> = scene
            .images
            .iter()
            .enumerate()
            .flat_map(|(image, levels)| (0..levels.len()).map(move |level| (image, level)))
            .flat_map(|(image, level)| {
                let n = scene.block(image, level).bricks().map(|n| n as u32);
                let places = (0..n[0])
                    .flat_map(move |z| (0..n[1]).flat_map(move |y| (0..n[2]).map(move |x| [z, y, x])));
                places.map(move |at| (image, level, at))
            })
            .filter(|&(image, level, at)| (scene.resident)(image, level, at) != Here::Missing)
            .collect();
        for class in Class::ALL {
            let mine: Vec<_> = all
                .iter()
                .filter(|(image, ..)| Class::of(scene.state.dataset.images[*image].dtype) == class)
                .collect();
            let is_here =
                |here| move |&&&(i, l, at): &&&(usize, usize, [u32; 3])| (scene.resident)(i, l, at) == here;
            // Without a slot only the range is remembered.
            for &&(image, level, at) in mine.iter().filter(is_here(Here::Known)) {
                let cut = Cut::new(scene, image, level, at);
                pools.bricks.insert(class, scene.block(image, level).key(at), cut.range, false);
            }
            let slots = mine.iter().filter(is_here(Here::Slot)).count();
            if slots == 0 {
                continue;
            }
            pools.bricks.resize(class, slots as u32);
            let layout = pools.bricks.layout(class);
            for &&(image, level, at) in mine.iter().filter(is_here(Here::Slot)) {
                let cut = Cut::new(scene, image, level, at);
                let key = scene.block(image, level).key(at);
                let slot = pools.bricks.insert(class, key, cut.range, false).expect("room");
                let pool = renderer.bricks.pool(&device.gpu, class, layout).expect("memory");
                let [x, y, z] = pool.origin(slot.number);
                let side = BRICK as u32;
                device.gpu.queue.write_texture(
                    wgpu::TexelCopyTextureInfo {
                        texture: &pool.texture,
                        mip_level: 0,
                        origin: wgpu::Origin3d { x, y, z },
                        aspect: wgpu::TextureAspect::All,
                    },
                    &cut.bytes,
                    wgpu::TexelCopyBufferLayout {
                        offset: 0,
                        bytes_per_row: Some(cut.bytes.len() as u32 / (side * side)),
                        rows_per_image: Some(side),
                    },
                    wgpu::Extent3d { width: side, height: side, depth_or_array_layers: side },
                );
                let cells: &[u8] = bytemuck::cast_slice(&cut.cells);
                let place = u64::from(slot.number) * cells.len() as u64;
                device.gpu.queue.write_buffer(&pool.cells, place, cells);
            }
        }
        for (layer, image) in scene.state.dataset.images.iter().enumerate() {
            let level = |level: usize| {
                let mut out = BrickLevel { level, ..BrickLevel::default() };
                for (_, _, at) in all.iter().filter(|(i, l, _)| (*i, *l) == (layer, level)) {
                    out.window.include(*at);
                    out.bricks.push(*at);
                }
                if out.bricks.is_empty() {
                    out.window = Window { from: [0; 3], to: [1; 3] };
                }
                out
            };
            let detail = Detail::of(&scene.state, image);
            plan.volume.push(BrickLayer {
                layer,
                detail,
                levels: (0..image.levels.len()).map(level).collect(),
            });
        }
        Self { device, renderer, pools, plan }
    }

    /// The program that the scene needs.
    pub fn spec(&self, scene: &Scene) -> Spec {
        gather(&scene.state, &self.plan, &self.pools, &mut Colours::default(), scene.quality).spec
    }

    /// Leaves every layer out.
    pub fn hide(&mut self) {
        self.plan.volume.clear();
    }

    /// Draws the scene's state with what is resident: RGBA.
    pub fn picture(&mut self, scene: &Scene) -> Vec<u8> {
        self.pieces(scene, &[scene.grid])
    }

    /// Draws these pieces of one picture.
    pub fn pieces(&mut self, scene: &Scene, pieces: &[Grid]) -> Vec<u8> {
        let gpu = &self.device.gpu;
        let mut colours = Colours::default();
        let params = gather(&scene.state, &self.plan, &self.pools, &mut colours, scene.quality);
        let bytes = u64::from(scene.grid.size[0] * scene.grid.size[1] * 4);
        let buffer = |usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        let target = buffer(wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC);
        let readback = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for grid in pieces {
            record(&mut self.renderer, gpu, &mut encoder, &params, &target, grid, None).expect("recorded");
        }
        encoder.copy_buffer_to_buffer(&target, 0, &readback, 0, bytes);
        self.renderer.finish(&encoder);
        gpu.queue.submit([encoder.finish()]);
        let slice = readback.slice(..);
        slice.map_async(wgpu::MapMode::Read, |result| result.expect("mapped"));
        gpu.device.poll(wgpu::PollType::wait_indefinitely()).expect("drawn");
        slice.get_mapped_range().expect("mapped").to_vec()
    }
}

/// A brick cut out of an array.
struct Cut {
    bytes: Vec<u8>,
    cells: Vec<[f32; 2]>,
    range: [f32; 2],
}

const NOTHING: [f32; 2] = [f32::MAX, f32::MIN];

fn widen([a, b]: [f32; 2], [c, d]: [f32; 2]) -> [f32; 2] {
    [a.min(c), b.max(d)]
}

impl Cut {
    fn new(scene: &Scene, image: usize, level: usize, at: [u32; 3]) -> Self {
        let dense = &scene.images[image][level];
        let dtype = scene.state.dataset.images[image].dtype;
        let voxel = |p: [u64; 3]| {
            dense.at([0, 1, 2].map(|i| (u64::from(at[i]) * STRIDE + p[i]).min(dense.shape[i] - 1)))
        };
        let mut bytes = Vec::new();
        for z in 0..BRICK {
            for y in 0..BRICK {
                for x in 0..BRICK {
                    let v = voxel([z, y, x]);
                    match dtype {
                        Dtype::U8 => bytes.push(v as u8),
                        Dtype::U16 => bytes.extend((v as u16).to_ne_bytes()),
                        Dtype::I16 => bytes.extend(((v as i32 + 32_768) as u16).to_ne_bytes()),
                        Dtype::F32 => bytes.extend((v as f32).to_ne_bytes()),
                        Dtype::U32 => bytes.extend((v as u32).to_ne_bytes()),
                    }
                }
            }
        }
        if !scene.told {
            let any = [-f32::MAX, f32::MAX];
            return Self { bytes, cells: vec![any; 64], range: any };
        }
        let mut cells = Vec::new();
        for cell in 0..CELLS.pow(3) {
            let first = [cell / (CELLS * CELLS), cell / CELLS % CELLS, cell % CELLS].map(|c| c * CELL);
            let last = first.map(|f| (f + CELL).min(BRICK - 1));
            let mut range = NOTHING;
            for z in first[0]..=last[0] {
                for y in first[1]..=last[1] {
                    for x in first[2]..=last[2] {
                        let v = voxel([z, y, x]) as f32;
                        if v.is_finite() {
                            range = widen(range, [v, v]);
                        }
                    }
                }
            }
            cells.push(range);
        }
        let range = cells.iter().copied().fold(NOTHING, widen);
        Self { bytes, cells, range }
    }
}

/// Compares a picture with the twin's.
pub fn compare(got: &[u8], want: &[[f64; 3]], width: u32) -> Result<(), String> {
    assert_eq!(want.len() * 4, got.len(), "size");
    let differs = |(got, want): &(&[u8], &[f64; 3])| {
        (0..3).any(|i| want[i].is_nan() || (f64::from(got[i]) - want[i] * 255.0).abs() > TOLERANCE)
    };
    let bad: Vec<usize> =
        (0..).zip(got.chunks_exact(4).zip(want)).filter(|(_, p)| differs(p)).map(|(n, _)| n).collect();
    if bad.len() as f64 > want.len() as f64 * OUTLIERS {
        let some = bad.iter().step_by(bad.len().div_ceil(6)).map(|&n| {
            let (x, y) = (n as u32 % width, n as u32 / width);
            (x, y, &got[4 * n..4 * n + 3], want[n].map(|c| (c * 2550.0).round() / 10.0))
        });
        let some: Vec<_> = some.collect();
        return Err(format!("{} of {} pixels differ, for example {some:?}", bad.len(), want.len()));
    }
    let lit = want.iter().filter(|c| c.iter().any(|v| *v > 0.02)).count();
    if lit <= want.len() / 50 { Err("the picture shows nothing".into()) } else { Ok(()) }
}

/// Two soft spots, an edge and a slope, in [0, 1], with details of a few voxels. `at` in voxels.
pub fn tissue(at: [f64; 3], shape: [u64; 3]) -> f64 {
    let u: [f64; 3] = std::array::from_fn(|i| at[i] / shape[i] as f64);
    let spot = |c: [f64; 3], r: f64| {
        let d: f64 = (0..3).map(|i| (u[i] - c[i]).powi(2)).sum();
        (-d / (r * r)).exp()
    };
    let ripple = 0.1 * (at[0] / 3.0).sin() * (at[1] / 4.0).cos() * (at[2] / 2.5).sin();
    let edge = if u[0] > 0.7 && u[1] < 0.4 && u[2] > 0.3 { 0.3 } else { 0.0 };
    let v = 0.9 * spot([0.35, 0.4, 0.3], 0.26) + 0.7 * spot([0.6, 0.7, 0.75], 0.3) + edge;
    (v + ripple * (v > 0.15) as u8 as f64).clamp(0.0, 1.0)
}

/// A dense level of [`tissue`] in the range of a type.
pub fn tissue_of(dtype: Dtype, shape: [u64; 3], scale: [f64; 3]) -> Dense {
    Dense::new(shape, scale, |at| {
        let t = tissue(at, shape);
        match dtype {
            Dtype::U8 => (t * 250.0).round(),
            Dtype::U16 => (t * 40_000.0 + 900.0).round(),
            Dtype::I16 => (t * 30_000.0 - 12_000.0).round(),
            Dtype::F32 => f64::from((t * 7.5 - 2.0) as f32),
            Dtype::U32 => f64::from([0, 1, 70_000, 3_000_000_000_u32][(t * 5.0).min(3.0) as usize]),
        }
    })
}

/// Controls that show all of [`tissue_of`].
pub fn controls_of(dtype: Dtype) -> Controls {
    let contrast_limits = match dtype {
        Dtype::U8 => [0.0, 250.0],
        Dtype::U16 => [900.0, 40_900.0],
        Dtype::I16 => [-12_000.0, 18_000.0],
        Dtype::F32 => [-2.0, 5.5],
        Dtype::U32 => return Controls::labels(),
    };
    let [lo, hi] = contrast_limits;
    Controls {
        contrast_limits,
        iso_threshold: lo + 0.4017 * (hi - lo),
        blending: Blending::Translucent,
        ..Controls::default()
    }
}
