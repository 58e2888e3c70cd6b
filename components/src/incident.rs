//! Things that went wrong without anybody having asked for something, told to those who want to know.

use bevy_ecs::resource::Resource;

/// Where it happened; there is one notice for each that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// Reading the image.
    Data,
    /// The GPU.
    Gpu,
    /// The encoder.
    Encoder,
}

impl Domain {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Gpu => "gpu",
            Self::Encoder => "encoder",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is over, or of no consequence.
    Info,
    /// Something is not as it should be, and goes on.
    Warning,
    /// Nothing goes on.
    Critical,
}

impl Severity {
    /// The wire's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Where.
    pub domain: Domain,
    /// For programs, for example `gpu.lost`.
    pub code: &'static str,
    /// A sentence: what, and what becomes of it.
    pub message: String,
    /// How bad.
    pub severity: Severity,
}

/// The incidents of this turn. Told, and forgotten at its end.
#[derive(Resource, Debug, Default)]
pub struct Incidents(Vec<Incident>);

impl Incidents {
    /// Incidents of a turn that are told; further ones are in the log.
    const MOST: usize = 32;

    /// Notes one.
    pub fn report(&mut self, incident: Incident) {
        if self.0.len() < Self::MOST {
            self.0.push(incident);
        }
    }

    /// Those of this turn, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Incident> {
        self.0.iter()
    }

    /// They were told.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
