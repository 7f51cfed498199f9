//! `jobs list`: every job, how it is now, and when it is due.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::Context;
use crate::error::Result;
use crate::jobs::{Job, State, span, states};
use crate::ui::{Report, table};

pub(super) async fn run(context: &Context<'_>) -> Result<Report> {
    let config = context.config()?.config;
    if config.jobs.is_empty() {
        let text = "no job is declared: list them under `jobs` in moko-mon.yaml";
        return Ok(Report::new(json!({"live": false, "jobs": []}), text.to_owned()));
    }
    let states = match states(&super::prometheus(&config)?).await {
        Ok(states) => Some(states),
        Err(why) => {
            context.ui.warn(format!("the state of the jobs is not known: {}", why.in_one_line()));
            None
        }
    };
    let now = Timestamp::now();
    let unknown = State::default();
    let state = |job: &Job| states.as_ref().map(|states| states.get(&job.name).unwrap_or(&unknown));
    let heading = ["JOB", "STATE", "LAST SUCCESS", "NEXT DUE", "DURATION", "LIMIT", "SCHEDULE", "TEAM"];
    let rows = config.jobs.iter().map(|job| row(job, state(job), now));
    let rows: Vec<_> = std::iter::once(heading.map(str::to_owned).to_vec()).chain(rows).collect();
    let jobs: Vec<Value> = config.jobs.iter().map(|job| program(job, state(job), now)).collect();
    Ok(Report::new(json!({"live": states.is_some(), "jobs": jobs}), table::columns(&rows)))
}

fn row(job: &Job, state: Option<&State>, now: Timestamp) -> Vec<String> {
    let none = || "-".to_owned();
    let next = match due(job, state, now) {
        Some(due) if due > now => shown(job, due),
        // An interval that is over.
        Some(_) => "now".to_owned(),
        None => none(),
    };
    let zone = job.schedule.zone_name().map_or_else(String::new, |zone| format!(" ({zone})"));
    vec![
        table::cell(&job.name),
        word(job, state),
        state.and_then(|state| state.success).and_then(time).map_or_else(none, |time| shown(job, time)),
        next,
        state.and_then(|state| state.duration).map_or_else(none, duration),
        span(job.max_runtime),
        format!("{}{zone}", job.schedule.text()),
        table::cell(&job.team),
    ]
}

fn program(job: &Job, state: Option<&State>, now: Timestamp) -> Value {
    let instant = |seconds: f64| time(seconds).map(|time| time.to_string());
    json!({
        "name": job.name,
        "state": state.map(|state| state.word().replace(' ', "_")),
        "alerts": state.map(|state| &state.alerts),
        "last_success": state.and_then(|state| state.success).and_then(instant),
        "last_failure": state.and_then(|state| state.failure).and_then(instant),
        "late_since": state.and_then(late_since).map(|due| due.to_string()),
        "next_due": due(job, state, now).map(|due| due.to_string()),
        "duration_seconds": state.and_then(|state| state.duration),
        "max_runtime_seconds": job.max_runtime.as_secs(),
        "grace_seconds": job.grace.as_secs(),
        "schedule": job.schedule.text(),
        "timezone": job.schedule.zone_name(),
        "team": job.team,
        "owner": job.owner,
        "severity": job.severity.as_str(),
        "command": job.command,
    })
}

/// When the job is due next; past only where an interval is over.
fn due(job: &Job, state: Option<&State>, now: Timestamp) -> Option<Timestamp> {
    match job.schedule.zone_name() {
        Some(_) => job.schedule.next_after(now),
        // An interval counts from a run.
        None => state.and_then(|state| state.due).and_then(time),
    }
}

/// When the run that is missing was due.
fn late_since(state: &State) -> Option<Timestamp> {
    let is_late = ["JobLate", "JobNeverRan"].iter().any(|alert| state.alerts.contains(*alert));
    state.due.filter(|_| is_late).and_then(time)
}

/// The state in words.
fn word(job: &Job, state: Option<&State>) -> String {
    let Some(state) = state else { return "unknown".to_owned() };
    match (state.word(), late_since(state)) {
        (word, None) => word.to_owned(),
        ("late", Some(due)) => format!("late since {}", shown(job, due)),
        (word, Some(due)) => format!("{word}, late since {}", shown(job, due)),
    }
}

/// Whole seconds.
fn time(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no time, and refused")]
    Timestamp::from_second(seconds as i64).ok()
}

/// A time where the schedule is read.
fn shown(job: &Job, time: Timestamp) -> String {
    time.to_zoned(job.schedule.time_zone().clone()).strftime("%F %H:%M:%S %Z").to_string()
}

fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.1}s");
    }
    span(std::time::Duration::try_from_secs_f64(seconds.round()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn job(schedule: &str) -> Job {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("jobs: [{{name: a, {schedule}}}]\n");
        std::fs::write(folder.path().join(config::FILE_NAME), text).unwrap();
        let sources = config::Sources { directory: folder.path().to_owned(), ..Default::default() };
        config::resolve(&sources).unwrap().config.jobs.remove(0)
    }

    #[test]
    fn a_late_job_is_due_in_the_future_and_late_since_the_past() {
        let now: Timestamp = "2026-03-03T05:00:00Z".parse().unwrap();
        let missed: Timestamp = "2026-03-03T03:00:00Z".parse().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "exact for millions of years")]
        let late = |alerts: &[&str]| State {
            declared: true,
            due: Some(missed.as_second() as f64),
            alerts: alerts.iter().map(|alert| (*alert).to_owned()).collect(),
            ..State::default()
        };
        let cells = |schedule: &str, alerts: &[&str]| {
            let cells = row(&job(schedule), Some(&late(alerts)), now);
            [1, 3].map(|column| cells[column].clone())
        };
        let daily = "schedule: \"0 3 * * *\"";
        let tomorrow = "2026-03-04 03:00:00 UTC";
        assert_eq!(cells(daily, &["JobLate"]), ["late since 2026-03-03 03:00:00 UTC", tomorrow]);
        assert_eq!(cells(daily, &["JobNeverRan"]), ["never ran, late since 2026-03-03 03:00:00 UTC", tomorrow]);
        assert_eq!(cells(daily, &["JobLate", "JobFailed"]), ["failed, late since 2026-03-03 03:00:00 UTC", tomorrow]);
        // Within its grace.
        assert_eq!(cells(daily, &[]), ["waiting", tomorrow]);
        assert_eq!(cells("every: 1h", &["JobLate"]), ["late since 2026-03-03 03:00:00 UTC", "now"]);
        let told = program(&job(daily), Some(&late(&["JobLate"])), now);
        assert_eq!(
            (&told["late_since"], &told["next_due"]),
            (&json!("2026-03-03T03:00:00Z"), &json!("2026-03-04T03:00:00Z"))
        );
        assert_eq!(told["state"], "late");
    }
}
