//! What several tests need: devices, images made of a function, pictures.
#![allow(dead_code, reason = "each test uses its part")]

pub mod array;

use lucida::{
    app::{
        still::{Picture, Stills},
        world::WorldSettings,
    },
    data::Opened,
    gpu::device::{self, Device},
};
use lucida_components::intent::Change;
use std::path::PathBuf;

/// The software driver (or a GPU). Where there is none the test cannot run, and says so.
pub fn device() -> Option<Device> {
    // `LUCIDA_LOG=debug` shows what a test's world does. The second test of a binary finds it set up.
    let filter = tracing_subscriber::EnvFilter::from_env("LUCIDA_LOG");
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    match device::open() {
        Ok(device) => Some(device),
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            None
        }
    }
}

/// The folder of real images, where it is there.
pub fn real_images() -> Option<PathBuf> {
    let shared = std::env::var_os("LUCIDA_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("SKIPPED: no real images at {}", data.display());
    None
}

/// A world of stills on an image.
pub fn stills(device: &Device, opened: Opened) -> Stills {
    Stills::new(device.clone(), WorldSettings::of(device), opened).expect("a world")
}

/// One picture of an image after these changes.
pub fn picture(device: &Device, opened: Opened, changes: Vec<Change>) -> Picture {
    stills(device, opened).draw(changes).expect("a picture")
}

/// RGB of a pixel.
pub fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = ((y * picture.canvas.width + x) * 4) as usize;
    [picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]]
}
