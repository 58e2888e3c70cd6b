//! Numbers and how they are shown.

use lucida::gpu::device::Device;
use std::{fs, process::Command, time::Duration};

/// One line of the table.
pub struct Row {
    pub what: String,
    pub bar: String,
    pub measured: String,
    pub met: bool,
}

impl Row {
    pub fn new(what: &str, bar: &str, measured: String, met: bool) -> Self {
        eprintln!("{what}: {measured} (bar: {bar})");
        Self { what: what.into(), bar: bar.into(), measured, met }
    }
}

/// A percentile of times, in milliseconds.
pub fn percentile(times: &mut [Duration], p: f64) -> f64 {
    if times.is_empty() {
        return f64::NAN;
    }
    times.sort_unstable();
    let at = ((times.len() - 1) as f64 * p / 100.0).round() as usize;
    times[at].as_secs_f64() * 1e3
}

/// `median (p99)` in milliseconds, and the median.
pub fn median_and_p99(times: &mut [Duration]) -> (String, f64) {
    let (p50, p99) = (percentile(times, 50.0), percentile(times, 99.0));
    (format!("{p50:.2} ms (p99 {p99:.2}, n {})", times.len()), p50)
}

pub fn print(device: &Device, rows: &[Row]) {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name\t: ")).unwrap_or("unknown").to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let git = |args: &[&str]| {
        Command::new("git")
            .args(args)
            .output()
            .ok()
            .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]).filter(|c| !c.is_empty()).unwrap_or("unknown".into());
    let changed = git(&["status", "--porcelain"]).is_some_and(|s| !s.is_empty());
    println!();
    println!(
        "Machine: {cores} × {model}; {} ({} {})",
        device.info.name, device.info.driver, device.info.driver_info
    );
    println!("Commit: {commit}{}", if changed { " with changes" } else { "" });
    println!();
    println!("| what | at most | measured | met |");
    println!("|---|---|---|---|");
    for r in rows {
        println!("| {} | {} | {} | {} |", r.what, r.bar, r.measured, if r.met { "yes" } else { "**no**" });
    }
}
