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
            let why = std::iter::once(why.message).chain(why.causes).collect::<Vec<_>>().join(": ");
            context.ui.warn(format!("the state of the jobs is not known: {why}"));
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
    let zone = job.schedule.zone_name().map_or_else(String::new, |zone| format!(" ({zone})"));
    vec![
        job.name.clone(),
        state.map_or("unknown", State::word).to_owned(),
        state.and_then(|state| state.success).and_then(time).map_or_else(none, |time| shown(job, time)),
        due(job, state, now).map_or_else(none, |due| shown(job, due)),
        state.and_then(|state| state.duration).map_or_else(none, duration),
        span(job.max_runtime),
        format!("{}{zone}", job.schedule.text()),
        job.team.clone(),
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

/// When the job is due, which may be past; without a state, when its schedule has it next.
fn due(job: &Job, state: Option<&State>, now: Timestamp) -> Option<Timestamp> {
    let published = state.and_then(|state| state.due).and_then(time);
    // An interval counts from a run, of which nothing is known.
    published.or_else(|| job.schedule.zone_name().and_then(|_| job.schedule.next_after(now)))
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
