//! What can be seen of a file without reading it, to tell whether it was changed.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// Size and times of a file, or that there is none.
pub fn of(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(m) => format!("{}:{}.{}:{}.{}", m.len(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()),
        Err(_) => "none".into(),
    }
}
