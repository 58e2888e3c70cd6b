//! Decodes what was encoded: for tests and for `lucida doctor`'s self check. Never in the way of a picture.

use super::{
    I420,
    avcc::{self, BrokenUnit},
    openh264_sys,
};
use lucida_components::stream::Canvas;

/// Why an access unit was not decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The decoder could not be opened.
    #[error("OpenH264's decoder: cannot open: {0}")]
    Open(String),
    /// The unit's lengths do not add up.
    #[error(transparent)]
    Broken(#[from] BrokenUnit),
    /// The decoder refused it.
    #[error("OpenH264's decoder: cannot decode: {0}")]
    Refused(String),
    /// The unit alone makes no picture: it is incomplete, or the decoder held it back.
    #[error("OpenH264's decoder: no picture came out")]
    NoPicture,
}

/// A decoded picture: I420, planes without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its size, cropped.
    pub canvas: Canvas,
    /// Luma, `width` × `height`.
    pub y: Vec<u8>,
    /// Cb, half of each, rounded up.
    pub u: Vec<u8>,
    /// Cr, likewise.
    pub v: Vec<u8>,
}

impl Picture {
    /// Borrowed for an encoder; only where the width is even.
    pub fn as_i420(&self) -> I420<'_> {
        I420 { canvas: self.canvas, y: &self.y, u: &self.u, v: &self.v, stride: self.canvas.width as usize }
    }
}

/// Decodes the access units of one stream, in order.
pub struct Decoder {
    decoder: openh264_sys::Decoder,
    /// The unit with start codes; kept for its memory.
    annex_b: Vec<u8>,
}

impl Decoder {
    /// Opens a decoder that conceals no error.
    ///
    /// # Errors
    /// [`DecodeError::Open`].
    pub fn new() -> Result<Self, DecodeError> {
        let decoder = openh264_sys::Decoder::open().map_err(DecodeError::Open)?;
        Ok(Self { decoder, annex_b: Vec::new() })
    }

    /// Decodes one access unit (NALs behind 4-byte lengths) into the picture it must yield at once.
    ///
    /// # Errors
    /// Every other [`DecodeError`].
    pub fn decode(&mut self, unit: &[u8]) -> Result<Picture, DecodeError> {
        self.annex_b.clear();
        for nal in avcc::nals(unit) {
            self.annex_b.extend([0, 0, 0, 1]);
            self.annex_b.extend_from_slice(nal?);
        }
        let decoded = self
            .decoder
            .decode(&self.annex_b)
            .map_err(DecodeError::Refused)?
            .ok_or(DecodeError::NoPicture)?;
        let (width, height) = (decoded.width, decoded.height);
        let [luma, chroma] = decoded.strides;
        let [y, u, v] = decoded.planes;
        Ok(Picture {
            canvas: Canvas { width: width as u32, height: height as u32 },
            y: tight(y, luma, width),
            u: tight(u, chroma, width.div_ceil(2)),
            v: tight(v, chroma, width.div_ceil(2)),
        })
    }
}

fn tight(plane: &[u8], stride: usize, width: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(plane.len().div_ceil(stride) * width);
    for row in plane.chunks(stride) {
        out.extend_from_slice(&row[..width]);
    }
    out
}
