//! How one layer is drawn. One component: it is requested, checked and applied as a whole.

use crate::layer::LayerKind;
use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// Makes an enum whose words are the wire's, with parsing in any case.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }
        impl $name {
            /// Every value, in the order to be listed.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The wire's word.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),+ } }
            /// Reads the wire's word in any case.
            pub fn parse(text: &str) -> Option<Self> {
                let text = text.trim();
                Self::ALL.iter().copied().find(|v| v.as_str().eq_ignore_ascii_case(text))
            }
        }
    };
}

words! {
    /// How a layer joins what lies below it. `s` = the layer's colour, `d` = what is below, `a` = opacity.
    Blending {
        /// `s·a`: hides what is below; opacity fades to black.
        Opaque = "opaque",
        /// `s·a + d·(1−a)`.
        Translucent = "translucent",
        /// `d + s·a`.
        Additive = "additive",
        /// `mix(d, min(d, s), a)`.
        Minimum = "minimum",
        /// `mix(d, max(d, s), a)`.
        Maximum = "maximum",
        /// `mix(d, (d + s)/2, a)`.
        Average = "average",
        /// `mix(d, d·s, a)`.
        Multiplicative = "multiplicative",
    }
}

words! {
    /// How values between voxel centres are made.
    Interpolation {
        /// The nearest voxel.
        Nearest = "nearest",
        /// Bilinear in the plane, trilinear in a volume.
        Linear = "linear",
        /// Bicubic (Catmull-Rom) in the plane; linear in a volume.
        Cubic = "cubic",
    }
}

words! {
    /// What of a volume is shown in 3D.
    Depiction {
        /// All of it.
        Volume = "volume",
        /// A slab.
        Plane = "plane",
    }
}

words! {
    /// How a thick slice becomes one plane.
    Projection {
        /// The place itself, margins ignored.
        None = "none",
        /// Sum over the margins.
        Sum = "sum",
        /// Mean over the margins.
        Mean = "mean",
        /// Minimum over the margins.
        Minimum = "min",
        /// Maximum over the margins.
        Maximum = "max",
    }
}

words! {
    /// How a volume is rendered in 3D.
    Rendering {
        /// Maximum intensity projection.
        Mip = "mip",
        /// Minimum intensity projection.
        MinIp = "minip",
        /// Maximum intensity projection, attenuated with depth.
        AttenuatedMip = "attenuated_mip",
        /// Mean along the ray.
        Average = "average",
        /// Emission and absorption.
        Translucent = "translucent",
        /// Sum along the ray.
        Additive = "additive",
        /// First surface above the threshold.
        Iso = "iso",
    }
}

/// The controls block of a layer. Contrast limits and the iso threshold are in raw units of the data.
#[derive(Component, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// Whether it is drawn.
    pub visible: bool,
    /// 0..=1.
    pub opacity: f64,
    /// How it joins what is below.
    pub blending: Blending,
    /// Between voxels.
    pub interpolation: Interpolation,
    /// A name known to [`crate::colormap`], or `#rrggbb` for a ramp from black; [`crate::labels::COLORMAP`]
    /// for labels, always.
    pub colormap: String,
    /// Exponent on the normalised value, > 0.
    pub gamma: f64,
    /// `[lo, hi]`, raw units, lo < hi.
    pub contrast_limits: [f64; 2],
    /// Volume or plane in 3D.
    pub depiction: Depiction,
    /// How the thick slice projects.
    pub projection: Projection,
    /// Thickness of the `plane` depiction in voxels of the finest level, > 0.
    pub plane_thickness: f64,
    /// A point of the `plane` depiction's middle, world x, y, z; `None` is the middle of the layer.
    pub plane_position: Option<[f64; 3]>,
    /// Normal of the `plane` depiction in world x, y, z; not zero.
    pub plane_normal: [f64; 3],
    /// 3D mode.
    pub rendering: Rendering,
    /// Extinction of a normalised value of 1 per voxel of the finest level, ≥ 0: for `attenuated_mip`,
    /// `translucent` and `additive`.
    pub attenuation: f64,
    /// For `iso`, raw units.
    pub iso_threshold: f64,
    /// Distance of ray samples in voxels, 0.1..=4.
    pub sample_step: f64,
    /// For labels: thickness of outlines in voxels of the level shown, at most
    /// [`crate::labels::MOST_CONTOUR`]; 0 fills.
    pub contour: u32,
    /// For labels: the id that is chosen ([`crate::labels::drawn_id`]); 0 is the background.
    pub selected_label: u32,
    /// For labels: only the chosen id is drawn.
    pub show_selected_label: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            visible: true,
            opacity: 1.0,
            blending: Blending::Additive,
            interpolation: Interpolation::Linear,
            colormap: "gray".into(),
            gamma: 1.0,
            contrast_limits: [0.0, 1.0],
            depiction: Depiction::Volume,
            projection: Projection::None,
            plane_thickness: 1.0,
            plane_position: None,
            plane_normal: [0.0, 0.0, 1.0],
            rendering: Rendering::Mip,
            attenuation: 0.05,
            iso_threshold: 0.5,
            sample_step: 1.0,
            contour: 0,
            selected_label: 1,
            show_selected_label: false,
        }
    }
}

impl Controls {
    /// How a labels layer starts: over the image, so that it shines through.
    pub fn labels() -> Self {
        Self {
            opacity: 0.7,
            blending: Blending::Translucent,
            interpolation: Interpolation::Nearest,
            colormap: crate::labels::COLORMAP.into(),
            ..Self::default()
        }
    }

    /// What a layer of this kind cannot be drawn with, as a sentence; `None` where all is well.
    pub fn fault(&self, kind: LayerKind) -> Option<&'static str> {
        let [lo, hi] = self.contrast_limits;
        if !(lo.is_finite() && hi.is_finite() && lo < hi) {
            return Some("contrast limits are not two finite numbers, lower first");
        }
        if !(0.0..=1.0).contains(&self.opacity) {
            return Some("opacity is outside 0..=1");
        }
        if !(self.gamma.is_finite() && self.gamma > 0.0) {
            return Some("gamma is not > 0");
        }
        if !(self.plane_thickness.is_finite() && self.plane_thickness > 0.0) {
            return Some("plane_thickness is not > 0");
        }
        if !(self.attenuation.is_finite() && self.attenuation >= 0.0) {
            return Some("attenuation is not 0 or more");
        }
        if !self.iso_threshold.is_finite() {
            return Some("iso_threshold is not a finite number");
        }
        if !(0.1..=4.0).contains(&self.sample_step) {
            return Some("sample_step is outside 0.1..=4");
        }
        let finite = |p: [f64; 3]| p.iter().all(|v| v.is_finite());
        if !(finite(self.plane_normal) && self.plane_normal.iter().any(|v| *v != 0.0)) {
            return Some("plane_normal is not three finite numbers, not all zero");
        }
        if self.plane_position.is_some_and(|p| !finite(p)) {
            return Some("plane_position is not three finite numbers");
        }
        match kind {
            LayerKind::Image if crate::colormap::canonical(&self.colormap).is_none() => {
                Some("colormap is unknown")
            }
            LayerKind::Labels if self.interpolation != Interpolation::Nearest => {
                Some("labels are drawn nearest")
            }
            LayerKind::Labels if self.colormap != crate::labels::COLORMAP => {
                Some("the colormap of labels is \"labels\"")
            }
            LayerKind::Labels if self.projection != Projection::None => Some("labels have no projection"),
            LayerKind::Image | LayerKind::Labels => None,
        }
    }
}

/// One control set to one value.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "named as the fields of `Controls`, which say what they mean")]
pub enum ControlChange {
    Visible(bool),
    Opacity(f64),
    Blending(Blending),
    Interpolation(Interpolation),
    Colormap(String),
    Gamma(f64),
    ContrastLimits([f64; 2]),
    Depiction(Depiction),
    Projection(Projection),
    PlaneThickness(f64),
    PlanePosition(Option<[f64; 3]>),
    PlaneNormal([f64; 3]),
    Rendering(Rendering),
    Attenuation(f64),
    IsoThreshold(f64),
    SampleStep(f64),
    Contour(u32),
    SelectedLabel(u32),
    ShowSelectedLabel(bool),
}

/// Names one control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as the fields of `Controls`, which say what they mean")]
pub enum ControlKey {
    Visible,
    Opacity,
    Blending,
    Interpolation,
    Colormap,
    Gamma,
    ContrastLimits,
    Depiction,
    Projection,
    PlaneThickness,
    PlanePosition,
    PlaneNormal,
    Rendering,
    Attenuation,
    IsoThreshold,
    SampleStep,
    Contour,
    SelectedLabel,
    ShowSelectedLabel,
}

impl ControlKey {
    /// Every key.
    pub const ALL: [Self; 19] = [
        Self::Visible,
        Self::Opacity,
        Self::Blending,
        Self::Interpolation,
        Self::Colormap,
        Self::Gamma,
        Self::ContrastLimits,
        Self::Depiction,
        Self::Projection,
        Self::PlaneThickness,
        Self::PlanePosition,
        Self::PlaneNormal,
        Self::Rendering,
        Self::Attenuation,
        Self::IsoThreshold,
        Self::SampleStep,
        Self::Contour,
        Self::SelectedLabel,
        Self::ShowSelectedLabel,
    ];

    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Opacity => "opacity",
            Self::Blending => "blending",
            Self::Interpolation => "interpolation",
            Self::Colormap => "colormap",
            Self::Gamma => "gamma",
            Self::ContrastLimits => "contrast_limits",
            Self::Depiction => "depiction",
            Self::Projection => "projection",
            Self::PlaneThickness => "plane_thickness",
            Self::PlanePosition => "plane_position",
            Self::PlaneNormal => "plane_normal",
            Self::Rendering => "rendering",
            Self::Attenuation => "attenuation",
            Self::IsoThreshold => "iso_threshold",
            Self::SampleStep => "sample_step",
            Self::Contour => "contour",
            Self::SelectedLabel => "selected_label",
            Self::ShowSelectedLabel => "show_selected_label",
        }
    }
}

impl ControlChange {
    /// Which control it sets.
    pub fn key(&self) -> ControlKey {
        match self {
            Self::Visible(_) => ControlKey::Visible,
            Self::Opacity(_) => ControlKey::Opacity,
            Self::Blending(_) => ControlKey::Blending,
            Self::Interpolation(_) => ControlKey::Interpolation,
            Self::Colormap(_) => ControlKey::Colormap,
            Self::Gamma(_) => ControlKey::Gamma,
            Self::ContrastLimits(_) => ControlKey::ContrastLimits,
            Self::Depiction(_) => ControlKey::Depiction,
            Self::Projection(_) => ControlKey::Projection,
            Self::PlaneThickness(_) => ControlKey::PlaneThickness,
            Self::PlanePosition(_) => ControlKey::PlanePosition,
            Self::PlaneNormal(_) => ControlKey::PlaneNormal,
            Self::Rendering(_) => ControlKey::Rendering,
            Self::Attenuation(_) => ControlKey::Attenuation,
            Self::IsoThreshold(_) => ControlKey::IsoThreshold,
            Self::SampleStep(_) => ControlKey::SampleStep,
            Self::Contour(_) => ControlKey::Contour,
            Self::SelectedLabel(_) => ControlKey::SelectedLabel,
            Self::ShowSelectedLabel(_) => ControlKey::ShowSelectedLabel,
        }
    }
}

impl Controls {
    /// Reads one control as the wire shows it.
    pub fn value(&self, key: ControlKey) -> crate::value::Value {
        use crate::value::Value;
        match key {
            ControlKey::Visible => Value::Bool(self.visible),
            ControlKey::Opacity => Value::Float(self.opacity),
            ControlKey::Blending => Value::Text(self.blending.as_str().into()),
            ControlKey::Interpolation => Value::Text(self.interpolation.as_str().into()),
            ControlKey::Colormap => Value::Text(self.colormap.clone()),
            ControlKey::Gamma => Value::Float(self.gamma),
            ControlKey::ContrastLimits => Value::Floats(self.contrast_limits.to_vec()),
            ControlKey::Depiction => Value::Text(self.depiction.as_str().into()),
            ControlKey::Projection => Value::Text(self.projection.as_str().into()),
            ControlKey::PlaneThickness => Value::Float(self.plane_thickness),
            ControlKey::PlanePosition => {
                Value::Floats(self.plane_position.map(Vec::from).unwrap_or_default())
            }
            ControlKey::PlaneNormal => Value::Floats(self.plane_normal.to_vec()),
            ControlKey::Rendering => Value::Text(self.rendering.as_str().into()),
            ControlKey::Attenuation => Value::Float(self.attenuation),
            ControlKey::IsoThreshold => Value::Float(self.iso_threshold),
            ControlKey::SampleStep => Value::Float(self.sample_step),
            ControlKey::Contour => Value::Int(i64::from(self.contour)),
            ControlKey::SelectedLabel => Value::Int(i64::from(self.selected_label)),
            ControlKey::ShowSelectedLabel => Value::Bool(self.show_selected_label),
        }
    }
}
