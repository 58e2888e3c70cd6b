//! Made chunks on disk: one file each, safe for several processes at once.
//!
//! A file is one zstd frame with its checksum: the values of the chunk, or a single one where all are the
//! same. It appears under its name when it is complete. The time of its last change is that of its last use.

use super::room::Room;
use lucida_components::chunk::ChunkValues;
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};
use zstd::bulk::{Compressor, Decompressor};

/// zstd's fastest that still has an entropy stage.
const COMPRESSION: i32 = 1;

/// What zstd may add to values that it cannot compress, and its header.
const SLACK: u64 = 1 << 16;

/// How names of files begin that are not complete yet.
pub const UNFINISHED: &str = ".new-";

/// The disk cache.
pub struct Disk {
    folder: PathBuf,
    room: Room,
    /// Writing failed: nothing more is written.
    failed: AtomicBool,
}

/// One file and what is to be in it.
pub struct Place<'a> {
    /// The image's folder.
    pub folder: &'a str,
    /// The level.
    pub level: u16,
    /// The chunk.
    pub number: u64,
    /// Bytes of a value.
    pub size: usize,
    /// Bytes of all values.
    pub bytes: usize,
}

impl Disk {
    /// A cache of at most `bytes` in `folder`. Touches nothing yet.
    pub fn new(folder: PathBuf, bytes: u64) -> Self {
        Self { room: Room::new(folder.clone(), bytes), folder, failed: AtomicBool::new(false) }
    }

    fn path(&self, place: &Place<'_>) -> PathBuf {
        self.folder.join(place.folder).join(format!("{}-{}", place.level, place.number))
    }

    /// Reads a chunk. What cannot be its values is deleted.
    pub fn get(&self, place: &Place<'_>) -> Option<ChunkValues> {
        let path = self.path(place);
        match read(&path, place) {
            Ok(values) => Some(values),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::info!("{}: not usable, made anew: {error}", path.display());
                // Somebody else may have deleted it already, and on a read-only disk it stays.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Writes a chunk. The first failure is told, and is the last attempt.
    pub fn put(&self, place: &Place<'_>, values: &ChunkValues) {
        if self.failed.load(Ordering::Relaxed) {
            return;
        }
        // The folder of the image may be evicted between being made and being used.
        let written = self.write(place, values).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => self.write(place, values),
            _ => Err(error),
        });
        match written {
            Ok(bytes) => self.room.taken(bytes),
            Err(error) => {
                if !self.failed.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "{}: coarse levels cannot be kept on disk and are made anew next time: {error}",
                        self.folder.display()
                    );
                }
            }
        }
    }

    fn write(&self, place: &Place<'_>, values: &ChunkValues) -> io::Result<u64> {
        let path = self.path(place);
        let folder = path.parent().unwrap_or(&self.folder);
        private_folder(&self.folder)?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let bytes = match values {
            ChunkValues::Dense(bytes) => bytes,
            ChunkValues::Uniform(value) => &value[..place.size],
        };
        let mut compressor = Compressor::new(COMPRESSION)?;
        compressor.include_checksum(true)?;
        let frame = compressor.compress(bytes)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(&frame)?;
        file.persist(&path)?;
        Ok(frame.len() as u64)
    }
}

fn read(path: &Path, place: &Place<'_>) -> io::Result<ChunkValues> {
    let wrong = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason);
    let mut file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        // Not ours to believe, nor to delete.
        return Err(io::ErrorKind::NotFound.into());
    }
    let len = meta.len();
    if len > place.bytes as u64 + SLACK {
        return Err(wrong("it is too large"));
    }
    let mut frame = Vec::with_capacity(len as usize);
    (&mut file).take(len).read_to_end(&mut frame)?;
    // No more than this is taken out of it, whatever it claims.
    let values = Decompressor::new()?.decompress(&frame, place.bytes.max(place.size))?;
    // Not possible on a read-only disk; then nothing is evicted there either.
    let _ = file.set_modified(SystemTime::now());
    if values.len() == place.bytes {
        Ok(ChunkValues::Dense(values.into()))
    } else if values.len() == place.size {
        let mut value = [0; 4];
        value[..place.size].copy_from_slice(&values);
        Ok(ChunkValues::Uniform(value))
    } else {
        Err(wrong("it has the wrong number of values"))
    }
}

/// Makes the cache's own folder, for its user alone. One that is there must be that user's: what lies in it
/// is shown as the image.
fn private_folder(folder: &Path) -> io::Result<()> {
    match fs::metadata(folder) {
        Ok(meta) => {
            let own = meta.uid() == rustix::process::geteuid().as_raw();
            if own && meta.mode() & 0o022 == 0 {
                return Ok(());
            }
            let reason = "others may write there; give another folder with --cache-dir";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        Err(error) => Err(error),
    }
}
