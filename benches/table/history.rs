//! What was measured before, in `benches/history.jsonl`: one run a line, kept in the repository.
//!
//! A run is compared line by line with the last recorded one of the same machine. `LUCIDA_BENCH_RECORD=1`
//! (`make bench-record`) appends the run.

use super::stats::Row;
use serde_json::{Value, json};
use std::{fs, io::Write, path::PathBuf, process::Command};

/// Where and of what something was measured.
pub struct Run {
    /// Cores, model, GPU and driver in one line; runs of different machines are not compared.
    pub machine: String,
    pub commit: String,
    /// Whether the tree differed from the commit.
    pub changed: bool,
    pub date: String,
}

/// A line as it was recorded.
pub struct Before {
    pub value: f64,
    /// Date and commit.
    pub when: String,
}

fn said(command: &str, args: &[&str]) -> Option<String> {
    let out = Command::new(command).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

impl Run {
    /// This run, on a machine described so.
    pub fn now(machine: String) -> Self {
        Self {
            machine,
            commit: said("git", &["rev-parse", "--short", "HEAD"])
                .filter(|c| !c.is_empty())
                .unwrap_or_else(|| "unknown".into()),
            changed: said("git", &["status", "--porcelain"]).is_some_and(|s| !s.is_empty()),
            date: said("date", &["+%F"]).unwrap_or_else(|| "unknown".into()),
        }
    }

    /// The last recorded value of a line on this machine.
    pub fn before(&self, past: &[Value], what: &str) -> Option<Before> {
        past.iter().rev().filter(|run| run["machine"] == self.machine.as_str()).find_map(|run| {
            let row = run["rows"].as_array()?.iter().find(|row| row["what"] == what)?;
            let text = |key: &str| run[key].as_str().unwrap_or("unknown").to_owned();
            let when = format!("{} {}", text("date"), text("commit"));
            Some(Before { value: row["value"].as_f64()?, when })
        })
    }

    /// Appends this run.
    pub fn record(&self, rows: &[Row]) {
        let rows: Vec<Value> = rows
            .iter()
            .map(|r| json!({"what": r.what, "value": r.value, "measured": r.measured, "met": r.met}))
            .collect();
        let run = json!({
            "date": self.date, "commit": self.commit, "changed": self.changed, "machine": self.machine,
            "rows": rows,
        });
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path()).unwrap();
        writeln!(file, "{run}").unwrap();
        println!("\nRecorded in {}.", path().display());
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/history.jsonl")
}

/// All recorded runs, oldest first. A line that is none is said and passed over.
pub fn read() -> Vec<Value> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let parse =
        |line: &str| serde_json::from_str(line).inspect_err(|e| eprintln!("{}: {e}", path().display()));
    text.lines().filter_map(|line| parse(line).ok()).collect()
}
