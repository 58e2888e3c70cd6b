//! What was found, while it is looked for and afterwards.

use serde::Serialize;
use serde_json::Value;
use std::{collections::HashSet, fmt};

/// Most findings that are kept; a file can be made of nothing but mistakes.
const MAX_FINDINGS: usize = 1000;

/// A version whose rules are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Version {
    /// 0.4, on Zarr v2.
    #[serde(rename = "0.4")]
    V04,
    /// 0.5, on Zarr v3.
    #[serde(rename = "0.5")]
    V05,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something that must be is not: the data is invalid.
    Error,
    /// Something that should be is not.
    Warning,
}

/// One thing that is not as it must or should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its gravity.
    pub severity: Severity,
    /// The metadata file.
    pub file: String,
    /// Which part of it.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version whose rules were applied.
    pub version: Version,
    /// What was found: `image`, `plate`, ….
    pub kinds: Vec<&'static str>,
    /// Everything wrong, in the order of the files.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is missing that must be.
    pub fn is_valid(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// How many findings of one gravity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V04 => "0.4",
            Self::V05 => "0.5",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}: {}: {}", self.file, self.field, self.reason)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let verdict = if self.is_valid() { "valid" } else { "invalid" };
        let what = if self.kinds.is_empty() { "nothing".into() } else { self.kinds.join(", ") };
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        writeln!(f, "{verdict}: OME-Zarr {}, {what}: {errors} error(s), {warnings} warning(s)", self.version)
    }
}

/// Collects findings about one file after the other.
pub struct Notes {
    /// The version whose rules are applied.
    pub version: Version,
    file: String,
    findings: Vec<Finding>,
}

impl Notes {
    /// None yet.
    pub fn new(version: Version, file: &str) -> Self {
        Self { version, file: file.into(), findings: Vec::new() }
    }

    /// From here on it is about this file.
    pub fn turn_to(&mut self, file: impl Into<String>) {
        self.file = file.into();
    }

    /// The verdict.
    pub fn report(self, kinds: Vec<&'static str>) -> Report {
        Report { version: self.version, kinds, findings: self.findings }
    }

    /// Notes an error.
    pub fn must(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.add(Severity::Error, field.into(), reason.into());
    }

    /// Notes a warning.
    pub fn should(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.add(Severity::Warning, field.into(), reason.into());
    }

    fn add(&mut self, severity: Severity, field: String, reason: String) {
        // The last place is for an error, so that a file full of warnings is not taken for valid.
        let room = MAX_FINDINGS - usize::from(severity == Severity::Warning);
        if self.findings.len() < room {
            self.findings.push(Finding { severity, file: self.file.clone(), field, reason });
        }
    }

    /// A list of at least one entry, none twice; empty where it is none.
    pub fn list<'v>(&mut self, value: &'v Value, field: &str) -> &'v [Value] {
        let Some(list) = value.as_array() else {
            self.must(field, if value.is_null() { "missing" } else { "not a list" });
            return &[];
        };
        if list.is_empty() {
            self.must(field, "empty");
        }
        let mut seen = HashSet::new();
        for (i, entry) in list.iter().enumerate() {
            if !seen.insert(entry.to_string()) {
                self.must(format!("{field}[{i}]"), "stands twice");
            }
        }
        list
    }

    /// A text that is there, or `None` with an error.
    pub fn text<'v>(&mut self, value: &'v Value, field: &str) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.must(field, if value.is_null() { "missing" } else { "not a text" });
        }
        text
    }

    /// A text, where it is there at all.
    pub fn optional_text(&mut self, value: &Value, field: &str) {
        if !value.is_null() {
            self.text(value, field);
        }
    }

    /// A whole number of at least `least`, where it is there at all.
    pub fn optional_integer(&mut self, value: &Value, field: &str, least: i64) {
        if !value.is_null() && !is_integer(value, least) {
            self.must(field, format!("{value} is not a whole number of at least {least}"));
        }
    }

    /// The version beside a subject, where 0.4 wants it.
    pub fn version_of(&mut self, value: &Value, field: &str) {
        if self.version != Version::V04 {
            return;
        }
        match value {
            Value::Null => self.should(field, "missing"),
            Value::String(text) if text == "0.4" => {}
            other => self.must(field, format!("{other} is not \"0.4\"")),
        }
    }
}

/// Whether a value is a whole number of at least `least`, `2.0` included.
pub fn is_integer(value: &Value, least: i64) -> bool {
    let whole = value.as_i64().or(value.as_u64().map(|_| i64::MAX));
    let whole = whole.or_else(|| value.as_f64().filter(|v| v.fract() == 0.0).map(|v| v as i64));
    whole.is_some_and(|v| v >= least)
}
