//! Keeps the disk cache within its bytes: what was used longest ago goes first.
//!
//! Each process counts what it wrote itself and looks at the whole folder now and then, so several that share
//! one exceed its bytes by no more than a sixteenth each.

use super::disk::UNFINISHED;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// A file takes at least this much: a block, and its share of the folder.
const LEAST: u64 = 4096;

/// The part of the bytes that is written before the folder is looked at again, and that is made free then.
const SHARE: u64 = 16;

/// A file that is still not complete after this long will never be.
const ABANDONED: Duration = Duration::from_hours(1);

/// How much is in the folder.
pub struct Room {
    folder: PathBuf,
    most: u64,
    /// As of the last look; `None` before the first. Locked by the thread that looks.
    used: Mutex<Option<u64>>,
    /// Written since.
    since: AtomicU64,
}

/// One file of the cache.
struct Entry {
    used: SystemTime,
    bytes: u64,
    /// Which of the folders.
    folder: usize,
    name: OsString,
}

impl Room {
    /// Room for `most` bytes in `folder`.
    pub fn new(folder: PathBuf, most: u64) -> Self {
        Self { folder, most, used: Mutex::default(), since: AtomicU64::new(0) }
    }

    /// Notes that a file of `bytes` was written, and makes room where it was too much. Waits for nobody who
    /// does the same.
    pub fn taken(&self, bytes: u64) {
        let bytes = bytes.max(LEAST);
        let since = self.since.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let mut used = match self.used.try_lock() {
            Ok(used) => used,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let is_full = used.is_none_or(|used| used + since > self.most);
        if !is_full && since <= self.most / SHARE {
            return;
        }
        // What others write from here on counts again, though it may be seen now.
        self.since.store(0, Ordering::Relaxed);
        match self.make() {
            Ok(left) => *used = Some(left),
            Err(error) => {
                // Tried again when as much was written again.
                *used = Some(0);
                tracing::warn!("{}: cannot be tidied: {error}", self.folder.display());
            }
        }
    }

    /// Looks at the folder, deletes what is too much, and says how much is left.
    fn make(&self) -> io::Result<u64> {
        let (folders, mut entries) = list(&self.folder)?;
        let mut used: u64 = entries.iter().map(|e| e.bytes).sum();
        if used <= self.most {
            return Ok(used);
        }
        entries.sort_unstable_by_key(|e| e.used);
        let goal = self.most - self.most / SHARE;
        for entry in &entries {
            if used <= goal {
                break;
            }
            match fs::remove_file(folders[entry.folder].join(&entry.name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                // Another process was faster.
                _ => used -= entry.bytes,
            }
        }
        for folder in &folders {
            // Those that are not empty stay.
            let _ = fs::remove_dir(folder);
        }
        Ok(used)
    }
}

/// The folders of images and the files in them. What vanishes meanwhile is left out.
fn list(folder: &Path) -> io::Result<(Vec<PathBuf>, Vec<Entry>)> {
    let (mut folders, mut entries) = (Vec::new(), Vec::new());
    for image in fs::read_dir(folder)? {
        let image = image?.path();
        let Ok(files) = fs::read_dir(&image) else { continue };
        for file in files.flatten() {
            let Ok(meta) = file.metadata() else { continue };
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let name = file.file_name();
            let is_abandoned = name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
                && used.elapsed().is_ok_and(|age| age > ABANDONED);
            if is_abandoned && fs::remove_file(file.path()).is_ok() {
                continue;
            }
            entries.push(Entry { used, bytes: meta.len().max(LEAST), folder: folders.len(), name });
        }
        folders.push(image);
    }
    Ok((folders, entries))
}
