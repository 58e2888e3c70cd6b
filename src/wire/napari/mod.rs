//! The dialect of napari-cuda's client: its conventions in terms of the ledger's, both ways.
//!
//! World y of the plane grows upward there (`rows`), contrast limits and the iso threshold count from 0 to 1
//! between the limits that the layer was opened with (`span`), and colormaps are napari's (`colormaps`).
//! Poses of volumes, pixels, steps and levels are the same in both.

mod colormaps;
mod reading;
mod rows;
mod span;
mod telling;
#[cfg(test)]
mod tests;

pub use reading::{knows, understood};
pub use telling::{camera_value, control_value, state};

/// The nearest number of so many decimals.
fn rounded(value: f64, decimals: i32) -> f64 {
    // Powers of ten are exact up to the 22nd, so that both forms round once.
    let power = 10f64.powi(decimals.unsigned_abs().min(22) as i32);
    let near = if decimals < 0 { (value / power).round() * power } else { (value * power).round() / power };
    if near.is_finite() { near } else { value }
}
