//! The folder of one image as a read-only Zarr store.
//!
//! zarrs' own file store keeps a lock for every key it ever saw, which a server that walks through
//! terabytes cannot afford, follows links out of the folder, and reads files of any size.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};
use zarrs::storage::{
    Bytes, MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError, StoreKey,
    byte_range::{ByteRange, ByteRangeIterator},
};

/// The most that is read in one piece: a chunk of the largest decoded size, stored worse than raw.
pub const MAX_READ_BYTES: u64 = super::level::MAX_CHUNK_BYTES + (1 << 20);

/// A folder, canonical; nothing outside it is read.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
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

    /// Opens the file of a key; `None` where there is none. Links are resolved before they are trusted.
    fn open(&self, key: &StoreKey) -> Result<Option<(File, u64)>, StorageError> {
        let absent =
            |e: &io::Error| matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        let path = match self.root.join(key.as_str()).canonicalize() {
            Ok(path) => path,
            Err(e) if absent(&e) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if !path.starts_with(&self.root) {
            return Err(StorageError::Other(format!("{key} leads out of the image")));
        }
        let file = File::open(&path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(StorageError::Other(format!("{key} is not a file")));
        }
        Ok(Some((file, meta.len())))
    }
}

impl ReadableStorageTraits for FolderStore {
    fn get(&self, key: &StoreKey) -> Result<MaybeBytes, StorageError> {
        let Some((file, size)) = self.open(key)? else { return Ok(None) };
        read_range(&file, key, 0, size).map(Some)
    }

    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        byte_ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        let Some((file, size)) = self.open(key)? else { return Ok(None) };
        let key = key.clone();
        Ok(Some(Box::new(byte_ranges.map(move |range| {
            // A hostile range is shown as it is: its Display adds its numbers up and overflows.
            let (start, end) = bounds(range, size).ok_or_else(|| {
                StorageError::Other(format!("{key}: {range:?} is outside its {size} bytes"))
            })?;
            read_range(&file, &key, start, end - start)
        }))))
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        Ok(self.open(key)?.map(|(_, size)| size))
    }

    fn supports_get_partial(&self) -> bool {
        true
    }
}

/// Start and end of a range in a file of `size` bytes, `None` where it does not lie inside. A hostile
/// shard index can hold any numbers.
fn bounds(range: ByteRange, size: u64) -> Option<(u64, u64)> {
    let (start, end) = match range {
        ByteRange::FromStart(offset, None) => (offset, size),
        ByteRange::FromStart(offset, Some(length)) => (offset, offset.checked_add(length)?),
        ByteRange::Suffix(length) => (size.checked_sub(length)?, size),
    };
    (start <= end && end <= size).then_some((start, end))
}

fn read_range(file: &File, key: &StoreKey, start: u64, length: u64) -> Result<Bytes, StorageError> {
    if length > MAX_READ_BYTES {
        return Err(StorageError::Other(format!(
            "{key}: {length} bytes in one piece; at most {MAX_READ_BYTES} are read"
        )));
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key(name: &str) -> StoreKey {
        StoreKey::new(name).unwrap()
    }

    #[test]
    fn files_are_read_whole_and_in_parts_and_absence_is_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("c")).unwrap();
        std::fs::write(dir.path().join("c/0"), b"abcdef").unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        assert_eq!(store.get(&key("c/0")).unwrap().unwrap(), &b"abcdef"[..]);
        let part = |range| store.get_partial(&key("c/0"), range);
        assert_eq!(part(ByteRange::FromStart(1, Some(2))).unwrap().unwrap(), &b"bc"[..]);
        assert_eq!(part(ByteRange::Suffix(2)).unwrap().unwrap(), &b"ef"[..]);
        for outside in
            [ByteRange::FromStart(5, Some(2)), ByteRange::FromStart(u64::MAX, Some(2)), ByteRange::Suffix(7)]
        {
            assert!(part(outside).is_err(), "{outside:?}");
        }
        assert_eq!(store.size_key(&key("c/0")).unwrap(), Some(6));
        assert!(store.get(&key("c/1")).unwrap().is_none());
        assert!(store.get(&key("c/0/1")).unwrap().is_none(), "a file is not a folder");
        assert!(store.get(&key("c")).is_err(), "a folder is not a file");
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), b"s").unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("inner"), b"i").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), dir.path().join("out")).unwrap();
        std::os::unix::fs::symlink("inner", dir.path().join("in")).unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        assert!(store.get(&key("out")).is_err());
        let up = format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
        assert!(store.get(&key(&up)).is_err());
        assert_eq!(store.get(&key("in")).unwrap().unwrap(), &b"i"[..]);
    }

    #[test]
    fn a_file_of_any_size_is_not_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::File::create(dir.path().join("big")).unwrap().set_len(MAX_READ_BYTES + 1).unwrap();
        let store = FolderStore::new(dir.path()).unwrap();
        let error = store.get(&key("big")).unwrap_err().to_string();
        assert!(error.contains("in one piece"), "{error}");
    }
}
