//! The manifest of jobs: its settings, and what cannot be judged value by value.

use std::collections::BTreeMap;

use super::build::Builder;
use super::scalar::Scalar;
use super::schema::{Field, Kind};
use super::shape::{self, Nullable};
use super::{PromDuration, names};
use crate::jobs::{Job, Schedule, Severity, zone};

/// The settings of a job.
pub(crate) static JOB: &[Field] = &[
    Field::required(
        "name",
        Scalar::Text,
        "The name, once: what `moko-mon run` is given, and the `script_name` of its metrics.",
    ),
    Field::optional(
        "schedule",
        Scalar::Schedule,
        "\"0 3 * * 1-5\"",
        "When it is due, in quotes: a cron expression, or a calendar event of systemd such as `Mon..Fri 03:00`.",
    ),
    Field::optional(
        "every",
        Scalar::Duration { floor: "1s", ceiling: None },
        "1h",
        "Instead of `schedule`: how long after the start of a run the next one is due.",
    ),
    Field::optional("timezone", Scalar::TimeZone, "Europe/Berlin", "Where `schedule` is read; `UTC` if left out."),
    Field::optional(
        "grace",
        Scalar::Duration { floor: "0s", ceiling: None },
        "1h",
        "How long after a due time the run may have ended well, before it is late; `1h` if left out.",
    ),
    Field::optional(
        "max_runtime",
        Scalar::Duration { floor: "1s", ceiling: None },
        "1d",
        "How long a run may take; `1d` if left out.",
    ),
    Field::optional("team", Scalar::Text, "platform", "The label `team` of its alerts; `devops` if left out."),
    Field::optional("owner", Scalar::Text, "ann", "The label `owner` of its alerts."),
    Field::optional(
        "severity",
        Scalar::Choice(&["info", "warning", "critical"]),
        "warning",
        "The severity of its alerts; `warning` if left out.",
    ),
    Field::optional("runbook", Scalar::Url, "https://wiki.example.com/backup", "The page for whoever gets an alert."),
    Field::list(
        "command",
        &Kind::Scalar(Scalar::Text),
        "- ./backup.sh\n- --full\n",
        "The program and its arguments, for `moko-mon run NAME`.",
    ),
];

/// The `team` of a job that names none: that of the built-in alerts about scripts.
const TEAM: &str = "devops";

impl Builder {
    /// The jobs; one that was refused has been reported and is not among them.
    pub(crate) fn jobs(&mut self, jobs: Vec<shape::Job>) -> Vec<Job> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut out = Vec::new();
        for (index, job) in jobs.into_iter().enumerate() {
            let path = format!("jobs[{index}]");
            if !job.name.is_empty()
                && let Some(first) = seen.insert(job.name.clone(), index)
            {
                let expected = format!("another name: `jobs[{first}]` has it already");
                self.problem(&format!("{path}.name"), format!("{} is there twice", names::quote(&job.name)), expected);
            }
            out.extend(self.job(index, job));
        }
        out
    }

    /// One job, if it says when it is due.
    pub(crate) fn job(&mut self, index: usize, job: shape::Job) -> Option<Job> {
        let path = format!("jobs[{index}]");
        if job.command.as_ref().is_some_and(Vec::is_empty) {
            let expected = "the program and its arguments, or no `command`: then `moko-mon run` is given it";
            self.problem(&format!("{path}.command"), "the list is empty", expected);
        }
        let schedule = self.schedule(&path, &job)?;
        (!job.name.is_empty()).then(|| finished(job, schedule))
    }

    /// When a job is due, by one of two settings.
    fn schedule(&mut self, path: &str, job: &shape::Job) -> Option<Schedule> {
        // A key whose value was wrong has a place but no value: it was reported, it is not missing.
        let has = |key: &str| self.places.contains_key(&format!("{path}.{key}"));
        match (has("schedule"), has("every")) {
            (true, true) => {
                let expected = "one of `schedule` and `every`";
                self.problem(&format!("{path}.every"), "the job has `schedule`, too", expected);
                return None;
            }
            (false, false) => {
                let expected = "`schedule: \"0 3 * * 1-5\"` (or `\"Mon..Fri 03:00\"`), or `every: 1h`";
                self.problem(path, "the job does not say when it is due", expected);
                return None;
            }
            _ => {}
        }
        if let Some(every) = &job.every {
            if has("timezone") {
                let found = "the time zone means nothing to a job that is due `every` so often";
                self.problem(&format!("{path}.timezone"), found, "it only beside `schedule`");
            }
            return Some(Schedule::every(every));
        }
        let text = job.schedule.as_deref()?;
        if has("timezone") && Schedule::names_zone(text) {
            let found = format!("the schedule {} names its time zone itself", names::quote(text));
            self.problem(&format!("{path}.timezone"), found, "it in one of the two places");
        }
        let zone = zone(job.timezone.as_deref().unwrap_or("UTC")).ok()?;
        let schedule = Schedule::parse(text, zone).ok()?;
        if schedule.next_after(jiff::Timestamp::now()).is_none() {
            self.warnings
                .push(format!("{path}.schedule: {} lies in the past: the job is never due again", names::quote(text)));
        }
        Some(schedule)
    }
}

/// A job with a value in every place.
fn finished(job: shape::Job, schedule: Schedule) -> Job {
    let or = |duration: Option<PromDuration>, seconds: u64| {
        duration.map_or(std::time::Duration::from_secs(seconds), |duration| duration.as_duration())
    };
    let words = |words: Vec<Nullable<String>>| words.into_iter().map(|Nullable(word)| word).collect();
    Job {
        name: job.name,
        schedule,
        grace: or(job.grace, 3600),
        max_runtime: or(job.max_runtime, 24 * 3600),
        team: job.team.unwrap_or_else(|| TEAM.to_owned()),
        owner: job.owner,
        severity: match job.severity.as_deref() {
            Some("info") => Severity::Info,
            Some("critical") => Severity::Critical,
            _ => Severity::Warning,
        },
        runbook: job.runbook,
        command: job.command.map(words),
    }
}
