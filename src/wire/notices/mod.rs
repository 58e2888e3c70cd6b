//! Applied state → the payloads of notices.

pub mod camera;
pub mod dims;
pub mod idle;
pub mod incident;
pub mod layers;
pub mod level;
pub mod levels;
pub mod residency;
pub mod scene;
pub mod seats;
pub mod stream;
pub mod telemetry;
pub mod thumbnail;
pub mod view;

/// What is told about the server itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Name and path of each image that may be opened.
    pub datasets: Vec<(String, String)>,
    /// Highest frame rate.
    pub fps: f64,
    /// The encoder's name, if it is known before the first picture.
    pub encoder: Option<String>,
}

#[cfg(test)]
mod tests;
