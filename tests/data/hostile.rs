//! Chunks that nobody should have written: each is a fault of its own, at no cost beyond its chunk, and what
//! lies beside it is read.

use crate::image::*;
use lucida::data::{
    Opened,
    codecs::{UntrustedError, decode_untrusted},
    open::open,
};
use lucida_components::dtype::StoredType;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{Read, copy, repeat},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Bytes of a decoded chunk of the images here: 4 × 4 of int16.
const CHUNK_BYTES: usize = 32;

/// An image of 8 × 8 int16 in chunks of 4 × 4 under these v3 codecs.
fn image(root: &Path, codecs: &Value) -> Opened {
    put_image(root, "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    let mut meta = v3(&[8, 8], &[4, 4], "int16");
    meta["codecs"] = codecs.clone();
    put_array(root, 0, "0", &meta, StoredType::I16);
    open(root).unwrap()
}

fn little() -> Value {
    json!({"name": "bytes", "configuration": {"endian": "little"}})
}

fn codec(name: &str) -> Value {
    match name {
        "zstd" => json!({"name": name, "configuration": {"level": 1, "checksum": false}}),
        "blosc" => json!({"name": name, "configuration": {
            "cname": "zstd", "clevel": 1, "shuffle": "shuffle", "typesize": 2, "blocksize": 0}}),
        "crc32c" => json!({"name": name}),
        _ => json!({"name": name, "configuration": {"level": 1}}),
    }
}

fn chain(names: &[&str]) -> Value {
    let codecs = names.iter().map(|name| codec(name));
    std::iter::once(little()).chain(codecs).collect::<Vec<_>>().into()
}

/// What chunk 1 is read as once its file is `bytes`; the chunk beside it must be sound.
fn fault(opened: &Opened, file: &Path, bytes: &[u8]) -> String {
    std::fs::write(file, bytes).unwrap();
    let fault = opened.sources[0].1.read(0, 1).expect_err("a fault");
    assert_eq!((fault.level, fault.number), (0, 1));
    opened.sources[0].1.read(0, 0).expect("its neighbour");
    fault.reason
}

/// A zstd frame of 16 bytes that claims 2⁴⁰.
fn claims_a_terabyte() -> Vec<u8> {
    [&0xfd2f_b528u32.to_le_bytes()[..], &[0xe0], &(1u64 << 40).to_le_bytes(), &[1, 0, 0]].concat()
}

/// A zstd frame of 32 KiB without a stated size: 8192 blocks that repeat one byte 2¹⁷ times.
fn inflates_to_a_gigabyte() -> Vec<u8> {
    let mut frame = [&0xfd2f_b528u32.to_le_bytes()[..], &[0x00, 0x58]].concat();
    for n in 0..8192u32 {
        let header = (1u32 << 17) << 3 | 1 << 1 | u32::from(n == 8191);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn gzip(bytes: impl Read) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    copy(&mut { bytes }, &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: impl Read) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    copy(&mut { bytes }, &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn bz2(bytes: impl Read) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    copy(&mut { bytes }, &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

/// Many bytes of which little is left when they are compressed.
fn zeros(mib: u64) -> impl Read {
    repeat(0).take(mib << 20)
}

#[test]
fn a_header_that_claims_more_than_the_chunk_is_seen_through() {
    let dir = tempfile::tempdir().unwrap();
    let opened = image(dir.path(), &chain(&["zstd"]));
    let reason = fault(&opened, &dir.path().join("0/c/0/1"), &claims_a_terabyte());
    assert!(reason.contains("claims 1099511627776"), "{reason}");

    let dir = tempfile::tempdir().unwrap();
    let opened = image(dir.path(), &chain(&["blosc"]));
    let file = dir.path().join("0/c/0/1");
    let mut whole = std::fs::read(&file).unwrap();
    whole[4..8].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    let reason = fault(&opened, &file, &whole);
    assert!(reason.contains("claims 2147483647"), "{reason}");

    // Behind other codecs, so that the claim stands where only decoding finds it.
    let dir = tempfile::tempdir().unwrap();
    let opened = image(dir.path(), &chain(&["zstd", "gzip", "crc32c"]));
    let mut nested = gzip(&claims_a_terabyte()[..]);
    nested.extend(crc32c::crc32c(&nested).to_le_bytes());
    let reason = fault(&opened, &dir.path().join("0/c/0/1"), &nested);
    assert!(reason.contains("claims 1099511627776"), "{reason}");
}

#[test]
fn what_inflates_beyond_the_chunk_stops_there() {
    for (name, bomb) in [
        ("zstd", inflates_to_a_gigabyte()),
        ("gzip", gzip(zeros(200))),
        ("gzip", [gzip(zeros(1)), gzip(zeros(64))].concat()),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let opened = image(dir.path(), &chain(&[name]));
        assert!(bomb.len() < 1 << 21, "{name} of {} bytes", bomb.len());
        let reason = fault(&opened, &dir.path().join("0/c/0/1"), &bomb);
        assert!(reason.contains(name), "{reason}");
    }
    for (name, bomb) in [("zlib", zlib(zeros(200))), ("bz2", bz2(zeros(64)))] {
        let dir = tempfile::tempdir().unwrap();
        put_image(dir.path(), "0.4", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
        let mut meta = v2(&[8, 8], &[4, 4], "<i2");
        meta["compressor"] = json!({"id": name, "level": 1});
        put_array(dir.path(), 0, "0", &meta, StoredType::I16);
        let reason = fault(&open(dir.path()).unwrap(), &dir.path().join("0/0/1"), &bomb);
        assert!(reason.contains(name), "{reason}");
    }
    // One bomb inside another: the outer one is not large, the inner one is only met half-way.
    for inner in [gzip(zeros(200)), zstd(&gzip(zeros(200)))] {
        let dir = tempfile::tempdir().unwrap();
        let opened = image(dir.path(), &chain(&["gzip", "zstd", "gzip"]));
        fault(&opened, &dir.path().join("0/c/0/1"), &gzip(&inner[..]));
    }
}

#[test]
fn damage_of_every_kind_is_a_fault() {
    let raw: Vec<u8> = (0..CHUNK_BYTES as u8).collect();
    for names in
        [&[][..], &["zstd"], &["gzip"], &["blosc"], &["crc32c"], &["gzip", "zstd"], &["zstd", "crc32c"]]
    {
        let dir = tempfile::tempdir().unwrap();
        let opened = image(dir.path(), &chain(names));
        let file = dir.path().join("0/c/0/1");
        let whole = std::fs::read(&file).unwrap();
        opened.sources[0].1.read(0, 1).expect("sound");
        for cut in 0..whole.len() {
            fault(&opened, &file, &whole[..cut]);
        }
        fault(&opened, &file, b"this is no chunk at all, whatever its codecs are");
        fault(&opened, &file, &vec![0; 2 << 20]);
        if names == ["zstd"] {
            // Sound in itself, but of another size; and a format before the first standard one.
            fault(&opened, &file, &zstd(&raw[..CHUNK_BYTES - 1]));
            fault(&opened, &file, &zstd(&[&raw[..], &[0]].concat()));
            fault(&opened, &file, &[&0xfd2f_b527u32.to_le_bytes()[..], &[0; 40]].concat());
            std::fs::write(&file, zstd(&raw)).unwrap();
            opened.sources[0].1.read(0, 1).expect("of the right size");
        }
    }
}

#[test]
fn only_regular_files_of_a_sensible_length_inside_the_image_are_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let opened = image(dir.path(), &chain(&["zstd"]));
    let root = dir.path().canonicalize().unwrap();
    let file: PathBuf = root.join("0/c/0/1");
    let aside = root.join("aside");
    std::fs::rename(&file, &aside).unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::copy(&aside, outside.path().join("chunk")).unwrap();
    let read = || opened.sources[0].1.read(0, 1);
    let check = |what: &str, put: &dyn Fn(), says: &str| {
        put();
        let fault = read().expect_err(what);
        assert!(fault.reason.contains(says), "{what}: {}", fault.reason);
        if file.is_dir() && !file.is_symlink() {
            std::fs::remove_dir(&file).unwrap();
        } else {
            std::fs::remove_file(&file).unwrap();
        }
    };
    check("endless", &|| File::create(&file).unwrap().set_len(1 << 40).unwrap(), "1099511627776 bytes");
    check("a folder", &|| std::fs::create_dir(&file).unwrap(), "not a regular file");
    check("a pipe", &|| assert!(pipe(&file)), "not a regular file");
    check("a device", &|| symlink("/dev/zero", &file).unwrap(), "leads out");
    check("a link out", &|| symlink(outside.path().join("chunk"), &file).unwrap(), "leads out");
    check("a link to nothing", &|| symlink("nowhere", &file).unwrap(), "not there");
    // What is simply not stored is the fill value, and a link within the image is a file.
    assert!(read().is_ok());
    symlink("../../../aside", &file).unwrap();
    assert_pattern(&opened);
    std::fs::remove_file(&file).unwrap();
    symlink(&aside, &file).unwrap();
    assert_pattern(&opened);

    // A folder in the middle that leads out.
    std::fs::remove_file(&file).unwrap();
    std::fs::copy(&aside, &file).unwrap();
    std::fs::rename(root.join("0/c/0"), outside.path().join("row")).unwrap();
    symlink(outside.path().join("row"), root.join("0/c/0")).unwrap();
    assert!(read().unwrap_err().reason.contains("leads out"));
}

fn pipe(at: &Path) -> bool {
    std::process::Command::new("mkfifo").arg(at).status().is_ok_and(|s| s.success())
}

#[test]
fn a_chunk_that_is_repaired_or_rewritten_is_read() {
    for meta in [v3(&[8, 8], &[4, 4], "int16"), sharded(&[8, 8], &[8, 8], &[4, 4], "int16")] {
        let dir = tempfile::tempdir().unwrap();
        put_image(dir.path(), "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
        put_array(dir.path(), 0, "0", &meta, StoredType::I16);
        let file =
            ["0/c/0/1", "0/c/0/0"].map(|f| dir.path().join(f)).into_iter().find(|f| f.exists()).unwrap();
        let opened = open(dir.path()).unwrap();
        assert_pattern(&opened);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert!(opened.sources[0].1.read(0, 1).is_err());
        // Under another name first, as careful writers do, and with other values: the index of the shard that
        // was read before tells nothing any more.
        let other = tempfile::tempdir().unwrap();
        put_array(other.path(), 7, "0", &meta, StoredType::I16);
        let new = other.path().join(file.strip_prefix(dir.path()).unwrap());
        std::fs::copy(new, dir.path().join("new")).unwrap();
        std::fs::rename(dir.path().join("new"), &file).unwrap();
        assert_eq!(Voxels(&opened).at(0, &[1, 5]), pattern(StoredType::I16, 7, &[1, 5]));
    }
}

#[test]
fn shards_within_shards_are_read_and_their_indexes_not_trusted() {
    let index = json!([little()]);
    let inner = json!({"name": "sharding_indexed", "configuration": {
        "chunk_shape": [2, 2], "codecs": [little(), codec("zstd")], "index_codecs": index}});
    let outer = json!([{"name": "sharding_indexed", "configuration": {
        "chunk_shape": [4, 4], "codecs": [inner], "index_codecs": index, "index_location": "start"}}]);
    let dir = tempfile::tempdir().unwrap();
    put_image(dir.path(), "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
    let mut meta = v3(&[16, 8], &[8, 8], "int16");
    meta["codecs"] = outer;
    meta["fill_value"] = json!(-3);
    put_array(dir.path(), 0, "0", &meta, StoredType::I16);
    let opened = open(dir.path()).unwrap();
    assert_eq!(opened.dataset.images[0].levels[0].chunk, [4, 4]);
    assert_pattern(&opened);

    // The index of the first inner shard stands at its end: four entries of offset and length.
    let file = dir.path().join("0/c/0/0");
    let whole = std::fs::read(&file).unwrap();
    let word = |at: usize| u64::from_le_bytes(*whole[at..].first_chunk().unwrap());
    let end = (word(0) + word(8)) as usize;
    let spoil = |numbers: [(usize, u64); 2]| {
        let mut bytes = whole.clone();
        for (at, number) in numbers {
            bytes[end - 64 + 8 * at..][..8].copy_from_slice(&number.to_le_bytes());
        }
        std::fs::write(&file, bytes).unwrap();
        let read = opened.sources[0].1.read(0, 0);
        opened.sources[0].1.read(0, 3).expect("the other inner shard");
        read
    };
    for hostile in [(u64::MAX, 5), (5, u64::MAX), (1 << 40, 8), (0, 1 << 40), (u64::MAX - 2, 8), (0, 0)] {
        spoil([(0, hostile.0), (1, hostile.1)]).expect_err("points anywhere");
    }
    let read = spoil([(0, u64::MAX), (1, u64::MAX)]).expect("not stored, so the fill value");
    let lucida_components::chunk::ChunkValues::Dense(values) = read.values else { panic!("dense") };
    assert_eq!(read.dtype.read(&values, 0), -3.0);
    assert_eq!(read.dtype.read(&values, 2), pattern(StoredType::I16, 0, &[0, 2]));
}

#[test]
fn metadata_that_promises_too_much_is_refused_before_anything_is_read() {
    let huge = 1u64 << 60;
    let transpose =
        |order: Value| json!([{"name": "transpose", "configuration": {"order": order}}, little()]);
    let shards = |chunk: Value, codecs: Value, index: Value| {
        json!([{"name": "sharding_indexed",
            "configuration": {"chunk_shape": chunk, "codecs": codecs, "index_codecs": index}}])
    };
    let mut deep = json!([little()]);
    for _ in 0..6 {
        deep = shards(json!([4, 4]), deep, json!([little()]));
    }
    let many: Vec<Value> = (0..17).map(|_| codec("crc32c")).collect();
    for (codecs, says) in [
        (transpose(json!([0, 0])), "permutation"),
        (transpose(json!([huge, 1])), "permutation"),
        (transpose(json!([0])), "permutation"),
        (shards(json!([huge, 4]), json!([little()]), json!([little()])), "MiB"),
        (shards(json!([3, 4]), json!([little()]), json!([little()])), "cut"),
        (shards(json!([4, 4]), json!([little()]), chain(&["zstd"])), "no fixed size"),
        (shards(json!([4, 4]), json!([]), json!([little()])), "into bytes"),
        (deep, "deep"),
        (json!([codec("zstd")]), "zstd"),
        (json!([{"name": "bytes"}]), "endian"),
        (json!([little(), little()]), "behind another"),
        (json!("bytes"), "list"),
        (json!([little(), {"name": "numcodecs.pcodec"}]), "pcodec"),
        ([vec![little()], many].concat().into(), "at most 16"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        put_image(dir.path(), "0.5", multiscales("yx", &[("0", vec![1.0; 2])]), Value::Null);
        let mut meta = v3(&[8, 8], &[4, 4], "int16");
        meta["codecs"] = codecs.clone();
        put_json(&dir.path().join("0"), "zarr.json", &meta);
        let text = open(dir.path()).err().expect("refused").to_string();
        assert!(text.contains(says) && text.contains("zarr.json"), "{codecs}: {text}");
    }
}

#[test]
fn a_chunk_is_decoded_from_bytes_alone_within_the_callers_bound() {
    let meta = v3(&[8, 8], &[4, 4], "int16").to_string();
    let values: Vec<u8> = (0..CHUNK_BYTES as u8).collect();
    let chunk = zstd(&values);
    assert_eq!(decode_untrusted(meta.as_bytes(), &chunk, 1 << 20).unwrap(), values);
    let bounded = decode_untrusted(meta.as_bytes(), &chunk, 31);
    assert!(matches!(bounded, Err(UntrustedError::TooLarge { decoded: 32, most: 31 })));
    let bomb = decode_untrusted(meta.as_bytes(), &claims_a_terabyte(), 1 << 20);
    assert!(matches!(bomb, Err(UntrustedError::Chunk(_))));
    let nothing = decode_untrusted(b"{", &chunk, 1 << 20);
    assert!(matches!(nothing, Err(UntrustedError::Metadata(_))));
}

proptest::proptest! {
    #[test]
    fn noise_behind_any_codecs_is_an_error_or_a_chunk_but_nothing_else(
        noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        which in 0usize..7,
        damage in 0usize..300,
    ) {
        let raw: Vec<u8> = (0..CHUNK_BYTES as u8).collect();
        let names = [&[][..], &["zstd"], &["gzip"], &["blosc"], &["crc32c"], &["gzip", "zstd"], &["zstd", "crc32c"]];
        let mut meta = v3(&[8, 8], &[4, 4], "int16");
        meta["codecs"] = chain(names[which]);
        let meta = meta.to_string();
        if let Ok(values) = decode_untrusted(meta.as_bytes(), &noise, 1 << 20) {
            proptest::prop_assert_eq!(values.len(), CHUNK_BYTES);
        }
        // One byte of a sound chunk differs.
        let mut sound = zstd(&raw);
        if let Some(byte) = sound.get_mut(damage) {
            *byte = noise.first().copied().unwrap_or(0);
        }
        let zstd_meta = v3(&[8, 8], &[4, 4], "int16").to_string();
        if let Ok(values) = decode_untrusted(zstd_meta.as_bytes(), &sound, 1 << 20) {
            proptest::prop_assert_eq!(values.len(), CHUNK_BYTES);
        }
    }
}
