//! The device, given to the world by `lucida`.

use bevy_ecs::prelude::*;

/// A wgpu device and its queue.
#[derive(Resource, Clone, Debug)]
pub struct Gpu {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue. Systems never submit: commands are handed over, so that no turn waits for a driver.
    pub queue: wgpu::Queue,
    /// It is a CPU: sampling drops to nearest while something moves.
    pub is_cpu: bool,
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
