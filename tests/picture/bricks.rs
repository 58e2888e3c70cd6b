//! Bricks on the GPU hold what the array holds.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::common::array::ArrayImage;
use bevy_app::App;
use lucida::{
    app::world::{self, WorldSettings},
    data::pool::Sources,
    gpu::device::Device,
};
use lucida_components::{
    applied::Applied,
    camera::CameraDelta,
    chunk::{Arrivals, ChunkKey, Wants},
    clock::Clock,
    controls::ControlChange,
    dtype::Dtype,
    ids::{LayerId, SessionId, ViewId},
    intent::{Change, Intent, SessionEvent},
    lod::Budgets,
    metrics::Metrics,
    notice::{NoticeBody, Residency},
    outbox::Outbox,
    session::{Features, Newcomer},
};
use lucida_systems::{
    ingest::Inbox,
    pace::Pace,
    render::{
        bricks::BrickPool,
        device,
        job::{Handover, Job, Returned},
        renderer::Renderer,
    },
    residency::{
        bricks::{
            cut::{Cut, Cutter},
            grid::{BRICK, Block, VOXELS},
            pools::Class,
        },
        pools::Pools,
    },
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use wgpu::util::DeviceExt;

const READ: &str = "
@group(0) @binding(0) var bricks: texture_3d<TYPE>;
@group(0) @binding(1) var<storage, read> cells: array<u32>;
@group(0) @binding(2) var<uniform> origin: vec4<u32>;
@group(0) @binding(3) var<storage, read_write> found: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    found[(id.z * 64u + id.y) * 64u + id.x] = bitcast<u32>(textureLoad(bricks, origin.xyz + id, 0).x);
    if id.z == 0u && id.y < 2u {
        found[262144u + id.y * 64u + id.x] = cells[origin.w * 128u + id.y * 64u + id.x];
    }
}
";

/// Values and cells of a slot, as words.
fn slot(device: &Device, class: Class, pool: &BrickPool, number: u32) -> Vec<u32> {
    let gpu = &device.gpu.device;
    let source = READ.replace("TYPE", if class == Class::Id { "u32" } else { "f32" });
    let module = gpu.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = gpu.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let [x, y, z] = pool.origin(number);
    let origin = gpu.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: None,
        contents: bytemuck::bytes_of(&[x, y, z, number]),
        usage: wgpu::BufferUsages::UNIFORM,
    });
    let size = (VOXELS + 128) * 4;
    let buffer = |usage| {
        gpu.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    let found = buffer(wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC);
    let back = buffer(wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);
    let resources = [
        wgpu::BindingResource::TextureView(&pool.view),
        pool.cells.as_entire_binding(),
        origin.as_entire_binding(),
        found.as_entire_binding(),
    ];
    let entries: Vec<_> = resources
        .into_iter()
        .zip(0..)
        .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    let layout = &pipeline.get_bind_group_layout(0);
    let group = gpu.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
    let mut encoder = gpu.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups(1, BRICK as u32, BRICK as u32);
    drop(pass);
    encoder.copy_buffer_to_buffer(&found, 0, &back, 0, size);
    device.gpu.queue.submit([encoder.finish()]);
    back.map_async(wgpu::MapMode::Read, .., |_| {});
    gpu.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    bytemuck::cast_slice(&back.get_mapped_range(..).unwrap()).to_vec()
}

/// What the shader reads of a brick's values.
fn as_read(dtype: Dtype, values: &[u8]) -> Vec<f64> {
    let n = VOXELS as usize;
    match dtype {
        Dtype::I16 => (0..n).map(|i| Dtype::U16.read(values, i) / 65_535.0).collect(),
        Dtype::U16 => (0..n).map(|i| dtype.read(values, i) / 65_535.0).collect(),
        Dtype::U8 => (0..n).map(|i| dtype.read(values, i) / 255.0).collect(),
        Dtype::F32 | Dtype::U32 => (0..n).map(|i| dtype.read(values, i)).collect(),
    }
}

/// Runs turns until nothing is wanted any more, answering what is.
fn settle(app: &mut App, device: &Device) {
    let mut quiet = 0;
    for _ in 0..200 {
        app.world_mut().resource_mut::<Clock>().now = Instant::now();
        app.update();
        let world = app.world_mut();
        let wanted: Vec<ChunkKey> = world.resource::<Wants>().list.iter().map(|want| want.key).collect();
        let jobs = std::mem::take(&mut world.resource_mut::<Handover>().0);
        let residency = *world.query::<&Residency>().single(world).unwrap();
        let is_done = jobs.is_empty() && wanted.is_empty() && residency.resident == residency.wanted;
        quiet = if is_done { quiet + 1 } else { 0 };
        if quiet == 3 {
            return;
        }
        for job in jobs {
            match job {
                Job::Upload(upload) => {
                    device.gpu.queue.submit([upload.commands]);
                }
                Job::Piece(piece) => {
                    device.gpu.queue.submit([piece.commands]);
                }
                Job::Close(_) => {}
                Job::Frame(mut job) => {
                    device.gpu.queue.submit(job.commands.take());
                    world.resource_mut::<Returned>().0.push(job.returned(false, None));
                }
            }
        }
        device.gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let world = app.world_mut();
        let sources = world.resource::<Held>().0.clone();
        for key in wanted {
            let chunk = sources[&key.source].read(key.level, key.number);
            world.resource_mut::<Arrivals>().0.push((key, Some(chunk)));
        }
    }
    panic!("it does not come to rest");
}

/// The sources of what is shown.
#[derive(bevy_ecs::resource::Resource)]
struct Held(Arc<HashMap<lucida_components::dataset::SourceId, Arc<dyn lucida::data::ChunkSource>>>);

fn intent(change: Change) -> Intent {
    Intent { origin: None, view: ViewId::MAIN, change, arrived: Instant::now(), op: 0 }
}

/// A world that shows an image as a volume, all of it between the contrast limits.
fn volume(device: &Device, settings: &WorldSettings, image: ArrayImage) -> App {
    let opened = image.open();
    let mut app = world::app(device, settings);
    let world = app.world_mut();
    for mut pace in world.query::<&mut Pace>().iter_mut(world) {
        (pace.always, pace.interval) = (true, Duration::ZERO);
    }
    world.insert_resource(Held(Arc::new(opened.sources.iter().cloned().collect())));
    let show = world::show(&Sources::default(), opened);
    let limits = ControlChange::ContrastLimits([-100.0, 249.0]);
    world.resource_mut::<Inbox>().intents.extend([
        show,
        intent(Change::Ndisplay(3)),
        intent(Change::Camera(CameraDelta::Reset)),
        intent(Change::Layer { layer: LayerId(0), control: limits }),
    ]);
    app
}

#[test]
fn every_slot_holds_the_brick_it_is_said_to_hold() {
    let Some(device) = crate::common::device() else { return };
    for dtype in [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32, Dtype::U32] {
        let value = move |level: usize, at: &[u64]| {
            let v = (at[0] * 7 + at[1] * 3 + at[2] * 11 + level as u64 * 50) % 250;
            if dtype == Dtype::I16 { v as f64 - 100.0 } else { v as f64 }
        };
        let mut image = ArrayImage::new("zyx", &[70, 90, 140], dtype, Arc::new(value));
        image.levels = 2;
        let mut app = volume(&device, &WorldSettings::of(&device), image);
        // As where there are many cores.
        app.world_mut().resource_mut::<Renderer>().cut_on(4);
        settle(&mut app, &device);
        let world = app.world_mut();
        let state = world.query::<&Applied>().single(world).unwrap().state.clone();
        let (image, class) = (&state.dataset.images[0], Class::of(dtype));
        let sources = world.resource::<Held>().0.clone();
        let pools = world.resource::<Pools>();
        let pool = world.resource::<Renderer>().bricks().get(class).expect("a pool");
        let mut cutter = Cutter::default();
        let mut compared = 0;
        for level in 0..2 {
            let block = Block::of(&state, image, 0, level).unwrap();
            let [z, y, x] = block.bricks().map(|n| n as u32);
            for at in (0..z * y * x).map(|n| [n / (y * x), n / x % y, n % x]) {
                let Some(there) = pools.bricks.peek(class, &block.key(at)) else { continue };
                let chunks: HashMap<_, _> = block
                    .chunks(at)
                    .map(|key| (key, sources[&key.source].read(key.level, key.number)))
                    .collect();
                let Cut { cells, .. } = cutter.cut(&block, at, |key| chunks.get(key));
                let words = slot(&device, class, pool, there.number);
                let (values, found) = words.split_at(VOXELS as usize);
                let wanted = as_read(dtype, cutter.values(dtype));
                for (n, (word, want)) in values.iter().zip(wanted).enumerate() {
                    let got =
                        if class == Class::Id { f64::from(*word) } else { f64::from(f32::from_bits(*word)) };
                    assert!((got - want).abs() < 1e-6, "{dtype:?}: voxel {n} of {at:?}: {got} for {want}");
                }
                assert_eq!(bytemuck::cast_slice::<u32, f32>(found), bytemuck::cast_slice::<_, f32>(&cells));
                compared += 1;
            }
        }
        assert!(compared >= 10, "{compared} bricks of {dtype:?}");
    }
}

#[test]
fn a_gpu_without_room_for_all_bricks_has_fewer_and_the_coarsest_of_them() {
    let Some(device) = crate::common::device() else { return };
    let value =
        |level: usize, at: &[u64]| ((at[0] * 7 + at[1] * 3 + at[2] * 11 + level as u64 * 50) % 250) as f64;
    // 5³ and more bricks of a mebibyte, and the ring and staging beside them.
    let mut image = ArrayImage::new("zyx", &[300, 300, 300], Dtype::F32, Arc::new(value));
    (image.levels, image.chunk) = (2, vec![64; 3]);
    let limit = 100 << 20;
    device.gpu.memory.limit(limit);
    let mut app = volume(&device, &WorldSettings::of(&device), image);
    let before = *app.world().resource::<Budgets>();
    settle(&mut app, &device);
    let world = app.world_mut();
    let after = *world.resource::<Budgets>();
    assert!(after.brick_bytes < before.brick_bytes, "{after:?}");
    assert_eq!(after.pool_bytes, before.pool_bytes, "tiles are not to blame");
    assert!(device.gpu.memory.peak() <= limit);
    let seen = *world.query::<&Residency>().single(world).unwrap();
    let lod = world.query::<&Applied>().single(world).unwrap().state.lod;
    assert!(lod.downgraded && seen.wanted > 10 && seen.resident == seen.wanted, "{lod:?}, {seen:?}");
    let refusals = world.resource::<Metrics>().gpu_refusals;
    assert!(refusals > 0);
    settle(&mut app, &device);
    assert_eq!(app.world().resource::<Metrics>().gpu_refusals, refusals, "it comes to rest");
}

/// What a session was told of the GPU last.
fn incident(app: &mut App) -> Option<&'static str> {
    let mut outbox = app.world_mut().query::<&mut Outbox>().single_mut(app.world_mut()).ok()?;
    std::mem::take(&mut outbox.notices).into_iter().rev().find_map(|notice| match notice.body {
        NoticeBody::Incident(incident) => Some(incident.code),
        _ => None,
    })
}

#[test]
fn another_device_gets_the_bricks_out_of_the_cache() {
    let Some(device) = crate::common::device() else { return };
    let value = |_: usize, at: &[u64]| ((at[0] * 7 + at[1] * 3 + at[2] * 11) % 250) as f64;
    let settings = WorldSettings::of(&device);
    let mut app = volume(&device, &settings, ArrayImage::new("zyx", &[100; 3], Dtype::U8, Arc::new(value)));
    let who = SessionId(1);
    let newcomer = Box::new(Newcomer::new(Features::ALL));
    app.world_mut().resource_mut::<Inbox>().events.push(SessionEvent::Joined { session: who, newcomer });
    settle(&mut app, &device);
    let read = app.world().resource::<Metrics>().chunks_loaded;
    let uploaded = app.world().resource::<Metrics>().bricks_uploaded;
    assert!(uploaded >= 8);
    device::take_away(app.world_mut());
    app.update();
    assert_eq!(incident(&mut app), Some("gpu.lost"));
    let Some(other) = crate::common::device() else { return };
    let renderer = Renderer::new(&other.gpu);
    device::put_in(app.world_mut(), other.gpu.clone(), renderer, settings.budgets);
    settle(&mut app, &other);
    assert_eq!(incident(&mut app), Some("gpu.back"));
    let metrics = app.world().resource::<Metrics>();
    assert_eq!((metrics.chunks_loaded, metrics.bricks_uploaded), (read, 2 * uploaded));
}
