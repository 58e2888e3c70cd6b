//! Too little of everything: a GPU that is lost, a GPU that has no room, images larger than every budget.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stream/live.rs"]
#[expect(dead_code, reason = "shared with the stream tests")]
mod live;

mod lost;
mod refused;
mod vast;
mod volumes;

use common::array::ArrayImage;
use live::Shown;
use lucida_components::dtype::Dtype;
use std::sync::Arc;

/// Planes of one grey each: plane z has the value 40 + 3 z.
fn stairs() -> ArrayImage {
    let value = |_: usize, at: &[u64]| 40.0 + 3.0 * at[0] as f64;
    ArrayImage::new("zyx", &[60, 64, 64], Dtype::U8, Arc::new(value))
}

fn is_grey(shown: &Shown, value: f64) -> bool {
    shown.middle().iter().all(|c| (c - value).abs() < 4.0)
}
