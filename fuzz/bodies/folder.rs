//! A folder of files written as one text: `== name` on a line, then the file, up to the next such line.

use std::{fs, path::Path};

/// Files that an input may hold; a name that is not listed is passed over, so that no input writes elsewhere.
const KNOWN: [&str; 22] = [
    "zarr.json",
    ".zattrs",
    ".zgroup",
    ".zarray",
    "0/zarr.json",
    "0/.zarray",
    "0/.zattrs",
    "0/.zgroup",
    "0/0/zarr.json",
    "0/0/.zarray",
    "1/zarr.json",
    "1/.zarray",
    "A/1/.zattrs",
    "A/1/zarr.json",
    "OME/.zattrs",
    "OME/zarr.json",
    "labels/.zattrs",
    "labels/zarr.json",
    "labels/a/.zattrs",
    "labels/a/zarr.json",
    "labels/a/0/.zarray",
    "labels/a/0/zarr.json",
];

/// Names and contents in the order in which they stand.
fn files(input: &[u8]) -> Vec<(&str, &[u8])> {
    const MARK: &[u8] = b"\n== ";
    let mut out = Vec::new();
    let mut rest = input.strip_prefix(b"== ");
    while let Some(section) = rest {
        let end = section.windows(MARK.len()).position(|w| w == MARK);
        let (this, next) = match end {
            Some(at) => (&section[..at], Some(&section[at + MARK.len()..])),
            None => (section, None),
        };
        let line = this.iter().position(|b| *b == b'\n').unwrap_or(this.len());
        if let Ok(name) = std::str::from_utf8(&this[..line]) {
            out.push((name, this.get(line + 1..).unwrap_or_default()));
        }
        rest = next;
    }
    out
}

/// Writes the known files of an input into a folder.
pub fn unpack(input: &[u8], root: &Path) {
    for (name, content) in files(input) {
        let Some(name) = KNOWN.iter().find(|known| **known == name) else { continue };
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("inside the root")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
}
