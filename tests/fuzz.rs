//! The fuzz targets without a fuzzer: each body over its kept corpus, then over mutations of it.
//!
//! The mutations follow from a seed, which is printed: `LUCIDA_FUZZ_SEED` repeats a run, `LUCIDA_FUZZ_RUNS`
//! makes it longer. `LUCIDA_BLESS=1` writes the seeds of the corpora anew. `make fuzz` is the real thing.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;
#[path = "data/image.rs"]
#[expect(dead_code, reason = "shared with the data tests")]
mod image;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/seeds.rs"]
mod seeds;

use mutate::Mutator;
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

/// One input takes less, unless it makes something run away.
const STALL: Duration = Duration::from_secs(20);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The kept inputs of a target.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/corpus").join(target);
    if std::env::var_os("LUCIDA_BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in seeds::of(target) {
            fs::write(folder.join(format!("seed-{name}")), bytes).unwrap();
        }
    }
    let mut kept: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&p).unwrap()))
        .collect();
    kept.sort();
    kept
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Runs a body; an input that fails is kept where it can be looked at.
fn run(target: &str, body: bodies::Body, name: &str, input: &[u8]) {
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| body(input)));
    let took = begun.elapsed();
    if outcome.is_ok() && took < STALL {
        return;
    }
    let found = root().join("target").join(format!("fuzz-found-{target}"));
    fs::write(&found, input).unwrap();
    let what = if outcome.is_ok() { format!("took {took:?}") } else { "panicked".into() };
    panic!(
        "{target}: {name} {what}. The input is in {}; once it is understood, it belongs into fuzz/corpus/{target}",
        found.display()
    );
}

fn fuzz(target: &str, runs: u64) {
    let body = bodies::TARGETS.iter().find(|(name, _)| *name == target).expect("a target").1;
    let corpus = corpus(target);
    assert!(corpus.len() >= 8, "the corpus of {target} is there");
    for (name, input) in &corpus {
        run(target, body, name, input);
    }
    let seed = number("LUCIDA_FUZZ_SEED", 1);
    let runs = number("LUCIDA_FUZZ_RUNS", runs);
    println!("{target}: {} kept inputs, then {runs} mutations of LUCIDA_FUZZ_SEED={seed}", corpus.len());
    let mut mutator = Mutator::new(seed, corpus.into_iter().map(|(_, input)| input).collect());
    for n in 0..runs {
        let input = mutator.next();
        run(target, body, &format!("mutation {n} of LUCIDA_FUZZ_SEED={seed}"), &input);
    }
}

#[test]
fn wire() {
    fuzz("wire", 20_000);
}

#[test]
fn sps() {
    fuzz("sps", 20_000);
}

#[test]
fn metadata() {
    fuzz("metadata", 1500);
}

#[test]
fn chunks() {
    fuzz("chunks", 3000);
}

#[test]
fn every_target_has_its_door() {
    for (target, _) in bodies::TARGETS {
        let door = fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{target}.rs"))).unwrap();
        assert!(door.contains(&format!("bodies::{target}::run")), "{target}");
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("fuzz_targets/{target}.rs")), "{target}");
    }
}

#[test]
fn every_way_of_storing_a_chunk_is_read() {
    for way in 0..bodies::chunks::WAYS {
        let dir = tempfile::tempdir().unwrap();
        bodies::chunks::write(way, &seeds::chunk(way), dir.path());
        let opened = lucida::data::open::open(dir.path()).unwrap();
        let level = &opened.dataset.images[0].levels[0];
        let read = opened.sources[0].1.read(0, level.grid().product::<u64>() - 1).unwrap();
        assert!(read.bytes() > 32, "way {way}: values, not the fill value");
    }
}
