//! Every value type behind every codec that can be written: what zarrs, or the codec's own library, wrote is
//! what our decoders read.

use crate::image::*;
use lucida::data::{codecs::decode_untrusted, open::open};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};

const TYPES: [(&str, &str, StoredType); 12] = [
    ("b1", "bool", StoredType::Bool),
    ("i1", "int8", StoredType::I8),
    ("u1", "uint8", StoredType::U8),
    ("i2", "int16", StoredType::I16),
    ("u2", "uint16", StoredType::U16),
    ("i4", "int32", StoredType::I32),
    ("u4", "uint32", StoredType::U32),
    ("i8", "int64", StoredType::I64),
    ("u8", "uint64", StoredType::U64),
    ("f2", "float16", StoredType::F16),
    ("f4", "float32", StoredType::F32),
    ("f8", "float64", StoredType::F64),
];

/// Writes an image of one level through zarrs and checks every voxel.
fn check(shape: &[u64], stored: StoredType, meta: &Value) {
    let dir = tempfile::tempdir().unwrap();
    let version = if meta["zarr_format"] == 2 { "0.4" } else { "0.5" };
    let axes = &"zyx"[3 - shape.len()..];
    put_image(dir.path(), version, multiscales(axes, &[("0", vec![1.0; shape.len()])]), Value::Null);
    put_array(dir.path(), 0, "0", meta, stored);
    let opened = open(dir.path()).unwrap_or_else(|e| panic!("{e}: {meta}"));
    assert_pattern(&opened);
}

fn zero(stored: StoredType) -> Value {
    if stored == StoredType::Bool { json!(false) } else { json!(0) }
}

fn configured(name: &str, configuration: Value) -> Value {
    json!({"name": name, "configuration": configuration})
}

#[test]
fn version_3_every_type_byte_order_and_codec() {
    let zstd = || configured("zstd", json!({"level": 1, "checksum": true}));
    let gzip = || configured("gzip", json!({"level": 1}));
    for (_, name, stored) in TYPES {
        let size = stored.size();
        let blosc = |cname: &str, shuffle: &str| {
            let config =
                json!({"cname": cname, "clevel": 5, "shuffle": shuffle, "typesize": size, "blocksize": 0});
            vec![configured("blosc", config)]
        };
        let mut tails = vec![
            vec![],
            vec![zstd()],
            vec![gzip()],
            vec![json!({"name": "crc32c"})],
            vec![gzip(), zstd(), json!({"name": "crc32c"})],
            vec![configured("numcodecs.zlib", json!({"level": 1}))],
            vec![configured("numcodecs.bz2", json!({"level": 1}))],
            vec![configured("numcodecs.shuffle", json!({"elementsize": size})), zstd()],
        ];
        for cname in ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"] {
            tails.push(blosc(cname, "shuffle"));
        }
        tails.extend([blosc("lz4", "noshuffle"), blosc("zstd", "bitshuffle")]);
        for endian in ["little", "big"] {
            for tail in &tails {
                let mut meta = v3(&[5, 9], &[4, 8], name);
                meta["fill_value"] = zero(stored);
                let bytes = configured("bytes", json!({"endian": endian}));
                meta["codecs"] = [vec![bytes], tail.clone()].concat().into();
                check(&[5, 9], stored, &meta);
            }
        }
    }
}

#[test]
fn version_2_every_type_byte_order_memory_order_and_compressor() {
    for (name, _, stored) in TYPES {
        let blosc = |cname: &str, shuffle: i8| json!({"id": "blosc", "cname": cname, "clevel": 5, "shuffle": shuffle, "blocksize": 0});
        let compressors = [
            Value::Null,
            json!({"id": "zstd", "level": 1}),
            json!({"id": "gzip", "level": 1}),
            json!({"id": "zlib", "level": 1}),
            json!({"id": "bz2", "level": 1}),
            blosc("lz4", 1),
            blosc("zstd", 2),
            blosc("blosclz", 0),
        ];
        for order in ["<", ">"] {
            let order = if stored.size() == 1 { "|" } else { order };
            for memory in ["C", "F"] {
                for compressor in &compressors {
                    let mut meta = v2(&[3, 5, 7], &[2, 4, 4], &format!("{order}{name}"));
                    meta["fill_value"] = zero(stored);
                    meta["order"] = memory.into();
                    meta["compressor"] = compressor.clone();
                    check(&[3, 5, 7], stored, &meta);
                }
            }
            let mut meta = v2(&[3, 5, 7], &[2, 4, 4], &format!("{order}{name}"));
            meta["fill_value"] = zero(stored);
            meta["filters"] = json!([{"id": "shuffle", "elementsize": stored.size()}]);
            check(&[3, 5, 7], stored, &meta);
        }
    }
}

#[test]
fn permuted_axes_in_and_round_shards() {
    let bytes = configured("bytes", json!({"endian": "big"}));
    let zstd = configured("zstd", json!({"level": 1, "checksum": false}));
    let index = json!([configured("bytes", json!({"endian": "little"})), {"name": "crc32c"}]);
    for (_, name, stored) in [TYPES[2], TYPES[4], TYPES[10], TYPES[11]] {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let transpose = configured("transpose", json!({"order": order}));
            let mut meta = v3(&[5, 9, 7], &[4, 6, 8], name);
            meta["codecs"] = json!([transpose, bytes, zstd]);
            check(&[5, 9, 7], stored, &meta);
            // Extents of inner chunks are those of the permuted axes.
            let shard = |inner: Value, codecs: Value| {
                configured(
                    "sharding_indexed",
                    json!({"chunk_shape": inner, "codecs": codecs, "index_codecs": index}),
                )
            };
            let inner = order.map(|axis| [2, 3, 4][axis]);
            meta["codecs"] = json!([transpose, shard(json!(inner), json!([bytes, zstd]))]);
            check(&[5, 9, 7], stored, &meta);
            meta["codecs"] = json!([shard(json!([2, 3, 4]), json!([transpose, bytes]))]);
            check(&[5, 9, 7], stored, &meta);
        }
    }
}

#[test]
fn values_kept_scaled() {
    let bytes = configured("bytes", json!({"endian": "little"}));
    let scaled = configured(
        "numcodecs.fixedscaleoffset",
        json!({"offset": -8, "scale": 2, "dtype": "<f8", "astype": "<u2"}),
    );
    let mut meta = v3(&[5, 9], &[4, 8], "float64");
    meta["codecs"] = json!([scaled, bytes, configured("gzip", json!({"level": 1}))]);
    check(&[5, 9], StoredType::F64, &meta);
}

/// A v2 array of one chunk of eight values behind filters, decoded from bytes alone.
fn decoded(dtype: &str, filters: Value, compressor: Value, chunk: &[u8]) -> Vec<u8> {
    let mut meta = v2(&[8], &[8], dtype);
    meta["filters"] = filters;
    meta["compressor"] = compressor;
    decode_untrusted(meta.to_string().as_bytes(), chunk, 1 << 20).unwrap()
}

#[test]
fn what_zarrs_does_not_write() {
    let values: Vec<u8> = [7u16, 9, 9, 300, 2, 65_535, 0, 1].iter().flat_map(|v| v.to_ne_bytes()).collect();
    let block = lz4_flex::block::compress(&values);
    let lz4 = [&16u32.to_le_bytes()[..], &block].concat();
    assert_eq!(decoded("<u2", Value::Null, json!({"id": "lz4"}), &lz4), values);

    // Differences in their own byte order, of an array in that order.
    let differences: Vec<u8> =
        [7u16, 2, 0, 291, 65_238, 65_533, 1, 1].iter().flat_map(|v| v.to_be_bytes()).collect();
    let delta = json!([{"id": "delta", "dtype": ">u2"}]);
    assert_eq!(decoded(">u2", delta.clone(), Value::Null, &differences), values);
    // And shuffled and compressed behind that, as numcodecs would.
    let shuffled: Vec<u8> =
        (0..2).flat_map(|b| differences.chunks(2).map(move |v| v[b]).collect::<Vec<_>>()).collect();
    let filters = json!([delta[0], {"id": "shuffle", "elementsize": 2}]);
    let zstd = zstd::bulk::compress(&shuffled, 1).unwrap();
    assert_eq!(decoded(">u2", filters, json!({"id": "zstd", "level": 1}), &zstd), values);

    // Checksums in front, where numcodecs puts them.
    let raw: Vec<u8> = [7u16, 9, 9, 300, 2, 65_535, 0, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
    let checked = [&crc32fast::hash(&raw).to_le_bytes()[..], &raw].concat();
    assert_eq!(decoded("<u2", json!([{"id": "crc32"}]), Value::Null, &checked), values);
    // Rounded when it was written: nothing to undo.
    assert_eq!(decoded("<u2", json!([{"id": "bitround", "keepbits": 3}]), Value::Null, &raw), values);
}
