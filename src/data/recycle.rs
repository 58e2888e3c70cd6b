//! Buffers of chunks that nobody holds any more serve the next ones. New memory costs the system's clearing
//! of every page, which is a good part of the time that decoding a chunk takes.

use lucida_components::chunk::Bytes;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Memory that is kept for chunks to come.
const KEEP_BYTES: usize = 32 << 20;

/// Buffers that are kept.
const KEEP: usize = 64;

/// Smaller buffers cost nothing to get anew.
const WORTHWHILE: usize = 64 << 10;

static FREE: Mutex<Free> = Mutex::new(Free { buffers: Vec::new(), bytes: 0 });

#[derive(Debug)]
struct Free {
    buffers: Vec<Vec<u8>>,
    /// The capacity of all of them.
    bytes: usize,
}

/// A buffer that goes back when it is dropped.
struct Recycled(Vec<u8>);

impl AsRef<[u8]> for Recycled {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

/// A buffer of `len` bytes that hold anything.
pub fn take(len: usize) -> Vec<u8> {
    let kept = (len >= WORTHWHILE).then(|| lock().take(len)).flatten();
    // New memory comes cleared, page by page as it is first touched.
    let mut buffer = kept.unwrap_or_else(|| vec![0; len]);
    buffer.resize(len, 0);
    buffer
}

/// Takes a buffer back.
pub fn give(buffer: Vec<u8>) {
    if buffer.capacity() >= WORTHWHILE {
        // What does not fit is freed after the lock.
        let _beyond = lock().give(buffer);
    }
}

/// Values that give their buffer back once nobody holds them.
pub fn share(values: Vec<u8>) -> Bytes {
    Bytes::from_owner(Recycled(values))
}

fn lock() -> MutexGuard<'static, Free> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Free {
    /// A buffer that is large enough, but not so large that its rest would be wasted.
    fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let fits = |buffer: &Vec<u8>| (len..=len + len / 4).contains(&buffer.capacity());
        let n = self.buffers.iter().rposition(fits)?;
        let buffer = self.buffers.remove(n);
        self.bytes -= buffer.capacity();
        Some(buffer)
    }

    /// Keeps a buffer; gives back those that do not fit any more, the oldest first.
    fn give(&mut self, buffer: Vec<u8>) -> Vec<Vec<u8>> {
        self.bytes += buffer.capacity();
        self.buffers.push(buffer);
        let mut beyond = Vec::new();
        while self.bytes > KEEP_BYTES || self.buffers.len() > KEEP {
            let oldest = self.buffers.remove(0);
            self.bytes -= oldest.capacity();
            beyond.push(oldest);
        }
        beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_once_nobody_holds_it_and_fits_what_is_asked_for() {
        // Sizes that no other test asks for: the list is the process's.
        let len = WORTHWHILE + 4099;
        let shared = share(take(len));
        let place = shared.as_ptr();
        let clone = shared.clone();
        drop(shared);
        let other = take(len);
        assert_ne!(other.as_ptr(), place, "still held");
        drop(clone);
        let small = take(len / 2);
        assert_ne!(small.as_ptr(), place, "too large");
        let again = take(len - 5);
        assert_eq!((again.as_ptr(), again.len()), (place, len - 5));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut free = Free { buffers: Vec::new(), bytes: 0 };
        for _ in 0..100 {
            free.give(Vec::with_capacity(WORTHWHILE));
        }
        assert_eq!(free.buffers.len(), KEEP);
        free.give(Vec::with_capacity(KEEP_BYTES));
        assert_eq!(free.buffers.len(), 1);
        assert_eq!(free.give(Vec::with_capacity(KEEP_BYTES + 1)).len(), 2);
        assert_eq!((free.buffers.len(), free.bytes), (0, 0));
    }
}
