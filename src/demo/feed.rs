//! The feed: a container in the project's network that pushes how the made-up week goes on, every day like the first.
//!
//! It runs in the Pushgateway's own image, whose shell, `awk` and `wget` are all it needs, and holds no state.

use std::fmt::Write as _;

use super::history::{BUCKETS, History, Series, published};
use super::jobs::{Fact, JOBS, gaps};
use super::{JOB, LABELS, container_name, team};
use crate::docker::translate::helper_body;
use crate::stack::ContainerSpec;

/// What runs in the container.
const SCRIPT: &str = include_str!("feed.sh");

/// The word in the labels of the feed's container, where the others have their component.
pub const ROLE: &str = "demo";

/// The path of the group that is pushed to.
#[must_use]
pub fn group_path() -> String {
    let labels = LABELS.map(|(name, value)| format!("/{name}/{value}"));
    format!("/metrics/job/{JOB}{}", labels.concat())
}

/// The environment of the script: counters go on where history ends.
#[must_use]
pub fn environment(history: &History, interval: u64) -> Vec<String> {
    vec![
        format!("FEED={}", table(history)),
        format!("GROUP=http://pushgateway:9091{}", group_path()),
        format!("INTERVAL={interval}"),
    ]
}

/// The body of the create call.
#[must_use]
pub fn body(
    project: &str,
    pushgateway: &ContainerSpec,
    network: &str,
    environment: Vec<String>,
) -> bollard::models::ContainerCreateBody {
    let command = ["sh", "-c", SCRIPT].map(str::to_owned).to_vec();
    let spec = ContainerSpec { name: container_name(project), memory: 64 << 20, pids: 32, ..pushgateway.clone() };
    helper_body(project, ROLE, &spec, network, command, environment)
}

/// What is pushed and how it changes; `feed.sh` says how to read it.
fn table(history: &History) -> String {
    let (_, end) = history.span();
    let mut table = String::new();
    for (metric, series) in published() {
        let _ = writeln!(table, "# HELP {} {}", metric.name, metric.help);
        let _ = writeln!(table, "# TYPE {} {}", metric.name, metric.kind.as_str());
        for (name, of) in series {
            let _ = writeln!(table, "= {} {} {name}", key(of), history.value(of, end).unwrap_or_default());
        }
    }
    for script in 0..team::SCRIPTS.len() {
        let is_job = JOBS.iter().any(|job| job.script == script);
        let runs = team::runs(script, end, end + team::DAY, end);
        for (run, gap) in runs.iter().zip(gaps(&runs)) {
            let bucket = BUCKETS.iter().position(|bound| run.hundredths <= bound * 100).unwrap_or(BUCKETS.len());
            let status = if run.success { "s" } else { "f" };
            let (seconds, rest) = (run.hundredths / 100, run.hundredths % 100);
            let gap = if is_job { format!(" {gap}") } else { String::new() };
            let _ = writeln!(table, "r {} {script} {status} {seconds}.{rest:02} {bucket}{gap}", run.at);
        }
    }
    for finding in 0..team::FINDINGS.len() {
        for at in team::findings(finding, end, end + team::DAY, end) {
            let _ = writeln!(table, "f {at} {finding}");
        }
    }
    for (index, api) in team::APIS.iter().enumerate() {
        let _ = write!(table, "q {index} {}", api.limit);
        for share in team::appetites(index) {
            let _ = write!(table, " {share:.4}");
        }
        table.push('\n');
    }
    let (service, period, length) = team::PROBED;
    let _ = write!(table, "w {service} {period} {length}");
    table
}

/// The name of a value in the script.
fn key(of: Series) -> String {
    let status = |success| if success { "s" } else { "f" };
    match of {
        Series::Runs { script, success } => format!("runs{script}{}", status(success)),
        Series::Bucket { script, bucket } => format!("le{script}_{bucket}"),
        Series::Seconds { script } => format!("sum{script}"),
        Series::Last { script, success } => format!("last{script}{}", status(success)),
        Series::Left { api } => format!("left{api}"),
        Series::Reset { api } => format!("reset{api}"),
        Series::Limit { api } => format!("limit{api}"),
        Series::Breaker { service } => format!("state{service}"),
        Series::Findings { finding } => format!("found{finding}"),
        Series::Job { job, fact: Fact::Start } => format!("start{}", JOBS[job].script),
        Series::Job { job, fact: Fact::Due } => format!("due{}", JOBS[job].script),
        Series::Job { job, fact } => format!("job{job}{fact:?}"),
    }
}
