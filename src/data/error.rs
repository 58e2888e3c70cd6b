//! Why an image could not be opened.

use std::path::PathBuf;

/// A refusal to open an image: what, where, and the way out. Exit code and wire word are the caller's.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing there.
    #[error("{}: no such file or folder. Give the path of an OME-Zarr image, a folder that usually ends in .ome.zarr", path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// The path is there but cannot be read.
    #[error("{}: cannot read: {reason}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file, or a folder without Zarr metadata.
    #[error("{}: not a Zarr group: {reason}", path.display())]
    NotZarr {
        /// The path.
        path: PathBuf,
        /// What was looked for, and what to do.
        reason: String,
    },
    /// A Zarr group or array, but not an OME-Zarr image.
    #[error("{}: no multiscales: {hint}", path.display())]
    NoMultiscales {
        /// The path.
        path: PathBuf,
        /// What to do.
        hint: String,
    },
    /// Metadata that cannot be read as JSON.
    #[error("{}: malformed JSON: {reason}", file.display())]
    Json {
        /// The metadata file.
        file: PathBuf,
        /// Line, column and what was expected.
        reason: String,
    },
    /// Metadata that contradicts itself or exceeds a limit.
    #[error("{}: {field}: {reason}", file.display())]
    Metadata {
        /// The metadata file.
        file: PathBuf,
        /// Which part of it.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// Well-formed, but not something that this program reads.
    #[error("{}: {field}: not supported: {reason}", file.display())]
    Unsupported {
        /// The metadata file.
        file: PathBuf,
        /// Which part of it.
        field: String,
        /// What is not supported, and what is.
        reason: String,
    },
    /// A path inside the image that leads out of it.
    #[error("{}: {field}: the path {path:?} leads out of the image; only folders inside it are read", file.display())]
    Escapes {
        /// The metadata file.
        file: PathBuf,
        /// Which part of it.
        field: String,
        /// The path as written.
        path: String,
    },
}
