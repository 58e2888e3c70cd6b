//! A stream: one view encoded one way. Sessions subscribe to streams.

use bevy_ecs::component::Component;
use serde::{Deserialize, Serialize};

/// Size of a picture in pixels. On the entity of a view: the size in whose pixels its camera counts, as requested.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Canvas {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Canvas {
    /// What the encoders take: H.264 through OpenH264 up to 3840×2160, at least 16×16, even.
    pub const MAX: Self = Self { width: 3840, height: 2160 };
    /// The smallest canvas.
    pub const MIN: Self = Self { width: 16, height: 16 };

    /// Clamped to [`Self::MIN`]..=[`Self::MAX`] and rounded down to even.
    #[must_use]
    pub fn fitted(width: i64, height: i64) -> Self {
        let fit = |v: i64, lo: u32, hi: u32| (v.clamp(i64::from(lo), i64::from(hi)) as u32) & !1;
        Self {
            width: fit(width, Self::MIN.width, Self::MAX.width),
            height: fit(height, Self::MIN.height, Self::MAX.height),
        }
    }
}

impl Default for Canvas {
    fn default() -> Self {
        Self { width: 1280, height: 720 }
    }
}

/// Which row of the picture is coded first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// The top row, as browsers expect.
    #[default]
    TopDown,
    /// The bottom row, as napari-cuda's client expects.
    BottomUp,
}

/// The stream block, as requested; its view is a [`crate::ids::ViewId`] beside it on the entity.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stream {
    /// Picture size.
    pub canvas: Canvas,
    /// Row order.
    pub orientation: Orientation,
}

/// What the encoder of a stream negotiated: filled in when its first keyframe was made, told to clients.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// Picture size.
    pub canvas: Canvas,
    /// Codec string from the real SPS, for example `avc1.42C01F`.
    pub codec: String,
    /// `AVCDecoderConfigurationRecord`.
    pub avcc: Vec<u8>,
    /// The encoder's name, for people.
    pub encoder: &'static str,
}

/// How many configurations a stream has had. Beside its [`StreamConfig`].
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConfigCount(pub u64);
