//! The alerts of each job: a group of rules with the job's own numbers in them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Job;
use super::metrics::DECLARATION;
use crate::config::Config;
use crate::exposition::{escape, number};
use crate::stack::DASHBOARD_UID;
use crate::yaml;

/// The name of the rule file.
pub const FILE: &str = "jobs.yml";

macro_rules! alerts {
    ($($name:literal),* $(,)?) => {
        /// The alerts that each job has.
        pub const ALERTS: [&str; [$($name),*].len()] = [$($name),*];

        /// The runbook of each of [`ALERTS`], in the same order.
        const RUNBOOKS: [&str; ALERTS.len()] = [$(include_str!(concat!("../../docs/runbooks/", $name, ".md"))),*];
    };
}

alerts!["JobLate", "JobNeverRan", "JobRunningTooLong", "JobFailed", "JobTooOften"];

/// The runbook of an alert of jobs, in Markdown.
#[must_use]
pub fn runbook(alert: &str) -> Option<&'static str> {
    ALERTS.iter().zip(RUNBOOKS).find_map(|(name, text)| (*name == alert).then_some(text))
}

#[derive(Debug, Serialize)]
struct File {
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
struct Rule {
    alert: &'static str,
    expr: String,
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
}

/// The rule file of all jobs, without the alerts that are switched off; `None` where nothing is left of it.
/// `dashboard` is where people reach Grafana, if there is one.
#[must_use]
pub fn rule_file(config: &Config, dashboard: Option<&str>) -> Option<String> {
    let group = |job: &Job| {
        let rules = ALERTS.into_iter().filter(|alert| !config.rules.disabled.contains(*alert));
        let rules = rules.map(|alert| rule(alert, job, &config.rules.runbooks, dashboard)).collect();
        Group { name: format!("job {}", job.name), rules }
    };
    let mut groups: Vec<Group> = config.jobs.iter().map(group).collect();
    groups.retain(|group| !group.rules.is_empty());
    // Texts in lists and maps always have a form in YAML.
    if groups.is_empty() { None } else { yaml::to_string(&File { groups }).ok() }
}

fn rule(alert: &'static str, job: &Job, runbooks: &str, dashboard: Option<&str>) -> Rule {
    let labels = [
        ("severity", job.severity.as_str().to_owned()),
        ("component", "job".to_owned()),
        ("team", literal(&job.team)),
        ("script_name", literal(&job.name)),
    ];
    let owner = job.owner.iter().map(|owner| ("owner", literal(owner)));
    let runbook = job.runbook.clone().unwrap_or_else(|| format!("{runbooks}/{alert}.md"));
    let (summary, description) = texts(alert, job);
    let texts = [("summary", summary), ("description", description), ("runbook_url", runbook)];
    let link = dashboard.map(|url| ("dashboard_url", format!("{url}/d/{DASHBOARD_UID}")));
    let facts = facts(alert).iter().map(|(name, template)| (*name, (*template).to_owned()));
    Rule {
        alert,
        expr: expression(alert, job),
        labels: labels.into_iter().chain(owner).collect(),
        annotations: texts.into_iter().chain(link).chain(facts).collect(),
    }
}

/// A text for a place where Prometheus reads templates.
#[must_use]
pub fn literal(text: &str) -> String {
    if text.contains("{{") { format!("{{{{ \"{}\" }}}}", escape(text)) } else { text.to_owned() }
}

/// What an alert says to people. A schedule has no braces in it.
fn texts(alert: &str, job: &Job) -> (String, String) {
    let when = match job.schedule.zone_name() {
        Some(zone) => format!("`{}` in {zone}", job.schedule.text()),
        None => format!("`{}`", job.schedule.text()),
    };
    let (grace, limit) = (span(job.grace), span(job.max_runtime));
    let name = "{{ $labels.script_name }}";
    let ago = "{{ $value | humanizeDuration }}";
    match alert {
        "JobLate" => (
            format!("Job {name} was due {ago} ago and has not ended well since"),
            format!(
                "It is due {when}, with {grace} of grace, and no run that began after its last due time has succeeded."
            ),
        ),
        "JobNeverRan" => (
            format!("Job {name} has not run since it was declared; it was due {ago} ago"),
            format!("It is due {when}, with {grace} of grace. Is it in the crontab, and started by `moko-mon run`?"),
        ),
        "JobRunningTooLong" => (
            format!("A run of job {name} takes or took {ago}, and may take {limit}"),
            "It is still running, it ended late, or it was killed together with its wrapper and never ended."
                .to_owned(),
        ),
        "JobFailed" => (
            format!("The last run of job {name} failed"),
            "Its output is with whoever started it: cron's mail, the journal, the pipeline.".to_owned(),
        ),
        _ => (
            format!("Job {name} ran {{{{ $value | humanize }}}} times within {}", span(window(job))),
            format!("It is due {when}, which is {} at most. Two schedulers may start it, or one in a loop.", most(job)),
        ),
    }
}

/// What an alert tells about the run that it is about, as annotations: they may change while the alert stays the same. Empty
/// where `moko-mon run` has not published it.
fn facts(alert: &str) -> &'static [(&'static str, &'static str)] {
    match alert {
        "JobFailed" => &[
            ("host", "{{ $labels.instance }}"),
            (
                "exit_code",
                "{{ with printf `moko_script_last_exit_code{script_name=%q,instance=%q}` $labels.script_name $labels.instance | query }}\
                 {{ . | first | value | printf `%.0f` }}{{ end }}\
                 {{ with printf `moko_script_last_signal{script_name=%q,instance=%q} > 0` $labels.script_name $labels.instance | query }} \
                 (signal {{ . | first | value | printf `%.0f` }}){{ end }}",
            ),
            (
                "run_id",
                // The id before it may live on for some minutes where a scrape was changed: the newest sample counts.
                "{{ with printf `topk(1, timestamp(moko_script_last_run_info{script_name=%q,instance=%q}))` $labels.script_name $labels.instance | query }}\
                 {{ . | first | label `run_id` }}{{ end }}",
            ),
        ],
        // The id of a run is published when it ends, and here it goes on.
        "JobRunningTooLong" => &[("host", "{{ $labels.instance }}")],
        "JobLate" | "JobTooOften" => &[(
            "host",
            "{{ with printf `topk(1, moko_script_last_start_timestamp_seconds{script_name=%q})` $labels.script_name | query }}\
             {{ . | first | label `instance` }}{{ end }}",
        )],
        _ => &[],
    }
}

/// The query of an alert.
///
/// A calendar cannot be told in a query, so due times are computed beforehand and published: by `up` for the time after
/// the declaration, and by `moko-mon run` with each run for the time after that run.
fn expression(alert: &str, job: &Job) -> String {
    let of = |metric: &str, more: &str| {
        format!("max by (script_name) ({metric}{{script_name=\"{}\"{more}}})", escape(&job.name))
    };
    let of_host = |metric: &str, more: &str| {
        format!("max by (script_name, instance) ({metric}{{script_name=\"{}\"{more}}})", escape(&job.name))
    };
    let ended = "moko_script_last_execution_timestamp_seconds";
    let started = "moko_script_last_start_timestamp_seconds";
    let due = "moko_job_next_due_timestamp_seconds";
    let (success, failure) = (",status=\"success\"", ",status=\"failure\"");
    let declared = of("moko_job_declared_timestamp_seconds", "");
    let declared_due = of(due, &format!(",job=\"{DECLARATION}\""));
    let never = format!(
        "(\n  {declared}\n  unless {} > {declared}\n  unless {} > {declared}\n)",
        of(ended, ""),
        of(started, "")
    );
    let grace = seconds(job.grace);
    match alert {
        "JobLate" => {
            let well = of(ended, success);
            // A script that counts for itself publishes no due time: then the longest gap of the schedule has to do.
            let gap = job.schedule.gaps().map(|(_, longest)| format!("\n    or {well} + {}", seconds(longest)));
            format!(
                "time() - (\n  (\n    {}{}\n  )\n  unless {well} <= {declared}\n  or {declared_due}\n) > {grace}\nunless {never}",
                of(due, &format!(",job!=\"{DECLARATION}\"")),
                gap.unwrap_or_default(),
            )
        }
        "JobNeverRan" => format!("time() - {declared_due} > {grace}\nand {never}"),
        "JobRunningTooLong" => {
            let (start, end) = (of_host(started, ""), of_host(ended, ""));
            let running = of_host("moko_script_running", "");
            let limit = seconds(job.max_runtime);
            format!("(\n  time() - {start}\n  and {running} > 0\n  or {end} - {start}\n) > {limit}")
        }
        "JobFailed" => {
            let (bad, well) = (of_host(ended, failure), of_host(ended, success));
            format!("{bad} > ({well} or {bad} * 0)")
        }
        _ => {
            let runs = format!("moko_script_executions_total{{script_name=\"{}\"}}", escape(&job.name));
            format!("sum by (script_name) (increase({runs}[{}s])) > {}", window(job).as_secs(), most_runs(job))
        }
    }
}

/// The stretch in which runs are counted: as long as the job usually waits, an hour at least and a day at most.
pub(super) fn window(job: &Job) -> Duration {
    let hour = Duration::from_secs(3600);
    job.schedule.gaps().map_or(hour, |(shortest, _)| shortest).clamp(hour, 24 * hour)
}

/// How many runs in [`window`] are still no alert: half as many again as are due, or two more, for those that somebody
/// starts by hand.
pub(super) fn most_runs(job: &Job) -> usize {
    let due = job.schedule.most_within(window(job));
    due + (due / 2).max(2)
}

fn most(job: &Job) -> String {
    match job.schedule.most_within(window(job)) {
        1 => "once in that time".to_owned(),
        count => format!("{count} times in that time"),
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    number(duration.as_secs_f64())
}

/// A duration for people, in whole units: `1h30m`.
#[must_use]
pub fn span(duration: Duration) -> String {
    let mut left = duration.as_secs();
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if left >= length {
            text.push_str(&format!("{}{unit}", left / length));
            left %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
