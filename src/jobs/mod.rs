//! The manifest of jobs: what should run and when, and what is made from it.

mod alerts;
mod declaration;
pub mod import;
pub mod metrics;
mod scenarios;
mod schedule;
mod state;

use std::time::Duration;

pub use alerts::{ALERTS, FILE as RULE_FILE, literal, rule_file, runbook, span};
pub use declaration::{cause, declaration, declared_job, key};
pub use scenarios::{FILE as TEST_FILE, test_file};
pub use schedule::{Fault, Schedule, ZONE, zone};
pub use state::{State, states};

/// A job that should run by itself, time and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name, which is the `script_name` of its metrics: any text, once in a manifest.
    pub name: String,
    /// When it is due.
    pub schedule: Schedule,
    /// How long after a due time a run may have ended well before the job is late.
    pub grace: Duration,
    /// How long a run may take.
    pub max_runtime: Duration,
    /// The label `team` of its alerts.
    pub team: String,
    /// The label `owner` of its alerts.
    pub owner: Option<String>,
    /// The severity of its alerts.
    pub severity: Severity,
    /// The page for whoever gets an alert; `None`: ours about that alert.
    pub runbook: Option<String>,
    /// The program and its arguments, for `run NAME`.
    pub command: Option<Vec<String>>,
}

/// How bad it is when something is wrong with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody has to look at it.
    Warning,
    /// Somebody has to get up.
    Critical,
}

impl Severity {
    /// The value of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
