//! The files of one image, read-only: regular files inside its folder, and nothing else.
//!
//! zarrs' own file store keeps a lock for every key it ever saw, which a server that walks through
//! terabytes cannot afford, follows links out of the folder, reads files of any size, and waits for ever on
//! a named pipe.

use rustix::{
    fs::{AtFlags, Mode, OFlags, ResolveFlags},
    io::Errno,
};
use std::{
    fs::{File, Metadata},
    io,
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

/// Why a file that is there is not read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its path or a link in it leads out of the folder.
    #[error("{0} leads out of the image")]
    Escapes(String),
    /// A folder, pipe, device or socket.
    #[error("{0} is not a regular file")]
    NotAFile(String),
    /// Longer than what it can hold.
    #[error("{key} has {len} bytes where at most {most} belong")]
    TooLong {
        /// The file.
        key: String,
        /// Its length.
        len: u64,
        /// The most there can be.
        most: u64,
    },
    /// A link to nothing: something is there that cannot be had.
    #[error("{0} is a link to a file that is not there")]
    Dangling(String),
    /// What the system said.
    #[error("{key}: {source}")]
    Io {
        /// The file.
        key: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder, canonical; nothing outside it is read.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
}

/// An open regular file.
#[derive(Debug)]
pub struct StoredFile {
    file: File,
    key: String,
    version: Version,
}

/// What tells a file from one that was written later under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Version {
    /// Bytes.
    pub len: u64,
    /// Its number in the file system.
    pub inode: u64,
    /// When it was last written, in seconds and nanoseconds.
    pub modified: (i64, i64),
}

impl FolderStore {
    /// A store on an existing folder.
    ///
    /// # Errors
    /// Where the path cannot be resolved.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: root.canonicalize()? })
    }

    /// The canonical root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens the file of a key, a path with `/`; `None` where there is none.
    ///
    /// # Errors
    /// What is there but not to be read, and a root that is gone: that is no image of fill values.
    pub fn open(&self, key: &str) -> Result<Option<StoredFile>, StoreError> {
        let Some(file) = self.open_as(key, FLAGS)? else { return Ok(None) };
        let file = File::from(file);
        let meta = file.metadata().map_err(|source| StoreError::Io { key: key.into(), source })?;
        if !meta.is_file() {
            return Err(StoreError::NotAFile(key.into()));
        }
        let version =
            Version { len: meta.len(), inode: meta.ino(), modified: (meta.mtime(), meta.mtime_nsec()) };
        Ok(Some(StoredFile { file, key: key.into(), version }))
    }

    /// Opens the folder of a key, to list it; `None` where there is none. The store's own is `.`.
    ///
    /// # Errors
    /// What leads out, and what may not be read.
    pub fn open_folder(&self, key: &str) -> Result<Option<OwnedFd>, StoreError> {
        self.open_as(key, FLAGS | OFlags::DIRECTORY)
    }

    /// Looks at whatever a key names, without opening it; `None` where there is nothing.
    ///
    /// # Errors
    /// What leads out, and links to nothing.
    pub fn look(&self, key: &str) -> Result<Option<Metadata>, StoreError> {
        let Some(found) = self.open_as(key, OFlags::PATH | OFlags::CLOEXEC)? else { return Ok(None) };
        File::from(found).metadata().map(Some).map_err(|source| StoreError::Io { key: key.into(), source })
    }

    fn open_as(&self, key: &str, flags: OFlags) -> Result<Option<OwnedFd>, StoreError> {
        let failed = |e: Errno| StoreError::Io { key: key.into(), source: e.into() };
        let root = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.root, root, Mode::empty()).map_err(failed)?;
        match open_beneath(&root, key.as_ref(), flags, ResolveFlags::BENEATH) {
            Ok(file) => Ok(Some(file)),
            Err(Errno::NOTDIR) if flags.contains(OFlags::DIRECTORY) => Ok(None),
            Err(Errno::NOENT | Errno::NOTDIR) => {
                match rustix::fs::statat(&root, key, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(StoreError::Dangling(key.into())),
                    Err(_) => Ok(None),
                }
            }
            // A path out of the folder, an absolute link that may lead back into it, an old kernel.
            Err(Errno::XDEV | Errno::NOSYS | Errno::PERM) => self.open_resolved(&root, key, flags),
            Err(e) => Err(failed(e)),
        }
    }

    /// The same with links resolved first.
    fn open_resolved(&self, root: &OwnedFd, key: &str, flags: OFlags) -> Result<Option<OwnedFd>, StoreError> {
        let failed = |source: io::Error| StoreError::Io { key: key.into(), source };
        let real = match self.root.join(key).canonicalize() {
            Ok(real) => real,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(e) => return Err(failed(e)),
        };
        let Ok(inner) = real.strip_prefix(&self.root) else { return Err(StoreError::Escapes(key.into())) };
        // A link to the root itself.
        let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
        match open_beneath(root, inner, flags, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS) {
            Ok(file) => Ok(Some(file)),
            Err(Errno::NOSYS | Errno::PERM) => {
                let flags = flags | OFlags::NOFOLLOW;
                rustix::fs::openat(root, inner, flags, Mode::empty()).map(Some).map_err(|e| failed(e.into()))
            }
            Err(Errno::XDEV | Errno::LOOP) => Err(StoreError::Escapes(key.into())),
            Err(Errno::NOTDIR) => Ok(None),
            Err(e) => Err(failed(e.into())),
        }
    }
}

/// Not waiting: opening a named pipe would.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn open_beneath(
    root: &OwnedFd,
    key: &Path,
    flags: OFlags,
    resolve: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat2(root, key, flags, Mode::empty(), resolve | ResolveFlags::NO_MAGICLINKS)
}

impl StoredFile {
    /// Its length when it was opened.
    pub fn len(&self) -> u64 {
        self.version.len
    }

    /// What tells it from one that was written later.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its length, for memory, where that is at most `most`.
    ///
    /// # Errors
    /// A longer file.
    pub fn len_within(&self, most: usize) -> Result<usize, StoreError> {
        let len = self.version.len;
        if len > most as u64 {
            return Err(StoreError::TooLong { key: self.key.clone(), len, most: most as u64 });
        }
        Ok(len as usize)
    }

    /// Reads exactly as many bytes as `out` holds.
    ///
    /// # Errors
    /// Where the file ends before, or cannot be read.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), StoreError> {
        let failed = |source| StoreError::Io { key: self.key.clone(), source };
        self.file.read_exact_at(out, offset).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::os::unix::fs::symlink;

    fn content(store: &FolderStore, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(file) = store.open(key)? else { return Ok(None) };
        let mut bytes = vec![0; file.len_within(100)?];
        file.read_at(0, &mut bytes)?;
        Ok(Some(bytes))
    }

    #[test]
    fn files_are_read_in_parts_and_absence_is_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("c")).unwrap();
        std::fs::write(dir.path().join("c/0"), b"abcdef").unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        assert_eq!(content(&store, "c/0").unwrap().unwrap(), b"abcdef");
        let file = store.open("c/0").unwrap().unwrap();
        let mut part = [0; 2];
        file.read_at(1, &mut part).unwrap();
        assert_eq!(&part, b"bc");
        assert!(file.read_at(5, &mut part).is_err());
        assert!(file.read_at(u64::MAX, &mut part).is_err());
        assert!(matches!(file.len_within(5), Err(StoreError::TooLong { len: 6, most: 5, .. })));
        assert!(store.open("c/1").unwrap().is_none());
        assert!(store.open("c/0/1").unwrap().is_none(), "a file is not a folder");
        assert!(matches!(store.open("c"), Err(StoreError::NotAFile(_))));
        // A file of any size is not read: its length is known first.
        File::create(dir.path().join("big")).unwrap().set_len(1 << 40).unwrap();
        assert!(content(&store, "big").is_err());
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), b"s").unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inside")).unwrap();
        std::fs::write(dir.path().join("inside/file"), b"i").unwrap();
        let root = dir.path().canonicalize().unwrap();
        symlink(outside.path().join("secret"), root.join("out")).unwrap();
        symlink(outside.path(), root.join("folder")).unwrap();
        symlink(format!("../{}", outside.path().file_name().unwrap().to_str().unwrap()), root.join("up"))
            .unwrap();
        symlink("inside/file", root.join("in")).unwrap();
        symlink(root.join("inside/file"), root.join("absolute")).unwrap();
        symlink("inside", root.join("middle")).unwrap();
        symlink("../inside/../in", root.join("inside/back")).unwrap();
        symlink("round", root.join("round")).unwrap();
        symlink("nothing", root.join("dangling")).unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        let up = format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
        let absolute = outside.path().join("secret");
        for key in ["out", "folder/secret", "up/secret", "middle/../out", &up, absolute.to_str().unwrap()] {
            assert!(matches!(content(&store, key), Err(StoreError::Escapes(_))), "{key}");
        }
        for key in ["in", "absolute", "middle/file", "inside/back", "inside/../in"] {
            assert_eq!(content(&store, key).unwrap().unwrap(), b"i", "{key}");
        }
        assert!(matches!(store.open("round"), Err(StoreError::Io { .. })));
        assert!(matches!(store.open("dangling"), Err(StoreError::Dangling(_))));
    }

    #[test]
    fn pipes_and_devices_are_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = rustix::fs::FileType::Fifo;
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, dir.path().join("pipe"), pipe, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        assert!(matches!(store.open("pipe"), Err(StoreError::NotAFile(_))));
        assert!(store.open("socket").is_err());
        // A link to a device leads out.
        symlink("/dev/zero", dir.path().join("zero")).unwrap();
        assert!(matches!(store.open("zero"), Err(StoreError::Escapes(_))));
    }

    #[test]
    fn a_folder_that_is_gone_is_no_image_of_fill_values() {
        let dir = tempfile::tempdir().unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        assert!(store.open("c/0").unwrap().is_none());
        dir.close().unwrap();
        assert!(matches!(store.open("c/0"), Err(StoreError::Io { .. })));
    }

    #[test]
    fn a_file_written_anew_has_another_version() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), b"one").unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        let version = || store.open("a").unwrap().unwrap().version();
        let before = version();
        assert_eq!(version(), before);
        std::fs::write(dir.path().join("b"), b"two").unwrap();
        std::fs::rename(dir.path().join("b"), dir.path().join("a")).unwrap();
        assert_ne!(version(), before);
    }
}
