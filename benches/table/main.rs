//! `make bench`: what a user waits for, as one table with the bars of the design.
//!
//! `cargo bench --bench table` measures; run by `cargo test` it goes through everything once, briefly, so
//! that it cannot rot. `LUCIDA_BIN` names another binary to start, `LUCIDA_BENCH_DATA` another image.
#![expect(clippy::unwrap_used, reason = "a bench")]

mod client;
mod draw;
mod process;
mod stats;
mod step;
mod stream;
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
    // `cargo bench --bench table draw` measures one part.
    let asked = |part: &str| std::env::args().skip(1).all(|a| a.starts_with('-') || a == part);
    let mut rows: Vec<Row> = Vec::new();
    if asked("step") {
        rows.extend(step::rows(full));
    }
    if asked("draw") {
        rows.extend(draw::rows(&device, full));
    }
    if asked("stream") {
        rows.extend(stream::rows(&device, full));
    }
    if asked("zoom") {
        rows.extend(zoom::rows(&device, full));
    }
    if asked("process") {
        rows.extend(process::rows(full));
    }
    stats::print(&device, &rows);
}
