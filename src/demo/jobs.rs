//! The made-up team's manifest: scripts that are jobs, and what is published of them beyond the contract. None of them is
//! the one that keeps failing or has become slow, so all are on time: only the rules of a real manifest can tell otherwise.

use super::history::{History, Series, series};
use super::{JOB, WEEK, team};
use crate::contract::{EXTRAS, Metric};
use crate::jobs::metrics::METRICS;

/// A script that is a job.
#[derive(Debug)]
pub struct Job {
    /// Which of the scripts.
    pub script: usize,
    schedule: &'static str,
    team: &'static str,
    /// How long a run may take, in seconds.
    limit: i64,
}

/// The jobs.
pub const JOBS: [Job; 5] = [
    Job { script: 0, schedule: "every 90s", team: "platform", limit: 10 },
    Job { script: 1, schedule: "every 5m", team: "platform", limit: 120 },
    Job { script: 4, schedule: "1-59/30 * * * *", team: "platform", limit: 60 },
    Job { script: 5, schedule: "every 20m", team: "reporting", limit: 180 },
    Job { script: 6, schedule: "0 5-23/6 * * *", team: "security", limit: 600 },
];

/// What a series of a job says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the metrics")]
pub enum Fact {
    Start,
    Running,
    Due,
    Declared,
    Limit,
    Info,
}

const FACTS: [(&str, Fact); 6] = [
    ("moko_script_last_start_timestamp_seconds", Fact::Start),
    ("moko_script_running", Fact::Running),
    ("moko_job_next_due_timestamp_seconds", Fact::Due),
    ("moko_job_declared_timestamp_seconds", Fact::Declared),
    ("moko_job_max_runtime_seconds", Fact::Limit),
    ("moko_job_info", Fact::Info),
];

/// The metrics of jobs with the names of their series.
pub(super) fn all() -> impl Iterator<Item = (&'static Metric, Vec<(String, Series)>)> {
    let metrics = EXTRAS.iter().chain(METRICS);
    metrics.filter_map(|metric| {
        let (_, fact) = FACTS.iter().find(|(name, _)| *name == metric.name)?;
        let of = |(job, of): (usize, &Job)| {
            let mut labels = vec![("script_name", team::SCRIPTS[of.script].name)];
            if *fact == Fact::Info {
                labels.extend([("schedule", of.schedule), ("timezone", "UTC"), ("team", of.team)]);
            }
            (series(metric.name, Some(JOB), &labels), Series::Job { job, fact: *fact })
        };
        Some((metric, JOBS.iter().enumerate().map(of).collect()))
    })
}

/// The value of a fact; `None` before the first run.
pub(super) fn value(history: &History, job: usize, fact: Fact, at: i64) -> Option<f64> {
    let of = &JOBS[job];
    let (_, end) = history.span();
    let whole = |seconds: i64| Some(seconds as f64);
    match fact {
        Fact::Start => whole(history.last_start(of.script, at)?),
        Fact::Running => whole(0),
        Fact::Due => whole(history.next_start(of.script, at)?),
        Fact::Declared => whole(end - WEEK),
        Fact::Limit => whole(of.limit),
        Fact::Info => whole(1),
    }
}

/// When the first run begins after each of these, which follow one another and happen every day: seconds after its end.
#[must_use]
pub fn gaps(runs: &[team::Run]) -> Vec<i64> {
    let first = runs.first().map_or(0, |run| run.start() + team::DAY);
    let next = runs.iter().skip(1).map(team::Run::start).chain([first]);
    runs.iter().zip(next).map(|(run, next)| next - run.at).collect()
}
