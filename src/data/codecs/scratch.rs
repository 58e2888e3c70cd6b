//! What a thread keeps from chunk to chunk: buffers and decompression contexts.

use std::cell::RefCell;

/// Memory that a thread keeps; the rest is given back to the system.
const KEEP_BYTES: usize = 8 << 20;

/// Buffers that are kept.
const KEEP: usize = 4;

/// Buffers and contexts of one thread.
#[derive(Default)]
pub struct Scratch {
    free: Vec<Vec<u8>>,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("free", &self.free.len()).finish_non_exhaustive()
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Runs `work` with this thread's scratch, or with a fresh one where it is in use.
pub fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => work(&mut scratch),
        Err(_) => work(&mut Scratch::default()),
    })
}

impl Scratch {
    /// An empty buffer, with what room it has from its last use.
    pub fn take(&mut self) -> Vec<u8> {
        let mut buffer = self.free.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    /// A buffer of `len` bytes that hold anything.
    pub fn take_len(&mut self, len: usize) -> Vec<u8> {
        let mut buffer = self.free.pop().unwrap_or_default();
        if buffer.capacity() < len {
            return vec![0; len];
        }
        // What it held is overwritten anyway; only new room has to be cleared.
        buffer.resize(len, 0);
        buffer
    }

    /// Takes a buffer back.
    pub fn give(&mut self, buffer: Vec<u8>) {
        let kept: usize = self.free.iter().map(Vec::capacity).sum();
        if kept + buffer.capacity() <= KEEP_BYTES && self.free.len() < KEEP {
            self.free.push(buffer);
        }
    }

    /// The zstd context. It decodes whole frames into a buffer, so it needs no window of its own.
    pub fn zstd(&mut self) -> std::io::Result<&mut zstd::bulk::Decompressor<'static>> {
        match &mut self.zstd {
            Some(context) => Ok(context),
            empty => Ok(empty.insert(zstd::bulk::Decompressor::new()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_little() {
        let mut scratch = Scratch::default();
        for size in [1 << 10, 4 << 20, 4 << 20, 64 << 20, 1, 1, 1] {
            scratch.give(Vec::with_capacity(size));
        }
        assert!(scratch.free.len() <= KEEP);
        assert!(scratch.free.iter().map(Vec::capacity).sum::<usize>() <= KEEP_BYTES);
        assert_eq!(scratch.take_len(5).len(), 5);
        assert!(scratch.take().is_empty());
        // In use further up: still a buffer, of its own.
        assert_eq!(with_scratch(|_| with_scratch(|inner| inner.take_len(3).len())), 3);
    }
}
