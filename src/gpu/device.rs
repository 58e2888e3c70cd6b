//! Opening the GPU that draws.

use lucida_components::lod::Budgets;
use lucida_systems::render::{
    gpu::{Gpu, Lost, features, limits},
    memory::Memory,
};
use std::sync::Arc;

/// An opened device and what it is.
#[derive(Debug, Clone)]
pub struct Device {
    /// For the world.
    pub gpu: Gpu,
    /// Name, driver, kind.
    pub info: wgpu::AdapterInfo,
    /// Its largest bindable buffer, bytes: the upper bound of a tile pool.
    pub max_pool: u64,
}

/// Why there is no device.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No Vulkan driver answers.
    #[error(
        "no Vulkan adapter: install a GPU driver, or Mesa's software driver \
         (apt-get install libvulkan1 mesa-vulkan-drivers); `lucida doctor` says more"
    )]
    NoAdapter,
    /// The system gives no thread.
    #[error("cannot start a thread to open the GPU: {0}")]
    Thread(#[source] std::io::Error),
    /// The driver or its binding panicked.
    #[error("the driver panicked while it was opened; `lucida doctor` says which it is")]
    Panicked,
    /// The adapter refuses.
    #[error("{adapter}: cannot open the device: {source}")]
    Open {
        /// The adapter.
        adapter: String,
        /// Why.
        source: wgpu::RequestDeviceError,
    },
}

/// Every Vulkan adapter there is, best first: discrete, integrated, virtual, CPU.
pub fn adapters() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN;
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    adapters.sort_by_key(|a| match a.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    });
    adapters
}

/// Whether an adapter, or the device on it, can draw volumes of 16-bit values.
pub fn draws_wide_volumes(features: wgpu::Features) -> bool {
    features.contains(wgpu::Features::TEXTURE_FORMAT_16BIT_NORM)
}

/// How far the driver's own threads stand behind the others (nice(2)).
const DRIVER_NICE: i32 = 5;

/// Opens the best adapter.
///
/// # Errors
/// [`DeviceError`].
pub fn open() -> Result<Device, DeviceError> {
    // A software driver starts threads that draw on every core. They inherit the niceness of the thread
    // that opens the device: answering a client must not wait for drawing.
    let opening = std::thread::Builder::new().name("lucida-gpu".into()).spawn(|| {
        if let Err(error) = rustix::process::nice(DRIVER_NICE) {
            tracing::debug!("the driver's threads cannot be made nice: {error}");
        }
        open_best()
    });
    opening.map_err(DeviceError::Thread)?.join().map_err(|_| DeviceError::Panicked)?
}

fn open_best() -> Result<Device, DeviceError> {
    let adapter = adapters().into_iter().next().ok_or(DeviceError::NoAdapter)?;
    let info = adapter.get_info();
    let limits = limits(&adapter.limits());
    let max_pool = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("lucida"),
        required_features: features(adapter.features()),
        required_limits: limits,
        memory_hints: wgpu::MemoryHints::Performance,
        ..Default::default()
    }))
    .map_err(|source| DeviceError::Open { adapter: info.name.clone(), source })?;
    let lost = Lost::default();
    let told = lost.clone();
    device.set_device_lost_callback(move |reason, message| {
        told.declare(&format!("{reason:?} {message}"));
    });
    let gone = lost.clone();
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        // What is done to a lost device fails in many ways; that it is lost was told.
        if !gone.is_lost() {
            tracing::error!("the GPU's driver refuses: {error}");
        }
    }));
    let is_cpu = info.device_type == wgpu::DeviceType::Cpu;
    tracing::info!(adapter = info.name, driver = info.driver, driver_info = info.driver_info, "GPU");
    if !draws_wide_volumes(device.features()) {
        tracing::error!(
            adapter = info.name,
            "it has no 16-bit normalized textures: volumes of 16-bit values cannot be drawn on it; planes can"
        );
    }
    Ok(Device { gpu: Gpu { device, queue, is_cpu, lost, memory: Memory::default() }, info, max_pool })
}

impl Device {
    /// Budgets that fit the device, where nothing else was asked for.
    pub fn budgets(&self) -> Budgets {
        let (pool, bricks) = if self.gpu.is_cpu { (96 << 20, 256 << 20) } else { (1 << 30, 2 << 30) };
        Budgets { pool_bytes: self.max_pool.min(pool), brick_bytes: bricks, ..Budgets::default() }
    }
}
