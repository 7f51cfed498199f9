//! Jobs that a machine has already, read from a crontab or from systemd's timers: a proposal for the manifest.

mod command;
mod crontab;
mod timers;

use serde::Serialize;

use super::{Schedule, zone};

pub use crontab::{Wrapped, crontab, wrapped};
pub use timers::timers;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// What can be a job.
    pub jobs: Vec<Proposal>,
    /// What cannot, and why: one sentence each, with its place.
    pub skipped: Vec<String>,
    /// What is missing from a job that can be one: one sentence each, with its place.
    pub notes: Vec<String>,
}

/// A job as it would stand in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Unique among those that were found.
    pub name: String,
    /// A cron expression or a calendar event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// An interval instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// Where the schedule is read, if that is not UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Where the scheduler itself may be late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<String>,
    /// Program and arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

impl Import {
    /// Adds a job under a name that no other has.
    fn add(&mut self, mut job: Proposal) {
        let base = job.name.clone();
        let mut number = 1;
        while self.jobs.iter().any(|other| other.name == job.name) {
            number += 1;
            job.name = format!("{base}-{number}");
        }
        self.jobs.push(job);
    }
}

/// What is wrong with a schedule, read where the machine is.
fn fault(schedule: &str, timezone: Option<&str>) -> Option<String> {
    let zone = match zone(timezone.unwrap_or("UTC")) {
        Ok(zone) => zone,
        Err(fact) => return Some(format!("`{}` {fact}", timezone.unwrap_or_default())),
    };
    let fault = Schedule::parse(schedule, zone).err()?;
    Some(format!("`{schedule}` {}", fault.found))
}
