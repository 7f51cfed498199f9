//! Jobs: one of each state.

use super::Case;
use super::data::{Data, HOUR, MINUTE};

pub(super) fn cases() -> Vec<Case> {
    let name = "jobs in every state";
    // 2026-01-11 12:30
    vec![Case { name, end: 1_768_134_600, scripts: &[], apis: &[], data: jobs, expected: JOBS }]
}

fn declare(data: &mut Data, script: &str, due: i64, limit: f64) {
    let labels = [("instance", ""), ("job", "moko_jobs"), ("script_name", script)];
    data.time("moko_job_declared_timestamp_seconds", &labels, -100 * HOUR);
    data.time("moko_job_next_due_timestamp_seconds", &labels, due);
    data.constant("moko_job_max_runtime_seconds", &labels, limit);
}

fn ran(data: &mut Data, script: &str, start: i64, running: f64, due: Option<i64>) {
    let labels = [("instance", "host-a"), ("job", "moko_scripts"), ("script_name", script)];
    data.time("moko_script_last_start_timestamp_seconds", &labels, start);
    data.constant("moko_script_running", &labels, running);
    if let Some(due) = due {
        data.time("moko_job_next_due_timestamp_seconds", &labels, due);
    }
}

fn ended(data: &mut Data, script: &str, status: &str, at: i64) {
    let labels = [("instance", "host-a"), ("job", "moko_scripts"), ("script_name", script), ("status", status)];
    data.time("moko_script_last_execution_timestamp_seconds", &labels, at);
}

fn firing(data: &mut Data, alert: &str, script: &str) {
    let labels = [("alertname", alert), ("alertstate", "firing"), ("component", "job"), ("script_name", script)];
    data.constant("ALERTS", &labels, 1.0);
}

fn jobs(data: &mut Data) {
    for (script, due) in [
        ("fine", -90 * HOUR),
        ("failed", -90 * HOUR),
        ("slow", -90 * HOUR),
        ("new", -2 * HOUR),
        ("waits", HOUR),
        ("runs", HOUR),
    ] {
        declare(data, script, due, 600.0);
    }
    ran(data, "fine", -20 * MINUTE, 0.0, Some(40 * MINUTE));
    ended(data, "fine", "success", -15 * MINUTE);
    ran(data, "failed", -10 * MINUTE, 0.0, None);
    ended(data, "failed", "success", -HOUR);
    ended(data, "failed", "failure", -9 * MINUTE);
    // Still running: what ended before was the run before it.
    ran(data, "slow", -25 * MINUTE, 1.0, None);
    ended(data, "slow", "success", -2 * HOUR);
    ran(data, "runs", -MINUTE, 1.0, None);
    firing(data, "JobFailed", "failed");
    firing(data, "JobLate", "failed");
    firing(data, "JobRunningTooLong", "slow");
    firing(data, "JobNeverRan", "new");
    // Runs, and is no job.
    ran(data, "stranger", -5 * MINUTE, 1.0, None);
}

const JOBS: &str = r#"
    # The worst of its alerts.
    9A {script_name="fine"} 1
    9A {script_name="failed"} 6
    9A {script_name="slow"} 4
    9A {script_name="new"} 7
    9A {script_name="waits"} 0
    9A {script_name="runs"} 2
    # 1768134600 minus 900, 3600 and 7200, in milliseconds.
    9B {script_name="fine"} 1768133700000
    9B {script_name="failed"} 1768131000000
    9B {script_name="slow"} 1768127400000
    # What its last success says, or else its declaration.
    9C {script_name="fine"} 1768137000000
    9C {script_name="failed"} 1767810600000
    9C {script_name="slow"} 1767810600000
    9C {script_name="new"} 1768127400000
    9C {script_name="waits"} 1768138200000
    9C {script_name="runs"} 1768138200000
    # 20 minutes less 15, 10 less 9, and 25 so far.
    9D {script_name="fine"} 300
    9D {script_name="failed"} 60
    9D {script_name="slow"} 1500
    9D {script_name="runs"} 60
    9E {script_name="fine"} 600
    9E {script_name="failed"} 600
    9E {script_name="slow"} 600
    9E {script_name="new"} 600
    9E {script_name="waits"} 600
    9E {script_name="runs"} 600
    9F {script_name="fine"} 0.5
    9F {script_name="failed"} 0.1
    9F {script_name="slow"} 2.5
    9F {script_name="runs"} 0.1
    # They ran.
    7A {script_name="fine",status="success"} 1768133700000
    7A {script_name="failed",status="failure"} 1768134060000
    7A {script_name="slow",status="success"} 1768127400000
    7B {script_name="fine",status="success"} 900
    7B {script_name="failed",status="failure"} 540
    7B {script_name="slow",status="success"} 7200
"#;
