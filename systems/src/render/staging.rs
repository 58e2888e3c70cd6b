//! Bytes on their way to the GPU: a few mapped buffers that are filled, copied from, and mapped again.
//!
//! wgpu's own belt takes as many buffers as are asked for and panics where there is no room; this one is
//! bounded and says so.

use super::{
    bricks::CELL_BYTES,
    gpu::Gpu,
    memory::{Allocation, Refused, allocate},
};
use crate::residency::bricks::{grid::BRICK, pools::Class};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one buffer: four strips of bricks.
const PIECE: u64 = 4 * STRIP;
/// Buffers at most, in use or not: 24 MiB where the device is a CPU, whose memory is the host's.
const PIECES_OF_CPU: usize = 6;
/// The same of a GPU: 64 MiB. Bricks are large, and a picture at once has many.
const PIECES_OF_GPU: usize = 16;
/// Bytes of rows of texels that a copy into a texture asks for.
const ROW: u64 = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as u64;
/// Bytes of the bricks of a strip, side by side in rows of [`ROW`] bytes.
const BRICKS: u64 = ROW * BRICK * BRICK;
/// Bytes of a strip: at most four bricks, of the narrowest values, and their cells.
const STRIP: u64 = BRICKS + 4 * CELL_BYTES;
/// Of the buffers, kept for parameters, without which nothing is drawn.
const FOR_PARAMETERS: usize = 2;

/// Why bytes cannot be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoStaging {
    /// All buffers are on their way.
    #[error("everything that may be on its way to the GPU is")]
    Full,
    /// No memory.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// What bytes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Tiles and bricks wait for another frame where there is no room.
    Tiles,
    /// A frame's parameters.
    Parameters,
}

/// The buffers.
#[derive(Debug, Default)]
pub struct Staging {
    /// Mapped; being filled up to the offset.
    open: Vec<(Allocation, u64)>,
    /// Mapped again, empty. The driver puts them there.
    free: Arc<Mutex<Vec<Allocation>>>,
    /// A token for each that exists: the strong count less one.
    alive: Arc<()>,
    /// By class of bricks: a strip with room for more.
    strips: [Option<Strip>; Class::ALL.len()],
    /// By class: places in strips that were given back.
    spare: [Vec<BrickPlace>; Class::ALL.len()],
}

/// Room for bricks side by side.
#[derive(Debug, Clone, Copy)]
struct Strip {
    /// Place among the open buffers.
    buffer: usize,
    /// Where it begins.
    from: u64,
    /// Bytes of each row that are taken.
    taken: u64,
}

/// Room for one brick and its cells.
#[derive(Debug, Clone, Copy)]
pub struct BrickPlace {
    buffer: usize,
    strip: u64,
    /// Where its rows begin in those of the strip.
    column: u64,
    /// Bytes of its rows.
    width: u64,
}

impl BrickPlace {
    /// Names its strip.
    pub fn strip(&self) -> (usize, u64) {
        (self.buffer, self.strip)
    }

    /// Where its cells stand in the strip: behind all bricks.
    fn cells(&self) -> u64 {
        BRICKS + self.column / self.width * CELL_BYTES
    }

    /// Writes a brick's values (z slowest, no gaps) and cells into the strip.
    pub fn write(&self, strip: &mut wgpu::BufferViewMut, values: &[u8], cells: &[u8]) {
        let (first, width) = (self.column as usize, self.width as usize);
        for (row, n) in values.chunks_exact(width).zip(0..) {
            let from = first + n * ROW as usize;
            strip.slice(from..from + width).copy_from_slice(row);
        }
        let from = self.cells() as usize;
        strip.slice(from..from + cells.len()).copy_from_slice(cells);
    }
}

impl Staging {
    /// Writes `bytes` (a multiple of 4 long) to `target` at `offset` (a multiple of 4), when the commands run.
    ///
    /// # Errors
    /// [`NoStaging`]: nothing was written.
    pub fn write(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        target: (&wgpu::Buffer, u64),
        purpose: Purpose,
        bytes: &[u8],
    ) -> Result<(), NoStaging> {
        let size = bytes.len() as u64;
        let fits = |(buffer, at): &(Allocation, u64)| at + size <= buffer.size();
        let place = match self.open.iter().position(fits) {
            Some(place) => place,
            None => self.more(gpu, purpose, size)?,
        };
        let (buffer, at) = &mut self.open[place];
        let range = *at..*at + size;
        // A lost device gives no mapping: what is written to it does not matter.
        if let Ok(mut view) = buffer.get_mapped_range_mut(range.clone()) {
            view.copy_from_slice(bytes);
        }
        encoder.copy_buffer_to_buffer(buffer, range.start, target.0, target.1, size);
        *at = range.end.next_multiple_of(wgpu::MAP_ALIGNMENT);
        Ok(())
    }

    /// Makes sure that `size` bytes can be written next.
    ///
    /// # Errors
    /// [`NoStaging`].
    pub fn reserve(&mut self, gpu: &Gpu, purpose: Purpose, size: u64) -> Result<(), NoStaging> {
        let fits = |(buffer, at): &(Allocation, u64)| at + size <= buffer.size();
        if !self.open.iter().any(fits) {
            self.more(gpu, purpose, size)?;
        }
        Ok(())
    }

    /// Room for a brick, beside others of its class where there is some: rows of a texture's source are
    /// `ROW` bytes long, and a brick's are shorter.
    ///
    /// # Errors
    /// [`NoStaging`].
    pub fn reserve_brick(&mut self, gpu: &Gpu, class: Class) -> Result<BrickPlace, NoStaging> {
        if let Some(place) = self.spare[class as usize].pop() {
            return Ok(place);
        }
        let width = class.brick_bytes() / (BRICK * BRICK);
        let open = self.strips[class as usize].take().filter(|strip| strip.taken + width <= ROW);
        let strip = if let Some(strip) = open {
            strip
        } else {
            let fits = |(buffer, at): &(Allocation, u64)| at + STRIP <= buffer.size();
            let buffer = match self.open.iter().position(fits) {
                Some(buffer) => buffer,
                None => self.more(gpu, Purpose::Tiles, STRIP)?,
            };
            let from = self.open[buffer].1;
            self.open[buffer].1 = from + STRIP;
            Strip { buffer, from, taken: 0 }
        };
        self.strips[class as usize] = Some(Strip { taken: strip.taken + width, ..strip });
        Ok(BrickPlace { buffer: strip.buffer, strip: strip.from, column: strip.taken, width })
    }

    /// Takes back a place that is not copied from.
    pub fn release_brick(&mut self, class: Class, place: BrickPlace) {
        self.spare[class as usize].push(place);
    }

    /// The memory of a place's strip. A lost device gives none: what is written to it does not matter. Only one
    /// view of a strip may be there at a time.
    pub fn strip(&self, place: &BrickPlace) -> Option<wgpu::BufferViewMut> {
        let (buffer, _) = self.open.get(place.buffer)?;
        buffer.get_mapped_range_mut(place.strip..place.strip + STRIP).ok()
    }

    /// Has what was written to a place copied to a slot's texels and cells, when the commands run.
    pub fn copy_brick(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        place: &BrickPlace,
        texels: wgpu::TexelCopyTextureInfo,
        cells: (&wgpu::Buffer, u64),
    ) {
        let Some((buffer, _)) = self.open.get(place.buffer) else { return };
        let side = BRICK as u32;
        let layout = wgpu::TexelCopyBufferLayout {
            offset: place.strip + place.column,
            bytes_per_row: Some(ROW as u32),
            rows_per_image: Some(side),
        };
        let source = wgpu::TexelCopyBufferInfo { buffer, layout };
        let size = wgpu::Extent3d { width: side, height: side, depth_or_array_layers: side };
        encoder.copy_buffer_to_texture(source, texels, size);
        encoder.copy_buffer_to_buffer(buffer, place.strip + place.cells(), cells.0, cells.1, CELL_BYTES);
    }

    /// Opens a buffer with room for `size` bytes; its place.
    fn more(&mut self, gpu: &Gpu, purpose: Purpose, size: u64) -> Result<usize, NoStaging> {
        let fitting = |free: &mut Vec<Allocation>| {
            let place = free.iter().position(|b| b.size() >= size)?;
            Some(free.swap_remove(place))
        };
        let take = |staging: &Self| fitting(&mut staging.free.lock().unwrap_or_else(PoisonError::into_inner));
        let pieces = if gpu.is_cpu { PIECES_OF_CPU } else { PIECES_OF_GPU };
        let most = if purpose == Purpose::Tiles { pieces - FOR_PARAMETERS } else { pieces };
        let mut piece = take(self);
        if piece.is_none() && self.count() >= most {
            // Buffers come back when the driver is asked whether it is done.
            let _ = gpu.device.poll(wgpu::PollType::Poll);
            piece = take(self);
        }
        let piece = match piece {
            Some(piece) => piece,
            // Parameters larger than a piece stand alone; they are small but for pictures of very many tiles.
            None if self.count() < most || size > PIECE => {
                let usage = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::MAP_WRITE;
                allocate(gpu, "staging", PIECE.max(size), usage, true)?
            }
            None => return Err(NoStaging::Full),
        };
        self.open.push((piece, 0));
        Ok(self.open.len() - 1)
    }

    /// Buffers that exist.
    fn count(&self) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.open.len() + free + Arc::strong_count(&self.alive) - 1
    }

    /// Closes what was written by `encoder`; the buffers come back when its commands were run.
    pub fn finish(&mut self, encoder: &wgpu::CommandEncoder) {
        (self.strips, self.spare) = Default::default();
        for (buffer, _) in self.open.drain(..) {
            buffer.unmap();
            let (free, travelling) = (self.free.clone(), self.alive.clone());
            let mapped = (*buffer).clone();
            encoder.map_buffer_on_submit(&mapped, wgpu::MapMode::Write, .., move |result| {
                // What is larger than usual, or cannot be mapped any more, is given back.
                if result.is_ok() && buffer.size() == PIECE {
                    free.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
                }
                // Last: never are there fewer tokens than buffers.
                drop(travelling);
            });
        }
    }

    /// Forgets what was written: its commands will not be run.
    pub fn abandon(&mut self) {
        (self.strips, self.spare) = Default::default();
        self.open.clear();
    }
}
