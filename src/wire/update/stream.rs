//! Scope `stream`.

use super::{Asked, read::numbers};
use lucida_components::{fault::Rejection, intent::Change, stream::Canvas};

pub(super) fn stream(asked: &Asked<'_>) -> Result<Change, Rejection> {
    asked.on_main()?;
    if asked.key != "canvas" {
        return Err(asked.unsupported_key());
    }
    let [width, height] = numbers(Some(asked.value), "canvas")?;
    // Out of range saturates, and is then fitted.
    Ok(Change::Canvas(Canvas::fitted(width as i64, height as i64)))
}
