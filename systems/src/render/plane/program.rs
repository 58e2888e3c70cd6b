//! The plane shader, specialised by what is on screen.

use lucida_components::{
    controls::{Blending, Interpolation, Projection},
    dtype::Dtype,
};
use std::fmt::Write;

const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/plane.wgsl"));
const MARKER: &str = "//@layers";
/// Put behind it where a layer needs them.
const WIDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/wide.wgsl"));
const LABELS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/labels.wgsl"));
/// What volumes have too: the first always, the second with labels.
pub(crate) const SHARED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/shared.wgsl"));
pub(crate) const LABEL_COLORS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/shaders/label_colors.wgsl"));

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

/// How values between texels are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// The nearest texel.
    Nearest,
    /// Bilinear: of four.
    Linear,
    /// Catmull-Rom: of sixteen.
    Cubic,
}

impl Sampling {
    /// Only the texel under the pixel has a part.
    pub fn is_near(self) -> bool {
        self == Self::Nearest
    }

    fn word(self) -> &'static str {
        match self {
            Self::Nearest => "NEAREST",
            Self::Linear => "LINEAR",
            Self::Cubic => "CUBIC",
        }
    }
}

impl From<Interpolation> for Sampling {
    fn from(asked: Interpolation) -> Self {
        match asked {
            Interpolation::Nearest => Self::Nearest,
            Interpolation::Linear => Self::Linear,
            Interpolation::Cubic => Self::Cubic,
        }
    }
}

/// What is made of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Intensities.
    Image {
        /// How a thick slice becomes one plane.
        projection: Projection,
    },
    /// Names of objects.
    Labels {
        /// There is a table of given colours.
        given: bool,
        /// Outlines instead of areas.
        outlined: bool,
        /// Only the selected one.
        alone: bool,
    },
}

/// What selects the code of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each bool removes one branch from the shader")]
pub struct LayerSpec {
    /// Value type.
    pub dtype: Dtype,
    /// Intensities or names.
    pub kind: Kind,
    /// Between texels; labels are always nearest.
    pub sampling: Sampling,
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
    /// Whether more has a part in a value than the plane shader itself knows.
    fn is_wide(&self) -> bool {
        match self.kind {
            Kind::Image { projection } => projection != Projection::None || self.sampling == Sampling::Cubic,
            Kind::Labels { .. } => false,
        }
    }

    /// The call that draws layer `l` over `color`.
    fn call(&self, l: &str, dtype: &str) -> String {
        let Self { sampling, single, gamma, lut, faded, .. } = self;
        let mode = self.blending.as_str().to_ascii_uppercase();
        match self.kind {
            Kind::Labels { given, outlined, alone } => format!(
                "color = labels_layer(color, {l}, p, pixel, {dtype}, {single}, {given}, {outlined}, {alone}, \
                 {faded}, {mode});"
            ),
            Kind::Image { projection } if self.is_wide() => {
                let (sampling, projection) = (sampling.word(), projection.as_str().to_ascii_uppercase());
                format!(
                    "color = shade(color, {l}, sample_layer_wide({l}, p, pixel, {dtype}, {sampling}, \
                     {projection}, {single}), {gamma}, {lut}, {faded}, {mode});"
                )
            }
            Kind::Image { .. } => {
                let linear = !sampling.is_near();
                format!(
                    "color = layer(color, {l}, p, pixel, {dtype}, {linear}, {single}, {gamma}, {lut}, \
                     {faded}, {mode});"
                )
            }
        }
    }

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
    pub(crate) fn general(&self) -> Self {
        Self { layers: self.layers.iter().map(|l| l.general()).collect(), large: self.large }
    }

    /// The same with the nearest values.
    pub(crate) fn nearest(mut self) -> Self {
        self.layers.iter_mut().for_each(|l| l.sampling = Sampling::Nearest);
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

    /// What its bind group holds.
    pub(crate) fn bindings(&self) -> Vec<wgpu::BindingType> {
        let buffer = |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
        let storage = |read_only| buffer(wgpu::BufferBindingType::Storage { read_only });
        let uniform = buffer(wgpu::BufferBindingType::Uniform);
        let kind = |binding| match binding {
            0 => uniform,
            1 | 2 if !self.large => uniform,
            8 => storage(false),
            _ => storage(true),
        };
        (0..9).map(kind).collect()
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
            let call = |l: &str| s.call(l, dtype);
            let place = |l: &str| format!("p = wanted({l}, pixel, {});", !s.sampling.is_near());
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
        source.push_str(SHARED);
        if self.layers.iter().any(LayerSpec::is_wide) {
            source.push_str(WIDE);
        }
        if self.layers.iter().any(|l| matches!(l.kind, Kind::Labels { .. })) {
            source.push_str(LABELS);
            source.push_str(LABEL_COLORS);
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

    fn validate(spec: &Spec) {
        let source = spec.source();
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

    const PLAIN: LayerSpec = LayerSpec {
        dtype: Dtype::U16,
        kind: Kind::Image { projection: Projection::None },
        sampling: Sampling::Linear,
        shared: false,
        single: true,
        gamma: false,
        lut: false,
        faded: false,
        blending: Blending::Additive,
    };

    /// Every kind, sampling and projection there is.
    fn looks() -> Vec<LayerSpec> {
        let mut looks = Vec::new();
        for single in [false, true] {
            for sampling in [Sampling::Nearest, Sampling::Linear, Sampling::Cubic] {
                looks.extend(Projection::ALL.iter().map(|p| {
                    let kind = Kind::Image { projection: *p };
                    LayerSpec { kind, sampling, single, dtype: Dtype::F32, ..PLAIN }
                }));
            }
            for n in 0..8 {
                let kind = Kind::Labels { given: n & 1 > 0, outlined: n & 2 > 0, alone: n & 4 > 0 };
                looks.push(LayerSpec {
                    kind,
                    sampling: Sampling::Nearest,
                    single,
                    dtype: Dtype::U32,
                    ..PLAIN
                });
            }
        }
        looks
    }

    #[test]
    fn every_program_is_valid_unrolled_and_in_loops_small_and_large() {
        for look in looks() {
            for layers in [vec![look], vec![PLAIN, look, look], vec![look; UNROLLED + 2]] {
                validate(&Spec { layers: layers.clone(), large: false });
                validate(&Spec { layers, large: true });
            }
        }
    }

    #[test]
    fn who_needs_neither_labels_nor_width_does_not_compile_them() {
        let plain = Spec { layers: vec![PLAIN; 3], large: false }.source();
        assert!(!plain.contains("fn sample_wide") && !plain.contains("fn labels_layer"));
        for look in looks() {
            let source = Spec { layers: vec![PLAIN, look], large: false }.source();
            let is_labels = matches!(look.kind, Kind::Labels { .. });
            assert_eq!(source.contains("fn labels_layer"), is_labels);
            assert_eq!(source.contains("fn sample_wide"), look.is_wide());
        }
    }
}
