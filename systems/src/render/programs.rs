//! Compiled programs, of planes and of volumes: kept, wished for, and compiled beside where somebody does that.

use super::{plane, volume};
use bevy_ecs::prelude::*;
use lru::LruCache;
use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::Arc,
};

/// Programs kept. A program is a few kilobytes and some 20 ms of compiling on a software driver; one of volumes
/// some 100 ms.
const KEPT: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// What selects a program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Spec {
    /// Of planes.
    Plane(plane::program::Spec),
    /// Of volumes.
    Volume(volume::program::Spec),
}

/// Programs with the same bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    Plane { large: bool },
    Volume { large: bool },
}

impl Spec {
    fn family(&self) -> Family {
        match self {
            Self::Plane(spec) => Family::Plane { large: spec.large },
            Self::Volume(spec) => Family::Volume { large: spec.large },
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Plane(_) => "plane",
            Self::Volume(_) => "volume",
        }
    }

    fn source(&self, device: &wgpu::Device) -> String {
        match self {
            Self::Plane(spec) => spec.source(),
            Self::Volume(spec) => spec.source(is_filtering(device)),
        }
    }

    fn bindings(&self, device: &wgpu::Device) -> Vec<wgpu::BindingType> {
        match self {
            Self::Plane(spec) => spec.bindings(),
            Self::Volume(spec) => spec.bindings(is_filtering(device)),
        }
    }
}

/// Whether a device's sampler takes 32-bit floats.
fn is_filtering(device: &wgpu::Device) -> bool {
    device.features().contains(wgpu::Features::FLOAT32_FILTERABLE)
}

/// Compiled programs.
#[derive(Resource)]
pub struct Programs {
    layouts: HashMap<Family, Layouts>,
    compiled: LruCache<Spec, Arc<wgpu::ComputePipeline>>,
    /// Somebody else compiles: what is not there is wished for.
    beside: bool,
    wishes: Vec<Wish>,
    /// Wished for and not made yet.
    pending: HashSet<Spec>,
}

/// A program to be compiled.
#[derive(Debug)]
pub struct Wish {
    device: wgpu::Device,
    layout: wgpu::PipelineLayout,
    /// Which.
    pub spec: Spec,
}

/// A compiled program.
#[derive(Debug)]
pub struct Made {
    device: wgpu::Device,
    spec: Spec,
    program: wgpu::ComputePipeline,
}

impl Wish {
    /// Compiles it: some 20 ms on a software driver, of volumes some 100 ms.
    pub fn compile(self) -> Made {
        let started = std::time::Instant::now();
        let label = Some(self.spec.name());
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(self.spec.source(&self.device).into()),
        });
        let program = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&self.layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        tracing::debug!(kind = label, millis = started.elapsed().as_secs_f64() * 1e3, "program");
        Made { device: self.device, spec: self.spec, program }
    }
}

struct Layouts {
    group: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

impl Layouts {
    fn new(device: &wgpu::Device, spec: &Spec) -> Self {
        let label = Some(spec.name());
        let visibility = wgpu::ShaderStages::COMPUTE;
        let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry { binding, visibility, ty, count: None };
        let entries: Vec<_> = (0..).zip(spec.bindings(device)).map(entry).collect();
        let group =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
        Self { group, pipeline }
    }
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            layouts: HashMap::new(),
            compiled: LruCache::new(KEPT),
            beside: false,
            wishes: Vec::new(),
            pending: HashSet::new(),
        }
    }
}

impl Programs {
    /// The bind group layout of a spec's program.
    pub fn layout(&mut self, device: &wgpu::Device, spec: &Spec) -> &wgpu::BindGroupLayout {
        &self.layouts(device, spec).group
    }

    fn layouts(&mut self, device: &wgpu::Device, spec: &Spec) -> &Layouts {
        self.layouts.entry(spec.family()).or_insert_with(|| Layouts::new(device, spec))
    }

    /// From now on nothing is compiled here: whoever asked for it takes wishes and puts programs.
    pub fn compile_beside(&mut self) {
        self.beside = true;
    }

    /// What is to be compiled, most urgent first.
    pub fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// Takes a program in; those of another device are dropped.
    pub fn put(&mut self, device: &wgpu::Device, made: Made) {
        if made.device == *device {
            self.pending.remove(&made.spec);
            self.compiled.put(made.spec, Arc::new(made.program));
        }
    }

    /// A wish will not be carried out; it may be wished again.
    pub fn refuse(&mut self, spec: &Spec) {
        self.pending.remove(spec);
    }

    /// The program of a spec, compiled if it is new; where that is done beside, a more general one that is
    /// there, or none yet. Programs that are likely to be needed next are wished for with it.
    pub fn get(&mut self, device: &wgpu::Device, spec: &Spec) -> Option<Arc<wgpu::ComputePipeline>> {
        if let Some(program) = self.compiled.get(spec) {
            return Some(program.clone());
        }
        if !self.beside {
            let wish = self.wish(device, spec.clone());
            self.put(device, wish.compile());
            return self.compiled.get(spec).cloned();
        }
        self.expect(device, spec);
        match spec {
            Spec::Plane(plane) => {
                let general = plane.general();
                self.expect(device, &Spec::Plane(general.clone()));
                self.expect(device, &Spec::Plane(general.clone().nearest()));
                self.compiled.get(&Spec::Plane(general)).cloned()
            }
            Spec::Volume(volume) => {
                self.expect(device, &Spec::Volume(volume.clone().nearest()));
                None
            }
        }
    }

    /// A program is likely to be needed: where programs are compiled beside, it is wished for.
    pub fn expect(&mut self, device: &wgpu::Device, spec: &Spec) {
        if self.beside && !self.compiled.contains(spec) && self.pending.insert(spec.clone()) {
            let wish = self.wish(device, spec.clone());
            self.wishes.push(wish);
        }
    }

    fn wish(&mut self, device: &wgpu::Device, spec: Spec) -> Wish {
        let layout = self.layouts(device, &spec).pipeline.clone();
        Wish { device: device.clone(), layout, spec }
    }
}
