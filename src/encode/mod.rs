//! Video encoders behind one trait.

pub mod avcc;
pub mod bits;
pub mod decode;
mod nvenc_sys;
pub mod openh264;
mod openh264_sys;
pub mod probe;
pub mod sps;

use lucida_components::stream::Canvas;

/// A picture to encode, borrowed straight from the mapped readback buffer: I420, BT.709 limited range.
#[derive(Debug, Clone, Copy)]
pub struct I420<'a> {
    /// Picture size; both even.
    pub canvas: Canvas,
    /// Luma, `stride` bytes per row, `height` rows.
    pub y: &'a [u8],
    /// Cb, `stride / 2` bytes per row, `height / 2` rows.
    pub u: &'a [u8],
    /// Cr, likewise.
    pub v: &'a [u8],
    /// Bytes per luma row, ≥ width, even.
    pub stride: usize,
}

/// What an encoder is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// Picture size.
    pub canvas: Canvas,
    /// Highest frame rate, for rate control.
    pub fps: f32,
    /// Target, bits per second.
    pub bitrate: u32,
    /// Threads it may use.
    pub threads: u16,
}

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    /// NALs, each behind its 4-byte big-endian length; SPS and PPS in band before an IDR.
    pub avcc: Vec<u8>,
    /// Whether decoding can start here.
    pub keyframe: bool,
    /// Present with every keyframe.
    pub parameters: Option<ParameterSets>,
}

/// What a decoder has to know beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSets {
    /// `AVCDecoderConfigurationRecord`.
    pub avcc: Vec<u8>,
    /// From the real SPS, for example `avc1.42C01F`.
    pub codec: String,
}

/// Why an encoder cannot be had, or a picture not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The encoder could not be opened.
    #[error("{encoder}: cannot open: {reason}")]
    Open {
        /// Which.
        encoder: &'static str,
        /// Why.
        reason: String,
    },
    /// A picture failed.
    #[error("{encoder}: cannot encode: {reason}")]
    Encode {
        /// Which.
        encoder: &'static str,
        /// Why.
        reason: String,
    },
    /// The emitted parameter sets cannot be read.
    #[error("parameter set: {0}")]
    ParameterSet(String),
}

/// A video encoder. Missing hardware or libraries are an `Err` of the type's own `new`.
pub trait VideoEncoder: Send {
    /// Encodes one picture, at once: one in, one out, nothing held back.
    ///
    /// # Errors
    /// [`EncodeError::Encode`], [`EncodeError::ParameterSet`].
    fn encode(&mut self, picture: I420<'_>, keyframe: bool) -> Result<AccessUnit, EncodeError>;

    /// Its name, for people.
    fn name(&self) -> &'static str;
}
