//! The device, given to the world by `lucida`.

use super::memory::Memory;
use bevy_ecs::prelude::*;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// A wgpu device and its queue.
#[derive(Resource, Clone, Debug)]
pub struct Gpu {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue. Systems never submit: commands are handed over, so that no turn waits for a driver.
    pub queue: wgpu::Queue,
    /// It is a CPU: sampling drops to nearest while something moves.
    pub is_cpu: bool,
    /// Whether it is gone. Clones share one answer.
    pub lost: Lost,
    /// What was allocated on it. Clones share one account.
    pub memory: Memory,
}

/// Whether a device is gone: it says so itself, or whoever waits for it gives it up. It never comes back;
/// another one takes its place.
#[derive(Clone, Default)]
pub struct Lost(Arc<Inner>);

#[derive(Default)]
struct Inner {
    lost: AtomicBool,
    /// Told once, when it happens.
    wake: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
}

impl Lost {
    /// Whether it is gone.
    pub fn is_lost(&self) -> bool {
        self.0.lost.load(Ordering::Acquire)
    }

    /// Gives it up. The first to say so logs why and wakes whoever asked for it; returns whether it was the
    /// first.
    pub fn declare(&self, why: &str) -> bool {
        if self.0.lost.swap(true, Ordering::AcqRel) {
            return false;
        }
        tracing::error!("the GPU is lost: {why}");
        if let Some(wake) = &*self.0.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            wake();
        }
        true
    }

    /// Calls `wake` when it happens, at once where it has happened. It may be called from any thread, within
    /// the driver: it must not wait. Replaces who asked before.
    pub fn on_loss(&self, wake: impl Fn() + Send + Sync + 'static) {
        let mut slot = self.0.wake.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_lost() {
            wake();
        }
        *slot = Some(Box::new(wake));
    }
}

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lost").field(&self.is_lost()).finish()
    }
}

/// The features a device is asked for: 16-bit textures for the bricks of volumes, linear sampling of 32-bit ones,
/// and clocks. What an adapter lacks is left out; [`crate::render`] says what it is missed for.
pub fn features(adapter: wgpu::Features) -> wgpu::Features {
    let wanted = wgpu::Features::TEXTURE_FORMAT_16BIT_NORM
        | wgpu::Features::FLOAT32_FILTERABLE
        | wgpu::Features::TIMESTAMP_QUERY;
    adapter & wanted
}

/// The limits a device is asked for, within what its adapter has. The largest buffers it can bind are
/// asked for, because tile pools are as large as the budget.
pub fn limits(adapter: &wgpu::Limits) -> wgpu::Limits {
    wgpu::Limits {
        max_storage_buffer_binding_size: adapter.max_storage_buffer_binding_size,
        max_buffer_size: adapter.max_buffer_size,
        max_storage_buffers_per_shader_stage: adapter.max_storage_buffers_per_shader_stage.min(16),
        ..wgpu::Limits::default()
    }
}
