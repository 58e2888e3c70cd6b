//! The disk cache of virtual levels: found again, never for changed data, bounded, and never in the way.

use crate::{
    array::Array,
    image::{multiscales, put_array, put_image, v2},
};
use lucida::data::{
    Opened,
    coarse::{Shelf, with_levels},
    open::open,
};
use lucida_components::{
    chunk::{ChunkData, ChunkValues},
    dtype::{Dtype, StoredType},
};
use serde_json::Value;
use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

const PLENTY: u64 = 1 << 30;

fn array() -> Array {
    static ARRAY: LazyLock<Array> = LazyLock::new(|| {
        // Noise: what cannot be compressed stands in a frame as it is, where only its checksum guards it.
        let value = |at: &[u64]| {
            let n = (at[0] << 20 | at[1]).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            ((n ^ n >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 56) as f64
        };
        let array = Array::new("yx", &[4096, 256], &[256, 256], Dtype::U8, value);
        Array { fingerprint: Some("as it was"), ..array }
    });
    ARRAY.clone()
}

/// Opens it as another process would: with nothing in memory.
fn opened(array: Array, cache: &Path, bytes: u64) -> (Opened, Arc<AtomicU64>) {
    let (opened, reads) = array.open();
    (with_levels(opened, &Arc::new(Shelf::new(Some(cache.to_owned()), bytes))), reads)
}

/// Reads all chunks of a level.
fn level(opened: &Opened, level: u16) -> Vec<ChunkData> {
    let chunks = opened.dataset.images[0].levels[usize::from(level)].grid().product::<u64>();
    (0..chunks).map(|n| opened.sources[0].1.read(level, n).unwrap()).collect()
}

fn bytes(chunks: &[ChunkData]) -> Vec<u8> {
    let bytes = chunks.iter().flat_map(|c| match &c.values {
        ChunkValues::Dense(bytes) => bytes.to_vec(),
        ChunkValues::Uniform(value) => value.to_vec(),
    });
    bytes.collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder).map_or_else(|_| Vec::new(), |all| all.flatten().collect());
    let files = folders.iter().filter_map(|f| fs::read_dir(f.path()).ok()).flatten().flatten();
    let mut files: Vec<PathBuf> = files.map(|f| f.path()).collect();
    files.sort();
    files
}

#[test]
fn a_second_opening_reads_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("lucida/coarse");
    let (first, reads) = opened(array(), &cache, PLENTY);
    assert!(!cache.exists(), "nothing is written before there is something to keep");
    let want = bytes(&level(&first, 2));
    assert!(reads.load(Ordering::Relaxed) >= 16);
    for folder in [&cache, files(&cache)[0].parent().unwrap()] {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(fs::metadata(&files(&cache)[0]).unwrap().permissions().mode() & 0o777, 0o600);

    let (second, reads) = opened(array(), &cache, PLENTY);
    assert_eq!(bytes(&level(&second, 2)), want);
    assert_eq!(reads.load(Ordering::Relaxed), 0);
}

#[test]
fn changed_data_shows_nothing_old() {
    let dir = tempfile::tempdir().unwrap();
    level(&opened(array(), dir.path(), PLENTY).0, 2);
    let (other, reads) = opened(Array { fingerprint: Some("changed"), ..array() }, dir.path(), PLENTY);
    level(&other, 2);
    assert!(reads.load(Ordering::Relaxed) > 0);
    // Another cut of the same data has other chunks.
    let (other, reads) = opened(Array { chunk: vec![128, 128], ..array() }, dir.path(), PLENTY);
    level(&other, 2);
    assert!(reads.load(Ordering::Relaxed) > 0);
    // What cannot be told apart is not kept on disk.
    let before = files(dir.path()).len();
    level(&opened(Array { fingerprint: None, ..array() }, dir.path(), PLENTY).0, 2);
    assert_eq!(files(dir.path()).len(), before);
}

#[test]
fn an_image_on_disk_is_known_by_its_metadata_and_by_its_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let (image, cache) = (dir.path().join("image"), dir.path().join("cache"));
    put_image(&image, "0.4", multiscales("yx", &[("0", vec![1.0, 1.0])]), Value::Null);
    put_array(&image, 0, "0", &v2(&[2048, 64], &[512, 64], "|u1"), StoredType::U8);
    let read = || {
        let shelf = Arc::new(Shelf::new(Some(cache.clone()), PLENTY));
        bytes(&level(&with_levels(open(&image).unwrap(), &shelf), 1))
    };
    let folders = || fs::read_dir(&cache).unwrap().count();
    let first = read();
    assert_eq!((read(), folders()), (first.clone(), 1));
    // Written anew with the same metadata: another level's pattern.
    put_array(&image, 3, "0", &v2(&[2048, 64], &[512, 64], "|u1"), StoredType::U8);
    let second = read();
    assert_ne!(second, first);
    assert_eq!((read(), folders()), (second, 2));
    // One chunk gone, the metadata untouched.
    let chunk = image.join("0/2/0");
    assert!(chunk.exists());
    fs::remove_file(chunk).unwrap();
    read();
    assert_eq!(folders(), 3);
}

#[test]
fn a_file_that_is_not_usable_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let want = bytes(&level(&opened(array(), dir.path(), PLENTY).0, 2));
    let spoil: [fn(&Path); 6] = [
        |path| fs::write(path, b"").unwrap(),
        |path| fs::write(path, b"not a frame at all").unwrap(),
        |path| File::options().write(true).open(path).unwrap().set_len(100).unwrap(),
        |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            fs::write(path, bytes).unwrap();
        },
        // A frame that claims 2^40 bytes: magic, single segment with a size of 8 bytes, one empty block.
        |path| {
            let claim = [&0xfd2f_b528u32.to_le_bytes()[..], &[0xe0], &(1u64 << 40).to_le_bytes(), &[1, 0, 0]];
            fs::write(path, claim.concat()).unwrap();
        },
        |path| File::options().write(true).open(path).unwrap().set_len(1 << 34).unwrap(),
    ];
    for (n, spoil) in spoil.iter().enumerate() {
        for path in files(dir.path()) {
            spoil(&path);
        }
        let (again, reads) = opened(array(), dir.path(), PLENTY);
        assert_eq!(bytes(&level(&again, 2)), want, "{n}");
        assert!(reads.load(Ordering::Relaxed) > 0, "{n}: it was made anew");
        let (then, reads) = opened(array(), dir.path(), PLENTY);
        assert_eq!(bytes(&level(&then, 2)), want, "{n}");
        assert_eq!(reads.load(Ordering::Relaxed), 0, "{n}: and is whole again");
    }
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    // 8 chunks of 32 KiB.
    let (image, _) = opened(array(), dir.path(), PLENTY);
    level(&image, 1);
    let all = files(dir.path());
    assert!(all.len() >= 8, "{}", all.len());
    let old = SystemTime::now() - Duration::from_secs(5000);
    for (n, path) in all.iter().enumerate() {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(old + Duration::from_secs(n as u64)).unwrap();
    }
    // Reading is using.
    let (reader, _) = opened(array(), dir.path(), PLENTY);
    reader.sources[0].1.read(1, 0).unwrap();
    let used = all.iter().find(|path| path.ends_with("1-0")).unwrap();
    let left_behind = dir.path().join("lost");
    fs::create_dir(&left_behind).unwrap();
    let unfinished = left_behind.join(".new-abc");
    fs::write(&unfinished, b"x").unwrap();
    File::options().write(true).open(&unfinished).unwrap().set_modified(old).unwrap();

    // Room for less than four of them, and another image comes with one of 16 KiB.
    let small = 128 << 10;
    let (other, _) = opened(Array { fingerprint: Some("other"), ..array() }, dir.path(), small);
    other.sources[0].1.read(2, 0).unwrap();
    let left = files(dir.path());
    let size: u64 = left.iter().map(|p| fs::metadata(p).unwrap().len().max(4096)).sum();
    assert!(size <= small, "{size} bytes are left");
    assert!(left.contains(used), "the one that was used just now stays: {left:?}");
    assert!(left.iter().any(|p| p.ends_with("2-0")), "and so does the new one");
    assert!(!unfinished.exists());
    assert!(!left.contains(&all[1]), "the oldest are gone");
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let want = bytes(&level(&opened(array(), dir.path(), 0).0, 2));
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new(), "0 bytes are none");
    // So little room that each evicts what the other writes.
    for bytes_on_disk in [PLENTY, 3 * 4096] {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..4 {
                        let (image, _) = opened(array(), dir.path(), bytes_on_disk);
                        assert_eq!(bytes(&level(&image, 2)), want);
                    }
                });
            }
        });
    }
    assert!(files(dir.path()).iter().all(|p| !p.file_name().unwrap().to_str().unwrap().starts_with('.')));
}

#[test]
fn where_nothing_can_be_written_levels_stay_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let want = bytes(&level(&opened(array(), &dir.path().join("good"), PLENTY).0, 2));
    // A file in the way, a folder that others may write to, and the system's own.
    let blocked = dir.path().join("file");
    fs::write(&blocked, b"").unwrap();
    let open_to_all = dir.path().join("open");
    fs::create_dir(&open_to_all).unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o777)).unwrap();
    for cache in [blocked.join("below"), open_to_all.clone(), PathBuf::from("/proc/lucida")] {
        let (image, reads) = opened(array(), &cache, PLENTY);
        assert_eq!(bytes(&level(&image, 2)), want, "{}", cache.display());
        let before = reads.load(Ordering::Relaxed);
        assert_eq!(bytes(&level(&image, 2)), want);
        assert_eq!(reads.load(Ordering::Relaxed), before, "what was made is in memory");
    }
    assert_eq!(fs::read_dir(&open_to_all).unwrap().count(), 0);
}
