//! Buffers on the GPU, each accounted for. A driver that has no more says so to who asked, and to nobody else.

use super::gpu::Gpu;
use std::{
    ops::Deref,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// The bytes allocated on one device. Clones share one account.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Account>);

#[derive(Debug)]
struct Account {
    used: AtomicU64,
    peak: AtomicU64,
    limit: AtomicU64,
}

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Account {
            used: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            limit: AtomicU64::new(u64::MAX),
        }))
    }
}

impl Memory {
    /// Bytes of all buffers there are now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Acquire)
    }

    /// The most there were at once.
    pub fn peak(&self) -> u64 {
        self.0.peak.load(Ordering::Acquire)
    }

    /// From now on what does not fit into `bytes` is refused, as a driver refuses it. Tests make a GPU small
    /// with it.
    pub fn limit(&self, bytes: u64) {
        self.0.limit.store(bytes, Ordering::Release);
    }

    fn take(&self, bytes: u64) -> bool {
        let limit = self.0.limit.load(Ordering::Acquire);
        let taken = self.0.used.try_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            used.checked_add(bytes).filter(|sum| *sum <= limit)
        });
        if let Ok(before) = taken {
            self.0.peak.fetch_max(before + bytes, Ordering::AcqRel);
        }
        taken.is_ok()
    }
}

/// A buffer, given back to the account when it is dropped.
#[derive(Debug)]
pub struct Allocation {
    buffer: wgpu::Buffer,
    memory: Memory,
}

impl Deref for Allocation {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.memory.0.used.fetch_sub(self.buffer.size(), Ordering::AcqRel);
    }
}

/// The GPU has no room for a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the GPU has no room for {bytes} bytes ({what})")]
pub struct Refused {
    /// What it was for.
    pub what: &'static str,
    /// How large it was to be.
    pub bytes: u64,
}

/// Makes a buffer.
///
/// # Errors
/// [`Refused`] where the driver has no room. Anything else that is wrong with it goes to the device's own
/// error handler.
pub fn allocate(
    gpu: &Gpu,
    what: &'static str,
    bytes: u64,
    usage: wgpu::BufferUsages,
    mapped_at_creation: bool,
) -> Result<Allocation, Refused> {
    let refused = Refused { what, bytes };
    if !gpu.memory.take(bytes) {
        return Err(refused);
    }
    let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let descriptor = wgpu::BufferDescriptor { label: Some(what), size: bytes, usage, mapped_at_creation };
    let buffer = gpu.device.create_buffer(&descriptor);
    // Dropping it on failure settles the account.
    let allocation = Allocation { buffer, memory: gpu.memory.clone() };
    // On native drivers the answer is there at once.
    match pin!(scope.pop()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(None) => Ok(allocation),
        Poll::Ready(Some(_)) | Poll::Pending => Err(refused),
    }
}

/// A texture, given back to the account when it is dropped.
#[derive(Debug)]
pub struct TextureAllocation {
    texture: wgpu::Texture,
    bytes: u64,
    memory: Memory,
}

impl Deref for TextureAllocation {
    type Target = wgpu::Texture;

    fn deref(&self) -> &wgpu::Texture {
        &self.texture
    }
}

impl Drop for TextureAllocation {
    fn drop(&mut self) {
        self.memory.0.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Makes a 3D texture that is copied to and sampled; `texel` is the bytes of one texel.
///
/// # Errors
/// [`Refused`], as for [`allocate`].
pub fn allocate_texture(
    gpu: &Gpu,
    what: &'static str,
    format: wgpu::TextureFormat,
    size: wgpu::Extent3d,
    texel: u64,
) -> Result<TextureAllocation, Refused> {
    let texels = [size.width, size.height, size.depth_or_array_layers].map(u64::from).iter().product::<u64>();
    let bytes = texels * texel;
    let refused = Refused { what, bytes };
    if !gpu.memory.take(bytes) {
        return Err(refused);
    }
    let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(what),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format,
        usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    });
    let allocation = TextureAllocation { texture, bytes, memory: gpu.memory.clone() };
    match pin!(scope.pop()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(None) => Ok(allocation),
        Poll::Ready(Some(_)) | Poll::Pending => Err(refused),
    }
}
