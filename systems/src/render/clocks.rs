//! The GPU's clocks round what it draws, so that cost is measured and not guessed.

use super::{gpu::Gpu, job::CLOCK_BYTES};

/// Two clocks, before and after a pass.
#[derive(Debug)]
pub(super) struct Clocks {
    queries: wgpu::QuerySet,
    /// Clocks are resolved into a buffer of their own and copied behind the picture.
    resolved: wgpu::Buffer,
}

impl Clocks {
    /// `None` where the device has no clocks.
    pub fn new(gpu: &Gpu) -> Option<Self> {
        if !gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("clocks"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let resolved = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("clocks"),
            size: CLOCK_BYTES,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Some(Self { queries, resolved })
    }

    /// For the descriptor of the one pass that is measured.
    pub fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// Records the copy of both clocks to `target` at `offset`.
    pub fn read_out(&self, encoder: &mut wgpu::CommandEncoder, target: &wgpu::Buffer, offset: u64) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, target, offset, CLOCK_BYTES);
    }
}
