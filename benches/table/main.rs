//! `make bench`: what a user waits for, as one table with the bars of the design.
//!
//! `cargo bench --bench table` measures; run by `cargo test` it goes through everything once, briefly, so
//! that it cannot rot. `LUCIDA_BIN` names another binary to start, `LUCIDA_BENCH_DATA` another image,
//! `LUCIDA_SOAK_MINUTES` how long the scripted use lasts; `LUCIDA_BENCH_RECORD=1` records the run.
#![expect(clippy::unwrap_used, reason = "a bench")]

mod chunks;
mod client;
mod draw;
mod flight;
mod history;
mod live;
mod made;
mod open;
mod process;
mod soak;
mod space;
mod stats;
mod step;
mod storm;
mod stream;
mod volume;
mod watch;
mod wire;
mod zoom;

use stats::Row;

fn main() {
    let full = std::env::args().any(|a| a == "--bench");
    let device = match lucida::gpu::device::open() {
        Ok(device) => device,
        Err(error) => {
            println!("SKIPPED: {error}");
            return;
        }
    };
    // `cargo bench --bench table -- volume flight` measures these parts.
    let parts: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |part: &str| parts.is_empty() || parts.iter().any(|p| p == part);
    let mut rows: Vec<Row> = Vec::new();
    if asked("chunks") {
        rows.extend(chunks::rows(full));
    }
    if asked("step") {
        rows.extend(step::rows(full));
    }
    if asked("draw") {
        rows.extend(draw::rows(&device, full));
    }
    if asked("open") {
        rows.extend(open::rows(&device, full));
    }
    if asked("stream") {
        rows.extend(stream::rows(&device, full));
    }
    if asked("storm") {
        rows.extend(storm::rows(&device, full));
    }
    if asked("zoom") {
        rows.extend(zoom::rows(&device, full));
    }
    if asked("made") {
        rows.extend(made::rows(full));
    }
    if asked("volume") {
        rows.extend(volume::rows(&device, full));
    }
    if asked("flight") {
        rows.extend(flight::rows(&device, full));
    }
    if asked("watch") {
        rows.extend(watch::rows(&device, full));
    }
    if asked("wire") {
        rows.extend(wire::rows(full));
    }
    if asked("process") {
        rows.extend(process::rows(full));
    }
    if asked("soak") {
        rows.extend(soak::rows(full));
    }
    stats::print(&device, &rows);
}
