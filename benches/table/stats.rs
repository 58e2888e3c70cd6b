//! Numbers and how they are shown.

use super::history::{self, Run};
use lucida::gpu::device::Device;
use std::{fs, time::Duration};

/// One line of the table.
pub struct Row {
    pub what: String,
    pub bar: String,
    pub measured: String,
    pub met: bool,
    /// What runs are compared by.
    pub value: Option<f64>,
}

impl Row {
    /// Compared by the first number of `measured` that stands by itself (the 0.48 of `p50 0.48 ms`).
    pub fn new(what: &str, bar: &str, measured: String, met: bool) -> Self {
        eprintln!("{what}: {measured} (bar: {bar})");
        let value =
            measured.split_whitespace().find_map(|word| word.trim_end_matches(['×', ',', ';']).parse().ok());
        Self { what: what.into(), bar: bar.into(), measured, met, value }
    }

    /// Compared by this value instead.
    pub fn by(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
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
    let machine = format!(
        "{cores} × {model}; {} ({} {})",
        device.info.name, device.info.driver, device.info.driver_info
    );
    let run = Run::now(machine);
    let past = history::read();
    println!();
    println!("Machine: {}", run.machine);
    println!("Commit: {}{}, {}", run.commit, if run.changed { " with changes" } else { "" }, run.date);
    println!();
    println!("| what | at most | measured | met | × last recorded |");
    println!("|---|---|---|---|---|");
    for r in rows {
        let before = run.before(&past, &r.what);
        let ratio = match (r.value, before) {
            (Some(now), Some(b)) if b.value != 0.0 => format!("{:.2} ({})", now / b.value, b.when),
            (Some(_), Some(b)) => format!("was {} ({})", b.value, b.when),
            _ => "none".into(),
        };
        let met = if r.met { "yes" } else { "**no**" };
        println!("| {} | {} | {} | {met} | {ratio} |", r.what, r.bar, r.measured);
    }
    let full = std::env::args().any(|a| a == "--bench");
    if full && std::env::var_os("LUCIDA_BENCH_RECORD").is_some() {
        run.record(rows);
    }
}
