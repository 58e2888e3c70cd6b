//! The volume shader, specialised by what is on screen.
//!
//! Only what changes the code of the innermost loop selects a program: value type, mode and interpolation. Colours,
//! blending, levels and what is resident come with the parameters, so that a flight compiles nothing.

use super::{
    super::plane::program::{LABEL_COLORS, SHARED},
    params::{Layer, Level},
};
use lucida_components::{
    applied::{LayerState, ViewState},
    controls::{Interpolation, Rendering},
    dtype::Dtype,
    layer::LayerKind,
};
use std::fmt::Write;

macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/", $name))
    };
}

const SOURCE: &str = shader!("volume.wgsl");
const MARKER: &str = "//@layers";
const VALUES: &str = shader!("volume_values.wgsl");
const MARCH: &str = shader!("volume_march.wgsl");
const COLORS: &str = shader!("volume_colors.wgsl");
const SURFACE: &str = shader!("volume_surface.wgsl");

/// How 32-bit floats are sampled, and how where the device's sampler does not take them.
const SAMPLED: [&str; 2] =
    ["textureSampleLevel(bricks32, between, (first + p + 0.5) * scale, 0.0).r", "by_eight(F32, first, p)"];

/// Layers and levels that the uniform buffers of the shader hold.
const MAX_UNIFORM: [usize; 2] = [64, 256];
/// Bytes of the uniform buffer of layers.
pub const LAYERS_BYTES: u64 = (MAX_UNIFORM[0] * size_of::<Layer>()) as u64;
/// Bytes of the uniform buffer of levels.
pub const LEVELS_BYTES: u64 = (MAX_UNIFORM[1] * size_of::<Level>()) as u64;
/// The shader's declarations of both, and what they become in a large program.
const DECLARED: [[&str; 2]; 2] = [
    ["var<uniform> layers: array<Layer, 64>", "var<storage, read> layers: array<Layer>"],
    ["var<uniform> levels: array<Level, 256>", "var<storage, read> levels: array<Level>"],
];

/// What is made of the values along a ray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Intensities, in one of their modes.
    Image(Rendering),
    /// Names of objects.
    Labels,
}

impl Mode {
    /// The mode of a layer.
    pub fn of(layer: &LayerState) -> Self {
        match layer.layer.kind {
            LayerKind::Image => Self::Image(layer.controls.rendering),
            LayerKind::Labels => Self::Labels,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Image(Rendering::Mip) => "MIP",
            Self::Image(Rendering::MinIp) => "MINIP",
            Self::Image(Rendering::AttenuatedMip) => "ATTENUATED_MIP",
            Self::Image(Rendering::Average) => "AVERAGE_MODE",
            Self::Image(Rendering::Translucent) => "TRANSLUCENT_MODE",
            Self::Image(Rendering::Additive) => "ADDITIVE_MODE",
            Self::Image(Rendering::Iso) => "ISO",
            Self::Labels => "LABELS",
        }
    }
}

/// What selects the code of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LayerSpec {
    /// Value type.
    pub dtype: Dtype,
    /// What is made of its values.
    pub mode: Mode,
    /// Trilinear; else the nearest voxel.
    pub linear: bool,
}

impl LayerSpec {
    /// The code of a layer; `nearest` takes the nearest voxels whatever was asked for.
    pub fn of(layer: &LayerState, dtype: Dtype, nearest: bool) -> Self {
        let mode = Mode::of(layer);
        let linear =
            mode != Mode::Labels && !nearest && layer.controls.interpolation != Interpolation::Nearest;
        Self { dtype, mode, linear }
    }

    fn has_surface(self) -> bool {
        matches!(self.mode, Mode::Labels | Mode::Image(Rendering::Iso))
    }

    /// The lines that draw layer `l` over `color`.
    fn call(self) -> String {
        let Self { linear, .. } = self;
        let dtype = match self.dtype {
            Dtype::U8 => "U8",
            Dtype::U16 => "U16",
            Dtype::I16 => "I16",
            Dtype::F32 => "F32",
            Dtype::U32 => "U32",
        };
        let mode = self.mode.word();
        let gathered = format!("let g = march(l, ray, {dtype}, {linear}, {mode});");
        let shown = match self.mode {
            Mode::Labels => format!("object_of(l, ray, g, {dtype})"),
            Mode::Image(Rendering::Iso) => format!("surface_of(l, ray, g, {dtype}, {linear})"),
            Mode::Image(_) => format!("color_of(l, g, {mode})"),
        };
        format!("{gathered} color = over(color, l, {shown});")
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

    /// The program that the layers of a state will most likely need in three dimensions.
    pub fn likely(state: &ViewState) -> Self {
        let visible = state.layers.iter().filter(|l| l.controls.visible && l.controls.opacity > 0.0);
        let images = visible.filter_map(|l| Some((l, state.dataset.images.get(l.layer.image)?)));
        let mut spec = Self::default();
        let mut levels = 0;
        for (layer, image) in images {
            spec.layers.push(LayerSpec::of(layer, image.dtype, false));
            levels += image.levels.len();
        }
        spec.large = Self::is_large(spec.layers.len(), levels);
        spec
    }

    /// The same with the nearest values.
    pub(crate) fn nearest(mut self) -> Self {
        self.layers.iter_mut().for_each(|l| l.linear = false);
        self
    }

    /// What its bind group holds; `filtering`: the device's sampler takes 32-bit floats.
    pub(crate) fn bindings(&self, filtering: bool) -> Vec<wgpu::BindingType> {
        let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
        let storage = |read_only| buffer(wgpu::BufferBindingType::Storage { read_only });
        let uniform = buffer(wgpu::BufferBindingType::Uniform);
        let texture = |sample_type| wgpu::BindingType::Texture {
            sample_type,
            view_dimension: wgpu::TextureViewDimension::D3,
            multisampled: false,
        };
        let float = |filterable| texture(wgpu::TextureSampleType::Float { filterable });
        let kind = |binding| match binding {
            0 => uniform,
            1 | 2 if !self.large => uniform,
            1..=7 => storage(true),
            8 | 9 => float(true),
            10 => float(filtering),
            11 => texture(wgpu::TextureSampleType::Uint),
            12 => wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
            _ => storage(false),
        };
        (0..14).map(kind).collect()
    }

    /// The shader's text; `filtering`: the device's sampler takes 32-bit floats.
    pub fn source(&self, filtering: bool) -> String {
        let mut calls = String::new();
        let mut at = 0;
        // Layers of the same code are drawn in a loop.
        for run in self.layers.chunk_by(PartialEq::eq) {
            let end = at + run.len();
            // Writing into a String cannot fail.
            let _ = write!(
                calls,
                "for (var n = {at}u; n < {end}u; n++) {{ let l = n + zero; {} }}\n    ",
                run[0].call()
            );
            at = end;
        }
        let mut source = SOURCE.replacen(MARKER, calls.trim_end(), 1);
        for piece in [VALUES, MARCH, COLORS, SHARED] {
            source.push_str(piece);
        }
        if self.layers.iter().any(|l| l.has_surface()) {
            source.push_str(SURFACE);
            source.push_str(LABEL_COLORS);
        }
        if !filtering {
            source = source.replacen(SAMPLED[0], SAMPLED[1], 1);
        }
        if self.large {
            for [small, large] in DECLARED {
                source = source.replacen(small, large, 1);
            }
        }
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::naga;

    fn validate(spec: &Spec, filtering: bool) {
        let source = spec.source(filtering);
        let module = naga::front::wgsl::parse_str(&source)
            .unwrap_or_else(|e| panic!("{spec:?}: {}", e.emit_to_string(&source)));
        let mut validator = naga::valid::Validator::new(
            naga::valid::ValidationFlags::all(),
            naga::valid::Capabilities::default(),
        );
        if let Err(e) = validator.validate(&module) {
            panic!("{spec:?}: {}", e.emit_to_string(&source));
        }
    }

    /// Every code that a layer can have.
    fn looks() -> Vec<LayerSpec> {
        let numbers = [Dtype::U8, Dtype::U16, Dtype::I16, Dtype::F32];
        let mut looks = Vec::new();
        for dtype in numbers {
            for mode in Rendering::ALL {
                looks.extend([false, true].map(|linear| LayerSpec {
                    dtype,
                    mode: Mode::Image(*mode),
                    linear,
                }));
            }
        }
        looks.extend([Dtype::U8, Dtype::U16, Dtype::U32].map(|dtype| LayerSpec {
            dtype,
            mode: Mode::Labels,
            linear: false,
        }));
        looks
    }

    #[test]
    fn every_program_is_valid_alone_and_among_others_small_and_large() {
        validate(&Spec::default(), true);
        let looks = looks();
        for (n, look) in looks.iter().enumerate() {
            let other = looks[(n * 7 + 3) % looks.len()];
            for layers in [vec![*look], vec![other, *look, *look]] {
                validate(&Spec { layers: layers.clone(), large: false }, n % 2 == 0);
                validate(&Spec { layers, large: true }, n % 2 == 1);
            }
        }
    }

    #[test]
    fn what_a_text_becomes_stands_in_it() {
        let spec = Spec { layers: looks(), large: true };
        let (with, without) = (spec.source(true), spec.source(false));
        assert_eq!(with.matches(SAMPLED[0]).count(), 1);
        assert_eq!(without.matches(SAMPLED[0]).count(), 0);
        for [small, large] in DECLARED {
            assert!(!with.contains(small) && with.contains(large));
        }
        let storage = with.matches("var<storage").count();
        assert!(storage <= 8, "{storage} storage buffers, of which every driver has eight");
    }

    #[test]
    fn who_has_no_surface_does_not_compile_one() {
        for look in looks() {
            let source = Spec { layers: vec![look], large: false }.source(true);
            assert_eq!(source.contains("fn facing"), look.has_surface());
        }
    }
}
