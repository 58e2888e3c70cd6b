//! Metadata files: bounded in size, with the NaN and Infinity that real writers leave in them.

use super::error::OpenError;
use serde_json::Value;
use std::{io::Read, path::Path};

/// The largest metadata file that is read.
pub const MAX_METADATA_BYTES: u64 = 16 << 20;

/// Reads a metadata file; `None` where there is none.
///
/// # Errors
/// Unreadable, too large, or not JSON even when NaN and Infinity are allowed.
pub fn read(file: &Path) -> Result<Option<Value>, OpenError> {
    let unreadable =
        |e: std::io::Error| OpenError::Unreadable { path: file.to_owned(), reason: e.to_string() };
    let handle = match std::fs::File::open(file) {
        Ok(handle) => handle,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(unreadable(e)),
    };
    let mut bytes = Vec::new();
    handle.take(MAX_METADATA_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_METADATA_BYTES {
        return Err(OpenError::Metadata {
            file: file.to_owned(),
            field: "size".into(),
            reason: format!("metadata of more than {} MiB is not read", MAX_METADATA_BYTES >> 20),
        });
    }
    parse(&bytes).map(Some).map_err(|e| OpenError::Json { file: file.to_owned(), reason: e.to_string() })
}

/// Parses JSON; on failure once more with bare `NaN`, `Infinity` and `-Infinity` taken as strings of
/// that name (the form that Zarr itself uses for fill values).
///
/// # Errors
/// The first pass's error, which speaks of the file as it is.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes)
        .or_else(|first| serde_json::from_slice(&quote_specials(bytes)).map_err(|_| first))
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
    }
}
