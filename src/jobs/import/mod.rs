//! Jobs that a machine has already, read from a crontab or from systemd's timers: a proposal for the manifest.

mod crontab;
mod timers;

use serde::Serialize;

use super::{Schedule, zone};

pub use crontab::{crontab, wrapped};
pub use timers::timers;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// What can be a job.
    pub jobs: Vec<Proposal>,
    /// What cannot, and why: one sentence each, with its place.
    pub skipped: Vec<String>,
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

/// A command of a shell as program and arguments: itself, where it has nothing that only a shell understands.
fn words(command: &str) -> Vec<String> {
    let plain = |c: char| c.is_alphanumeric() || " \t./_-+,:@%".contains(c);
    let first = command.split_whitespace().next().unwrap_or_default();
    if command.chars().all(plain) && !first.contains('=') {
        return command.split_whitespace().map(str::to_owned).collect();
    }
    vec!["sh".to_owned(), "-c".to_owned(), command.to_owned()]
}

/// What people would call a command: the first word that is neither an assignment nor an interpreter.
fn name_of(command: &str) -> String {
    const WRAPPERS: [&str; 14] = [
        "sh", "bash", "zsh", "python", "python3", "perl", "php", "node", "ruby", "env", "nice", "ionice", "sudo",
        "exec",
    ];
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    // What stands behind a directory or a test is the command: `cd /srv && ./backup.sh`, `[ -x a ] && a`.
    let last =
        command.split("&&").map(str::trim).find(|part| !part.starts_with("cd ") && !part.starts_with(['[', '!']));
    let words = last.unwrap_or(command).split_whitespace();
    let mut words = words.map(|word| word.trim_matches(['"', '\'', '(', ')', ';']));
    let found =
        words.find(|word| !word.contains('=') && !word.starts_with('-') && !WRAPPERS.contains(&base(word).as_str()));
    found.map(base).filter(|name| !name.is_empty()).unwrap_or_else(|| "job".to_owned())
}
