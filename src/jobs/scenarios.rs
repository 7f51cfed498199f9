//! Unit tests of the jobs' rules in promtool's format, made with them: what each alert is for and what it must not take
//! for it, up to the second, for every job.

use serde::Serialize;

use super::Job;
use super::alerts::{ALERTS, most_runs};
use super::metrics::DECLARATION;
use crate::config::Config;
use crate::error::Result;
use crate::exposition::escape;
use crate::yaml;

/// The name of the test file.
pub const FILE: &str = "jobs (made from the manifest)";

#[derive(Debug, Serialize)]
struct File {
    rule_files: [String; 1],
    evaluation_interval: &'static str,
    tests: Vec<Test>,
}

#[derive(Debug, Serialize)]
struct Test {
    name: &'static str,
    interval: &'static str,
    input_series: Vec<Series>,
    #[serde(rename = "promql_expr_test")]
    queries: [Query; 1],
}

#[derive(Debug, Serialize)]
struct Series {
    series: String,
    values: String,
}

#[derive(Debug, Serialize)]
struct Query {
    expr: &'static str,
    eval_time: &'static str,
    exp_samples: Vec<Sample>,
}

#[derive(Debug, Serialize)]
struct Sample {
    labels: String,
    value: u8,
}

/// When the rules are looked at, in seconds: `eval_time` of every test.
const NOW: i64 = 600;

/// What is known of a job at [`NOW`], as values of its metrics.
struct State {
    declared: i64,
    declared_due: i64,
    run: Option<Run>,
}

struct Run {
    due: Option<i64>,
    started: i64,
    running: bool,
    success: Option<i64>,
    failure: Option<i64>,
    each_minute: usize,
}

/// What happens, the alert that it deserves, and what is then known of a job; no state for a job that it cannot happen to.
type Scenario = (&'static str, Option<&'static str>, fn(&Job) -> Option<State>);

/// The test file for the rules at `rules`.
pub fn test_file(config: &Config, rules: &str) -> Result<String> {
    let scenarios: [Scenario; 9] = [
        ("a job that ended well, took all its time and is due since its grace", None, |job| Some(well(job))),
        ("a job that nobody has to have run yet", None, |job| Some(declared(job, whole(job.grace)))),
        ("no run since the declaration, a second after the grace", Some("JobNeverRan"), |job| {
            Some(declared(job, whole(job.grace) + 1))
        }),
        ("due again, and a second after the grace", Some("JobLate"), |job| {
            Some(run(job, |run| run.due = Some(NOW - whole(job.grace) - 1)))
        }),
        ("a script that counts for itself, a second after gap and grace", Some("JobLate"), |job| {
            let (_, gap) = job.schedule.gaps()?;
            let ended = NOW - whole(job.grace) - whole(gap) - 1;
            Some(run(job, |run| {
                (run.due, run.started, run.success, run.failure) = (None, ended, Some(ended), None);
            }))
        }),
        ("the last run failed", Some("JobFailed"), |job| {
            Some(run(job, |run| {
                (run.failure, run.started) = (run.success.map(|at| at + 1), run.started + 1);
            }))
        }),
        ("a run that does not end", Some("JobRunningTooLong"), |job| {
            Some(run(job, |run| {
                let started = NOW - whole(job.max_runtime) - 1;
                (run.running, run.started, run.due) = (true, started, Some(NOW));
                (run.success, run.failure) = (Some(started - 1), None);
            }))
        }),
        ("a run that took a second too long", Some("JobRunningTooLong"), |job| Some(run(job, |run| run.started -= 1))),
        ("many runs within minutes", Some("JobTooOften"), |job| {
            Some(run(job, |run| run.each_minute = most_runs(job) + 1))
        }),
    ];
    let disabled = |alert: &str| config.rules.disabled.contains(alert);
    let tests = scenarios.into_iter().filter(|(_, alert, _)| alert.is_none_or(|alert| !disabled(alert)));
    let tests = tests.map(|(name, alert, state)| {
        let states: Vec<(&Job, State)> = config.jobs.iter().filter_map(|job| Some((job, state(job)?))).collect();
        let expected = states.iter().filter_map(|(job, _)| Some(sample(job, alert?))).collect();
        Test {
            name,
            interval: "1m",
            input_series: states.iter().flat_map(|(job, state)| series(job, state)).collect(),
            queries: [Query { expr: FIRING, eval_time: "10m", exp_samples: expected }],
        }
    });
    let tests = tests.filter(|test| !test.input_series.is_empty()).collect();
    yaml::to_string(&File { rule_files: [rules.to_owned()], evaluation_interval: "1m", tests })
}

/// All alerts of all jobs: a test names each that fires, so no other does.
const FIRING: &str =
    "max by (alertname, script_name, severity, team) (ALERTS{component=\"job\",alertstate=\"firing\"})";

fn sample(job: &Job, alert: &str) -> Sample {
    debug_assert!(ALERTS.contains(&alert));
    let (name, severity, team) = (escape(&job.name), job.severity.as_str(), escape(&job.team));
    let labels = format!("{{alertname=\"{alert}\",script_name=\"{name}\",severity=\"{severity}\",team=\"{team}\"}}");
    Sample { labels, value: 1 }
}

/// Whole seconds, the finest that a test has.
fn whole(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 8).min(i64::MAX / 8)
}

/// A job that has not run and was due so many seconds ago.
fn declared(job: &Job, ago: i64) -> State {
    State { declared: long_ago(job), declared_due: NOW - ago, run: None }
}

/// Before everything that a test speaks of.
fn long_ago(job: &Job) -> i64 {
    let gap = job.schedule.gaps().map_or(0, |(_, longest)| whole(longest));
    NOW - 1_000_000 - whole(job.grace) - whole(job.max_runtime) - gap
}

/// A job with which nothing is wrong, but nearly so.
fn well(job: &Job) -> State {
    let ended = NOW - 60;
    let started = ended - whole(job.max_runtime);
    let due = Some(NOW - whole(job.grace));
    let run = Run { due, started, running: false, success: Some(ended), failure: Some(started - 1), each_minute: 0 };
    State { declared: long_ago(job), declared_due: long_ago(job) + 1, run: Some(run) }
}

/// [`well`], with a difference.
fn run(job: &Job, change: impl FnOnce(&mut Run)) -> State {
    let mut state = well(job);
    if let Some(run) = &mut state.run {
        change(run);
    }
    state
}

fn series(job: &Job, state: &State) -> Vec<Series> {
    let name = escape(&job.name);
    let of = |metric: &str, of: &str, more: &str, value: i64, step: usize| Series {
        series: format!("{metric}{{job=\"{of}\",script_name=\"{name}\"{more}}}"),
        values: format!("{value}+{step}x10"),
    };
    let mut all = vec![
        of("moko_job_declared_timestamp_seconds", DECLARATION, "", state.declared, 0),
        of("moko_job_next_due_timestamp_seconds", DECLARATION, "", state.declared_due, 0),
    ];
    let Some(run) = &state.run else { return all };
    let mut add = |metric: &str, more: &str, value: i64, step: usize| {
        all.push(of(metric, "scripts", &format!(",instance=\"host\"{more}"), value, step));
    };
    add("moko_script_last_start_timestamp_seconds", "", run.started, 0);
    add("moko_script_running", "", i64::from(run.running), 0);
    add("moko_script_executions_total", ",status=\"success\"", 7, run.each_minute);
    for (status, at) in [("success", run.success), ("failure", run.failure)] {
        if let Some(at) = at {
            add("moko_script_last_execution_timestamp_seconds", &format!(",status=\"{status}\""), at, 0);
        }
    }
    if let Some(due) = run.due {
        add("moko_job_next_due_timestamp_seconds", "", due, 0);
    }
    all
}
