//! Metadata files: bounded in size, with the NaN and Infinity that real writers leave in them.

use super::{
    error::OpenError,
    store::{FolderStore, StoreError},
};
use serde_json::Value;
use std::{fs::File, io::Read, os::unix::fs::OpenOptionsExt, path::Path};

/// The largest metadata file that is read.
pub const MAX_METADATA_BYTES: u64 = 16 << 20;

/// The most memory that a parsed document may take, roughly: a few bytes of text can become hundreds.
const MAX_PARSED_BYTES: usize = 256 << 20;

/// Reads a metadata file; `None` where there is none. For the files of an image, whose links are not to be
/// trusted, there is [`read_within`].
///
/// # Errors
/// Unreadable, no regular file, too large, or not JSON even when NaN and Infinity are allowed.
pub fn read(file: &Path) -> Result<Option<Value>, OpenError> {
    let unreadable =
        |e: std::io::Error| OpenError::Unreadable { path: file.to_owned(), reason: e.to_string() };
    // Opening a named pipe would wait for ever.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let mut handle = match File::options().read(true).custom_flags(nonblocking).open(file) {
        Ok(handle) => handle,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(unreadable(e)),
    };
    if !handle.metadata().map_err(unreadable)?.is_file() {
        let reason = "it is not a regular file".into();
        return Err(OpenError::Unreadable { path: file.to_owned(), reason });
    }
    let mut bytes = Vec::new();
    handle.by_ref().take(MAX_METADATA_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_METADATA_BYTES {
        return Err(too_large(file));
    }
    document(file, &bytes).map(Some)
}

/// Reads the metadata file of a key of an image; `None` where there is none.
///
/// # Errors
/// As [`read`], and paths and links that lead out of the image.
pub fn read_within(store: &FolderStore, key: &str) -> Result<Option<Value>, OpenError> {
    let path = store.root().join(key);
    let unreadable = |e: StoreError| match e {
        StoreError::Escapes(key) => {
            OpenError::Escapes { file: store.root().to_owned(), field: "link".into(), path: key }
        }
        StoreError::TooLong { .. } => too_large(&path),
        e => OpenError::Unreadable { path: path.clone(), reason: e.to_string() },
    };
    let Some(file) = store.open(key).map_err(unreadable)? else { return Ok(None) };
    let mut bytes = vec![0; file.len_within(MAX_METADATA_BYTES as usize).map_err(unreadable)?];
    file.read_at(0, &mut bytes).map_err(unreadable)?;
    document(&path, &bytes).map(Some)
}

fn too_large(file: &Path) -> OpenError {
    OpenError::Metadata {
        file: file.to_owned(),
        field: "size".into(),
        reason: format!("metadata of more than {} MiB is not read", MAX_METADATA_BYTES >> 20),
    }
}

fn document(file: &Path, bytes: &[u8]) -> Result<Value, OpenError> {
    parse(bytes).map_err(|e| OpenError::Json { file: file.to_owned(), reason: e.to_string() })
}

/// Parses JSON; on failure once more with bare `NaN`, `Infinity` and `-Infinity` taken as strings of
/// that name (the form that Zarr itself uses for fill values).
///
/// # Errors
/// The first pass's error, which speaks of the file as it is.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if parsed_bytes(bytes) > MAX_PARSED_BYTES {
        return Err(serde::de::Error::custom("more objects and lists than metadata is read with"));
    }
    serde_json::from_slice(bytes)
        .or_else(|first| serde_json::from_slice(&quote_specials(bytes)).map_err(|_| first))
}

/// What a document takes in memory at most, roughly: each object is a node of a tree with room for several
/// entries, each entry or element a value.
fn parsed_bytes(bytes: &[u8]) -> usize {
    let cost = |byte: &u8| match byte {
        b'{' => 640,
        b'[' | b',' => 32,
        _ => 1,
    };
    bytes.iter().map(cost).sum()
}

/// A number, or a number written as a string, NaN and infinities included.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// Puts quotes round the three words wherever they stand outside a string.
fn quote_specials(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let (mut at, mut in_string) = (0, false);
    while at < bytes.len() {
        let byte = bytes[at];
        if in_string {
            out.push(byte);
            if byte == b'\\' && at + 1 < bytes.len() {
                at += 1;
                out.push(bytes[at]);
            } else if byte == b'"' {
                in_string = false;
            }
            at += 1;
            continue;
        }
        let word = [&b"NaN"[..], b"-Infinity", b"Infinity"].into_iter().find(|w| bytes[at..].starts_with(w));
        if let Some(word) = word {
            out.push(b'"');
            out.extend_from_slice(word);
            out.push(b'"');
            at += word.len();
        } else {
            in_string = byte == b'"';
            out.push(byte);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn bare_nan_and_infinity_are_read_and_strings_are_left_alone() {
        let value = parse(br#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" NaN", "d": 1}"#).unwrap();
        assert!(number(&value["a"]).unwrap().is_nan());
        assert_eq!(number(&value["b"][0]), Some(f64::NEG_INFINITY));
        assert_eq!(number(&value["b"][1]), Some(f64::INFINITY));
        assert_eq!(value["c"], "NaN \" NaN");
        assert_eq!(number(&value["d"]), Some(1.0));
    }

    #[test]
    fn what_is_not_json_either_way_reports_the_first_error() {
        let error = parse(b"{\"a\": NaN, }").unwrap_err().to_string();
        assert!(error.contains("column 7"), "{error}");
        assert!(parse(b"\"\\").is_err());
        assert!(parse(b"").is_err());
    }

    #[test]
    fn an_oversized_file_is_refused_before_it_is_parsed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("zarr.json");
        std::fs::File::create(&file).unwrap().set_len(MAX_METADATA_BYTES + 1).unwrap();
        assert!(matches!(read(&file), Err(OpenError::Metadata { field, .. }) if field == "size"));
        assert!(read(&dir.path().join("absent")).unwrap().is_none());
        let store = FolderStore::new(dir.path()).unwrap();
        assert!(
            matches!(read_within(&store, "zarr.json"), Err(OpenError::Metadata { field, .. }) if field == "size")
        );
        assert!(read_within(&store, "absent").unwrap().is_none());
    }

    #[test]
    fn pipes_and_links_out_are_refused_and_not_waited_for() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        std::fs::write(outside.path().join("zarr.json"), "{}").unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("0")).unwrap();
        assert!(matches!(read(&pipe), Err(OpenError::Unreadable { .. })));
        assert!(matches!(read(Path::new("/dev/zero")), Err(OpenError::Unreadable { .. })));
        let store = FolderStore::new(dir.path()).unwrap();
        assert!(matches!(read_within(&store, "pipe"), Err(OpenError::Unreadable { .. })));
        assert!(matches!(read_within(&store, "0/zarr.json"), Err(OpenError::Escapes { .. })));
    }

    #[test]
    fn what_is_meant_to_exhaust_the_parser_is_an_error() {
        // Deeper than the parser goes, with and without the second pass.
        let deep = b"[".repeat(100_000);
        assert!(parse(&deep).is_err());
        assert!(parse(&[&deep[..], b"NaN"].concat()).is_err());
        // Fits the size of a file, but each of its objects takes hundreds of bytes.
        let many = [&b"[{\"\":0}"[..], &b",{\"\":0}".repeat(1 << 19), b"]"].concat();
        assert!((many.len() as u64) < MAX_METADATA_BYTES);
        assert!(parse(&many).is_err());
        assert!(parse(b"1e999").is_err());
        assert_eq!(parse(b"{\"a\": 1, \"a\": 2}").unwrap()["a"], 2, "the last of two counts");
        let huge = parse(b"{\"shape\": [18446744073709551615, 99999999999999999999999999, -1]}").unwrap();
        assert_eq!(huge["shape"][0].as_u64(), Some(u64::MAX));
        assert_eq!(huge["shape"][1].as_u64(), None);
    }
}
