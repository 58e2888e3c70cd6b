//! The size of a picture, as it is written: `1280x720`.

use super::{Failure, usage};
use lucida_components::stream::Canvas;

/// Reads the size that `option` was given.
pub fn size(option: &str, text: &str) -> Result<Canvas, Failure> {
    let bad = || usage(format!("{option} {text}: WIDTHxHEIGHT, even, 16x16 to 3840x2160"));
    let (w, h) = text.split_once(['x', '×']).ok_or_else(bad)?;
    let (w, h) = (w.trim().parse().map_err(|_| bad())?, h.trim().parse().map_err(|_| bad())?);
    let canvas = Canvas::fitted(w, h);
    if (i64::from(canvas.width), i64::from(canvas.height)) == (w, h) { Ok(canvas) } else { Err(bad()) }
}
