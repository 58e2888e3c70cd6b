//! The plane shader, specialised by what is on screen.

use bevy_ecs::prelude::*;
use lru::LruCache;
use lucida_components::{controls::Blending, dtype::Dtype};
use std::{collections::HashSet, fmt::Write, num::NonZeroUsize, sync::Arc};

const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/plane.wgsl"));
const MARKER: &str = "//@layers";

/// Layers and levels that the uniform buffers of the shader hold.
const MAX_UNIFORM: [usize; 2] = [64, 256];
/// The shader's declarations of both, and what they become in a large program.
const DECLARED: [[&str; 2]; 2] = [
    ["var<uniform> layers: array<Layer, 64>", "var<storage, read> layers: array<Layer>"],
    ["var<uniform> levels: array<Level, 256>", "var<storage, read> levels: array<Level>"],
];
/// Bytes that a uniform buffer of either must have, whatever is in it.
pub const UNIFORM_BYTES: u64 = 256 * size_of::<super::params::Level>() as u64;

/// Up to this many layers are drawn by a call each; runs of equal layers beyond are drawn in loops.
const UNROLLED: usize = 6;

/// Programs kept. A program is a few kilobytes and some 20 ms of compiling on a software driver.
const KEPT: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// What selects the code of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each bool removes one branch from the shader")]
pub struct LayerSpec {
    /// Value type.
    pub dtype: Dtype,
    /// Linear instead of nearest.
    pub linear: bool,
    /// It lies under the pixels exactly as the layer before it: their place is found once.
    pub shared: bool,
    /// All tiles of the target are resident: no coarser level is looked at.
    pub single: bool,
    /// Gamma is not 1.
    pub gamma: bool,
    /// The colormap is a table.
    pub lut: bool,
    /// Opacity is not 1.
    pub faded: bool,
    /// Blending.
    pub blending: Blending,
}

impl LayerSpec {
    /// The same picture by code that leaves nothing out: slower, and the same for many states of a layer.
    fn general(self) -> Self {
        Self { shared: false, single: false, gamma: true, faded: true, ..self }
    }
}

/// What selects a program: its layers, bottom first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Spec {
    /// Visible layers, bottom first.
    pub layers: Vec<LayerSpec>,
    /// More than the uniform buffers hold.
    pub large: bool,
}

impl Spec {
    /// Whether this many layers and levels need storage buffers.
    pub fn is_large(layers: usize, levels: usize) -> bool {
        layers > MAX_UNIFORM[0] || levels > MAX_UNIFORM[1]
    }

    /// A program that draws the same picture, and also those of other states of its layers.
    fn general(&self) -> Self {
        Self { layers: self.layers.iter().map(|l| l.general()).collect(), large: self.large }
    }

    /// The same with the nearest values.
    fn nearest(mut self) -> Self {
        self.layers.iter_mut().for_each(|l| l.linear = false);
        self
    }

    /// Layers in a program of many are drawn in loops: how many stand in each loop does not select the
    /// program, only the sequence of runs does. The counts come with the parameters.
    fn runs(&self) -> Vec<(LayerSpec, usize)> {
        let mut runs: Vec<(LayerSpec, usize)> = Vec::new();
        for spec in &self.layers {
            match runs.last_mut() {
                Some((last, n)) if last == spec && self.layers.len() > UNROLLED => *n += 1,
                _ => runs.push((*spec, 1)),
            }
        }
        runs
    }

    /// The shader's text.
    pub fn source(&self) -> String {
        let mut calls = String::from("var p: Place;\n    ");
        let mut at = 0;
        for (s, n) in self.runs() {
            let dtype = match s.dtype {
                Dtype::U8 => "U8",
                Dtype::U16 => "U16",
                Dtype::I16 => "I16",
                Dtype::F32 => "F32",
                Dtype::U32 => "U32",
            };
            let mode = s.blending.as_str().to_ascii_uppercase();
            let call = |l: &str| {
                format!(
                    "color = layer(color, {l}, p, pixel, {dtype}, {}, {}, {}, {}, {}, {mode});",
                    s.linear, s.single, s.gamma, s.lut, s.faded
                )
            };
            let place = |l: &str| format!("p = wanted({l}, pixel, {});", s.linear);
            let line = match (n, s.shared) {
                (1, true) => format!("{}\n    ", call(&format!("{at}u"))),
                (1, false) => format!("{} {}\n    ", place(&format!("{at}u")), call(&format!("{at}u"))),
                (_, true) => format!("for (var l = {at}u; l < {}u; l++) {{ {} }}\n    ", at + n, call("l")),
                (_, false) => {
                    format!(
                        "for (var l = {at}u; l < {}u; l++) {{ {} {} }}\n    ",
                        at + n,
                        place("l"),
                        call("l")
                    )
                }
            };
            // Writing into a String cannot fail.
            let _ = calls.write_str(&line);
            at += n;
        }
        let mut source = SOURCE.replacen(MARKER, calls.trim_end(), 1);
        if self.large {
            for [small, large] in DECLARED {
                source = source.replacen(small, large, 1);
            }
        }
        source
    }
}

/// Compiled programs.
#[derive(Resource)]
pub struct Programs {
    /// For small programs and for large ones.
    layouts: [Layouts; 2],
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
    /// Compiles it: some 20 ms on a software driver.
    pub fn compile(self) -> Made {
        let started = std::time::Instant::now();
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("plane"),
            source: wgpu::ShaderSource::Wgsl(self.spec.source().into()),
        });
        let program = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("plane"),
            layout: Some(&self.layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        tracing::debug!(
            layers = self.spec.layers.len(),
            millis = started.elapsed().as_secs_f64() * 1e3,
            "plane program"
        );
        Made { device: self.device, spec: self.spec, program }
    }
}

struct Layouts {
    group: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

impl Layouts {
    fn new(device: &wgpu::Device, large: bool) -> Self {
        let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
        let storage = |read_only| buffer(wgpu::BufferBindingType::Storage { read_only });
        let uniform = buffer(wgpu::BufferBindingType::Uniform);
        let entries: Vec<_> = (0..9)
            .map(|binding| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: match binding {
                    0 => uniform,
                    1 | 2 if !large => uniform,
                    8 => storage(false),
                    _ => storage(true),
                },
                count: None,
            })
            .collect();
        let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("plane"),
            entries: &entries,
        });
        let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("plane"),
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
        Self { group, pipeline }
    }
}

impl Programs {
    /// The layouts that programs share; nothing compiled yet.
    pub fn new(device: &wgpu::Device) -> Self {
        let layouts = [false, true].map(|large| Layouts::new(device, large));
        Self {
            layouts,
            compiled: LruCache::new(KEPT),
            beside: false,
            wishes: Vec::new(),
            pending: HashSet::new(),
        }
    }

    /// The bind group layout of a spec's program.
    pub fn layout(&self, spec: &Spec) -> &wgpu::BindGroupLayout {
        &self.layouts[usize::from(spec.large)].group
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
        let general = spec.general();
        for spec in [spec.clone(), general.clone(), general.clone().nearest()] {
            if !self.compiled.contains(&spec) && self.pending.insert(spec.clone()) {
                let wish = self.wish(device, spec);
                self.wishes.push(wish);
            }
        }
        self.compiled.get(&general).cloned()
    }

    fn wish(&self, device: &wgpu::Device, spec: Spec) -> Wish {
        let layout = self.layouts[usize::from(spec.large)].pipeline.clone();
        Wish { device: device.clone(), layout, spec }
    }
}
