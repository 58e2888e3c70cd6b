//! Stored chunks and shards under every codec: decoded whole, or refused.

use lucida::data::{Opened, open::open};
use lucida_components::chunk::ChunkValues;
use std::{fs, path::Path};

/// Shape of the array, and of what is read at once.
pub const SHAPE: [u64; 3] = [4, 8, 8];
const OME: &str = r#""multiscales": [{"axes": [{"name": "z", "type": "space"}, {"name": "y", "type": "space"},
    {"name": "x", "type": "space"}], "datasets": [{"path": "0", "coordinateTransformations":
    [{"type": "scale", "scale": [1, 1, 1]}]}]}], "omero": {"channels": [{"color": "FFFFFF",
    "window": {"start": 0, "end": 100, "min": 0, "max": 255}}]}"#;
const BYTES: &str = r#"{"name": "bytes", "configuration": {"endian": "little"}}"#;
const ZSTD: &str = r#"{"name": "zstd", "configuration": {"level": 1, "checksum": false}}"#;
const GZIP: &str = r#"{"name": "gzip", "configuration": {"level": 1}}"#;
const BLOSC: &str = r#"{"name": "blosc", "configuration": {"cname": "lz4", "clevel": 1, "shuffle": "shuffle",
    "typesize": 2, "blocksize": 0}}"#;
const CRC: &str = r#"{"name": "crc32c"}"#;
const TRANSPOSE: &str = r#"{"name": "transpose", "configuration": {"order": [2, 0, 1]}}"#;

/// Compressors of Zarr v2, as its metadata names them.
const V2: [&str; 6] = [
    "null",
    r#"{"id": "zstd", "level": 1}"#,
    r#"{"id": "gzip", "level": 1}"#,
    r#"{"id": "zlib", "level": 1}"#,
    r#"{"id": "bz2", "level": 1}"#,
    r#"{"id": "blosc", "cname": "zstd", "clevel": 1, "shuffle": 1, "blocksize": 0}"#,
];

/// Number of ways in which a chunk may be stored; the first byte of an input chooses.
pub const WAYS: usize = V2.len() + 10;

/// Codecs of Zarr v3, outermost last.
fn v3(way: usize) -> String {
    let sharding = |codecs: &[&str], location: &str| {
        format!(
            r#"{{"name": "sharding_indexed", "configuration": {{"chunk_shape": [2, 4, 4],
            "codecs": [{}], "index_codecs": [{BYTES}, {CRC}], "index_location": "{location}"}}}}"#,
            codecs.join(", ")
        )
    };
    match way {
        0 => BYTES.to_owned(),
        1 => [BYTES, ZSTD].join(", "),
        2 => [BYTES, GZIP].join(", "),
        3 => [BYTES, BLOSC].join(", "),
        4 => [BYTES, CRC].join(", "),
        5 => [TRANSPOSE, BYTES, ZSTD, CRC].join(", "),
        6 => [BYTES, GZIP, ZSTD].join(", "),
        7 => sharding(&[BYTES, ZSTD], "end"),
        8 => sharding(&[BYTES, GZIP, CRC], "start"),
        _ => [sharding(&[BYTES], "end").as_str(), GZIP].join(", "),
    }
}

/// Writes an image stored in one of [`WAYS`], whose only chunk file holds `stored`.
pub fn write(way: usize, stored: &[u8], root: &Path) {
    let put = |name: &str, content: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("inside the root")).expect("a folder");
        fs::write(path, content).expect("a file");
    };
    if let Some(compressor) = V2.get(way) {
        put(".zgroup", br#"{"zarr_format": 2}"#);
        put(".zattrs", format!("{{{OME}}}").as_bytes());
        let array = format!(
            r#"{{"zarr_format": 2, "shape": {SHAPE:?}, "chunks": {SHAPE:?}, "dtype": "<u2", "fill_value": 7,
            "order": "C", "filters": null, "dimension_separator": "/", "compressor": {compressor}}}"#
        );
        put("0/.zarray", array.as_bytes());
        put("0/0/0/0", stored);
    } else {
        let group = format!(
            r#"{{"zarr_format": 3, "node_type": "group", "attributes": {{"ome": {{"version": "0.5", {OME}}}}}}}"#
        );
        put("zarr.json", group.as_bytes());
        let array = format!(
            r#"{{"zarr_format": 3, "node_type": "array", "shape": {SHAPE:?}, "data_type": "uint16",
            "fill_value": 7, "chunk_grid": {{"name": "regular", "configuration": {{"chunk_shape": {SHAPE:?}}}}},
            "chunk_key_encoding": {{"name": "default", "configuration": {{"separator": "/"}}}},
            "codecs": [{}]}}"#,
            v3(way - V2.len())
        );
        put("0/zarr.json", array.as_bytes());
        put("0/c/0/0/0", stored);
    }
}

/// Reads the input as a chunk: its first byte is how it is stored, the rest what is stored.
pub fn run(input: &[u8]) {
    let Some((way, stored)) = input.split_first() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    write(usize::from(*way) % WAYS, stored, dir.path());
    read_some(&open(dir.path()).expect("its metadata is sound"));
}

/// Reads the first, the last and an absent chunk of each level: whole, or refused with a reason.
pub fn read_some(opened: &Opened) {
    for (id, source) in &opened.sources {
        let image = opened.dataset.images.iter().find(|image| image.source == *id).expect("a source's image");
        for (number, level) in image.levels.iter().enumerate() {
            let chunks = level.grid().fold(1, u64::saturating_mul);
            for chunk in [0, chunks - 1, chunks, u64::MAX] {
                match source.read(number as u16, chunk) {
                    Err(fault) => assert!(!fault.reason.is_empty()),
                    Ok(data) => {
                        assert!(chunk < chunks, "there is no chunk {chunk}");
                        if let ChunkValues::Dense(values) = &data.values {
                            let want = level.chunk_voxels() * data.dtype.size() as u64;
                            assert_eq!(values.len() as u64, want, "a chunk is whole");
                        }
                    }
                }
            }
        }
    }
}
