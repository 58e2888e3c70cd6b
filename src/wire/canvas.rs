//! The size of the picture that a client's pixel coordinates refer to.

use lucida_components::stream::Canvas;
use std::sync::atomic::{AtomicU64, Ordering};

/// The canvas that a session was last told of. Its writer sets it, its reader counts pixel rows by it.
#[derive(Debug)]
pub struct KnownCanvas(AtomicU64);

impl Default for KnownCanvas {
    fn default() -> Self {
        let known = Self(AtomicU64::new(0));
        known.set(Canvas::default());
        known
    }
}

impl KnownCanvas {
    /// Notes the canvas.
    pub fn set(&self, canvas: Canvas) {
        self.0.store(u64::from(canvas.width) << 32 | u64::from(canvas.height), Ordering::Relaxed);
    }

    /// The canvas.
    pub fn get(&self) -> Canvas {
        let packed = self.0.load(Ordering::Relaxed);
        Canvas { width: (packed >> 32) as u32, height: packed as u32 }
    }
}
